/** The settings of the two small models that are trained here. */
import { z } from 'zod'
import { optimizerSettings, trainSettings } from '../../tasks/settings.ts'
import { share, whole } from '../../train/settings.ts'
import type { CLIPConfig } from './config.ts'

/** Heads have 64 channels in all of CLIP. */
const headWidth = 64
const ofHeads = z
  .number()
  .int()
  .positive()
  .refine((width) => width % headWidth === 0, `must be a multiple of ${headWidth}`)

/** Sizes of a small CLIP. */
export function clipSettings() {
  return z.strictObject({
    tower: z.enum(['vit', 'resnet']).default('resnet').describe('what reads pictures: vit, or resnet (ModifiedResNet)'),
    embed_dim: whole.default(64).describe('width of the space that pictures and texts share'),
    vision_width: ofHeads.default(128).describe('of the ViT'),
    vision_layers: whole.default(3).describe('of the ViT'),
    vision_patch_size: whole.default(8).describe('of the ViT, in pixels'),
    resnet_width: whole.default(16).describe('channels after the stem of the ResNet'),
    resnet_layers: z
      .tuple([whole, whole, whole, whole])
      .default([1, 1, 1, 1])
      .describe('bottlenecks of the four stages of the ResNet'),
    enlarge: whole.default(1).describe('pictures become so many times larger first: a ResNet needs 32 pixels or more'),
    transformer_width: ofHeads.default(64).describe('of the text tower'),
    transformer_layers: whole.default(2).describe('of the text tower'),
    context_length: z.number().int().min(3).default(16).describe('tokens of a text, with start and end'),
  })
}
export type ClipSettings = z.infer<ReturnType<typeof clipSettings>>

/** The configuration under the official names. */
export function clipConfig(settings: ClipSettings, size: number, vocab_size: number): CLIPConfig {
  const { tower, embed_dim, enlarge, context_length, transformer_width, transformer_layers } = settings
  const isVit = tower === 'vit'
  return {
    embed_dim,
    image_resolution: size * enlarge,
    vision_layers: isVit ? settings.vision_layers : settings.resnet_layers,
    vision_width: isVit ? settings.vision_width : settings.resnet_width,
    vision_patch_size: isVit ? settings.vision_patch_size : null,
    context_length,
    vocab_size,
    transformer_width,
    transformer_heads: transformer_width / headWidth,
    transformer_layers,
  }
}

/** How CLIP is trained (section 2.5 of the paper, for a small model). */
export const clipTraining = {
  optimizer: optimizerSettings({
    lr: 3e-3,
    weight_decay: 0.05,
    decayed: 'matrices',
    warmup_steps: 30,
    betas: [0.9, 0.98],
    eps: 1e-6,
  }).prefault({}),
  train: trainSettings({
    epochs: 4,
    batch_size: 128,
    monitor: ['top5', 'top1', 'loss'],
  })
    .extend({ passes: whole.default(25).describe('passes over the drawings that count as one epoch') })
    .prefault({}),
}

/** How BigGAN is trained, the networks' sizes among it. */
export function bigganSettings() {
  return z.strictObject({
    z_dim: whole.default(128).describe('width of the noise, and of the embedding of a class'),
    channel_width: z.number().int().min(3).default(16).describe('ch: channels of the last block of the generator'),
    D_ch: whole.default(8).describe('channels of the first block of the discriminator'),
    n_stats: z.number().int().min(2).default(11).describe('truncations for which the batch norms have statistics'),
    eps: z.number().positive().default(1e-4).describe('of spectral norms and batch norms'),
  })
}
export type BigGANSettings = z.infer<ReturnType<typeof bigganSettings>>

const gradientSettings = z.strictObject({
  redraw: z
    .number()
    .min(0)
    .default(1)
    .describe('weight of how unlike its own drawing each picture is; wants data.by=thing; 0: the two networks alone'),
  adversarial: z
    .number()
    .min(0)
    .default(0)
    .describe(
      "weight of the discriminator's opinion, as published where it is 1 and redraw 0; 0: there is no discriminator",
    ),
  lr_G: z.number().positive().default(3e-3).describe('learning rate of the generator'),
  lr_D: z.number().positive().default(4e-4).describe('learning rate of the discriminator'),
  betas: z
    .tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)])
    .default([0.9, 0.99])
    .describe('of Adam'),
  adam_eps: z.number().positive().default(1e-6).describe('of Adam: added to the root of the second moment'),
  ortho: z.number().min(0).default(0).describe('orthogonal regularisation of the generator (the paper: 1e-4)'),
  ema_decay: share.default(0.99).describe('the generator that is used is an average, of which each step keeps this'),
  augment: z
    .boolean()
    .default(true)
    .describe('real and generated pictures are changed at random before they are judged'),
  standing_batches: whole.default(4).describe('batches of 64 whose statistics are averaged for each truncation'),
})
export type GradientSettings = z.infer<typeof gradientSettings>

export const bigganTraining = {
  optimizer: gradientSettings.prefault({}),
  train: trainSettings({ epochs: 5, batch_size: 32, monitor: ['frechet', 'loss'] })
    .extend({ passes: whole.default(8).describe('passes over the drawings that count as one epoch') })
    .prefault({}),
}
