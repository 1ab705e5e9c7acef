/**
 * The generator of BigGAN-deep as it is trained (names of ajbrock/BigGAN-PyTorch, BigGANdeep.py): batch norms use the batch, and keep running
 * statistics for evaluation. `generator.ts` is what remains for sampling.
 */
import { type Conv2d, Embedding, init, type Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { UsageError } from '../../../util/errors.ts'
import { type Architecture, type ArchitectureName, attentionAt, generatorArchitectures } from './architectures.ts'
import { generatorBlock } from './block.ts'
import { Attention, type LayerMaker, layerMaker, type SNConv2d, type SNLinear } from './spectral-layers.ts'
import { ConditionalNorm, type NormSettings, OutputNorm } from './trainable-norms.ts'

/** Settings under the official names; what is not here has one value only. */
export interface TrainableGeneratorConfig extends NormSettings {
  readonly G_ch: number
  /** Blocks for each resolution; the last one doubles it. */
  readonly G_depth: number
  readonly dim_z: number
  /** Height and width of the first places. */
  readonly bottom_width: number
  readonly resolution: ArchitectureName
  /** Resolutions with attention, as "32_64"; "0": none. */
  readonly G_attn: string
  readonly n_classes: number
  readonly num_G_SVs: number
  readonly num_G_SV_itrs: number
  /** Width of the embedding of a class. */
  readonly shared_dim: number
  readonly SN_eps: number
  /** "SN": with spectral norms. */
  readonly G_param: string
}

class GBlock extends Module {
  readonly conv1: SNConv2d | Conv2d
  readonly conv2: SNConv2d | Conv2d
  readonly conv3: SNConv2d | Conv2d
  readonly conv4: SNConv2d | Conv2d
  readonly bn1: ConditionalNorm
  readonly bn2: ConditionalNorm
  readonly bn3: ConditionalNorm
  readonly bn4: ConditionalNorm
  readonly #upsample: boolean
  readonly #kept: number

  constructor(
    [from, to]: readonly [number, number],
    upsample: boolean,
    { conv }: LayerMaker,
    norm: (channels: number) => ConditionalNorm,
  ) {
    super()
    const hidden = Math.floor(from / 4)
    this.conv1 = conv(from, hidden, 1)
    this.conv2 = conv(hidden, hidden, 3)
    this.conv3 = conv(hidden, hidden, 3)
    this.conv4 = conv(hidden, to, 1)
    this.bn1 = norm(from)
    this.bn2 = norm(hidden)
    this.bn3 = norm(hidden)
    this.bn4 = norm(hidden)
    this.#upsample = upsample
    this.#kept = to
  }

  forward(x: Tensor, condition: Tensor): Tensor {
    const by = (norm: ConditionalNorm) => (t: Tensor) => norm.forward(t, condition)
    return generatorBlock(x, {
      norms: [by(this.bn1), by(this.bn2), by(this.bn3), by(this.bn4)],
      convs: [
        (t) => this.conv1.forward(t),
        (t) => this.conv2.forward(t),
        (t) => this.conv3.forward(t),
        (t) => this.conv4.forward(t),
      ],
      upsample: this.#upsample,
      kept: this.#kept,
    })
  }
}

/** Noise and classes to pictures. */
export class TrainableGenerator extends Module {
  readonly shared: Embedding
  readonly linear: SNLinear | Linear
  /** Each block with the attention after it. */
  readonly blocks: readonly (readonly (GBlock | Attention)[])[]
  readonly output_layer: { readonly 0: OutputNorm; readonly 2: SNConv2d | Conv2d }
  readonly #bottom: number

  constructor(config: TrainableGeneratorConfig) {
    super()
    const { G_ch, G_depth, dim_z, bottom_width, resolution, G_attn, n_classes, shared_dim, SN_eps } = config
    const width = shared_dim > 0 ? shared_dim : dim_z
    const maker = layerMaker(
      config.G_param === 'SN' ? { num_svs: config.num_G_SVs, num_itrs: config.num_G_SV_itrs, eps: SN_eps } : undefined,
    )
    const { from, to }: Architecture = generatorArchitectures[resolution]
    if (G_depth < 2 && from.some((channels, stage) => channels !== to[stage])) {
      throw new UsageError(
        `BigGAN: G_depth must be at least 2, for the last block of each resolution changes the channels, found ${G_depth}`,
      )
    }
    const norm = (channels: number) => new ConditionalNorm(channels, width + dim_z, maker, config)
    this.shared = new Embedding(n_classes, width, { initWeight: init.orthogonal })
    this.linear = maker.linear(dim_z + width, G_ch * (from[0] ?? 0) * bottom_width ** 2)
    this.blocks = from.flatMap((channels, stage) => {
      const [entering, leaving] = [G_ch * channels, G_ch * (to[stage] ?? channels)]
      const attends = attentionAt(G_attn, 8 * 2 ** stage)
      return Array.from({ length: G_depth }, (_, i) => {
        const isLast = i === G_depth - 1
        const block = new GBlock([entering, i === 0 ? entering : leaving], isLast, maker, norm)
        return isLast && attends ? [block, new Attention(leaving, maker)] : [block]
      })
    })
    const last = G_ch * (to.at(-1) ?? 0)
    this.output_layer = { 0: new OutputNorm(last, config), 2: maker.conv(last, 3, 3) }
    this.#bottom = bottom_width
  }

  /** Noise [N, dim_z], classes int [N] -> pictures [N, 3, R, R], -1 to 1. */
  forward(noise: Tensor, classes: Tensor): Tensor {
    const condition = ops.concat([this.shared.forward(classes), noise], 1) // [N, shared_dim + dim_z]
    const places = this.linear.forward(condition) // [N, C bottom_width^2]
    let x = ops.reshape(places, [places.sizes(2)[0], -1, this.#bottom, this.#bottom]) // [N, C, bottom, bottom]
    for (const layer of this.blocks.flat()) x = layer instanceof GBlock ? layer.forward(x, condition) : layer.forward(x)
    const { 0: norm, 2: conv } = this.output_layer
    return ops.tanh(conv.forward(ops.relu(norm.forward(x))))
  }
}
