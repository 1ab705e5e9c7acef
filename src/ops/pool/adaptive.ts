/** Pooling to a given number of windows, over one, two or three axes after batch and channel. */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import { largest } from '../../util/lists.ts'
import { perAxis } from '../conv/windows.ts'
import { checked, inputAt, type Operand, toFloat } from '../define.ts'
import { indexSelect } from '../indexing/indexing.ts'
import { permute, reshape } from '../movement/movement.ts'
import { adaptiveWindows, resizeAxis } from '../movement/resize-axis.ts'
import { maxWithIndices } from '../reduction/order.ts'

/** Output sizes; null keeps the input's. */
export type AdaptiveSize = number | readonly (number | null)[]

const layouts = ['[N, C, L]', '[N, C, H, W]', '[N, C, D, H, W]']

function adaptiveSizes(op: string, input: Tensor, outputSize: AdaptiveSize, axes: number): readonly number[] {
  const own = input.shape.slice(2)
  if (input.rank !== axes + 2 || elementCount(own) === 0)
    throw new ShapeError(
      `${op}: the input must be ${layouts[axes - 1]} with at least one pixel, found ${formatShape(input.shape)}`,
    )
  const filled = Array.isArray(outputSize) ? outputSize.map((size, i) => size ?? own[i]) : outputSize
  return perAxis(op, 'outputSize', filled as number | readonly number[], axes, 1)
}

/** One matrix product for each axis. */
function adaptiveAvgPool(op: string, x: Operand, outputSize: AdaptiveSize, axes: number): Tensor {
  const input = toFloat(op, x)
  return checked(() =>
    adaptiveSizes(op, input, outputSize, axes).reduce(
      (result, size, i) => resizeAxis(result, i + 2, size, { mode: 'area' }),
      input,
    ),
  )
}

function adaptiveMaxPool(op: string, x: Operand, outputSize: AdaptiveSize, axes: number): Tensor {
  const input = toFloat(op, x)
  return checked(() => {
    const counts = adaptiveSizes(op, input, outputSize, axes)
    // [N, C, windows of the first axis, their elements, windows of the second axis, ...]
    const windows = counts.reduce(
      (result, count, i) => indexSelect(result, windowIndices(sizeOf(input.shape, i + 2), count), 2 + 2 * i),
      input,
    )
    const order = counts.map((_, i) => 2 + 2 * i)
    const flat = permute(windows, [0, 1, ...order, ...order.map((axis) => axis + 1)])
    const shape = flat.shape.slice(0, axes + 2)
    const inWindow = elementCount(flat.shape.slice(axes + 2))
    return inputAt(op, maxWithIndices(reshape(flat, [...shape, inWindow]), -1), 0)
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

/** The mean over windows that cover x [N, C, L] so that `outputSize` of them fit. */
export function adaptiveAvgPool1d(x: Operand, outputSize: AdaptiveSize): Tensor {
  return adaptiveAvgPool('adaptiveAvgPool1d', x, outputSize, 1)
}

/** The mean over windows that cover x [N, C, H, W] so that `outputSize` of them fit. */
export function adaptiveAvgPool2d(x: Operand, outputSize: AdaptiveSize): Tensor {
  return adaptiveAvgPool('adaptiveAvgPool2d', x, outputSize, 2)
}

/** The mean over windows that cover x [N, C, D, H, W] so that `outputSize` of them fit. */
export function adaptiveAvgPool3d(x: Operand, outputSize: AdaptiveSize): Tensor {
  return adaptiveAvgPool('adaptiveAvgPool3d', x, outputSize, 3)
}

/** The largest element over windows that cover x [N, C, L] so that `outputSize` of them fit. */
export function adaptiveMaxPool1d(x: Operand, outputSize: AdaptiveSize): Tensor {
  return adaptiveMaxPool('adaptiveMaxPool1d', x, outputSize, 1)
}

/** The largest element over windows that cover x [N, C, H, W] so that `outputSize` of them fit. */
export function adaptiveMaxPool2d(x: Operand, outputSize: AdaptiveSize): Tensor {
  return adaptiveMaxPool('adaptiveMaxPool2d', x, outputSize, 2)
}

/** The largest element over windows that cover x [N, C, D, H, W] so that `outputSize` of them fit. */
export function adaptiveMaxPool3d(x: Operand, outputSize: AdaptiveSize): Tensor {
  return adaptiveMaxPool('adaptiveMaxPool3d', x, outputSize, 3)
}
