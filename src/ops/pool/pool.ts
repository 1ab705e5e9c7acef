/** Pooling over the axes after batch and channel. */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, formatShape, type Shape, sizeOf, sizes } from '../../tensor/shape.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFinite } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { largest } from '../../util/lists.ts'
import { stopGradient } from '../control.ts'
import { kernelPlaces, kernelWindows, perAxis, type WindowAttributes } from '../conv/windows.ts'
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
import { indexSelect } from '../indexing/indexing.ts'
import { permute, reshape } from '../movement/movement.ts'
import { matmulWith } from '../products/matmul.ts'
import { maxWithIndices } from '../reduction/order.ts'
import { type PoolOptions, type PoolShape, padded, poolShape, requireHalf } from './windows.ts'

interface MaxPoolAttributes extends WindowAttributes {
  readonly kernel: readonly number[]
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
  infer: (inputs, { kernel, stride, dilation }) => {
    const x = inputAt('maxPool', inputs, 0)
    requireDType('maxPool', 'input', x, ['float32'])
    const [n, c, ...spatial] = channelSizes(x.shape)
    const positions = spatial.map(
      (size, i) => Math.floor((size - sizeOf(dilation, i) * (sizeOf(kernel, i) - 1) - 1) / sizeOf(stride, i)) + 1,
    )
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
  lower: (emit, { inputs, outputTypes, attributes: { kernel, stride, dilation } }) => {
    if (elementCount(inputAt('maxPool', outputTypes, 0).shape) === 0) return emitConstants(emit, outputTypes)
    return emit.nodes('MaxPool', inputs, 2, { kernel_shape: kernel, strides: stride, dilations: dilation })
  },
  samples: () => [
    { inputs: [distinctSample([2, 2, 4, 6])], call: (x) => maxPool2d(x, 2), smooth: false },
    {
      inputs: [distinctSample([1, 2, 5, 5])],
      call: (x) => maxPool2d(x, [3, 2], { stride: [1, 2], padding: [1, 0], ceilMode: true }),
      smooth: false,
    },
    { inputs: [distinctSample([2, 3, 9])], call: (x) => maxPool1d(x, 3, { stride: 2, dilation: 2 }), smooth: false },
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

const maxPool = pooling<MaxPoolOptions>((_op, input, shape, options) => {
  const { kernel, stride, dilation, positions } = shape
  const full = padded(input, shape, Number.NEGATIVE_INFINITY)
  const largest = apply(maxPoolOp, [full], { kernel, stride, dilation })
  if (!options.propagateNan) return largest
  // Within bounds only NaN makes a sum of a window NaN.
  const total = addAll(kernelWindows(clamp(full, -1, 1), kernel, positions, shape))
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

/** The largest element of each window of x [N, C, L]; of equal ones the first gets the gradient. */
export function maxPool1d(x: Operand, kernelSize: number | readonly number[], options?: MaxPoolOptions): Tensor {
  return maxPool('maxPool1d', x, kernelSize, optionsOf('maxPool1d', options), 1)
}

/** The largest element of each window of x [N, C, H, W]; of equal ones the first in row-major order gets the gradient. */
export function maxPool2d(x: Operand, kernelSize: number | readonly number[], options?: MaxPoolOptions): Tensor {
  return maxPool('maxPool2d', x, kernelSize, optionsOf('maxPool2d', options), 2)
}

/** Options of average pooling. */
export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts as zeros in the average. Default: true. */
  readonly countIncludePad?: boolean
  /** Divide by this instead of by the number of elements. */
  readonly divisorOverride?: number
}

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

const avgPool = pooling<AvgPoolOptions>((op, input, shape, options) => {
  if (options.divisorOverride !== undefined) {
    requireFinite(op, 'divisorOverride', options.divisorOverride)
    if (options.divisorOverride === 0) throw new ShapeError(`${op}: divisorOverride must not be 0`)
  }
  const windows = kernelWindows(padded(input, shape, 0), shape.kernel, shape.positions, shape)
  return mul(addAll(windows), windowWeights(input.shape, shape, options))
})

/** The mean of each window of x [N, C, L]. */
export function avgPool1d(x: Operand, kernelSize: number | readonly number[], options?: AvgPoolOptions): Tensor {
  return avgPool('avgPool1d', x, kernelSize, optionsOf('avgPool1d', options), 1)
}

/** The mean of each window of x [N, C, H, W]. */
export function avgPool2d(x: Operand, kernelSize: number | readonly number[], options?: AvgPoolOptions): Tensor {
  return avgPool('avgPool2d', x, kernelSize, optionsOf('avgPool2d', options), 2)
}

/** First and last + 1 element of each of `count` windows that together cover `size` elements. */
function adaptiveWindows(size: number, count: number): (readonly [number, number])[] {
  return Array.from({ length: count }, (_, i) => [Math.floor((i * size) / count), Math.ceil(((i + 1) * size) / count)])
}

/** Output sizes; null keeps the input's. */
export type AdaptiveSize = number | readonly (number | null)[]

function adaptiveSizes(op: string, input: Tensor, outputSize: AdaptiveSize): readonly [number, number] {
  if (input.rank !== 4 || elementCount(input.shape.slice(2)) === 0)
    throw new ShapeError(
      `${op}: the input must be [N, C, H, W] with at least one pixel, found ${formatShape(input.shape)}`,
    )
  const own = input.shape.slice(2)
  const filled = Array.isArray(outputSize) ? outputSize.map((size, i) => size ?? own[i]) : outputSize
  return sizes(perAxis(op, 'outputSize', filled as number | readonly number[], 2, 1), 2)
}

/** The mean over windows that cover x [N, C, H, W] so that `outputSize` of them fit: two matrix products. */
export function adaptiveAvgPool2d(x: Operand, outputSize: AdaptiveSize): Tensor {
  const input = toFloat('adaptiveAvgPool2d', x)
  return checked(() => {
    const [height, width] = adaptiveSizes('adaptiveAvgPool2d', input, outputSize)
    const rows = matmulWith(averages(sizeOf(input.shape, 2), height), input, {})
    return matmulWith(rows, averages(sizeOf(input.shape, 3), width), { transposeB: true })
  })
}

/** [count, size]: each row takes the mean of its window. */
function averages(size: number, count: number): Tensor {
  const data = new Float32Array(count * size)
  for (const [i, [start, end]] of adaptiveWindows(size, count).entries())
    data.fill(1 / (end - start), i * size + start, i * size + end)
  return constantOf(data, [count, size])
}

/** The largest element over windows that cover x [N, C, H, W] so that `outputSize` of them fit. */
export function adaptiveMaxPool2d(x: Operand, outputSize: AdaptiveSize): Tensor {
  const input = toFloat('adaptiveMaxPool2d', x)
  return checked(() => {
    const [height, width] = adaptiveSizes('adaptiveMaxPool2d', input, outputSize)
    const rows = indexSelect(input, windowIndices(sizeOf(input.shape, 2), height), 2) // [N, C, h, kh, W]
    const columns = indexSelect(rows, windowIndices(sizeOf(input.shape, 3), width), 4) // [N, C, h, kh, w, kw]
    const [n, c, h, kh, w, kw] = columns.sizes(6)
    const windows = reshape(permute(columns, [0, 1, 2, 4, 3, 5]), [n, c, h, w, kh * kw])
    return inputAt('adaptiveMaxPool2d', maxWithIndices(windows, -1), 0)
  })
}

/** int64 [count, longest]: the elements of each window; shorter ones repeat their last. */
function windowIndices(size: number, count: number): Tensor {
  const windows = adaptiveWindows(size, count)
  const longest = largest(windows.map(([start, end]) => end - start))
  const data = windows.flatMap(([start, end]) =>
    Array.from({ length: longest }, (_, i) => BigInt(Math.min(start + i, end - 1))),
  )
  return constant(BigInt64Array.from(data), [count, longest], 'int64')
}
