/** Configurations of RedNet under the official names. */

/** Blocks of each stage by depth: those of ResNet; 26 and 38 are the paper's own. */
export const stageBlocks = {
  26: [1, 2, 4, 1],
  38: [2, 3, 5, 2],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
} as const

export type Depth = keyof typeof stageBlocks

export const depths: readonly Depth[] = [26, 38, 50, 101, 152]

/** mmcv's `norm_cfg` of a batch norm. */
export interface NormConfig {
  /** Default: 1e-5. */
  readonly eps?: number
  /** Share of a batch in the running statistics. Default: 0.1. */
  readonly momentum?: number
  /** Whether weight and bias are trained. Default: true. */
  readonly requires_grad?: boolean
}

/** Involutions by the paper's section 3 and its ablations. The stem's have a kernel size of their own. */
export interface KernelConfig {
  /** Default: 7. */
  readonly kernel_size?: number
  /** Neighbouring channels that share a kernel (in the stem at most all it has). Default: 16. */
  readonly group_channels?: number
  /** By how much the kernel generator narrows the channels. Default: 4. */
  readonly reduction_ratio?: number
}

/** What the blocks of all stages share. */
export interface BlockConfig {
  /** Which convolution or involution of a block has the stride: `pytorch` the involution, `caffe` the first 1x1. Default: pytorch. */
  readonly style?: 'pytorch' | 'caffe'
  /** Whether a shortcut of stride 2 averages before its 1x1 convolution. Default: false. */
  readonly avg_down?: boolean
  readonly norm_cfg?: NormConfig
  /** Whether the last norm of each block begins at 0, so that the block passes its input on. Default: true. */
  readonly zero_init_residual?: boolean
  readonly involution?: KernelConfig
}

/** RedNet's arguments. Those of the official class without effect on what is computed (dilations, with_cp) are absent. */
export interface RedNetConfig extends BlockConfig {
  readonly depth: Depth
  /** Blocks of each stage, for networks that are not published; `num_stages`, `strides` and `out_indices` follow. Default: those of the depth. */
  readonly layers?: readonly number[]
  /** `small`: for small pictures, without stride and pool. Default: standard, which quarters height and width. */
  readonly stem?: 'standard' | 'small'
  /** Default: 3. */
  readonly in_channels?: number
  /** Default: 64. */
  readonly stem_channels?: number
  /** Channels inside the blocks of the first stage; each further one has twice as many. Default: 64. */
  readonly base_channels?: number
  /** Channels of a stage for each inside its blocks. Default: 4. */
  readonly expansion?: number
  /** Default: 4. */
  readonly num_stages?: number
  /** Of the stages. Default: 1, 2, 2, 2. */
  readonly strides?: readonly number[]
  /** Stages whose maps `forward` gives. Default: 3, the last. */
  readonly out_indices?: readonly number[]
  /** -1: none; 0: the stem; n: the stem and n stages are not trained, and their norms keep their statistics. Default: -1. */
  readonly frozen_stages?: number
  /** Whether no norm adapts its statistics. Default: false. */
  readonly norm_eval?: boolean
  /** Of the stem: 3 in the official classification code, 7 in that for detection and segmentation. Default: 3. */
  readonly stem_involution_kernel_size?: number
}

/** The published networks by name: the stem of classification, and (`-det`) that of detection and segmentation. */
export const variants: Readonly<Record<string, RedNetConfig>> = Object.fromEntries(
  depths.flatMap((depth) => [
    [`rednet${depth}`, { depth, stem_involution_kernel_size: 3 }],
    [`rednet${depth}-det`, { depth, stem_involution_kernel_size: 7 }],
  ]),
)
