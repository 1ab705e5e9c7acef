/** The Perceiver's configuration under the names of the paper and of DeepMind's code, and its published variants. */

/** The network of the 2021 paper (section 3, and the counts of appendix C). */
export interface PerceiverConfig {
  /** C, channels of an input row: data and position features. */
  readonly input_channels: number
  /** N, the number of latents. */
  readonly num_latents: number
  /** D, channels of a latent. */
  readonly num_latent_channels: number
  /** How often the inputs are read. */
  readonly num_cross_attends: number
  /** Latent transformers: as many after each cross attention, usually one; or as many as one likes after all of them. */
  readonly num_blocks: number
  /** Layers of a latent transformer. */
  readonly num_self_attends_per_block: number
  readonly num_cross_attend_heads: number
  readonly num_self_attend_heads: number
  /**
   * Whether the cross attentions from the second on share their weights, and all latent transformers theirs: the network is then
   * recurrent in depth. (The first cross attention stays apart: sharing it made training unstable.)
   */
  readonly share_weights: boolean
  /** `interleaved`: cross, block, cross, block, ...; `at_start`: every cross attention, then every block. */
  readonly arrangement: 'interleaved' | 'at_start'
  readonly num_classes: number
  /** Standard deviation with which the latents begin. Default: 0.02. */
  readonly latent_init_scale?: number
  /** Whether training computes the latent transformers again instead of keeping what is inside of them. Default: false. */
  readonly recompute?: boolean
}

/** What the paper's models have in common (section 4 and appendix). */
const paper = {
  num_latents: 512,
  num_latent_channels: 1024,
  num_cross_attend_heads: 1,
  num_self_attend_heads: 8,
  arrangement: 'interleaved',
} as const

/** The paper's models by the name of their data. */
export const variants = {
  /** 224 x 224 pixels with 64 Fourier bands: 50,176 rows of 261 channels. */
  imagenet: {
    ...paper,
    input_channels: 3 + 2 * (2 * 64 + 1),
    num_cross_attends: 8,
    num_blocks: 8,
    num_self_attends_per_block: 6,
    share_weights: true,
    num_classes: 1000,
  },
  /** The same without shared weights (Table 7). */
  'imagenet-unshared': {
    ...paper,
    input_channels: 3 + 2 * (2 * 64 + 1),
    num_cross_attends: 8,
    num_blocks: 8,
    num_self_attends_per_block: 6,
    share_weights: false,
    num_classes: 1000,
  },
  /** About 2,000 points with 64 bands up to 1,120 periods. */
  modelnet40: {
    ...paper,
    input_channels: 3 * (2 * 64 + 1),
    num_cross_attends: 2,
    num_blocks: 2,
    num_self_attends_per_block: 6,
    share_weights: true,
    num_classes: 40,
  },
} as const satisfies Readonly<Record<string, PerceiverConfig>>
