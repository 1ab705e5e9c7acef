/**
 * The classifier of noisy pictures whose gradient guides sampling: the first half of a U-Net, and a pooling (Dhariwal and Nichol 2021,
 * section 4). Names of parameters are those of OpenAI's code.
 *
 * Shapes: B batch, C channels, H x W pixels, K classes.
 */
import { type Conv1d, type Conv2d, GroupNorm, Linear, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { ShapeError, UsageError } from '../../util/errors.ts'
import { AttentionPool2d, type Block, convolution } from './blocks.ts'
import type { EncoderUNetConfig } from './config.ts'
import { embedTime, encodingHalf, type TimeEmbed, through } from './encoding-half.ts'

/** Width of the hidden layer of the spatial poolings. */
const hiddenWidth = 2048

type Head =
  | { readonly kind: 'adaptive'; readonly layers: { readonly 0: GroupNorm; readonly 3: Conv1d | Conv2d } }
  | { readonly kind: 'attention'; readonly layers: { readonly 0: GroupNorm; readonly 2: AttentionPool2d } }
  | { readonly kind: 'spatial'; readonly layers: { readonly 0: Linear; readonly 2: Linear } }
  | { readonly kind: 'spatial_v2'; readonly layers: { readonly 0: Linear; readonly 1: GroupNorm; readonly 3: Linear } }

/** The layers after the last feature maps. */
function headOf(config: EncoderUNetConfig, channels: readonly number[], downsampling: number): Head {
  const { pool = 'adaptive', out_channels, num_groups = 32, num_head_channels = -1, image_size } = config
  const width = sizeOf(channels, -1)
  const features = channels.reduce((sum, each) => sum + each, width) // every input block, and the middle
  switch (pool) {
    case 'adaptive':
      return {
        kind: pool,
        layers: { 0: new GroupNorm(num_groups, width), 3: convolution(2, [width, out_channels], 1, { zero: true }) },
      }
    case 'attention': {
      if (num_head_channels === -1)
        throw new UsageError('EncoderUNetModel: pool "attention" needs num_head_channels, which is -1')
      const side = Math.floor(image_size / downsampling)
      const pooling = new AttentionPool2d(side, width, num_head_channels, out_channels)
      return { kind: pool, layers: { 0: new GroupNorm(num_groups, width), 2: pooling } }
    }
    case 'spatial':
      return { kind: pool, layers: { 0: new Linear(features, hiddenWidth), 2: new Linear(hiddenWidth, out_channels) } }
    case 'spatial_v2':
      return {
        kind: pool,
        layers: {
          0: new Linear(features, hiddenWidth),
          1: new GroupNorm(num_groups, hiddenWidth),
          3: new Linear(hiddenWidth, out_channels),
        },
      }
  }
}

/** Names the class of a noisy picture. */
export class EncoderUNetModel extends Module {
  readonly config: EncoderUNetConfig
  readonly time_embed: TimeEmbed
  readonly input_blocks: readonly (readonly Block[])[]
  readonly middle_block: readonly Block[]
  readonly out: Head['layers']
  readonly #head: Head

  constructor(config: EncoderUNetConfig) {
    super()
    const { dims = 2 } = config
    if (dims !== 2) throw new UsageError(`EncoderUNetModel: dims must be 2, found ${dims}`)
    const { time_embed, input_blocks, middle_block, channels, downsampling } = encodingHalf(config)
    this.config = config
    this.time_embed = time_embed
    this.input_blocks = input_blocks
    this.middle_block = middle_block
    this.#head = headOf(config, channels, downsampling)
    this.out = this.#head.layers
  }

  /** x [B, in_channels, H, W], timesteps [B] -> logits [B, K]. */
  forward(x: Tensor, timesteps: Tensor): Tensor {
    if (x.rank !== 4 || x.shape[1] !== this.config.in_channels)
      throw new ShapeError(`EncoderUNetModel: the pictures must have ${this.config.in_channels} channels, found ${x}`)
    const emb = embedTime(this.time_embed, timesteps) // [B, E]
    const maps: Tensor[] = []
    let h = x
    for (const blocks of this.input_blocks) {
      h = through(blocks, h, emb)
      maps.push(h)
    }
    h = through(this.middle_block, h, emb) // [B, C, H', W']
    return this.#pooled(h, [...maps, h])
  }

  #pooled(last: Tensor, maps: readonly Tensor[]): Tensor {
    const head = this.#head
    if (head.kind === 'adaptive') {
      const mean = ops.mean(ops.silu(head.layers[0].forward(last)), [2, 3], { keepDims: true }) // [B, C, 1, 1]
      return ops.flatten(head.layers[3].forward(mean), 1)
    }
    if (head.kind === 'attention') return head.layers[2].forward(ops.silu(head.layers[0].forward(last)))
    const means = ops.concat(
      maps.map((map) => ops.mean(map, [2, 3])),
      1,
    ) // [B, channels of all blocks]
    if (head.kind === 'spatial') return head.layers[2].forward(ops.relu(head.layers[0].forward(means)))
    const { 0: first, 1: norm, 3: second } = head.layers
    return second.forward(ops.silu(norm.forward(first.forward(means))))
  }
}
