/** The half of the U-Net in which the resolution falls, and its middle: the classifier has nothing else. */
import { Linear, type Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'
import { AttentionBlock, type Block, type BlockStyle, convolution, Downsample, type Heads, ResBlock } from './blocks.ts'
import type { EncoderUNetConfig, UNetConfig } from './config.ts'
import { timestepEmbedding } from './timestep-embedding.ts'

type NetworkConfig = UNetConfig | EncoderUNetConfig

/** The embedding of time: sines and cosines through two linear layers. */
export type TimeEmbed = { readonly 0: Linear; readonly 2: Linear }

/** What both networks are built from. */
export interface EncodingHalf {
  readonly style: BlockStyle
  readonly heads: Heads
  readonly channelMult: readonly number[]
  readonly time_embed: TimeEmbed
  readonly input_blocks: readonly (readonly Block[])[]
  readonly middle_block: readonly Block[]
  /** Channels that each of the input blocks gives. */
  readonly channels: readonly number[]
  /** By how much the resolution has fallen at the end. */
  readonly downsampling: number
}

/** Channels of a level: the multiple of the base width, rounded down. */
export function levelChannels({ model_channels }: NetworkConfig, mult: number): number {
  return Math.trunc(mult * model_channels)
}

/** The multiples of the levels, checked. */
export function multiples({ channel_mult = [1, 2, 4, 8], model_channels }: NetworkConfig): readonly number[] {
  if (channel_mult.length === 0 || channel_mult.some((mult) => !(mult * model_channels >= 1))) {
    throw new UsageError(
      `diffusion: channel_mult must have a number for each level that makes at least 1 of ${model_channels} channels, found [${channel_mult.join(', ')}]`,
    )
  }
  return channel_mult
}

/** Whether there is attention where the resolution has fallen by so much. */
export function attends({ attention_resolutions }: NetworkConfig, downsampling: number): boolean {
  return attention_resolutions.includes(downsampling)
}

/** Builds it. */
export function encodingHalf(config: NetworkConfig): EncodingHalf {
  const { model_channels, in_channels, num_res_blocks, resblock_updown = false, num_groups = 32 } = config
  const style: BlockStyle = {
    dims: config.dims ?? 2,
    num_groups,
    embedding_width: 4 * model_channels,
    dropout: config.dropout ?? 0,
    conv_resample: config.conv_resample ?? true,
    use_scale_shift_norm: config.use_scale_shift_norm ?? false,
    use_new_attention_order: config.use_new_attention_order ?? false,
  }
  const heads: Heads = { num_heads: config.num_heads ?? 1, num_head_channels: config.num_head_channels ?? -1 }
  const channelMult = multiples(config)
  const time_embed = {
    0: new Linear(model_channels, style.embedding_width),
    2: new Linear(style.embedding_width, style.embedding_width),
  }
  let width = levelChannels(config, channelMult[0] ?? 1)
  let downsampling = 1
  const input_blocks: Block[][] = [[convolution(style.dims, [in_channels, width], 3)]]
  const channels = [width]
  for (const [level, mult] of channelMult.entries()) {
    const to = levelChannels(config, mult)
    for (let i = 0; i < num_res_blocks; i++) {
      const block: Block[] = [new ResBlock(width, to, style)]
      if (attends(config, downsampling)) block.push(new AttentionBlock(to, heads, style))
      width = to
      input_blocks.push(block)
      channels.push(width)
    }
    if (level === channelMult.length - 1) break
    input_blocks.push([resblock_updown ? new ResBlock(width, width, style, 'down') : new Downsample(width, style)])
    channels.push(width)
    downsampling *= 2
  }
  const middle_block = [
    new ResBlock(width, width, style),
    new AttentionBlock(width, heads, style),
    new ResBlock(width, width, style),
  ]
  return { style, heads, channelMult, time_embed, input_blocks, middle_block, channels, downsampling }
}

/** Times [B] -> their embedding [B, 4 model_channels]. */
export function embedTime({ 0: first, 2: second }: TimeEmbed, timesteps: Tensor): Tensor {
  return second.forward(ops.silu(first.forward(timestepEmbedding(timesteps, first.inFeatures))))
}

/** Blocks one after the other. */
export function through(blocks: readonly (Module & Block)[], x: Tensor, emb: Tensor): Tensor {
  return blocks.reduce((h, block) => block.forward(h, emb), x)
}
