/** The settings that recipes for picture classifiers share; each recipe gives its own defaults. */

import { z } from 'zod'
import type { AugmentOptions } from '../../data/augment/index.ts'
import { count } from '../../train/settings.ts'
import { type OptimizerDefaults, optimizerSettings, type TrainDefaults, trainSettings } from '../settings.ts'

/** How weights are updated: matrices and kernels decay, by 0.05 where the recipe says nothing else. */
export function classifierOptimizerSettings(defaults: OptimizerDefaults) {
  return optimizerSettings({ weight_decay: 0.05, decayed: 'matrices', ...defaults }).extend({
    label_smoothing: z.number().min(0).max(0.5).default(0.05).describe('share of the target spread over all classes'),
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

/** How long a classifier is trained, and what is kept. */
export function classifierTrainSettings(defaults: Omit<TrainDefaults, 'monitor'>) {
  return trainSettings({ ...defaults, monitor: ['accuracy', 'loss'] })
}

export type ClassifierOptimizerSettings = z.infer<ReturnType<typeof classifierOptimizerSettings>>
export type AugmentSettings = z.infer<ReturnType<typeof augmentSettings>>

/** The settings as the data layer takes them. */
export function augmentOptions(settings: AugmentSettings): AugmentOptions {
  const { crop_area, flip, randaugment_layers, randaugment_magnitude } = settings
  return { cropArea: crop_area, flip, layers: randaugment_layers, magnitude: randaugment_magnitude }
}
