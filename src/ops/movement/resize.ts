/** Resampling: interpolation to a size, and sampling at given points. */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireList, requireOneOf, shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { customGradient } from '../control.ts'
import { checked, constantOf, type Operand, toTensor } from '../define.ts'
import { selectPlaces } from '../indexing/indexing.ts'
import { matmulWith } from '../products/matmul.ts'
import { sum } from '../reduction/reduce.ts'
import { concat, reshape } from './movement.ts'
import { moveAxis } from './rearrange.ts'

const modes = ['nearest', 'nearest-exact', 'linear', 'bilinear', 'bicubic', 'area'] as const
export type InterpolationMode = (typeof modes)[number]

export interface InterpolateOptions {
  /** Default: nearest. */
  readonly mode?: InterpolationMode
  /** Whether the outermost pixels' centres, instead of their edges, keep their places. Default: false. */
  readonly alignCorners?: boolean
  /** Widens the filter where the picture shrinks. Default: false. */
  readonly antialias?: boolean
}

/** Keys' cubic kernel at distance t: a = -0.75 in plain bicubic, -0.5 with antialiasing (as PyTorch and Pillow have it). */
export function cubicWeight(distance: number, a: number): number {
  const t = Math.abs(distance)
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1
  return t < 2 ? ((t - 5) * t + 8) * t * a - 4 * a : 0
}

const triangle = (t: number): number => Math.max(0, 1 - Math.abs(t))

/** Weight of each input element (columns) in each output element (rows), row-major. */
function resizeMatrix(input: number, output: number, options: InterpolateOptions): Float32Array {
  const { mode = 'nearest', alignCorners = false, antialias = false } = options
  const scale = alignCorners ? (output > 1 ? (input - 1) / (output - 1) : 0) : input / output
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
      const [start, end] = [Math.floor((i * input) / output), Math.ceil(((i + 1) * input) / output)]
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

/**
 * Every element of the axes after batch and channel `factors[i]` times in a row: as Concat, which takes a fifth of
 * Gather's time. The gradient is one sum over all axes (one for each would take four times as long).
 */
function repeatElements(x: Tensor, factors: readonly number[]): Tensor {
  const forward = (given: Tensor): Tensor =>
    factors.reduce((result, factor, i) => {
      const [before, after] = [result.shape.slice(0, i + 3), result.shape.slice(i + 3)]
      const single = reshape(result, [...before, 1, ...after])
      const repeated = concat(new Array<Tensor>(factor).fill(single), i + 3)
      return reshape(repeated, [...before.slice(0, -1), sizeOf(before, -1) * factor, ...after])
    }, given)
  const split = [...x.shape.slice(0, 2), ...factors.flatMap((factor, i) => [sizeOf(x.shape, i + 2), factor])]
  const axes = factors.map((_, i) => 2 * i + 3)
  return customGradient(forward, (g) => [sum(reshape(g, split), axes)])(x)
}

/** Which input element each output element is. */
function nearestIndices(input: number, output: number, exact: boolean): number[] {
  // PyTorch computes the source coordinate in float32.
  const scale = Math.fround(input / output)
  return Array.from({ length: output }, (_, i) => {
    const source = exact ? Math.fround(Math.fround(i + 0.5) * scale) : Math.fround(i * scale)
    return Math.min(Math.floor(source), input - 1)
  })
}

function resizeNearest(x: Tensor, sizes: readonly number[], exact: boolean): Tensor {
  const indices = sizes.map((output, i) => nearestIndices(sizeOf(x.shape, i + 2), output, exact))
  const factors = sizes.map((output, i) => output / sizeOf(x.shape, i + 2))
  const repeats = (list: readonly number[], factor: number): boolean =>
    Number.isInteger(factor) && list.every((index, j) => index === Math.floor(j / factor))
  if (indices.every((list, i) => repeats(list, sizeOf(factors, i)))) return repeatElements(x, factors)
  return indices.reduce((result, list, i) => selectPlaces(result, list, i + 2), x)
}

/**
 * Resizes the axes after batch and channel to `size`, one matrix product (or selection) each.
 * x: [N, C, L] or [N, C, H, W]; size: one number per axis.
 */
export function interpolate(x: Operand, size: number | readonly number[], options?: InterpolateOptions): Tensor {
  const given = optionsOf('interpolate', options)
  const input = toTensor('interpolate', x)
  return checked(() => {
    const axes = input.rank - 2
    const sizes = typeof size === 'number' ? new Array<number>(Math.max(axes, 0)).fill(size) : size
    requireList('interpolate', 'size', sizes)
    if (axes < 1 || sizes.length !== axes || !sizes.every((n) => Number.isInteger(n) && n > 0)) {
      throw new ShapeError(
        `interpolate: the size must have one whole number for each axis after [N, C], found size ${shown(sizes)} for ${formatShape(input.shape)}`,
      )
    }
    const { mode = 'nearest' } = given
    requireOneOf('interpolate', 'mode', mode, modes)
    if (elementCount(input.shape.slice(2)) === 0)
      throw new ShapeError(`interpolate: there must be elements to resize, found ${formatShape(input.shape)}`)
    if (mode === 'nearest' || mode === 'nearest-exact') return resizeNearest(input, sizes, mode === 'nearest-exact')
    return sizes.reduce((result, output, i) => resizeAxis(result, i + 2, output, { ...given, mode }), input)
  })
}

function resizeAxis(x: Tensor, axis: number, output: number, options: InterpolateOptions): Tensor {
  const input = sizeOf(x.shape, axis)
  const matrix = constantOf(resizeMatrix(input, output, options), [output, input])
  if (axis === x.rank - 2) return matmulWith(matrix, x, {})
  if (axis === x.rank - 1) return matmulWith(x, matrix, { transposeB: true })
  return moveAxis(matmulWith(moveAxis(x, axis, -1), matrix, { transposeB: true }), -1, axis)
}
