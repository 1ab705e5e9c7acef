/** MLP-Mixer's configuration under the official names, and its published variants (paper, Table 1). */
import { patchGrid } from '../../models/patches.ts'
import type { ActivationName } from '../../nn/activation-names.ts'
import { elementCount } from '../../tensor/dtype.ts'

/** Constructor arguments of the official flax model, plus what flax infers from the input. */
export interface MixerConfig {
  /** Height and width of a patch, in pixels. */
  readonly patch_size: readonly [number, number]
  /** Height and width of the pictures, in pixels: multiples of the patch. */
  readonly image_size: readonly [number, number]
  readonly in_channels: number
  /** Width of the last layer; 0: no head, the output is the representation. */
  readonly num_classes: number
  readonly num_blocks: number
  /** C, the width of a token. */
  readonly hidden_dim: number
  /** D_S, the hidden width of the MLP that mixes tokens. */
  readonly tokens_mlp_dim: number
  /** D_C, the hidden width of the MLP that mixes channels. */
  readonly channels_mlp_dim: number
  /** big_vision: probability that the last block's branches are dropped in training; earlier blocks drop less. */
  readonly stoch_depth: number
  /** `tanh` as in the official models, `none` (erf) as in timm's. */
  readonly gelu: 'tanh' | 'none'
  /** What timm's model may do differently. Default: the official code. */
  readonly port?: PortConfig
}

/** Where timm's model may differ from the official code; each default is the official code's. */
export interface PortConfig {
  /** Activation of the MLPs, by timm's name. Default: the GELU that `gelu` names. */
  readonly act_layer?: ActivationName
  /** Of the layer norms. Default: 1e-6. */
  readonly norm_eps?: number
  /** Whether the tokens are normalised before the first block. Default: false. */
  readonly stem_norm?: boolean
  /** `avg`: the mean of the tokens; empty: the head sees every token. Default: `avg`. */
  readonly global_pool?: 'avg' | ''
}

interface Variant {
  readonly patch: number
  readonly num_blocks: number
  readonly hidden_dim: number
  readonly tokens_mlp_dim: number
  readonly channels_mlp_dim: number
}

const sizes = {
  S: { num_blocks: 8, hidden_dim: 512, tokens_mlp_dim: 256, channels_mlp_dim: 2048 },
  B: { num_blocks: 12, hidden_dim: 768, tokens_mlp_dim: 384, channels_mlp_dim: 3072 },
  L: { num_blocks: 24, hidden_dim: 1024, tokens_mlp_dim: 512, channels_mlp_dim: 4096 },
  H: { num_blocks: 32, hidden_dim: 1280, tokens_mlp_dim: 640, channels_mlp_dim: 5120 },
} as const

/** The published models. */
export const variants = {
  'S/32': { patch: 32, ...sizes.S },
  'S/16': { patch: 16, ...sizes.S },
  'B/32': { patch: 32, ...sizes.B },
  'B/16': { patch: 16, ...sizes.B },
  'L/32': { patch: 32, ...sizes.L },
  'L/16': { patch: 16, ...sizes.L },
  'H/14': { patch: 14, ...sizes.H },
} as const satisfies Readonly<Record<string, Variant>>

export type VariantName = keyof typeof variants

/** The configuration of a published model for pictures of `image` x `image` pixels. Default: 224, 1000 classes. */
export function variantConfig(name: VariantName, options: { image?: number; num_classes?: number } = {}): MixerConfig {
  const { patch, ...widths } = variants[name]
  const image = options.image ?? 224
  return {
    ...widths,
    patch_size: [patch, patch],
    image_size: [image, image],
    in_channels: 3,
    num_classes: options.num_classes ?? 1000,
    stoch_depth: 0,
    gelu: 'tanh',
  }
}

/** Rows and columns of patches in a picture. */
export function tokenGrid({ image_size, patch_size }: MixerConfig): readonly [h: number, w: number] {
  return patchGrid('Mixer', image_size, patch_size)
}

/** S, the number of patches. */
export function tokenCount(config: MixerConfig): number {
  return elementCount(tokenGrid(config))
}

/** Multiply-adds of the matrix products for one picture: stem, token MLPs, channel MLPs, head. */
export function multiplyAdds(config: MixerConfig): number {
  const tokens = tokenCount(config)
  const { hidden_dim: c, num_blocks, tokens_mlp_dim, channels_mlp_dim } = config
  const stem = tokens * elementCount(config.patch_size) * config.in_channels * c
  return stem + num_blocks * 2 * tokens * c * (tokens_mlp_dim + channels_mlp_dim) + c * config.num_classes
}
