/** Spread and quantiles. */
import { elementCount, fromNumbers } from '../../tensor/dtype.ts'
import { listOf, normalizeAxes, normalizeAxis, reducedShape, type Shape, sizeOf } from '../../tensor/shape.ts'
import { constant, type Tensor, type TensorType } from '../../tensor/tensor.ts'
import { optionsOf, requireFinite, requireFlag, requireOneOf, requireWithin } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { roundHalfEven } from '../../util/rounding.ts'
import { stopGradient } from '../control.ts'
import { applyAll, checked, defineOp, inputAt, type Operand, requireDType, toFloat, toTensor } from '../define.ts'
import { lerp, sqrtOrZero } from '../elementwise/arithmetic.ts'
import { div, equal, logicalOr } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { isNan } from '../elementwise/unary.ts'
import { indexSelect } from '../indexing/indexing.ts'
import { reshape, slice, squeeze } from '../movement/movement.ts'
import { moveAxis } from '../movement/rearrange.ts'
import { maxWithIndices, sort, topk } from './order.ts'
import { type Axes, type ReduceAttributes, type ReduceOptions, reduceNames, restoreAxes, sum } from './reduce.ts'

interface VarMeanAttributes extends ReduceAttributes {
  readonly correction: number
}

function countAlong(shape: Shape, axes: readonly number[]): number {
  return axes.reduce((count, axis) => count * sizeOf(shape, axis), 1)
}

/** One op, because the gradient of (x - mean)^2 by the mean sums to 0: as a composite it would still be computed. */
export const varMeanOp = defineOp<VarMeanAttributes>({
  name: 'varMean',
  infer: (inputs, { axes, keepDims }) => {
    const x = inputAt('varMean', inputs, 0)
    requireDType('variance', 'input', x, ['float32'])
    const type: TensorType = { dtype: 'float32', shape: reducedShape(x.shape, axes, keepDims) }
    return [type, type]
  },
  // d variance / dx = 2 (x - mean) / (n - correction), d mean / dx = 1 / n.
  gradient: (o, { inputs, outputs, attributes }, [gVariance, gMean]) => {
    const [x, mean] = [inputAt('varMean', inputs, 0), inputAt('varMean', outputs, 1)]
    const restored = (t: Tensor): Tensor => restoreAxes(o, t, x.shape, attributes)
    const count = countAlong(x.shape, attributes.axes)
    const degrees = Math.max(0, count - attributes.correction)
    const byVariance = gVariance && o.mul(o.mul(restored(gVariance), 2 / degrees), o.sub(x, restored(mean)))
    const byMean = gMean && o.expand(o.mul(restored(gMean), 1 / count), x.shape)
    return [byVariance && byMean ? o.add(byVariance, byMean) : (byVariance ?? byMean)]
  },
  lower: (emit, { inputs, inputTypes, outputTypes, attributes: { axes, correction, keepDims } }) => {
    const [x, { shape }] = [inputAt('varMean', inputs, 0), inputAt('varMean', inputTypes, 0)]
    const result = emit.ints(inputAt('varMean', outputTypes, 0).shape)
    if (elementCount(shape) === 0) {
      const nothing = emit.node('Expand', [emit.scalar(Number.NaN, 'float32'), result])
      return [nothing, nothing]
    }
    const reduce = (type: string, input: string, along = axes): string =>
      emit.node(type, [input, emit.ints(along)], { keepdims: 1, noop_with_empty_axes: 1 })
    // Axis by axis: one running sum over all would round thousands of times at its full size.
    const [first, ...others] = [...axes].sort((a, b) => b - a)
    const sumSquares = (input: string): string =>
      first === undefined
        ? reduce('ReduceSumSquare', input)
        : others.reduce((sums, axis) => reduce('ReduceSum', sums, [axis]), reduce('ReduceSumSquare', input, [first]))
    // Two passes: the mean of squares minus the square of the mean would cancel. What the first mean is off by, a few roundings of
    // numbers that may be far from 0, is the mean of the differences from it.
    const rough = reduce('ReduceMean', x)
    const centred = emit.node('Sub', [x, rough])
    // An infinite one comes of sums that overflowed, and stays out of differences of infinities.
    const bounds = [-1e18, 1e18].map((bound) => emit.scalar(bound, 'float32'))
    const shift = emit.node('Clip', [reduce('ReduceMean', centred), ...bounds])
    const count = countAlong(shape, axes)
    const lost = emit.node('Mul', [emit.node('Mul', [shift, shift]), emit.scalar(count, 'float32')])
    const squares = emit.node('Relu', [emit.node('Sub', [sumSquares(centred), lost])])
    const variance = emit.node('Div', [squares, emit.scalar(Math.max(0, count - correction), 'float32')])
    const outputs = [variance, emit.node('Add', [rough, shift])]
    return keepDims ? outputs : outputs.map((output) => emit.node('Reshape', [output, result]))
  },
  samples: () => [
    { inputs: [[2, 3]], call: (x) => varMean(x, 1) },
    { inputs: [[2, 3, 4]], call: (x) => varMean(x, [0, -1], { correction: 0, keepDims: true }) },
    { inputs: [[3, 1, 2]], call: (x) => varMean(x) },
    { inputs: [[2, 3, 4]], call: (x) => inputAt('varMean', varMean(x, 2, { correction: 2 }), 1) },
  ],
  errors: () => [
    { inputs: [[2, 3]], call: (x) => varMean(x, 2) },
    { inputs: [{ shape: [2], dtype: 'int64' }], call: (x) => varMean(x) },
    { inputs: [[2]], call: (x) => varMean(x, 0, { correction: Number.NaN }) },
  ],
})

/** Options of variance and standard deviation. */
export interface VarianceOptions extends ReduceOptions {
  /** What is subtracted from the number of elements: 1 gives the unbiased estimate, 0 the biased one. Default: 1. */
  readonly correction?: number
}

const varianceNames = { correction: true, keepDims: true } as const

/** Variance and mean over axes; all by default. */
export function varMean(x: Operand, axes?: Axes, options?: VarianceOptions): readonly [Tensor, Tensor] {
  const { correction = 1, keepDims = false } = optionsOf('varMean', options, varianceNames)
  const input = toTensor('varMean', x)
  return checked(() => {
    requireFinite('variance', 'correction', correction)
    requireFlag('variance', 'keepDims', keepDims)
    const attributes = { axes: normalizeAxes('variance', axes, input.rank), correction, keepDims }
    const outputs = applyAll(varMeanOp, [input], attributes)
    return [inputAt('varMean', outputs, 0), inputAt('varMean', outputs, 1)]
  })
}
/** sum((x - mean)^2) / (n - correction) over axes; all by default. PyTorch's `var`. */
export function variance(x: Operand, axes?: Axes, options?: VarianceOptions): Tensor {
  return varMean(x, axes, optionsOf('variance', options, varianceNames))[0]
}
/** The square root of the variance; its gradient is 0 where all elements are equal. */
export function std(x: Operand, axes?: Axes, options?: VarianceOptions): Tensor {
  return sqrtOrZero(variance(x, axes, optionsOf('std', options, varianceNames)))
}

/** `ifNan` where the greatest element of a row is NaN, else `otherwise`. */
function unlessNan(greatest: Tensor, ifNan: Tensor, otherwise: Tensor): Tensor {
  return greatest.dtype === 'float32' ? where(isNan(greatest), ifNan, otherwise) : otherwise
}

/** The median of all elements (the lower one of two), NaN if there is one; equal ones share its gradient. */
export function median(x: Operand): Tensor {
  const input = reshape(toFloat('median', x), [-1])
  const [value] = medianWithIndices(input, 0)
  // Where there is a NaN, the median is.
  const isMedian = logicalOr(equal(input, stopGradient(value)), isNan(input))
  return div(sum(where(isMedian, input, 0)), sum(cast(isMedian, 'float32')))
}
/** The median of one axis (the lower one of two) and its index; NaN if there is one. */
export function medianWithIndices(x: Operand, axis: number, options?: ReduceOptions): readonly [Tensor, Tensor] {
  const { keepDims = false } = optionsOf('medianWithIndices', options, reduceNames)
  const input = toTensor('medianWithIndices', x)
  return checked(() => {
    const at = normalizeAxis('median', axis, input.rank)
    if (input.rank === 0) return topk(input, 1)
    const size = sizeOf(input.shape, at)
    if (size === 0) throw new ShapeError('median: needs at least one element on the axis')
    const middle = Math.floor((size - 1) / 2)
    const lower = topk(input, middle + 1, at, { largest: false })
    const [value, index] = [slice(lower[0], [middle, middle + 1], at), slice(lower[1], [middle, middle + 1], at)]
    const [largest, place] = maxWithIndices(input, at, { keepDims: true })
    const results = [unlessNan(largest, largest, value), unlessNan(largest, place, index)] as const
    return keepDims ? results : [squeeze(results[0], at), squeeze(results[1], at)]
  })
}

/** Between which two elements of a sorted axis a rank lies, and how far. */
type Interpolation = (rank: number) => { readonly below: number; readonly above: number; readonly weight: number }

const interpolations = {
  linear: (rank) => ({ below: Math.floor(rank), above: Math.ceil(rank), weight: rank - Math.floor(rank) }),
  midpoint: (rank) => ({ below: Math.floor(rank), above: Math.ceil(rank), weight: 0.5 }),
  lower: (rank) => ({ below: Math.floor(rank), above: Math.floor(rank), weight: 0 }),
  higher: (rank) => ({ below: Math.ceil(rank), above: Math.ceil(rank), weight: 0 }),
  nearest: (rank) => ({ below: roundHalfEven(rank), above: roundHalfEven(rank), weight: 0 }),
} satisfies Readonly<Record<string, Interpolation>>

/** Options of `quantile`. */
export interface QuantileOptions extends ReduceOptions {
  /** How a quantile between two elements is computed. Default: linear. */
  readonly interpolation?: keyof typeof interpolations
}

/**
 * The q-quantiles of one axis, or of all elements: what a share q of the elements does not exceed; NaN if there is one. q in [0, 1]; a list
 * of q becomes the first axis of the result.
 */
export function quantile(x: Operand, q: number | readonly number[], axis?: number, options?: QuantileOptions): Tensor {
  const { keepDims = false, interpolation = 'linear' } = optionsOf('quantile', options, {
    interpolation: true,
    keepDims: true,
  })
  const input = toFloat('quantile', x)
  const shares = listOf(q)
  return checked(() => {
    for (const share of shares) requireWithin('quantile', 'q', share, [0, 1])
    requireOneOf('quantile', 'interpolation', interpolation, Object.keys(interpolations))
    const reduced = normalizeAxes('quantile', axis, input.rank)
    const at = axis === undefined ? 0 : (reduced[0] ?? 0)
    const [sorted] = sort(axis === undefined || input.rank === 0 ? reshape(input, [-1]) : input, at)
    const last = sizeOf(sorted.shape, at) - 1
    if (last < 0) throw new ShapeError('quantile: needs at least one element on the axis')
    // Ranks are rounded to float32, as PyTorch computes them.
    const ranks = shares.map((share) => interpolations[interpolation](Math.fround(Math.fround(share) * last)))
    const pick = (indices: number[]): Tensor =>
      indexSelect(sorted, constant(fromNumbers('int64', indices), [indices.length], 'int64'), at)
    const along = sorted.shape.map((_, i) => (i === at ? ranks.length : 1))
    const weights = constant(
      Float32Array.from(ranks, ({ weight }) => weight),
      along,
      'float32',
    )
    const below = pick(ranks.map((rank) => rank.below))
    const inner = ranks.every(({ weight }) => weight === 0)
      ? below
      : lerp(below, pick(ranks.map((rank) => rank.above)), weights)
    // NaN stands last.
    const largest = slice(sorted, [last, last + 1], at)
    const between = unlessNan(largest, largest, inner)
    const shape = reducedShape(input.shape, reduced, keepDims)
    return reshape(moveAxis(between, at, 0), typeof q === 'number' ? shape : [ranks.length, ...shape])
  })
}
