/** Pooling over the axes behind batch and channel, and the folding and shuffling of patches. */
import { elementCount } from '../tensor/dtype.ts'
import { formatShape, type Shape, sizeOf } from '../tensor/shape.ts'
import { constant, type Tensor } from '../tensor/tensor.ts'
import { ShapeError } from '../util/errors.ts'
import { mul } from './binary.ts'
import { addAll } from './composite.ts'
import {
  apply,
  checked,
  constantOf,
  defineOp,
  inputAt,
  type Operand,
  requireDType,
  type SampleInput,
  toTensor,
} from './define.ts'
import { indexSelect } from './indexing.ts'
import { matmulWith } from './matmul.ts'
import { concat, permute, reshape } from './movement.ts'
import { maxWithIndices } from './order.ts'
import { dilate, padAxis } from './padding.ts'
import { kernelPlaces, kernelWindows, perAxis, type WindowAttributes } from './windows.ts'

/** Options of pooling; a number holds for every axis. */
export interface PoolOptions {
  /** Default: the kernel's size, so that windows do not overlap. */
  readonly stride?: number | readonly number[]
  readonly padding?: number | readonly number[]
  /** Whether a last, incomplete window counts; it must begin inside the input or the padding before it. */
  readonly ceilMode?: boolean
}

interface PoolShape extends WindowAttributes {
  readonly kernel: readonly number[]
  readonly padding: readonly number[]
  /** Padding after each axis that every window fits into. */
  readonly after: readonly number[]
  readonly positions: readonly number[]
}

function poolShape(
  op: string,
  input: Shape,
  kernelSize: number | readonly number[],
  options: PoolOptions & { readonly dilation?: number | readonly number[] },
  axes: number,
): PoolShape {
  if (input.length !== axes + 2)
    throw new ShapeError(`${op}: the input must be [N, C] and ${axes} more axes, found ${formatShape(input)}`)
  const kernel = perAxis(op, kernelSize, 1, axes)
  const stride = options.stride === undefined ? kernel : perAxis(op, options.stride, 1, axes)
  const padding = perAxis(op, options.padding, 0, axes)
  const dilation = perAxis(op, options.dilation, 1, axes)
  const reach = kernel.map((size, i) => sizeOf(dilation, i) * (size - 1) + 1)
  const positions = input.slice(2).map((size, i) => {
    const room = (size + 2 * sizeOf(padding, i) - sizeOf(reach, i)) / sizeOf(stride, i)
    const count = (options.ceilMode ? Math.ceil(room) : Math.floor(room)) + 1
    const startsInside = (count - 1) * sizeOf(stride, i) < size + sizeOf(padding, i)
    return options.ceilMode && !startsInside ? count - 1 : count
  })
  if (positions.some((count) => count < 1))
    throw new ShapeError(
      `${op}: the window ${formatShape(reach)} is larger than the padded input ${formatShape(input)}`,
    )
  const after = positions.map(
    (count, i) => (count - 1) * sizeOf(stride, i) + sizeOf(reach, i) - sizeOf(input, i + 2) - sizeOf(padding, i),
  )
  return { kernel, stride, dilation, padding, after, positions }
}

/** The input padded so that every window fits; what no window reaches may be cut off. */
function padded(x: Tensor, { padding, after }: PoolShape, value: number): Tensor {
  return padding.reduce((result, before, i) => padAxis(result, i + 2, before, sizeOf(after, i), value), x)
}

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
    const [n = 0, c = 0, ...sizes] = x.shape
    const positions = sizes.map(
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
  lower: (emit, { inputs, attributes: { kernel, stride, dilation } }) =>
    emit.nodes('MaxPool', inputs, 2, { kernel_shape: kernel, strides: stride, dilations: dilation }),
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
  ],
})

function maxPool(
  op: string,
  x: Operand,
  kernelSize: number | readonly number[],
  options: MaxPoolOptions,
  axes: number,
): Tensor {
  const input = toTensor(x)
  return checked(() => {
    const { kernel, stride, dilation, ...rest } = poolShape(op, input.shape, kernelSize, options, axes)
    const full = padded(input, { kernel, stride, dilation, ...rest }, Number.NEGATIVE_INFINITY)
    return apply(maxPoolOp, [full], { kernel, stride, dilation })
  })
}

/** Options of max pooling. */
export interface MaxPoolOptions extends PoolOptions {
  readonly dilation?: number | readonly number[]
}

/** The largest element of each window of x [N, C, L]; of equal ones the first gets the gradient. */
export function maxPool1d(x: Operand, kernelSize: number | readonly number[], options: MaxPoolOptions = {}): Tensor {
  return maxPool('maxPool1d', x, kernelSize, options, 1)
}

/** The largest element of each window of x [N, C, H, W]; of equal ones the first in row-major order gets the gradient. */
export function maxPool2d(x: Operand, kernelSize: number | readonly number[], options: MaxPoolOptions = {}): Tensor {
  return maxPool('maxPool2d', x, kernelSize, options, 2)
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

function avgPool(
  op: string,
  x: Operand,
  kernelSize: number | readonly number[],
  options: AvgPoolOptions,
  axes: number,
): Tensor {
  const input = toTensor(x)
  return checked(() => {
    const shape = poolShape(op, input.shape, kernelSize, options, axes)
    const windows = kernelWindows(padded(input, shape, 0), shape.kernel, shape.positions, shape)
    return mul(addAll(windows), windowWeights(input.shape, shape, options))
  })
}

/** The mean of each window of x [N, C, L]. */
export function avgPool1d(x: Operand, kernelSize: number | readonly number[], options: AvgPoolOptions = {}): Tensor {
  return avgPool('avgPool1d', x, kernelSize, options, 1)
}

/** The mean of each window of x [N, C, H, W]. */
export function avgPool2d(x: Operand, kernelSize: number | readonly number[], options: AvgPoolOptions = {}): Tensor {
  return avgPool('avgPool2d', x, kernelSize, options, 2)
}

/** First and last + 1 element of each of `count` windows that together cover `size` elements. */
function adaptiveWindows(size: number, count: number): (readonly [number, number])[] {
  return Array.from({ length: count }, (_, i) => [Math.floor((i * size) / count), Math.ceil(((i + 1) * size) / count)])
}

/** Output sizes; null keeps the input's. */
export type AdaptiveSize = number | readonly (number | null)[]

function adaptiveSizes(op: string, input: Tensor, outputSize: AdaptiveSize): readonly [number, number] {
  const [height, width] = typeof outputSize === 'number' ? [outputSize, outputSize] : outputSize
  if (input.rank !== 4) throw new ShapeError(`${op}: the input must be [N, C, H, W], found ${formatShape(input.shape)}`)
  return [height ?? sizeOf(input.shape, 2), width ?? sizeOf(input.shape, 3)]
}

/** The mean over windows that cover x [N, C, H, W] so that `outputSize` of them fit: two matrix products. */
export function adaptiveAvgPool2d(x: Operand, outputSize: AdaptiveSize): Tensor {
  const input = toTensor(x)
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
  const input = toTensor(x)
  return checked(() => {
    const [height, width] = adaptiveSizes('adaptiveMaxPool2d', input, outputSize)
    const rows = indexSelect(input, windowIndices(sizeOf(input.shape, 2), height), 2) // [N, C, h, kh, W]
    const columns = indexSelect(rows, windowIndices(sizeOf(input.shape, 3), width), 4) // [N, C, h, kh, w, kw]
    const [n = 0, c = 0, h = 0, kh = 0, w = 0, kw = 0] = columns.shape
    const windows = reshape(permute(columns, [0, 1, 2, 4, 3, 5]), [n, c, h, w, kh * kw])
    return inputAt('adaptiveMaxPool2d', maxWithIndices(windows, -1), 0)
  })
}

/** int64 [count, longest]: the elements of each window; shorter ones repeat their last. */
function windowIndices(size: number, count: number): Tensor {
  const windows = adaptiveWindows(size, count)
  const longest = Math.max(...windows.map(([start, end]) => end - start))
  const data = windows.flatMap(([start, end]) =>
    Array.from({ length: longest }, (_, i) => BigInt(Math.min(start + i, end - 1))),
  )
  return constant(BigInt64Array.from(data), [count, longest], 'int64')
}

/** Options of `unfold` and `fold`. */
export interface UnfoldOptions {
  readonly stride?: number | readonly number[]
  readonly padding?: number | readonly number[]
  readonly dilation?: number | readonly number[]
}

/** The windows of x [N, C, H, W] as columns: [N, C * kernel, positions] (im2col). Defaults: stride 1, padding 0, dilation 1. */
export function unfold(x: Operand, kernelSize: number | readonly number[], options: UnfoldOptions = {}): Tensor {
  const input = toTensor(x)
  return checked(() => {
    const shape = poolShape('unfold', input.shape, kernelSize, { stride: 1, ...options }, 2)
    const [n = 0, c = 0] = input.shape
    const count = elementCount(shape.positions)
    const windows = kernelWindows(padded(input, shape, 0), shape.kernel, shape.positions, shape)
    const columns = concat(
      windows.map((window) => reshape(window, [n, c, 1, count])),
      2,
    )
    return reshape(columns, [n, c * windows.length, count])
  })
}

/** Adds columns [N, C * kernel, positions] up where they came from: [N, C, ...outputSize] (col2im). */
export function fold(
  x: Operand,
  outputSize: number | readonly number[],
  kernelSize: number | readonly number[],
  options: UnfoldOptions = {},
): Tensor {
  const input = toTensor(x)
  return checked(() => {
    const sizes = perAxis('fold', outputSize, 1, 2)
    const [n = 0, rows = 0, columns = 0] = input.shape
    const area = elementCount(perAxis('fold', kernelSize, 1, 2))
    const shape = poolShape('fold', [n, rows / area, ...sizes], kernelSize, { stride: 1, ...options }, 2)
    if (input.rank !== 3 || rows % area !== 0 || columns !== elementCount(shape.positions)) {
      throw new ShapeError(
        `fold: columns must be [N, C * ${area}, ${elementCount(shape.positions)}], found ${formatShape(input.shape)}`,
      )
    }
    const byPlace = reshape(input, [n, rows / area, area, ...shape.positions])
    const parts = kernelPlaces(shape.kernel).map((place, k) => {
      let part = reshape(indexSelect(byPlace, constant(BigInt64Array.of(BigInt(k)), [1], 'int64'), 2), [
        n,
        rows / area,
        ...shape.positions,
      ])
      for (const [i, index] of place.entries()) {
        const spread = dilate(part, i + 2, sizeOf(shape.stride, i))
        const before = index * sizeOf(shape.dilation, i) - sizeOf(shape.padding, i)
        part = padAxis(spread, i + 2, before, sizeOf(sizes, i) - before - sizeOf(spread.shape, i + 2))
      }
      return part
    })
    return addAll(parts)
  })
}

/** [N, C r^2, H, W] -> [N, C, H r, W r] (Shi et al. 2016). */
export function pixelShuffle(x: Operand, factor: number): Tensor {
  const input = toTensor(x)
  return checked(() => {
    const [n = 0, channels = 0, h = 0, w = 0] = input.shape
    const c = channels / factor ** 2
    if (input.rank !== 4 || !Number.isInteger(c))
      throw new ShapeError(
        `pixelShuffle: channels must be a multiple of ${factor ** 2}, found ${formatShape(input.shape)}`,
      )
    const split = permute(reshape(input, [n, c, factor, factor, h, w]), [0, 1, 4, 2, 5, 3])
    return reshape(split, [n, c, h * factor, w * factor])
  })
}

/** [N, C, H r, W r] -> [N, C r^2, H, W]. */
export function pixelUnshuffle(x: Operand, factor: number): Tensor {
  const input = toTensor(x)
  return checked(() => {
    const [n = 0, c = 0, height = 0, width = 0] = input.shape
    const [h, w] = [height / factor, width / factor]
    if (input.rank !== 4 || !Number.isInteger(h) || !Number.isInteger(w)) {
      throw new ShapeError(
        `pixelUnshuffle: height and width must be multiples of ${factor}, found ${formatShape(input.shape)}`,
      )
    }
    const split = permute(reshape(input, [n, c, h, factor, w, factor]), [0, 1, 3, 5, 2, 4])
    return reshape(split, [n, c * factor ** 2, h, w])
  })
}
