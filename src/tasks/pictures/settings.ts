/** The settings that recipes for picture classifiers share; each recipe gives its own defaults. */

import { z } from 'zod'
import type { AugmentOptions } from '../../data/augment/index.ts'
import { count, whole } from '../../train/settings.ts'

/** How weights are updated. */
export function optimizerSettings(defaults: { readonly lr: number; readonly warmup_steps: number }) {
  return z.strictObject({
    name: z
      .enum(['adamw', 'sgd'])
      .default('adamw')
      .describe('adamw, or sgd with momentum 0.9 (what Mixer is fine-tuned with)'),
    lr: z.number().positive().default(defaults.lr).describe('learning rate after the warm-up; then a cosine down to 0'),
    weight_decay: z.number().min(0).default(0.05).describe('of matrices and kernels, not of biases and norms'),
    clip_norm: z.number().min(0).default(1).describe('largest norm of all gradients together; 0: not clipped'),
    warmup_steps: count.default(defaults.warmup_steps).describe('steps in which the learning rate rises from 0'),
    label_smoothing: z.number().min(0).max(0.5).default(0.05).describe('share of the target spread over all classes'),
    ema_decay: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe(
        'use a moving average of the weights, of which each step keeps this share, such as 0.999; 0: no average',
      ),
  })
}

/** Random changes of training pictures. */
export function augmentSettings(defaults: { readonly flip: boolean }) {
  return z.strictObject({
    crop_area: z
      .number()
      .gt(0)
      .max(1)
      .default(1)
      .describe('cut a random box of at least this share of the picture (Inception crop; official 0.05); 1: no crop'),
    flip: z.boolean().default(defaults.flip).describe('mirror half of the pictures'),
    randaugment_layers: count.default(0).describe('operations of RandAugment on each picture (official 2); 0: none'),
    randaugment_magnitude: z.number().min(0).max(30).default(10).describe('strength of these operations (official 15)'),
    mixup: z.number().min(0).default(0).describe('p of the Beta(p, p) that pairs are mixed by (official 0.5); 0: none'),
  })
}

/** Length of training and what is kept. */
export function trainSettings(defaults: { readonly epochs: number; readonly batch_size: number }) {
  return z.strictObject({
    epochs: whole.default(defaults.epochs).describe('passes over the training data'),
    batch_size: whole.default(defaults.batch_size).describe('examples in a step'),
    checkpoint_every: whole.default(100).describe('steps between checkpoints'),
    keep_checkpoints: whole.default(2).describe('numbered checkpoints kept, besides the best'),
    patience: count.default(0).describe('stop after this many evaluations without improvement; 0: never'),
    monitor: z
      .enum(['accuracy', 'loss'])
      .default('accuracy')
      .describe('the test metric that decides which checkpoint is best'),
  })
}

export type OptimizerSettings = z.infer<ReturnType<typeof optimizerSettings>>
export type AugmentSettings = z.infer<ReturnType<typeof augmentSettings>>
export type TrainSettings = z.infer<ReturnType<typeof trainSettings>>

/** The settings as the data layer takes them. */
export function augmentOptions(settings: AugmentSettings): AugmentOptions {
  const { crop_area, flip, randaugment_layers, randaugment_magnitude } = settings
  return { cropArea: crop_area, flip, layers: randaugment_layers, magnitude: randaugment_magnitude }
}

/** Accuracy is to rise, loss to fall. */
export function monitorOf({ monitor }: TrainSettings): { readonly metric: string; readonly goal: 'max' | 'min' } {
  return { metric: monitor, goal: monitor === 'loss' ? 'min' : 'max' }
}
