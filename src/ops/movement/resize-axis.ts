/** Resampling of one axis: each element of the result is a weighted sum of elements of the input. */
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { constantOf } from '../define.ts'
import { matmulWith } from '../products/matmul.ts'
import { moveAxis } from './rearrange.ts'

export const modes = ['nearest', 'nearest-exact', 'linear', 'bilinear', 'trilinear', 'bicubic', 'area'] as const
export type InterpolationMode = (typeof modes)[number]

/** How elements between those of the input are found. */
export interface AxisOptions {
  /** Default: nearest. linear, bilinear and trilinear are one: linear along each axis. */
  readonly mode?: InterpolationMode
  /** Whether the outermost pixels' centres, instead of their edges, keep their places. Default: false. */
  readonly alignCorners?: boolean
  /** Widens the filter where the picture shrinks. Default: false. */
  readonly antialias?: boolean
}

/** Keys' cubic kernel at distance t: a = -0.75 in plain bicubic, -0.5 with antialiasing (as PyTorch and Pillow have it). */
function cubicWeight(distance: number, a: number): number {
  const t = Math.abs(distance)
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1
  return t < 2 ? ((t - 5) * t + 8) * t * a - 4 * a : 0
}

const triangle = (t: number): number => Math.max(0, 1 - Math.abs(t))

/** First and last + 1 element of each of `count` windows that together cover `size` elements. */
export function adaptiveWindows(size: number, count: number): (readonly [start: number, end: number])[] {
  return Array.from({ length: count }, (_, i) => [Math.floor((i * size) / count), Math.ceil(((i + 1) * size) / count)])
}

/** Weight of each input element (columns) in each output element (rows), row-major. `step`: input elements for each one of the output. */
function resizeMatrix(input: number, output: number, step: number, options: AxisOptions): Float32Array {
  const { mode = 'nearest', alignCorners = false, antialias = false } = options
  const scale = alignCorners ? (output > 1 ? (input - 1) / (output - 1) : 0) : step
  const windows = adaptiveWindows(input, output)
  const matrix = new Float64Array(output * input)
  const put = (row: number, column: number, weight: number): void => {
    const at = row * input + Math.min(Math.max(column, 0), input - 1)
    matrix[at] = (matrix[at] ?? 0) + weight
  }
  for (let i = 0; i < output; i++) {
    if (antialias) {
      antialiased(i, scale, input, mode === 'bicubic', put)
      continue
    }
    const source = alignCorners ? i * scale : (i + 0.5) * scale - 0.5
    if (mode === 'area') {
      const [start, end] = windows[i] ?? [0, 0]
      for (let j = start; j < end; j++) put(i, j, 1 / (end - start))
    } else if (mode === 'bicubic') {
      const base = Math.floor(source)
      for (let k = -1; k <= 2; k++) put(i, base + k, cubicWeight(source - base - k, -0.75))
    } else {
      const clamped = Math.max(source, 0)
      const base = Math.floor(clamped)
      put(i, base, 1 - (clamped - base))
      put(i, base + 1, clamped - base)
    }
  }
  return Float32Array.from(matrix)
}

/** A filter as wide as the step between output elements, cut at the border and normalised. */
function antialiased(
  row: number,
  scale: number,
  input: number,
  cubic: boolean,
  put: (row: number, column: number, weight: number) => void,
): void {
  const width = Math.max(scale, 1)
  const support = (cubic ? 2 : 1) * width
  const center = scale * (row + 0.5)
  const start = Math.max(Math.trunc(center - support + 0.5), 0)
  const end = Math.min(Math.trunc(center + support + 0.5), input)
  const weights = Array.from({ length: end - start }, (_, j) => {
    const distance = (start + j - center + 0.5) / width
    return cubic ? cubicWeight(distance, -0.5) : triangle(distance)
  })
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  for (const [j, weight] of weights.entries()) put(row, start + j, weight / total)
}

/** One axis by a matrix product; `step`: elements of the input between two of the result. */
export function resizeAxis(
  x: Tensor,
  axis: number,
  output: number,
  options: AxisOptions,
  step = sizeOf(x.shape, axis) / output,
): Tensor {
  const input = sizeOf(x.shape, axis)
  const matrix = constantOf(resizeMatrix(input, output, step, options), [output, input])
  if (axis === x.rank - 2) return matmulWith(matrix, x, {})
  if (axis === x.rank - 1) return matmulWith(x, matrix, { transposeB: true })
  return moveAxis(matmulWith(moveAxis(x, axis, -1), matrix, { transposeB: true }), -1, axis)
}
