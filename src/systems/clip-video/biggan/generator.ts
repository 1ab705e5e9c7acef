/** The generator of BigGAN-deep as the released weights have it (names of huggingface/pytorch-pretrained-BigGAN). */
import { SpectralConv2d, SpectralLinear } from '../../../models/spectral-norm.ts'
import { init, Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'
import { ShapeError, UsageError } from '../../../util/errors.ts'
import type { BigGANConfig } from '../config.ts'
import { generatorBlock, selfAttention } from './block.ts'
import { isWithin, statisticsPlace } from './statistics.ts'

/** Told the mean and variance [C] of a batch that a norm saw, inside of the traced function. */
export type SeenStatistics = (norm: BigGANBatchNorm, mean: Tensor, variance: Tensor) => void

/** What norms go by: the statistics stored for a truncation; or, in training, the batch's own, which the function is told. */
export type Statistics = number | SeenStatistics

/**
 * Batch norm by stored statistics, which depend on the truncation; the official code never looks at the batch, and cannot be trained. Gain and
 * bias follow from the condition, or are plain parameters.
 */
export class BigGANBatchNorm extends Module {
  readonly running_means: Variable
  readonly running_vars: Variable
  readonly scale: SpectralLinear | undefined
  readonly offset: SpectralLinear | undefined
  readonly weight: Variable | undefined
  readonly bias: Variable | undefined
  readonly #rows: number
  readonly #eps: number

  constructor(channels: number, conditions: number | undefined, { n_stats, eps }: BigGANConfig) {
    super()
    const linear = (): SpectralLinear | undefined =>
      conditions === undefined ? undefined : new SpectralLinear(conditions, channels, { bias: false, eps })
    this.running_means = init.buffer([n_stats, channels], init.zeros)
    this.running_vars = init.buffer([n_stats, channels], init.ones)
    this.scale = linear()
    this.offset = linear()
    this.weight = this.scale ? undefined : init.parameter([channels], init.ones)
    this.bias = this.offset ? undefined : init.parameter([channels], init.zeros)
    this.#rows = n_stats
    this.#eps = eps
  }

  /** x [N, C, H, W], condition [N or 1, 2 z_dim] -> [N, C, H, W]. */
  forward(x: Tensor, statistics: Statistics, condition?: Tensor): Tensor {
    const { scale, offset, weight, bias } = this
    if (!scale || !offset || !condition)
      return this.#normalized(x, statistics, { ...(weight && { weight }), ...(bias && { bias }) })
    const normal = this.#normalized(x, statistics, {})
    const perChannel = (t: Tensor): Tensor => ops.reshape(t, [...t.shape, 1, 1])
    const gain = perChannel(ops.add(scale.forward(condition), 1)) // [N, C, 1, 1]
    return ops.add(ops.mul(normal, gain), perChannel(offset.forward(condition)))
  }

  #normalized(x: Tensor, statistics: Statistics, affine: { weight?: Variable; bias?: Variable }): Tensor {
    const options = { ...affine, eps: this.#eps }
    if (typeof statistics === 'number') {
      const [mean, variance] = [this.#row(this.running_means, statistics), this.#row(this.running_vars, statistics)]
      return ops.batchNorm(x, mean, variance, options)
    }
    const [, channels] = x.sizes(4)
    const start = ops.zeros([channels])
    const { output, runningMean, runningVar } = ops.batchNormTrain(x, start, start, { ...options, momentum: 1 })
    statistics(this, runningMean, runningVar)
    return output
  }

  /** The statistics of a truncation: [C]. */
  #row(table: Variable, truncation: number): Tensor {
    const place = statisticsPlace(truncation, this.#rows)
    if (!isWithin(place, this.#rows)) {
      throw new UsageError(
        `BigGAN: truncation ${truncation} leads behind the ${this.#rows} rows of the statistics (rounding of the official code)`,
        { hint: 'a slightly smaller truncation is inside' },
      )
    }
    const { index, coefficient } = place
    const lower = ops.select(table.value, index, 0)
    if (coefficient === 0) return lower
    return ops.add(ops.mul(lower, coefficient), ops.mul(ops.select(table.value, index + 1, 0), 1 - coefficient))
  }
}

/** A residual block; halves the channels by leaving some out of the shortcut. */
class GenBlock extends Module {
  readonly bn_0: BigGANBatchNorm
  readonly conv_0: SpectralConv2d
  readonly bn_1: BigGANBatchNorm
  readonly conv_1: SpectralConv2d
  readonly bn_2: BigGANBatchNorm
  readonly conv_2: SpectralConv2d
  readonly bn_3: BigGANBatchNorm
  readonly conv_3: SpectralConv2d
  readonly #upsample: boolean
  readonly #kept: number

  constructor(from: number, to: number, upsample: boolean, config: BigGANConfig) {
    super()
    const middle = Math.floor(from / 4)
    const { eps } = config
    const norm = (channels: number) => new BigGANBatchNorm(channels, 2 * config.z_dim, config)
    this.bn_0 = norm(from)
    this.conv_0 = new SpectralConv2d(from, middle, 1, { eps })
    this.bn_1 = norm(middle)
    this.conv_1 = new SpectralConv2d(middle, middle, 3, { eps })
    this.bn_2 = norm(middle)
    this.conv_2 = new SpectralConv2d(middle, middle, 3, { eps })
    this.bn_3 = norm(middle)
    this.conv_3 = new SpectralConv2d(middle, to, 1, { eps })
    this.#upsample = upsample
    this.#kept = to
  }

  forward(x: Tensor, condition: Tensor, statistics: Statistics): Tensor {
    const by = (norm: BigGANBatchNorm) => (t: Tensor) => norm.forward(t, statistics, condition)
    const { conv_0, conv_1, conv_2, conv_3 } = this
    return generatorBlock(x, {
      norms: [by(this.bn_0), by(this.bn_1), by(this.bn_2), by(this.bn_3)],
      convs: [(t) => conv_0.forward(t), (t) => conv_1.forward(t), (t) => conv_2.forward(t), (t) => conv_3.forward(t)],
      upsample: this.#upsample,
      kept: this.#kept,
    })
  }
}

/** Attention over the places of a picture. */
class SelfAttn extends Module {
  readonly snconv1x1_theta: SpectralConv2d
  readonly snconv1x1_phi: SpectralConv2d
  readonly snconv1x1_g: SpectralConv2d
  readonly snconv1x1_o_conv: SpectralConv2d
  readonly gamma: Variable

  constructor(channels: number, eps: number) {
    super()
    const [eighth, half] = [Math.floor(channels / 8), Math.floor(channels / 2)]
    const conv = (from: number, to: number) => new SpectralConv2d(from, to, 1, { bias: false, eps })
    this.snconv1x1_theta = conv(channels, eighth)
    this.snconv1x1_phi = conv(channels, eighth)
    this.snconv1x1_g = conv(channels, half)
    this.snconv1x1_o_conv = conv(half, channels)
    this.gamma = init.parameter([1], init.zeros)
  }

  forward(x: Tensor): Tensor {
    return selfAttention(x, {
      theta: (t) => this.snconv1x1_theta.forward(t),
      phi: (t) => this.snconv1x1_phi.forward(t),
      g: (t) => this.snconv1x1_g.forward(t),
      o: (t) => this.snconv1x1_o_conv.forward(t),
      gamma: this.gamma,
    })
  }
}

/** The condition of a layer (counted with the attention): the same for all, or another one for each. */
export type ConditionOf = (layer: number) => Tensor

/** Conditions to pictures: 4 x 4 places, blocks that double height and width, colours from -1 to 1. */
class Generator extends Module {
  readonly gen_z: SpectralLinear
  readonly layers: readonly (GenBlock | SelfAttn)[]
  readonly bn: BigGANBatchNorm
  readonly conv_to_rgb: SpectralConv2d
  readonly #width: number

  constructor(config: BigGANConfig) {
    super()
    const { channel_width: ch, z_dim, eps, layers, attention_layer_position } = config
    this.gen_z = new SpectralLinear(2 * z_dim, 4 * 4 * 16 * ch, { eps })
    this.layers = layers.flatMap(([upsample, from, to], i) => {
      const block = new GenBlock(from * ch, to * ch, upsample, config)
      return i === attention_layer_position ? [new SelfAttn(from * ch, eps), block] : [block]
    })
    this.bn = new BigGANBatchNorm(ch, undefined, config)
    this.conv_to_rgb = new SpectralConv2d(ch, ch, 3, { eps })
    this.#width = 16 * ch
  }

  /** first [N, 2 z_dim] -> [N, 3, H, W]. */
  forward(first: Tensor, conditionOf: ConditionOf, statistics: Statistics): Tensor {
    const places = ops.reshape(this.gen_z.forward(first), [-1, 4, 4, this.#width]) // channels last, here only
    let x = ops.permute(places, [0, 3, 1, 2]) // [N, 16 ch, 4, 4]
    for (const [i, layer] of this.layers.entries())
      x = layer instanceof GenBlock ? layer.forward(x, conditionOf(i), statistics) : layer.forward(x)
    const colours = this.conv_to_rgb.forward(ops.relu(this.bn.forward(x, statistics))) // [N, ch, H, W]
    return ops.tanh(ops.slice(colours, [0, 3], 1)) // three of the channels are used
  }
}

/** The generator with the embedding of its classes. */
export class BigGAN extends Module {
  readonly config: BigGANConfig
  readonly embeddings: Linear
  readonly generator: Generator

  constructor(config: BigGANConfig) {
    super()
    checkConfig(config)
    this.config = config
    this.embeddings = new Linear(config.num_classes, config.z_dim, { bias: false })
    this.generator = new Generator(config)
  }

  /**
   * Noise [N, z_dim] and class vectors [N, num_classes] (one-hot, or any mixture) -> pictures [N, 3, H, W], -1 to 1. A truncation
   * only chooses the statistics: noise is scaled by whoever draws it.
   */
  forward(noise: Tensor, classes: Tensor, statistics: Statistics): Tensor {
    const condition = this.#conditions(noise, classes)
    return this.generator.forward(condition, () => condition, statistics)
  }

  /**
   * One picture [1, 3, H, W] from a latent for each layer: row 0 of noise [R, z_dim] and classes [R, num_classes] feeds the first map, row
   * i + 1 the layer i. Attention counts and reads none, so its row has no effect, and neither have those after the last layer.
   */
  layered(noise: Tensor, classes: Tensor, statistics: Statistics): Tensor {
    const conditions = this.#conditions(noise, classes) // [R, 2 z_dim]
    const [rows] = conditions.sizes(2)
    const needed = this.generator.layers.length + 1
    if (rows < needed) throw new ShapeError(`BigGAN: ${needed} latents are needed, one for each layer, found ${rows}`)
    const row = (i: number): Tensor => ops.slice(conditions, [i, i + 1], 0)
    return this.generator.forward(row(0), (layer) => row(layer + 1), statistics)
  }

  #conditions(noise: Tensor, classes: Tensor): Tensor {
    return ops.concat([noise, this.embeddings.forward(classes)], 1) // [N, 2 z_dim]
  }
}

function checkConfig({ layers, channel_width }: BigGANConfig): void {
  for (const [i, [, from, to]] of layers.entries()) {
    const before = layers[i - 1]?.[2] ?? 16
    if (from !== before)
      throw new UsageError(`BigGAN: layer ${i} must begin with the ${before} channels before it, found ${from}`)
    if (to !== from && 2 * to !== from)
      throw new UsageError(`BigGAN: layer ${i} must keep or halve its ${from} channels, found ${to}`)
  }
  if (layers.at(-1)?.[2] !== 1) throw new UsageError('BigGAN: the last layer must end with 1 times the channel_width')
  if (channel_width < 3) throw new UsageError(`BigGAN: channel_width must be at least 3, found ${channel_width}`)
}
