/**
 * The U-Net that predicts the noise of a noisy picture (Ho et al. 2020, appendix B; with the options of Nichol and Dhariwal 2021 and
 * of Dhariwal and Nichol 2021, section 3). Names of parameters are those of OpenAI's code: its state dicts load as they are.
 *
 * Shapes: B batch, C channels, H x W pixels (or L places), E = 4 model_channels.
 */
import { type Conv1d, type Conv2d, Embedding, GroupNorm, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { ShapeError, UsageError } from '../../util/errors.ts'
import { AttentionBlock, type Block, convolution, ResBlock, Upsample } from './blocks.ts'
import type { UNetConfig } from './config.ts'
import { attends, embedTime, encodingHalf, levelChannels, multiples, type TimeEmbed, through } from './encoding-half.ts'

/**
 * The U-Net: the first half lowers the resolution, the second half raises it again. Each block of the second half also reads the
 * output of one of the first half.
 */
export class UNetModel extends Module {
  readonly config: UNetConfig
  readonly time_embed: TimeEmbed
  readonly label_emb: Embedding | undefined
  readonly input_blocks: readonly (readonly Block[])[]
  readonly middle_block: readonly Block[]
  readonly output_blocks: readonly (readonly Block[])[]
  readonly out: { readonly 0: GroupNorm; readonly 2: Conv1d | Conv2d }

  constructor(config: UNetConfig) {
    super()
    const { num_classes, num_res_blocks, out_channels, resblock_updown = false, num_heads_upsample = -1 } = config
    const { style, heads, channelMult, time_embed, input_blocks, middle_block, channels, downsampling } =
      encodingHalf(config)
    this.config = config
    this.time_embed = time_embed
    this.label_emb = num_classes === undefined ? undefined : new Embedding(num_classes, style.embedding_width)
    this.input_blocks = input_blocks
    this.middle_block = middle_block
    const upHeads = num_heads_upsample === -1 ? heads : { ...heads, num_heads: num_heads_upsample }
    const skips = [...channels]
    let width = sizeOf(channels, -1)
    let factor = downsampling
    const output_blocks: Block[][] = []
    for (const [level, mult] of [...channelMult.entries()].reverse()) {
      const to = levelChannels(config, mult)
      for (let i = 0; i <= num_res_blocks; i++) {
        const block: Block[] = [new ResBlock(width + (skips.pop() ?? 0), to, style)]
        if (attends(config, factor)) block.push(new AttentionBlock(to, upHeads, style))
        if (level > 0 && i === num_res_blocks) {
          block.push(resblock_updown ? new ResBlock(to, to, style, 'up') : new Upsample(to, style))
          factor /= 2
        }
        width = to
        output_blocks.push(block)
      }
    }
    this.output_blocks = output_blocks
    this.out = {
      0: new GroupNorm(style.num_groups, width),
      2: convolution(style.dims, [width, out_channels], 3, { zero: true }),
    }
  }

  /** x [B, in_channels, H, W]; timesteps [B], integers or fractions; y [B]: labels, if there are classes -> [B, out_channels, H, W]. */
  forward(x: Tensor, timesteps: Tensor, y?: Tensor): Tensor {
    this.#check(x, y)
    const time = embedTime(this.time_embed, timesteps) // [B, E]
    const emb = this.label_emb && y ? ops.add(time, this.label_emb.forward(y)) : time
    const skips: Tensor[] = []
    let h = x
    for (const blocks of this.input_blocks) {
      h = through(blocks, h, emb)
      skips.push(h)
    }
    h = through(this.middle_block, h, emb) // the lowest resolution
    for (const blocks of this.output_blocks) {
      const skip = skips.pop()
      h = through(blocks, skip ? ops.concat([h, skip], 1) : h, emb)
    }
    return this.out[2].forward(ops.silu(this.out[0].forward(h)))
  }

  #check(x: Tensor, y: Tensor | undefined): void {
    const { in_channels, num_classes, dims } = this.config
    const { shape } = x
    if (shape[1] !== in_channels) {
      throw new ShapeError(`${this.constructor.name}: the pictures must have ${in_channels} channels, found ${x}`)
    }
    const levels = multiples(this.config).length
    const factor = 2 ** (levels - 1)
    if (shape.slice(dims === 3 ? 3 : 2).some((size) => size % factor !== 0)) {
      throw new ShapeError(
        `${this.constructor.name}: height and width must be multiples of ${factor} for ${levels} levels, found ${x}`,
        { hint: 'fewer numbers in channel_mult make fewer levels' },
      )
    }
    if ((y === undefined) !== (num_classes === undefined)) {
      throw new UsageError(
        y === undefined
          ? `${this.constructor.name}: a network with num_classes needs labels`
          : `${this.constructor.name}: labels were given, but the network has no num_classes`,
      )
    }
  }
}

/** The U-Net that upsamples: it reads the small picture, resized, together with the noisy large one. */
export class SuperResModel extends UNetModel {
  /** `in_channels` are those of one picture. */
  constructor(config: UNetConfig) {
    super({ ...config, in_channels: 2 * config.in_channels })
  }

  /** x [B, C, H, W], low_res [B, C, h, w] -> [B, out_channels, H, W]. */
  upsample(x: Tensor, timesteps: Tensor, lowRes: Tensor, y?: Tensor): Tensor {
    const channels = this.config.in_channels / 2
    if (x.shape[1] !== channels || lowRes.shape[1] !== channels)
      throw new ShapeError(`SuperResModel: both pictures must have ${channels} channels, found ${x} and ${lowRes}`)
    const resized = ops.interpolate(lowRes, x.shape.slice(2), { mode: 'bilinear' }) // [B, C, H, W]
    return this.forward(ops.concat([x, resized], 1), timesteps, y)
  }
}
