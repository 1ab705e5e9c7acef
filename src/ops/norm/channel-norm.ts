/** Normalisation of channels, axis 1 of x [N, C, ...]: batch, local response; and spectral norm. */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { currentTrace } from '../../tensor/trace.ts'
import { optionsOf, requireAtLeast, requireCount, requireFinite, requireWithin, shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { customGradient, stopGradient } from '../control.ts'
import { full } from '../creation.ts'
import {
  apply,
  checked,
  defineOp,
  type Emitter,
  inputAt,
  type Operand,
  requireDType,
  toFloat,
  toTensor,
} from '../define.ts'
import { square } from '../elementwise/arithmetic.ts'
import { add, div, maximum, mul, pow, sub } from '../elementwise/binary.ts'
import { addAll } from '../elementwise/composite.ts'
import { clamp } from '../elementwise/rounding.ts'
import { reciprocal, sqrt } from '../elementwise/unary.ts'
import { concat, reshape, slice } from '../movement/movement.ts'
import { padAxis } from '../movement/padding.ts'
import { matmul } from '../products/matmul.ts'
import { gatherOverRanks, sumOverRanks } from '../ranks.ts'
import { mean, sum } from '../reduction/reduce.ts'
import { type NormOptions, normNames } from './layer-norm.ts'
import { channelShape, perChannel } from './per-channel.ts'

/** Of each channel [1, C, 1, ...]. */
interface Statistics {
  readonly variance: Tensor
  /** The mean as float32's sums give it. */
  readonly center: Tensor
  /** What its rounding left: the mean of what differs from it. */
  readonly rest: Operand
  /** -1 / n for n values per channel. */
  readonly share: Operand
  /** n / (n - 1) */
  readonly unbiased: Operand
}

// A mean beyond comes of sums that overflowed, and stays out of differences of infinities.
const largestMean = 1e18

/**
 * Biased variance and mean of each channel in the batch. Where several processes have a part of it each, of the whole batch, from
 * those of the parts: with n_r values, mean m_r and variance v_r, sum(n_r (v_r + (m_r - mean)^2)) / n.
 */
function batchStatistics(x: Tensor, axes: readonly number[]): (x: Tensor) => Statistics {
  const count = x.size / sizeOf(x.shape, 1)
  const average = (t: Tensor): Tensor => mean(t, axes, { keepDims: true })
  // By rows first: sums in float32 lose less the shorter they are.
  const averageOfRows = (t: Tensor): Tensor =>
    axes.length === 1 ? average(t) : mean(mean(t, -1, { keepDims: true }), axes.slice(0, -1), { keepDims: true })
  // The differences are what normalisation and its gradient use: no other pass makes them.
  const own = (input: Tensor): Statistics => {
    const center = average(input)
    const centered = sub(input, center)
    const rest = clamp(average(centered), -largestMean, largestMean)
    const variance = maximum(sub(averageOfRows(mul(centered, centered)), square(rest)), 0)
    return { variance, center, rest, share: -1 / count, unbiased: count / (count - 1) }
  }
  if (!currentTrace()?.ranks) return own
  const part = own(x)
  const partMean = add(part.center, part.rest)
  const gathered = gatherOverRanks(concat([part.variance, partMean, full(partMean.shape, count)]))
  const [variances, centers, counts] = [0, 1, 2].map((i) => slice(gathered, [i, i + 1], 1)) as [Tensor, Tensor, Tensor]
  const total = sum(counts, 0)
  const center = div(sum(mul(centers, counts), 0), total)
  const variance = div(sum(mul(counts, add(variances, square(sub(centers, center)))), 0), total)
  // Computed once: every use of it would be a sum over the processes.
  const whole = { variance, center, rest: 0, share: div(-1, total), unbiased: div(total, sub(total, 1)) }
  return () => whole
}

/** Batch statistics and the running ones after them. */
export interface BatchNormResult {
  readonly output: Tensor
  readonly runningMean: Tensor
  readonly runningVar: Tensor
}

/**
 * Batch norm in training (Ioffe and Szegedy 2015): each channel of x [N, C, ...] by its mean and biased variance in the
 * batch; running statistics move by `momentum` (default 0.1) toward the mean and the unbiased variance. In a function that several
 * processes run together the batch is that of all of them.
 */
export function batchNormTrain(
  x: Operand,
  runningMean: Operand,
  runningVar: Operand,
  options?: NormOptions & { readonly momentum?: number },
): BatchNormResult {
  const input = toFloat('batchNorm', x)
  return checked(() => {
    const axes = input.shape.map((_, axis) => axis).filter((axis) => axis !== 1)
    const count = input.rank < 2 ? 0 : input.size / sizeOf(input.shape, 1)
    if (count <= 1) {
      throw new ShapeError(
        `batchNorm: training needs more than one value per channel, found ${formatShape(input.shape)}`,
      )
    }
    const {
      weight,
      bias,
      momentum = 0.1,
      eps = 1e-5,
    } = optionsOf('batchNormTrain', options, { weight: true, bias: true, eps: true, momentum: true })
    requireWithin('batchNorm', 'momentum', momentum, [0, 1])
    requireAtLeast('batchNorm', 'eps', eps, 0)
    const channels = [sizeOf(input.shape, 1)]
    const given = { weight: weight ?? full(channels, 1), bias: bias ?? full(channels, 0) }
    const scale = perChannel('batchNorm', 'weight', given.weight, input)
    const shift = perChannel('batchNorm', 'bias', given.bias, input)
    const statistics = batchStatistics(input, axes)
    const { variance, center, rest, unbiased } = statistics(input)
    const move = (old: Operand, found: Tensor): Tensor =>
      add(mul(old, 1 - momentum), mul(reshape(found, [-1]), momentum))
    return {
      output: normalizeByBatch(input, scale, shift, axes, statistics, eps),
      runningMean: move(runningMean, add(center, rest)),
      runningVar: move(runningVar, mul(variance, unbiased)),
    }
  })
}

// Rows with fewer positions are so short that the runtime's sums of broadcast numbers take longer than its batch norm, which has one thread.
const shortRow = 64

/** x slope + level, with numbers for each channel [1, C, 1, ...]. */
function scaled(x: Tensor, slope: Tensor, level: Tensor): Tensor {
  const [, channels, ...positions] = channelSizes(x.shape)
  if (!currentTrace()?.tuned || positions.length === 0 || elementCount(positions) >= shortRow)
    return add(mul(x, slope), level)
  const [weight, bias] = [slope, level].map((numbers) => reshape(numbers, [channels])) as [Tensor, Tensor]
  return apply(batchNormOp, [x, weight, bias, full([channels], 0), full([channels], 1)], { eps: 0 })
}

/**
 * (x - mean) s + shift with s = scale / sqrt(variance + eps); scale, shift [1, C, 1, ...]. With c = x - mean and n values
 * per channel: dx = s (g - sum(g) / n - c r^2 sum(g c) / n), r = 1 / sqrt(variance + eps): as g s + c k + l four passes. What the mean's
 * rounding left of c goes into the numbers for each channel.
 */
function normalizeByBatch(
  x: Tensor,
  scale: Tensor,
  shift: Tensor,
  axes: readonly number[],
  statistics: (x: Tensor) => Statistics,
  eps: number,
): Tensor {
  const inverseOf = (variance: Tensor): Tensor => reciprocal(sqrt(add(variance, eps)))
  const normalize = customGradient(
    (input: Tensor, factor: Tensor, offset: Tensor) => {
      const { variance, center, rest } = statistics(input)
      const slope = mul(factor, inverseOf(variance))
      return scaled(sub(input, center), slope, sub(offset, mul(rest, slope)))
    },
    (g, { inputs: [input, factor] }) => {
      const { variance, center, rest, share: perValue } = statistics(input)
      const [inverse, centered] = [inverseOf(variance), sub(input, center)]
      const total = sum(g, axes, { keepDims: true })
      const projection = sub(sum(mul(g, centered), axes, { keepDims: true }), mul(total, rest))
      const slope = mul(factor, inverse)
      const share = mul(slope, perValue)
      const pull = mul(share, mul(sumOverRanks(projection), mul(inverse, inverse)))
      const level = sub(mul(share, sumOverRanks(total)), mul(rest, pull))
      return [add(scaled(g, slope, level), mul(centered, pull)), mul(projection, inverse), total]
    },
  )
  return normalize(x, scale, shift)
}

/** The nodes of weight / sqrt(variance + eps). */
function emitScale(emit: Emitter, weight: string, variance: string, eps: number): string {
  return emit.node('Div', [weight, emit.node('Sqrt', [emit.node('Add', [variance, emit.scalar(eps, 'float32')])])])
}

/**
 * (x - mean) s + bias with s = weight / sqrt(variance + eps) for each channel. A primitive because its kernel takes one
 * pass and every ONNX runtime folds it into a convolution before it. Inputs: x, weight, bias, mean, variance.
 */
export const batchNormOp = defineOp<{ readonly eps: number }>({
  name: 'batchNorm',
  infer: (inputs) => {
    const x = inputAt('batchNorm', inputs, 0)
    for (const input of inputs) requireDType('batchNorm', 'input', input, ['float32'])
    const wrong = inputs.slice(1).find(({ shape }) => shape.length !== 1 || shape[0] !== x.shape[1])
    if (x.shape.length < 2 || wrong) {
      throw new ShapeError(
        `batchNorm: the input must be [N, C, ...] and all else [C], found ${inputs.map(({ shape }) => formatShape(shape)).join(', ')}`,
      )
    }
    return [{ dtype: 'float32', shape: x.shape }]
  },
  // With r = 1 / sqrt(variance + eps) and k = sum(g (x - mean)): dweight = k r, dmean = -s sum(g), dvariance = -k s r^2 / 2.
  gradient: (o, { inputs, attributes: { eps } }, [g]) => {
    const [x, weight, bias, mean, variance] = inputs
    if (!g || !x || !weight || !bias || !mean || !variance) return []
    const [axes, shape] = [x.shape.map((_, axis) => axis).filter((axis) => axis !== 1), channelShape(x)]
    const inverse = o.reciprocal(o.sqrt(o.add(variance, eps)))
    const scale = o.mul(weight, inverse)
    const total = o.sum(g, axes)
    const projection = o.sum(o.mul(g, o.sub(x, o.reshape(mean, shape))), axes)
    return [
      o.mul(g, o.reshape(scale, shape)),
      o.mul(projection, inverse),
      total,
      o.neg(o.mul(scale, total)),
      o.mul(o.mul(projection, scale), o.mul(o.mul(inverse, inverse), -0.5)),
    ]
  },
  lower: (emit, { inputs, inputTypes, attributes: { eps } }) => {
    if (inputAt('batchNorm', inputTypes, 0).shape.length > 2)
      return emit.node('BatchNormalization', inputs, { epsilon: { float: eps } })
    // Without axes after the channels the kernel works on single numbers.
    const [x = '', weight = '', bias = '', mean = '', variance = ''] = inputs
    const scaled = emit.node('Mul', [emit.node('Sub', [x, mean]), emitScale(emit, weight, variance, eps)])
    return emit.node('Add', [scaled, bias])
  },
  samples: () => [
    {
      inputs: [[4, 3], [3], [3], [3], { shape: [3], range: [0.5, 2] }],
      call: (x, weight, bias, mean, variance) => batchNorm(x, mean, variance, { weight, bias }),
    },
    {
      inputs: [[2, 3, 1, 2], [3], { shape: [3], range: [0.5, 2] }],
      call: (x, mean, variance) => batchNorm(x, mean, variance, { eps: 0.1 }),
    },
    {
      inputs: [[2, 1, 3], [1], [1], { shape: [1], range: [0.5, 2] }],
      call: (x, bias, mean, variance) => batchNorm(x, mean, variance, { bias }),
    },
  ],
  errors: () => [
    { inputs: [[4, 3], [2], [3]], call: (x, mean, variance) => batchNorm(x, mean, variance) },
    { inputs: [[4], [4], [4]], call: (x, mean, variance) => batchNorm(x, mean, variance) },
    { inputs: [{ shape: [4, 3], dtype: 'int32' }, [3], [3]], call: (x, mean, v) => batchNorm(x, mean, v) },
  ],
})

/** Batch norm in evaluation: each channel of x [N, C, ...] by the running statistics [C]. weight, bias: [C]. */
export function batchNorm(x: Operand, runningMean: Operand, runningVar: Operand, options?: NormOptions): Tensor {
  const [input, mean, variance] = [
    toTensor('batchNorm', x),
    toTensor('batchNorm', runningMean),
    toTensor('batchNorm', runningVar),
  ]
  const {
    weight = full(mean.shape, 1),
    bias = full(mean.shape, 0),
    eps = 1e-5,
  } = optionsOf('batchNorm', options, normNames)
  checked(() => requireAtLeast('batchNorm', 'eps', eps, 0))
  return apply(batchNormOp, [input, toTensor('batchNorm', weight), toTensor('batchNorm', bias), mean, variance], {
    eps,
  })
}

/**
 * x / (k + alpha / size * (sum of squares over `size` neighbouring channels))^beta (AlexNet). x [N, C, ...].
 * Defaults: alpha 1e-4, beta 0.75, k 1.
 */
export function localResponseNorm(
  x: Operand,
  size: number,
  options?: { readonly alpha?: number; readonly beta?: number; readonly k?: number },
): Tensor {
  const input = toFloat('localResponseNorm', x)
  const {
    alpha = 1e-4,
    beta = 0.75,
    k = 1,
  } = optionsOf('localResponseNorm', options, { alpha: true, beta: true, k: true })
  return checked(() => {
    for (const [name, value] of Object.entries({ alpha, beta, k })) requireFinite('localResponseNorm', name, value)
    if (input.rank < 3 || !Number.isInteger(size) || size < 1) {
      throw new ShapeError(
        `localResponseNorm: needs x [N, C, ...] with at least 3 axes and a whole size of at least 1, found ${formatShape(input.shape)} and ${shown(size)}`,
      )
    }
    const channels = sizeOf(input.shape, 1)
    const before = Math.floor(size / 2)
    const squares = padAxis(mul(input, input), 1, before, size - 1 - before)
    const neighbours = Array.from({ length: size }, (_, i) => slice(squares, [i, i + channels], 1))
    return div(input, pow(add(mul(addAll(neighbours), alpha / size), k), beta))
  })
}

/** A weight divided by its largest singular value, and the vectors that estimate it. */
export interface SpectralNormResult {
  readonly weight: Tensor
  readonly sigma: Tensor
  readonly u: Tensor
  readonly v: Tensor
}

/**
 * Spectral norm (Miyato et al. 2018): the weight as a matrix [rows, rest], sigma = u W v after `iterations` steps of
 * power iteration from u [rows] and v [rest]. Both are constants for the gradient. 0 iterations: evaluation.
 */
export function spectralNorm(
  weight: Operand,
  u: Operand,
  v: Operand,
  options?: { readonly iterations?: number; readonly eps?: number },
): SpectralNormResult {
  const { iterations = 1, eps = 1e-12 } = optionsOf('spectralNorm', options, { iterations: true, eps: true })
  const given = toFloat('spectralNorm', weight, 'weight')
  return checked(() => {
    requireCount('spectralNorm', 'iterations', iterations)
    requireAtLeast('spectralNorm', 'eps', eps, 0)
    if (given.rank < 1 || given.size === 0)
      throw new ShapeError(
        `spectralNorm: the weight must be [rows, ...] and not empty, found ${formatShape(given.shape)}`,
      )
    const matrix = reshape(given, [sizeOf(given.shape, 0), -1])
    const unit = (t: Tensor): Tensor => div(t, maximum(sqrt(sum(mul(t, t))), eps))
    let [left, right] = [toTensor('spectralNorm', u), toTensor('spectralNorm', v)]
    for (let i = 0; i < iterations; i++) {
      right = stopGradient(unit(matmul(left, matrix)))
      left = stopGradient(unit(matmul(matrix, right)))
    }
    const sigma = sum(mul(stopGradient(left), matmul(matrix, stopGradient(right))))
    return { weight: div(given, sigma), sigma, u: left, v: right }
  })
}
