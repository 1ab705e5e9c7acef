/** The discriminator of BigGAN-deep (names of ajbrock/BigGAN-PyTorch): is a picture real, and is it of its class? */
import { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { type ArchitectureName, attentionAt, discriminatorArchitectures } from './architectures.ts'
import {
  Attention,
  type LayerMaker,
  layerMaker,
  type SNConv2d,
  type SNEmbedding,
  type SNLinear,
} from './spectral-layers.ts'

/** Settings under the official names. */
export interface DiscriminatorConfig {
  readonly D_ch: number
  /** Blocks for each stage; the first one halves the resolution. */
  readonly D_depth: number
  readonly resolution: ArchitectureName
  /** Resolutions with attention, as "32_64"; "0": none. */
  readonly D_attn: string
  readonly n_classes: number
  readonly num_D_SVs: number
  readonly num_D_SV_itrs: number
  readonly SN_eps: number
  readonly output_dim: number
}

type Made<Name extends keyof LayerMaker> = ReturnType<LayerMaker[Name]>

/** A bottleneck, added to its input; missing channels of the input come from a 1x1 convolution. */
class DBlock extends Module {
  readonly conv1: Made<'conv'>
  readonly conv2: Made<'conv'>
  readonly conv3: Made<'conv'>
  readonly conv4: Made<'conv'>
  readonly conv_sc: Made<'conv'> | undefined
  readonly #halves: boolean

  constructor(from: number, to: number, halves: boolean, { conv }: LayerMaker) {
    super()
    const hidden = Math.floor(to / 4)
    this.conv1 = conv(from, hidden, 1)
    this.conv2 = conv(hidden, hidden, 3)
    this.conv3 = conv(hidden, hidden, 3)
    this.conv4 = conv(hidden, to, 1)
    this.conv_sc = from === to ? undefined : conv(from, to - from, 1)
    this.#halves = halves
  }

  forward(x: Tensor): Tensor {
    const pooled = (t: Tensor): Tensor => (this.#halves ? ops.avgPool2d(t, 2) : t)
    const narrow = this.conv1.forward(ops.relu(x)) // [N, to / 4, H, W]
    const seen = this.conv3.forward(ops.relu(this.conv2.forward(ops.relu(narrow)))) // [N, to / 4, H, W]
    const wide = this.conv4.forward(pooled(ops.relu(seen))) // [N, to, H', W']
    const kept = pooled(x) // [N, from, H', W']
    return ops.add(wide, this.conv_sc ? ops.concat([kept, this.conv_sc.forward(kept)], 1) : kept)
  }
}

/** Pictures and classes to scores: linear(h) + embedding(class) . h, h the sum over all places (Miyato and Koyama 2018). */
export class Discriminator extends Module {
  readonly input_conv: SNConv2d | Made<'conv'>
  readonly blocks: readonly (readonly (DBlock | Attention)[])[]
  readonly linear: SNLinear | Made<'linear'>
  readonly embed: SNEmbedding | Made<'embedding'>

  constructor(config: DiscriminatorConfig) {
    super()
    const { D_ch, D_depth, resolution, D_attn } = config
    const maker = layerMaker({ num_svs: config.num_D_SVs, num_itrs: config.num_D_SV_itrs, eps: config.SN_eps })
    const architecture = discriminatorArchitectures[resolution]
    this.input_conv = maker.conv(3, D_ch * architecture.from[0], 3)
    this.blocks = architecture.from.map((channels, stage) => {
      const [from, to] = [D_ch * channels, D_ch * (architecture.to[stage] ?? channels)]
      const blocks = Array.from({ length: D_depth }, (_, i) => {
        const isFirst = i === 0
        return new DBlock(isFirst ? from : to, to, isFirst && (architecture.halves[stage] ?? false), maker)
      })
      const attends = attentionAt(D_attn, architecture.resolution[stage] ?? 0)
      return attends ? [...blocks, new Attention(to, maker)] : blocks
    })
    const last = D_ch * (architecture.to.at(-1) ?? 0)
    this.linear = maker.linear(last, config.output_dim)
    this.embed = maker.embedding(config.n_classes, last)
  }

  /** images [N, 3, R, R], classes int [N] -> scores [N, output_dim]. */
  forward(images: Tensor, classes: Tensor): Tensor {
    const x = this.blocks.flat().reduce((t, block) => block.forward(t), this.input_conv.forward(images))
    const h = ops.sum(ops.relu(x), [2, 3]) // [N, C]
    const ofClass = ops.sum(ops.mul(this.embed.forward(classes), h), 1, { keepDims: true }) // [N, 1]
    return ops.add(this.linear.forward(h), ofClass)
  }
}
