/** Pooling over the axes after batch and channel. */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFinite } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { customGradient, stopGradient } from '../control.ts'
import { kernelPlaces, kernelWindows, type WindowAttributes } from '../conv/windows.ts'
import {
  apply,
  checked,
  constantOf,
  defineOp,
  emitConstants,
  inputAt,
  type Operand,
  requireDType,
  type SampleInput,
  toFloat,
} from '../define.ts'
import { add, mul } from '../elementwise/binary.ts'
import { where } from '../elementwise/choice.ts'
import { addAll } from '../elementwise/composite.ts'
import { clamp } from '../elementwise/rounding.ts'
import { isNan } from '../elementwise/unary.ts'
import { reshape } from '../movement/movement.ts'
import { repeatElements } from '../movement/repeated.ts'
import { sum } from '../reduction/reduce.ts'
import { emitMaxima, emitMaxWindows } from './max-windows.ts'
import { type PoolOptions, type PoolShape, padded, poolShape, requireHalf } from './windows.ts'

interface MaxPoolAttributes extends WindowAttributes {
  readonly kernel: readonly number[]
  /** Padding that is never the largest, before and after each axis. */
  readonly padding: readonly [before: readonly number[], after: readonly number[]]
}

/** A sample input without near-ties, where the maximum is not differentiable. */
function distinctSample(shape: Shape): SampleInput {
  const count = elementCount(shape)
  // 37 is coprime to the sizes used, so that every multiple of 0.1 occurs once.
  return { shape, values: Array.from({ length: count }, (_, i) => 0.1 * ((37 * i) % count) - 0.05 * count) }
}

/** Outputs: the maxima, and where they lie in the flattened input (int64). A primitive: one kernel finds both. */
export const maxPoolOp = defineOp<MaxPoolAttributes>({
  name: 'maxPool',
  bounds: ({ inputs }) => [undefined, inputAt('maxPool', inputs, 0).size],
  infer: (inputs, { kernel, stride, dilation, padding: [before, after] }) => {
    const x = inputAt('maxPool', inputs, 0)
    requireDType('maxPool', 'input', x, ['float32'])
    const [n, c, ...spatial] = channelSizes(x.shape)
    const positions = spatial.map((size, i) => {
      const reach = sizeOf(dilation, i) * (sizeOf(kernel, i) - 1) + 1
      return Math.floor((sizeOf(before, i) + size + sizeOf(after, i) - reach) / sizeOf(stride, i)) + 1
    })
    const shape = [n, c, ...positions]
    return [
      { dtype: 'float32', shape },
      { dtype: 'int64', shape },
    ]
  },
  gradient: (o, { inputs, outputs }, [g]) => {
    const [x, indices] = [inputAt('maxPool', inputs, 0), inputAt('maxPool', outputs, 1)]
    if (!g) return []
    const flat = o.scatterAdd(o.full([x.size], 0), o.reshape(indices, [-1]), o.reshape(g, [-1]), 0)
    return [o.reshape(flat, x.shape)]
  },
  lower: (emit, { inputs, inputTypes, outputTypes, used, attributes }) => {
    const { kernel, stride, dilation, padding } = attributes
    const to = inputAt('maxPool', outputTypes, 0).shape
    if (elementCount(to) === 0) return emitConstants(emit, outputTypes)
    const windows = { kernel_shape: kernel, strides: stride, dilations: dilation, pads: padding.flat() }
    if (emit.has('MaxPool with indices')) return emit.nodes('MaxPool', inputs, 2, windows)
    const [x, from] = [inputAt('maxPool', inputs, 0), inputAt('maxPool', inputTypes, 0).shape]
    return used[1] ? emitMaxWindows(emit, x, { ...attributes, from, to }) : emitMaxima(emit, x, windows)
  },
  samples: () => [
    { inputs: [distinctSample([2, 2, 4, 6])], call: (x) => maxPool2d(x, 2), smooth: false },
    {
      inputs: [distinctSample([1, 2, 5, 5])],
      call: (x) => maxPool2d(x, [3, 2], { stride: [1, 2], padding: [1, 0], ceilMode: true }),
      smooth: false,
    },
    { inputs: [distinctSample([2, 3, 9])], call: (x) => maxPool1d(x, 3, { stride: 2, dilation: 2 }), smooth: false },
    {
      inputs: [distinctSample([2, 1, 4, 3, 5])],
      call: (x) => maxPool3d(x, [2, 3, 2], { stride: [2, 1, 2], padding: [0, 1, 1], dilation: [1, 1, 2] }),
      smooth: false,
    },
  ],
  errors: () => [
    { inputs: [[2, 2, 2, 2]], call: (x) => maxPool2d(x, 3) },
    { inputs: [[2, 2, 4]], call: (x) => maxPool2d(x, 2) },
    { inputs: [[2, 2, 4, 4]], call: (x) => maxPool2d(x, [2, 2, 2]) },
    { inputs: [[2, 2, 4, 4]], call: (x) => maxPool2d(x, 0) },
    { inputs: [[2, 2, 4, 4]], call: (x) => maxPool2d(x, 2, { padding: 2 }) },
  ],
})

/** A pooling over 1 or 2 axes: the arguments are checked, then `compute` gets the input and the shape of the windows. */
function pooling<Options extends PoolOptions>(
  compute: (op: string, input: Tensor, shape: PoolShape, options: Options) => Tensor,
) {
  return (op: string, x: Operand, kernelSize: number | readonly number[], options: Options, axes: number): Tensor => {
    const input = toFloat(op, x)
    return checked(() => {
      const shape = poolShape(op, input.shape, kernelSize, options, axes)
      requireHalf(op, shape)
      return compute(op, input, shape, options)
    })
  }
}

function largestOfWindows(input: Tensor, shape: PoolShape): Tensor {
  const { kernel, stride, dilation, padding, after } = shape
  // The kernel has no maximum of a window that is all padding, as one with gaps or of an empty input may be.
  if (input.size > 0 && dilation.every((step) => step === 1)) {
    const ends = padding.map((amount, i) => Math.max(amount, sizeOf(after, i)))
    return apply(maxPoolOp, [input], { kernel, stride, dilation, padding: [padding, ends] })
  }
  const none = kernel.map(() => 0)
  const full = padded(input, shape, Number.NEGATIVE_INFINITY)
  return apply(maxPoolOp, [full], { kernel, stride, dilation, padding: [none, none] })
}

const maxPool = pooling<MaxPoolOptions>((_op, input, shape, options) => {
  const { kernel, stride, dilation, positions } = shape
  const largest = largestOfWindows(input, shape)
  if (!options.propagateNan) return largest
  // Within bounds only NaN makes a sum of a window NaN.
  const total = addAll(kernelWindows(padded(clamp(input, -1, 1), shape, 0), kernel, positions, { stride, dilation }))
  return add(largest, stopGradient(where(isNan(total), total, 0)))
})

/** Options of max pooling. */
export interface MaxPoolOptions extends PoolOptions {
  readonly dilation?: number | readonly number[]
  /**
   * Whether a window with a NaN gives NaN, as in PyTorch. Default: false, the largest of its numbers: the runtime's kernel passes over
   * NaN, and looking for it takes several times as long as pooling (docs/decisions/041-nan.md).
   */
  readonly propagateNan?: boolean
}

const maxPoolNames = { dilation: true, propagateNan: true, stride: true, padding: true, ceilMode: true } as const

/** The largest element of each window of x [N, C, L]; of equal ones the first gets the gradient. */
export function maxPool1d(x: Operand, kernelSize: number | readonly number[], options?: MaxPoolOptions): Tensor {
  return maxPool('maxPool1d', x, kernelSize, optionsOf('maxPool1d', options, maxPoolNames), 1)
}

/** The largest element of each window of x [N, C, H, W]; of equal ones the first in row-major order gets the gradient. */
export function maxPool2d(x: Operand, kernelSize: number | readonly number[], options?: MaxPoolOptions): Tensor {
  return maxPool('maxPool2d', x, kernelSize, optionsOf('maxPool2d', options, maxPoolNames), 2)
}

/** The largest element of each window of x [N, C, D, H, W]; of equal ones the first in row-major order gets the gradient. */
export function maxPool3d(x: Operand, kernelSize: number | readonly number[], options?: MaxPoolOptions): Tensor {
  return maxPool('maxPool3d', x, kernelSize, optionsOf('maxPool3d', options, maxPoolNames), 3)
}

/** Options of average pooling. */
export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts as zeros in the average. Default: true. */
  readonly countIncludePad?: boolean
  /** Divide by this instead of by the number of elements. */
  readonly divisorOverride?: number
}

const avgPoolNames = {
  countIncludePad: true,
  divisorOverride: true,
  stride: true,
  padding: true,
  ceilMode: true,
} as const

/** 1 / the number of elements that count, for each position: [...positions]. */
function windowWeights(input: Shape, shape: PoolShape, options: AvgPoolOptions): Tensor {
  const { kernel, stride, padding, positions } = shape
  const counts = positions.map((count, i) =>
    Array.from({ length: count }, (_, position) => {
      const start = position * sizeOf(stride, i) - sizeOf(padding, i)
      const size = sizeOf(input, i + 2)
      const end = Math.min(start + sizeOf(kernel, i), size + sizeOf(padding, i))
      return options.countIncludePad === false ? Math.min(end, size) - Math.max(start, 0) : end - start
    }),
  )
  const data = kernelPlaces(positions).map((place) => {
    const count = place.reduce((product, position, i) => product * (counts[i]?.[position] ?? 1), 1)
    return 1 / (options.divisorOverride ?? count)
  })
  return constantOf(Float32Array.from(data), positions)
}

/** Whether the windows cover the input without overlap and padding. */
function isTiled(input: Shape, { kernel, stride, dilation, padding, after, positions }: PoolShape): boolean {
  return kernel.every(
    (size, i) =>
      (size === sizeOf(stride, i) || sizeOf(positions, i) === 1) &&
      (size === 1 || sizeOf(dilation, i) === 1) &&
      padding[i] === 0 &&
      after[i] === 0 &&
      sizeOf(input, i + 2) === size * sizeOf(positions, i),
  )
}

/** One sum over all axes within the windows instead of a slice for each place; its gradient repeats each element. */
function tileMeans(input: Tensor, { kernel, positions }: PoolShape, divisor = elementCount(kernel)): Tensor {
  const split = [...input.shape.slice(0, 2), ...kernel.flatMap((size, i) => [sizeOf(positions, i), size])]
  const axes = kernel.map((_, i) => 2 * i + 3)
  return customGradient(
    (x: Tensor) => mul(sum(reshape(x, split), axes), 1 / divisor),
    (g) => [repeatElements(mul(g, 1 / divisor), kernel)],
  )(input)
}

const avgPool = pooling<AvgPoolOptions>((op, input, shape, options) => {
  if (options.divisorOverride !== undefined) {
    requireFinite(op, 'divisorOverride', options.divisorOverride)
    if (options.divisorOverride === 0) throw new ShapeError(`${op}: divisorOverride must not be 0`)
  }
  if (isTiled(input.shape, shape)) return tileMeans(input, shape, options.divisorOverride)
  const windows = kernelWindows(padded(input, shape, 0), shape.kernel, shape.positions, shape)
  return mul(addAll(windows), windowWeights(input.shape, shape, options))
})

/** The mean of each window of x [N, C, L]. */
export function avgPool1d(x: Operand, kernelSize: number | readonly number[], options?: AvgPoolOptions): Tensor {
  return avgPool('avgPool1d', x, kernelSize, optionsOf('avgPool1d', options, avgPoolNames), 1)
}

/** The mean of each window of x [N, C, H, W]. */
export function avgPool2d(x: Operand, kernelSize: number | readonly number[], options?: AvgPoolOptions): Tensor {
  return avgPool('avgPool2d', x, kernelSize, optionsOf('avgPool2d', options, avgPoolNames), 2)
}

/** The mean of each window of x [N, C, D, H, W]. */
export function avgPool3d(x: Operand, kernelSize: number | readonly number[], options?: AvgPoolOptions): Tensor {
  return avgPool('avgPool3d', x, kernelSize, optionsOf('avgPool3d', options, avgPoolNames), 3)
}
