/** Configurations of guided diffusion under the names of OpenAI's code (openai/guided-diffusion): networks and diffusion processes. */

/** Axes of a signal besides batch and channels. */
export type Dimensions = 1 | 2 | 3

/** What a U-Net and a classifier have in common. */
interface NetworkConfig {
  /** Height and width of the pictures. The U-Net itself takes any size that its levels divide. */
  readonly image_size: number
  readonly in_channels: number
  /** Base width; each level has `channel_mult` times as many channels (rounded down). */
  readonly model_channels: number
  readonly out_channels: number
  /** Residual blocks of a level. */
  readonly num_res_blocks: number
  /** Where there is attention: factors of downsampling (1, 2, 4, ...), not pixels. */
  readonly attention_resolutions: readonly number[]
  /** In the residual blocks. Default: 0. */
  readonly dropout?: number
  /** Default: 1, 2, 4, 8. */
  readonly channel_mult?: readonly number[]
  /** Whether down- and upsampling have a convolution. Default: true. */
  readonly conv_resample?: boolean
  /** Axes of a signal: 1, 2, or 3 (frames, whose number stays, of H x W). Default: 2. */
  readonly dims?: Dimensions
  /** Default: 1. */
  readonly num_heads?: number
  /** Channels of a head, instead of a number of heads; -1: `num_heads` counts. Default: -1. */
  readonly num_head_channels?: number
  /** Whether time scales and shifts after the norm (adaptive group norm) instead of being added before it. Default: false. */
  readonly use_scale_shift_norm?: boolean
  /** Whether residual blocks change the resolution (BigGAN). Default: false. */
  readonly resblock_updown?: boolean
  /** Order of the channels of queries, keys and values: all q, all k, all v; or head by head. Default: false, head by head. */
  readonly use_new_attention_order?: boolean
  /** Groups of every group norm; the official code has 32 everywhere. Default: 32. */
  readonly num_groups?: number
}

/** The U-Net that predicts the noise. */
export interface UNetConfig extends NetworkConfig {
  /** Heads where the resolution rises again; -1: `num_heads`. Default: -1. */
  readonly num_heads_upsample?: number
  /** With labels. Default: without. */
  readonly num_classes?: number
}

export const pools = ['adaptive', 'attention', 'spatial', 'spatial_v2'] as const

/** The classifier of noisy pictures: half of a U-Net. */
export interface EncoderUNetConfig extends NetworkConfig {
  /** How one vector is made of the last feature maps, or of all of them. Default: adaptive. */
  readonly pool?: (typeof pools)[number]
}

export const meanTypes = ['EPSILON', 'START_X', 'PREVIOUS_X'] as const
export const varTypes = ['LEARNED', 'LEARNED_RANGE', 'FIXED_SMALL', 'FIXED_LARGE'] as const
export const lossTypes = ['MSE', 'RESCALED_MSE', 'KL', 'RESCALED_KL'] as const
export const noiseSchedules = ['linear', 'cosine'] as const

/** What the network predicts: the noise, the picture, or the mean of the next step. */
export type ModelMeanType = (typeof meanTypes)[number]
/** Where the variance of a step comes from. */
export type ModelVarType = (typeof varTypes)[number]
export type LossType = (typeof lossTypes)[number]
export type NoiseSchedule = (typeof noiseSchedules)[number]

/** A diffusion process. */
export interface DiffusionConfig {
  readonly noise_schedule: NoiseSchedule
  /** T */
  readonly diffusion_steps: number
  /** The steps that are kept, as `spaceTimesteps` reads them. Default: all. */
  readonly timestep_respacing?: string | readonly number[]
  /** Whether the network sees times between 0 and 1000 whatever T is. Default: false. */
  readonly rescale_timesteps?: boolean
  /** Default: EPSILON. */
  readonly model_mean_type?: ModelMeanType
  /** Default: FIXED_LARGE. */
  readonly model_var_type?: ModelVarType
  /** Default: MSE. */
  readonly loss_type?: LossType
}
