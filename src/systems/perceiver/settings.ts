/** The settings of the Perceiver's recipes. */
import { z } from 'zod'
import { count, whole } from '../../train/settings.ts'
import type { PerceiverConfig } from './config.ts'
import type { PositionConfig } from './positions.ts'

/** What a recipe says of its model; what is left out is as in `perceiverSettings`. */
export interface PerceiverDefaults {
  readonly num_latents?: number
  readonly num_latent_channels?: number
  readonly num_cross_attends?: number
  readonly num_self_attends_per_block?: number
  readonly num_self_attend_heads?: number
  readonly positions?: 'fourier' | 'trainable' | 'none'
  readonly num_bands?: number
  readonly max_resolution?: number
}

/**
 * The network, and what a row knows of its place. Defaults: 32 latents of 64 channels, 2 cross attentions with 2 self attentions
 * after each, shared weights, 8 Fourier bands up to Nyquist's frequency.
 */
export function perceiverSettings(defaults: PerceiverDefaults = {}) {
  return z.strictObject({
    num_latents: whole.default(defaults.num_latents ?? 32).describe('latents, N'),
    num_latent_channels: whole.default(defaults.num_latent_channels ?? 64).describe('channels of a latent, D'),
    num_cross_attends: whole.default(defaults.num_cross_attends ?? 2).describe('how often the inputs are read'),
    num_self_attends_per_block: count
      .default(defaults.num_self_attends_per_block ?? 2)
      .describe('self attentions of the latent transformer after each reading'),
    num_cross_attend_heads: whole.default(1).describe('heads of the cross attentions'),
    num_self_attend_heads: whole.default(defaults.num_self_attend_heads ?? 4).describe('heads of the self attentions'),
    share_weights: z
      .boolean()
      .default(true)
      .describe('cross attentions from the second on share weights, and so do all latent transformers'),
    arrangement: z
      .enum(['interleaved', 'at_start'])
      .default('interleaved')
      .describe('cross attentions between the latent transformers, or all of them first'),
    latent_init_scale: z.number().positive().default(0.02).describe('standard deviation with which latents begin'),
    positions: z
      .enum(['fourier', 'trainable', 'none'])
      .default(defaults.positions ?? 'fourier')
      .describe('what a row knows of its place: Fourier features, a learned vector, nothing'),
    num_bands: whole.default(defaults.num_bands ?? 8).describe('Fourier frequencies of each axis, K'),
    max_resolution: z
      .number()
      .min(0)
      .default(defaults.max_resolution ?? 0)
      .describe('mu: the fastest wave has mu / 2 periods; 0: the size of the input (Nyquist)'),
    position_channels: whole.default(32).describe('channels of a learned position'),
    recompute: z
      .boolean()
      .default(false)
      .describe('compute latent transformers again in the backward pass: less memory where there are many, more time'),
  })
}

export type PerceiverSettings = z.infer<ReturnType<typeof perceiverSettings>>

/** The settings of the network alone. */
export type NetworkSettings = Omit<
  PerceiverSettings,
  'positions' | 'num_bands' | 'max_resolution' | 'position_channels'
>

/** The network for rows of so many channels. */
export function networkConfig(settings: NetworkSettings, input_channels: number, num_classes: number): PerceiverConfig {
  const { num_cross_attends, num_self_attends_per_block } = settings
  return {
    input_channels,
    num_latents: settings.num_latents,
    num_latent_channels: settings.num_latent_channels,
    num_cross_attends,
    num_blocks: num_self_attends_per_block === 0 ? 0 : num_cross_attends,
    num_self_attends_per_block,
    num_cross_attend_heads: settings.num_cross_attend_heads,
    num_self_attend_heads: settings.num_self_attend_heads,
    share_weights: settings.share_weights,
    arrangement: settings.arrangement,
    num_classes,
    latent_init_scale: settings.latent_init_scale,
    recompute: settings.recompute,
  }
}

/** The features of places in an array with so many axes. */
export function positionConfig(settings: PerceiverSettings, axes: number): PositionConfig {
  const { positions, num_bands, max_resolution, position_channels } = settings
  if (positions === 'none') return { type: 'none' }
  if (positions === 'trainable') return { type: 'trainable', num_channels: position_channels }
  return {
    type: 'fourier',
    num_bands,
    ...(max_resolution > 0 && { max_resolution: new Array<number>(axes).fill(max_resolution) }),
  }
}
