/**
 * The generator of BigGAN-deep as it is trained (names of ajbrock/BigGAN-PyTorch, BigGANdeep.py): batch norms use the batch, and keep running
 * statistics for evaluation. `generator.ts` is what remains for sampling.
 */
import { type Conv2d, Embedding, init, type Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'
import { UsageError } from '../../../util/errors.ts'
import { type Architecture, type ArchitectureName, attentionAt, generatorArchitectures } from './architectures.ts'
import { generatorBlock } from './block.ts'
import { Attention, type LayerMaker, layerMaker, type SNConv2d, type SNLinear } from './spectral-layers.ts'

/** Settings under the official names; what is not here has one value only. */
export interface TrainableGeneratorConfig {
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
  readonly BN_eps: number
  readonly SN_eps: number
  /** "SN": with spectral norms. */
  readonly G_param: string
  /** "bn": by the batch; "gn", "gn_grp_G", "gn_ch_C": by groups; "nonorm". */
  readonly norm_style: string
}

/** Statistics of a batch norm, and the norm by them. */
class BatchStatistics {
  readonly stored_mean: Variable
  readonly stored_var: Variable
  readonly #eps: number

  constructor(channels: number, eps: number) {
    this.stored_mean = init.buffer([channels], init.zeros)
    this.stored_var = init.buffer([channels], init.ones)
    this.#eps = eps
  }

  normalized(x: Tensor, training: boolean, affine: { weight?: Variable; bias?: Variable } = {}): Tensor {
    const { stored_mean, stored_var } = this
    const options = { ...affine, eps: this.#eps }
    if (!training) return ops.batchNorm(x, stored_mean, stored_var, options)
    const batch = ops.batchNormTrain(x, stored_mean, stored_var, { ...options, momentum: 0.1 })
    stored_mean.assign(ops.stopGradient(batch.runningMean))
    stored_var.assign(ops.stopGradient(batch.runningVar))
    return batch.output
  }
}

/** A norm whose gain and bias follow from the condition. */
class ConditionalNorm extends Module {
  readonly gain: SNLinear | Linear
  readonly bias: SNLinear | Linear
  readonly stored_mean: Variable
  readonly stored_var: Variable
  readonly #statistics: BatchStatistics
  readonly #style: string

  constructor(channels: number, conditions: number, { linear }: LayerMaker, config: TrainableGeneratorConfig) {
    super()
    this.gain = linear(conditions, channels, false)
    this.bias = linear(conditions, channels, false)
    this.#statistics = new BatchStatistics(channels, config.BN_eps)
    this.stored_mean = this.#statistics.stored_mean
    this.stored_var = this.#statistics.stored_var
    this.#style = config.norm_style
  }

  /** x [N, C, H, W], condition [N, D] -> [N, C, H, W]. */
  forward(x: Tensor, condition: Tensor): Tensor {
    const perChannel = (t: Tensor): Tensor => ops.reshape(t, [...t.shape, 1, 1])
    const gain = perChannel(ops.add(this.gain.forward(condition), 1))
    return ops.add(ops.mul(this.#normalized(x), gain), perChannel(this.bias.forward(condition)))
  }

  #normalized(x: Tensor): Tensor {
    if (this.#style === 'bn') return this.#statistics.normalized(x, this.training)
    if (this.#style === 'nonorm') return x
    const [, channels] = x.sizes(4)
    return ops.groupNorm(x, groupsOf(this.#style, channels), {})
  }
}

/** Groups of a style "gn" (16), "gn_grp_8" (8) or "gn_ch_8" (of 8 channels). */
function groupsOf(style: string, channels: number): number {
  const number = Number(style.split('_').at(-1))
  if (style.includes('ch')) return Math.max(1, Math.floor(channels / number))
  return style.includes('grp') ? number : 16
}

/** A norm with a gain and a bias of its own. */
class OutputNorm extends Module {
  readonly gain: Variable
  readonly bias: Variable
  readonly stored_mean: Variable
  readonly stored_var: Variable
  readonly #statistics: BatchStatistics

  constructor(channels: number) {
    super()
    this.gain = init.parameter([channels], init.ones)
    this.bias = init.parameter([channels], init.zeros)
    this.#statistics = new BatchStatistics(channels, 1e-5) // whatever BN_eps is
    this.stored_mean = this.#statistics.stored_mean
    this.stored_var = this.#statistics.stored_var
  }

  forward(x: Tensor): Tensor {
    return this.#statistics.normalized(x, this.training, { weight: this.gain, bias: this.bias })
  }
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
    this.output_layer = { 0: new OutputNorm(last), 2: maker.conv(last, 3, 3) }
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
