/** The released models by name, and the command-line flags of the official scripts as configurations. */
import { UsageError } from '../../util/errors.ts'
import { suggestion } from '../../util/words.ts'
import { type DiffusionConfig, type EncoderUNetConfig, noiseSchedules, pools, type UNetConfig } from './config.ts'

const diffusionDefaults = {
  learn_sigma: false,
  diffusion_steps: 1000,
  noise_schedule: 'linear',
  timestep_respacing: '',
  use_kl: false,
  predict_xstart: false,
  rescale_timesteps: false,
  rescale_learned_sigmas: false,
}

const networkDefaults = {
  num_channels: 128,
  num_res_blocks: 2,
  num_heads: 4,
  num_heads_upsample: -1,
  num_head_channels: -1,
  /** In pixels. */
  attention_resolutions: '16,8',
  dropout: 0,
  class_cond: false,
  use_checkpoint: false,
  use_scale_shift_norm: true,
  resblock_updown: false,
  use_fp16: false,
}

/** `model_and_diffusion_defaults` */
export const modelDefaults = {
  image_size: 64,
  ...networkDefaults,
  /** Empty: by the image size. */
  channel_mult: '',
  use_new_attention_order: false,
  ...diffusionDefaults,
}

/** `sr_model_and_diffusion_defaults` */
export const superResDefaults = { ...networkDefaults, ...diffusionDefaults, large_size: 256, small_size: 64 }

/** `classifier_defaults` */
export const classifierDefaults = {
  image_size: 64,
  classifier_use_fp16: false,
  classifier_width: 128,
  classifier_depth: 2,
  /** In pixels. */
  classifier_attention_resolutions: '32,16,8',
  classifier_use_scale_shift_norm: true,
  classifier_resblock_updown: true,
  classifier_pool: 'attention',
}

export type ModelFlags = typeof modelDefaults
export type SuperResFlags = typeof superResDefaults
export type ClassifierFlags = typeof classifierDefaults

/** ImageNet's. */
const numClasses = 1000
const colours = 3
/** Channels of an attention head of every classifier. */
const classifierHeadChannels = 64

const multiples: Readonly<Record<number, readonly number[]>> = {
  512: [0.5, 1, 1, 2, 2, 4, 4],
  256: [1, 1, 2, 2, 4, 4],
  128: [1, 1, 2, 3, 4],
  64: [1, 2, 3, 4],
}

const superResMultiples: Readonly<Record<number, readonly number[]>> = {
  512: [1, 1, 2, 2, 4, 4],
  256: [1, 1, 2, 2, 4, 4],
  64: [1, 2, 3, 4],
}

function multiplesOf(table: Readonly<Record<number, readonly number[]>>, size: number): readonly number[] {
  const found = table[size]
  if (found) return found
  const sizes = Object.keys(table).join(', ')
  throw new UsageError(`diffusion: the official code has no channel_mult for size ${size}, only for ${sizes}`, {
    hint: 'a denoiser takes --channel_mult, like 1,2,2,2',
  })
}

/** "32,16,8" pixels of a picture of so many -> factors of downsampling. */
const factors = (pixels: string, size: number): number[] =>
  pixels.split(',').map((resolution) => Math.floor(size / Number(resolution)))

/** A flag's text as a value of the type of its default. */
function flagValue<T extends string | number | boolean>(name: string, text: string, usual: T): T {
  if (typeof usual === 'string') return text as T
  if (typeof usual === 'number') {
    const value = Number(text)
    if (text.trim() === '' || Number.isNaN(value))
      throw new UsageError(`diffusion: --${name} must be a number, found "${text}"`)
    return value as T
  }
  const lower = text.toLowerCase()
  if (['yes', 'true', 't', 'y', '1'].includes(lower)) return true as T
  if (['no', 'false', 'f', 'n', '0'].includes(lower)) return false as T
  throw new UsageError(`diffusion: --${name} must be True or False, found "${text}"`)
}

/** A flag and its value where they are one word, as argparse takes them: `--image_size=64`. */
function flagParts(word: string): string[] {
  const [, flag, value] = /^(--[^=]+)=(.*)$/.exec(word) ?? []
  return flag === undefined || value === undefined ? [word] : [flag, value]
}

/** `--image_size 64 --class_cond=True` over defaults. Throws a UsageError for a flag that is not among these. */
export function parseFlags<Flags extends Readonly<Record<string, string | number | boolean>>>(
  text: string,
  defaults: Flags,
): Flags {
  const words = text
    .split(/\s+/)
    .filter((word) => word !== '')
    .flatMap(flagParts)
  const flags: Record<string, string | number | boolean> = { ...defaults }
  for (let i = 0; i < words.length; i += 2) {
    const [flag = '', value] = [words[i], words[i + 1]]
    const name = flag.replace(/^--/, '')
    const usual = defaults[name]
    if (!flag.startsWith('--') || usual === undefined) {
      throw new UsageError(`diffusion: unknown flag "${flag}"`, { hint: suggestion(name, Object.keys(defaults)) })
    }
    if (value === undefined) throw new UsageError(`diffusion: ${flag} needs a value`)
    flags[name] = flagValue(name, value, usual)
  }
  return flags as Flags
}

/** The process of the flags. */
export function diffusionConfig(flags: typeof diffusionDefaults): DiffusionConfig {
  const schedule = noiseSchedules.find((name) => name === flags.noise_schedule)
  if (!schedule) throw new UsageError(`diffusion: unknown beta schedule "${flags.noise_schedule}"`)
  const mse = flags.rescale_learned_sigmas ? 'RESCALED_MSE' : 'MSE'
  return {
    noise_schedule: schedule,
    diffusion_steps: flags.diffusion_steps,
    timestep_respacing: flags.timestep_respacing,
    rescale_timesteps: flags.rescale_timesteps,
    model_mean_type: flags.predict_xstart ? 'START_X' : 'EPSILON',
    model_var_type: flags.learn_sigma ? 'LEARNED_RANGE' : 'FIXED_LARGE',
    loss_type: flags.use_kl ? 'RESCALED_KL' : mse,
  }
}

function networkOf(flags: typeof networkDefaults & typeof diffusionDefaults, size: number) {
  return {
    image_size: size,
    in_channels: colours,
    model_channels: flags.num_channels,
    out_channels: flags.learn_sigma ? 2 * colours : colours,
    num_res_blocks: flags.num_res_blocks,
    attention_resolutions: factors(flags.attention_resolutions, size),
    dropout: flags.dropout,
    ...(flags.class_cond && { num_classes: numClasses }),
    num_heads: flags.num_heads,
    num_head_channels: flags.num_head_channels,
    num_heads_upsample: flags.num_heads_upsample,
    use_scale_shift_norm: flags.use_scale_shift_norm,
    resblock_updown: flags.resblock_updown,
  }
}

/** The denoiser of the flags: `create_model`. */
export function modelConfig(flags: ModelFlags): UNetConfig {
  const { channel_mult, image_size, use_new_attention_order } = flags
  return {
    ...networkOf(flags, image_size),
    channel_mult: channel_mult === '' ? multiplesOf(multiples, image_size) : channel_mult.split(',').map(Number),
    use_new_attention_order,
  }
}

/** The upsampler of the flags: `sr_create_model`. */
export function superResConfig(flags: SuperResFlags): UNetConfig {
  return { ...networkOf(flags, flags.large_size), channel_mult: multiplesOf(superResMultiples, flags.large_size) }
}

/** The classifier of the flags: `create_classifier`. */
export function classifierConfig(flags: ClassifierFlags): EncoderUNetConfig {
  const pool = pools.find((name) => name === flags.classifier_pool)
  if (!pool) throw new UsageError(`diffusion: unknown pool "${flags.classifier_pool}"`)
  return {
    image_size: flags.image_size,
    in_channels: colours,
    model_channels: flags.classifier_width,
    out_channels: numClasses,
    num_res_blocks: flags.classifier_depth,
    attention_resolutions: factors(flags.classifier_attention_resolutions, flags.image_size),
    channel_mult: multiplesOf(multiples, flags.image_size),
    num_head_channels: classifierHeadChannels,
    use_scale_shift_norm: flags.classifier_use_scale_shift_norm,
    resblock_updown: flags.classifier_resblock_updown,
    pool,
  }
}

/** What the released denoisers have in common. */
const released = {
  ...modelDefaults,
  attention_resolutions: '32,16,8',
  class_cond: true,
  learn_sigma: true,
  num_channels: 256,
  num_head_channels: 64,
  resblock_updown: true,
  use_fp16: true,
}

const lsun = { ...released, image_size: 256, class_cond: false, dropout: 0.1 }

/** Released denoisers by name. */
export const denoisers = {
  '64x64_diffusion': {
    ...released,
    image_size: 64,
    dropout: 0.1,
    noise_schedule: 'cosine',
    num_channels: 192,
    num_res_blocks: 3,
    use_new_attention_order: true,
  },
  '128x128_diffusion': { ...released, image_size: 128, num_head_channels: -1 },
  '256x256_diffusion': { ...released, image_size: 256 },
  '256x256_diffusion_uncond': { ...released, image_size: 256, class_cond: false },
  '512x512_diffusion': { ...released, image_size: 512, use_fp16: false },
  lsun_bedroom: lsun,
  lsun_cat: lsun,
  lsun_horse: lsun,
  lsun_horse_nodropout: { ...lsun, dropout: 0 },
} as const satisfies Readonly<Record<string, ModelFlags>>

const releasedUpsampler = {
  ...superResDefaults,
  class_cond: true,
  learn_sigma: true,
  num_channels: 192,
  resblock_updown: true,
  use_fp16: true,
}

/** Released upsamplers by name. */
export const upsamplers = {
  '64_256_upsampler': { ...releasedUpsampler, attention_resolutions: '32,16,8' },
  '128_512_upsampler': {
    ...releasedUpsampler,
    attention_resolutions: '32,16',
    large_size: 512,
    small_size: 128,
    num_head_channels: 64,
  },
} as const satisfies Readonly<Record<string, SuperResFlags>>

/** Released classifiers by name. */
export const classifiers = {
  '64x64_classifier': { ...classifierDefaults, classifier_depth: 4 },
  '128x128_classifier': { ...classifierDefaults, image_size: 128 },
  '256x256_classifier': { ...classifierDefaults, image_size: 256 },
  '512x512_classifier': { ...classifierDefaults, image_size: 512 },
} as const satisfies Readonly<Record<string, ClassifierFlags>>
