/** The settings of the recipes. */
import { z } from 'zod'
import { haveClasses } from '../../tasks/pictures/facts.ts'
import { optimizerSettings, trainSettings } from '../../tasks/settings.ts'
import { count, pathSetting, share, whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { type DiffusionConfig, type EncoderUNetConfig, noiseSchedules, pools, type UNetConfig } from './config.ts'
import { diffusionConfig } from './released.ts'
import { requireRemains } from './schedule.ts'

/** The process. Defaults: those of the 64 x 64 model, with the bound weighed as at 1,000 steps. */
export function diffusionSettings() {
  return z.strictObject({
    noise_schedule: z.enum(noiseSchedules).default('cosine').describe('how fast pictures drown in noise'),
    diffusion_steps: whole.default(1000).describe('steps from a picture to noise, T'),
    learn_sigma: z.boolean().default(true).describe('whether the network gives the variance of each step too'),
    predict_xstart: z.boolean().default(false).describe('predict the picture instead of the noise'),
    use_kl: z.boolean().default(false).describe('train by the variational bound alone'),
    rescale_learned_sigmas: z.boolean().default(true).describe('weigh the bound as at 1,000 steps, whatever T is'),
    rescale_timesteps: z.boolean().default(false).describe('show the network times from 0 to 1000, whatever T is'),
  })
}

export type DiffusionSettings = z.infer<ReturnType<typeof diffusionSettings>>

/** The process of the settings, with the steps that `timestep_respacing` keeps. */
export function processConfig(settings: DiffusionSettings, timestep_respacing = ''): DiffusionConfig {
  requireRemains(settings.noise_schedule, settings.diffusion_steps)
  return diffusionConfig({ ...settings, timestep_respacing })
}

/** What a U-Net and a classifier have in common: by default 16, 32 and 32 channels at 28, 14 and 7 pixels. */
const networkSettings = {
  model_channels: whole.default(16).describe('channels at the highest resolution'),
  channel_mult: z.array(z.number().positive()).min(1).default([1, 2, 2]).describe('times so many channels, by level'),
  num_res_blocks: count.default(1).describe('residual blocks of a level'),
  attention_resolutions: z
    .array(whole)
    .default([4])
    .describe('where there is attention: by how much the resolution has fallen (1, 2, 4 ...)'),
  num_heads: whole.default(1).describe('attention heads, where num_head_channels is -1'),
  num_head_channels: z.number().int().min(-1).default(32).describe('channels of an attention head; -1: see num_heads'),
  dropout: share.default(0).describe('dropout of the residual blocks'),
  use_scale_shift_norm: z.boolean().default(true).describe('adaptive group norm: time scales and shifts'),
  resblock_updown: z.boolean().default(true).describe("residual blocks change the resolution, BigGAN's way"),
  conv_resample: z.boolean().default(true).describe('without these: a convolution beside each change of resolution'),
  use_new_attention_order: z.boolean().default(true).describe('order of queries, keys and values in the weights'),
  num_groups: whole.default(8).describe('groups of the group norms (official: 32)'),
}

/** The denoiser. */
export function unetSettings() {
  return z.strictObject({
    ...networkSettings,
    class_cond: z.boolean().default(true).describe('whether the network is told the class, if pictures have classes'),
    checkpoint: pathSetting('weights to start from: an official .pt, or a file with tensors of these names'),
  })
}

/** The classifier of noisy pictures. */
export function encoderSettings() {
  return z.strictObject({
    ...networkSettings,
    pool: z.enum(pools).default('attention').describe('how one vector is made of the feature maps'),
  })
}

/** The upsampler: its pictures are large, so it is narrow and has attention only where the resolution is lowest. */
export function upsamplerSettings() {
  return unetSettings().extend({
    factor: z.number().int().min(2).default(2).describe('how many times larger pictures become'),
  })
}

export type UpsamplerSettings = z.infer<ReturnType<typeof upsamplerSettings>>
export type UNetSettings = z.infer<ReturnType<typeof unetSettings>>
export type EncoderSettings = z.infer<ReturnType<typeof encoderSettings>>

/** What the data decide of a network. */
export interface PictureSizes {
  readonly labels: readonly string[]
  readonly image_size: readonly [height: number, width: number]
  readonly in_channels: number
}

/** The denoiser of the settings for such pictures. */
export function unetConfig(
  { class_cond, checkpoint: _, ...network }: UNetSettings,
  { labels, image_size, in_channels }: PictureSizes,
  { learn_sigma }: DiffusionSettings,
): UNetConfig {
  const factor = 2 ** (network.channel_mult.length - 1)
  if (image_size.some((side) => side % factor !== 0)) {
    const [height] = image_size
    throw new UsageError(
      `height and width of the pictures must be multiples of ${factor} for the ${network.channel_mult.length} levels of model.channel_mult, found ${image_size.join(' x ')}`,
      { hint: `--set data.image_size=${Math.ceil(height / factor) * factor}, or fewer levels` },
    )
  }
  return {
    ...network,
    image_size: image_size[0],
    in_channels,
    out_channels: learn_sigma ? 2 * in_channels : in_channels,
    // One class says nothing of a picture.
    ...(class_cond && haveClasses({ labels }) && { num_classes: labels.length }),
  }
}

/** The classifier of the settings for such pictures. */
export function encoderConfig(
  network: EncoderSettings,
  { labels, image_size, in_channels }: PictureSizes,
): EncoderUNetConfig {
  return { ...network, image_size: image_size[0], in_channels, out_channels: labels.length }
}

/** What the training of a denoiser has besides that of others. */
const denoiserSteps = {
  schedule_sampler: z
    .enum(['uniform', 'loss-second-moment'])
    .default('uniform')
    .describe('which times are trained on: all alike, or more often those with large losses, which then weigh less'),
  microbatch: count
    .default(0)
    .describe('pictures of a batch that go through the network at once, whose mean losses are added up; 0: all'),
  ema_rates: z
    .array(z.number().min(0).lt(1))
    .default([])
    .describe('further averages of the weights to keep, like [0.99,0.999]: sample --ema 0.999 draws with one of them'),
}

export type DenoiserTrainSettings = z.infer<z.ZodObject<typeof denoiserSteps>>

/** How a denoiser is trained. */
export const denoiserTraining = {
  optimizer: optimizerSettings({ lr: 2e-3, weight_decay: 0, warmup_steps: 50, ema_decay: 0.99 }).prefault({}),
  train: trainSettings({ epochs: 1, batch_size: 32, evaluate_every: 250, monitor: ['mse', 'loss'] })
    .extend(denoiserSteps)
    .prefault({}),
}

/** How the classifier is trained. */
export const classifierTraining = {
  optimizer: optimizerSettings({ lr: 1e-3, weight_decay: 0.05, warmup_steps: 50 }).prefault({}),
  train: trainSettings({ epochs: 1, batch_size: 64, evaluate_every: 250, monitor: ['accuracy', 'loss'] }).prefault({}),
}
