import * as ops from '../ops/index.ts'
import { formatShape, listOf, sameShape, spatialAxes } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { currentTrace } from '../tensor/trace.ts'
import { tensorOf, Variable } from '../tensor/variable.ts'
import { optionsOf, requireAtLeast, requireCount, requireWithin } from '../util/check.ts'
import { ShapeError, UsageError } from '../util/errors.ts'
import { buffer, ones, parameter, zeros } from './init.ts'
import { Module } from './module.ts'

/** Options of layer norm. */
export interface LayerNormOptions {
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number
  /** Whether there is a weight (and a bias). Default: true. */
  readonly elementwiseAffine?: boolean
  /** Whether there is a bias besides the weight. Default: true. */
  readonly bias?: boolean
}

function checkedShape(name: string, shape: number | readonly number[], eps: number): readonly number[] {
  const sizes = listOf(shape)
  if (sizes.length === 0) throw new UsageError(`${name}: normalizedShape must have at least one axis, found []`)
  for (const size of sizes) requireCount(name, 'normalizedShape', size, 1, UsageError)
  requireAtLeast(name, 'eps', eps, 0, UsageError)
  return sizes
}

/**
 * Layer norm (Ba et al. 2016, arXiv 1607.06450): (x - mean) / sqrt(variance + eps) * weight + bias over the last axes.
 * x [..., ...normalizedShape] -> the same shape; weight (initially ones) and bias (zeros) have normalizedShape.
 */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[]
  readonly eps: number
  readonly weight: Variable | undefined
  readonly bias: Variable | undefined

  constructor(normalizedShape: number | readonly number[], options?: LayerNormOptions) {
    super()
    const {
      eps = 1e-5,
      elementwiseAffine = true,
      bias = true,
    } = optionsOf('LayerNorm', options, { eps: true, elementwiseAffine: true, bias: true }, UsageError)
    this.normalizedShape = checkedShape('LayerNorm', normalizedShape, eps)
    this.eps = eps
    this.weight = elementwiseAffine ? parameter(this.normalizedShape, ones) : undefined
    this.bias = elementwiseAffine && bias ? parameter(this.normalizedShape, zeros) : undefined
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this
    return ops.layerNorm(x, this.normalizedShape, { weight, bias, eps })
  }
}

/**
 * Root mean square norm (Zhang and Sennrich 2019, arXiv 1910.07467): x / sqrt(mean(x^2) + eps) * weight over the last axes.
 * x [..., ...normalizedShape] -> the same shape; weight (initially ones) has normalizedShape. Default eps: 2^-23, float32's resolution.
 */
export class RMSNorm extends Module {
  readonly normalizedShape: readonly number[]
  readonly eps: number
  readonly weight: Variable | undefined

  constructor(normalizedShape: number | readonly number[], options?: Omit<LayerNormOptions, 'bias'>) {
    super()
    const { eps = 2 ** -23, elementwiseAffine = true } = optionsOf(
      'RMSNorm',
      options,
      {
        eps: true,
        elementwiseAffine: true,
      },
      UsageError,
    )
    this.normalizedShape = checkedShape('RMSNorm', normalizedShape, eps)
    this.eps = eps
    this.weight = elementwiseAffine ? parameter(this.normalizedShape, ones) : undefined
  }

  forward(x: Tensor): Tensor {
    const { weight, eps } = this
    return ops.rmsNorm(x, this.normalizedShape, { weight, eps })
  }
}

/** Options of norms over channels. */
export interface ChannelNormOptions {
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number
  /** Whether there are a weight (initially ones) and a bias (zeros), one number for each channel. Default: true; of InstanceNorm2d false. */
  readonly affine?: boolean
}

const channelNames = { eps: true, affine: true } as const

/** Scale and shift of a norm for each example and channel, [N, C] each: GN(x) (1 + scale) + shift. */
export interface Modulation {
  readonly scale: Tensor
  readonly shift: Tensor
}

function checkedModulation(x: Tensor, { scale, shift }: Modulation): Modulation {
  const wanted = x.shape.slice(0, 2)
  for (const [name, given] of Object.entries({ scale, shift })) {
    const { shape } = tensorOf('GroupNorm', given)
    if (!sameShape(shape, wanted))
      throw new ShapeError(`GroupNorm: ${name} must be ${formatShape(wanted)}, found ${formatShape(shape)}`)
  }
  return { scale, shift }
}

// With fewer features the saved passes do not matter: the formula is computed as written, with the usual rounding.
const manyFeatures = 2 ** 16

/**
 * Whether the modulation is folded into the weight and bias of the norm: that saves two passes over x, and four in the gradient
 * (docs/decisions/059-group-norm.md).
 */
function fusesModulation(x: Tensor): boolean {
  return currentTrace()?.tuned === true && x.size >= manyFeatures
}

/**
 * Group norm (Wu and He 2018, arXiv 1803.08494): normalises each group of channels of each example. x [N, C, ...] -> the same shape;
 * weight, bias [C].
 */
export class GroupNorm extends Module {
  readonly numGroups: number
  readonly numChannels: number
  readonly eps: number
  readonly weight: Variable | undefined
  readonly bias: Variable | undefined

  constructor(numGroups: number, numChannels: number, options?: ChannelNormOptions) {
    super()
    const { eps = 1e-5, affine = true } = optionsOf('GroupNorm', options, channelNames, UsageError)
    requireCount('GroupNorm', 'numGroups', numGroups, 1, UsageError)
    requireCount('GroupNorm', 'numChannels', numChannels, 1, UsageError)
    requireAtLeast('GroupNorm', 'eps', eps, 0, UsageError)
    if (numChannels % numGroups !== 0) {
      throw new UsageError(
        `GroupNorm: channels must be a multiple of groups, found ${numChannels} channels, ${numGroups} groups`,
      )
    }
    this.numGroups = numGroups
    this.numChannels = numChannels
    this.eps = eps
    this.weight = affine ? parameter([numChannels], ones) : undefined
    this.bias = affine ? parameter([numChannels], zeros) : undefined
  }

  /** With a modulation it is adaptive group norm: GN(x) (1 + scale) + shift (Dhariwal and Nichol 2021, section 3.1). */
  forward(x: Tensor, modulation?: Modulation): Tensor {
    const { weight, bias, eps } = this
    const normed = (by: Pick<ops.NormOptions, 'weight' | 'bias'>): Tensor =>
      ops.groupNorm(x, this.numGroups, { ...by, eps })
    if (!modulation) return normed({ weight, bias })
    const { scale, shift } = checkedModulation(x, modulation)
    const factor = ops.add(scale, 1)
    if (!fusesModulation(x)) {
      const byChannel = (t: Tensor): Tensor => ops.reshape(t, [...t.shape, ...spatialAxes(x.shape).map(() => 1)])
      return ops.add(ops.mul(normed({ weight, bias }), byChannel(factor)), byChannel(shift))
    }
    const scaled = (vector: Variable): Tensor => ops.mul(vector, factor)
    return normed({ weight: weight ? scaled(weight) : factor, bias: bias ? ops.add(scaled(bias), shift) : shift })
  }
}

/** Options of batch norm. */
export interface RunningNormOptions extends ChannelNormOptions {
  /** Weight of the newest batch in the running statistics; null: they are the plain mean over all batches. Default: 0.1. */
  readonly momentum?: number | null
  /** Whether running statistics are kept for evaluation. If not, each batch is normalised by its own statistics, in evaluation too. Default: true. */
  readonly trackRunningStats?: boolean
}

const runningNames = { ...channelNames, momentum: true, trackRunningStats: true } as const

function checkInput(module: Module, x: Tensor, channels: number, ranks: readonly number[]): void {
  const { rank, shape } = tensorOf(module.constructor.name, x)
  if (ranks.includes(rank) && shape[1] === channels) return
  throw new ShapeError(
    `${module.constructor.name}: the input must have ${ranks.join(' or ')} axes and ${channels} channels on axis 1, found ${x}`,
  )
}

abstract class BatchNorm extends Module {
  readonly numFeatures: number
  readonly eps: number
  readonly momentum: number | null
  readonly weight: Variable | undefined
  readonly bias: Variable | undefined
  readonly running_mean: Variable | undefined
  readonly running_var: Variable | undefined
  readonly num_batches_tracked: Variable | undefined
  readonly #ranks: readonly number[]

  constructor(numFeatures: number, ranks: readonly number[], options: RunningNormOptions) {
    super()
    const { eps = 1e-5, affine = true, momentum = 0.1, trackRunningStats = true } = options
    const { name } = this.constructor
    requireCount(name, 'numFeatures', numFeatures, 1, UsageError)
    requireAtLeast(name, 'eps', eps, 0, UsageError)
    if (momentum !== null) requireWithin(name, 'momentum', momentum, [0, 1], UsageError)
    this.numFeatures = numFeatures
    this.eps = eps
    this.momentum = momentum
    this.weight = affine ? parameter([numFeatures], ones) : undefined
    this.bias = affine ? parameter([numFeatures], zeros) : undefined
    this.running_mean = trackRunningStats ? buffer([numFeatures], zeros) : undefined
    this.running_var = trackRunningStats ? buffer([numFeatures], ones) : undefined
    this.num_batches_tracked = trackRunningStats ? new Variable([], { dtype: 'int64' }) : undefined
    this.#ranks = ranks
  }

  forward(x: Tensor): Tensor {
    checkInput(this, x, this.numFeatures, this.#ranks)
    const { weight, bias, eps, running_mean, running_var } = this
    const affine = { weight, bias, eps }
    if (running_mean && running_var && !this.training) return ops.batchNorm(x, running_mean, running_var, affine)
    // With momentum 1 the statistics are those of the batch alone.
    const batch = ops.batchNormTrain(
      x,
      running_mean ?? ops.zeros([this.numFeatures]),
      running_var ?? ops.ones([this.numFeatures]),
      {
        ...affine,
        momentum: this.momentum ?? 1,
      },
    )
    this.#track(batch)
    return batch.output
  }

  #track({ runningMean, runningVar }: ops.BatchNormResult): void {
    const { running_mean, running_var, num_batches_tracked } = this
    if (!running_mean || !running_var || !num_batches_tracked) return
    num_batches_tracked.assign(ops.add(num_batches_tracked, 1))
    const count = ops.cast(num_batches_tracked, 'float32')
    const next = (old: Variable, found: Tensor): Tensor =>
      this.momentum === null ? ops.add(old, ops.div(ops.sub(found, old), count)) : found
    running_mean.assign(ops.stopGradient(next(running_mean, runningMean)))
    running_var.assign(ops.stopGradient(next(running_var, runningVar)))
  }
}

/**
 * Batch norm (Ioffe and Szegedy 2015, arXiv 1502.03167): normalises each channel of x [N, C] or [N, C, L] over the batch, in evaluation
 * by the running statistics. As in PyTorch, the batch is normalised by its biased variance, and the running variance is unbiased.
 */
export class BatchNorm1d extends BatchNorm {
  constructor(numFeatures: number, options?: RunningNormOptions) {
    super(numFeatures, [2, 3], optionsOf('BatchNorm1d', options, runningNames, UsageError))
  }
}

/** Batch norm of each channel of x [N, C, H, W]; otherwise as BatchNorm1d. */
export class BatchNorm2d extends BatchNorm {
  constructor(numFeatures: number, options?: RunningNormOptions) {
    super(numFeatures, [4], optionsOf('BatchNorm2d', options, runningNames, UsageError))
  }
}

/**
 * Instance norm (Ulyanov et al. 2016, arXiv 1607.08022): normalises each channel of each example of x [N, C, H, W] by itself.
 * Default: not affine.
 */
export class InstanceNorm2d extends Module {
  readonly numFeatures: number
  readonly eps: number
  readonly weight: Variable | undefined
  readonly bias: Variable | undefined

  constructor(numFeatures: number, options?: ChannelNormOptions) {
    super()
    const { eps = 1e-5, affine = false } = optionsOf('InstanceNorm2d', options, channelNames, UsageError)
    requireCount('InstanceNorm2d', 'numFeatures', numFeatures, 1, UsageError)
    requireAtLeast('InstanceNorm2d', 'eps', eps, 0, UsageError)
    this.numFeatures = numFeatures
    this.eps = eps
    this.weight = affine ? parameter([numFeatures], ones) : undefined
    this.bias = affine ? parameter([numFeatures], zeros) : undefined
  }

  forward(x: Tensor): Tensor {
    checkInput(this, x, this.numFeatures, [4])
    const { weight, bias, eps } = this
    return ops.instanceNorm(x, { weight, bias, eps })
  }
}
