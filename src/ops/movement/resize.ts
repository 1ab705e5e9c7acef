/** Resampling: interpolation to a size, and sampling at given points. */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireList, requireOneOf, shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked, type Operand, toTensor } from '../define.ts'
import { selectPlaces } from '../indexing/indexing.ts'
import { repeatElements } from './repeated.ts'
import { type AxisOptions, type InterpolationMode, modes, resizeAxis } from './resize-axis.ts'

/** Options of `interpolate`. */
export interface InterpolateOptions extends AxisOptions {
  /** Instead of a size: each axis this many times as long, rounded down. One number, or one for each axis. */
  readonly scaleFactor?: number | readonly number[]
  /**
   * Whether distances between the output's elements follow from the sizes instead of the factors, which differ where a size was
   * rounded. Default: false. Corners that are aligned, and area, know sizes only.
   */
  readonly recomputeScaleFactor?: boolean
}

interface NearestOptions {
  /** Whether centres of elements are compared, not their beginnings. */
  readonly exact: boolean
  /** Whether there are two axes. */
  readonly isPicture: boolean
}

/** Which input element each output element is. */
function nearestIndices(input: number, output: number, step: number, { exact, isPicture }: NearestOptions): number[] {
  // PyTorch copies a picture's axis of the same size, and repeats one of twice the size, whatever the scale factor was.
  if (isPicture && !exact && (output === input || output === 2 * input))
    return Array.from({ length: output }, (_, i) => Math.floor((i * input) / output))
  // PyTorch computes the source coordinate in float32.
  const scale = Math.fround(step)
  return Array.from({ length: output }, (_, i) => {
    const source = exact ? Math.fround(Math.fround(i + 0.5) * scale) : Math.fround(i * scale)
    return Math.min(Math.floor(source), input - 1)
  })
}

function resizeNearest(x: Tensor, sizes: readonly number[], steps: readonly number[], exact: boolean): Tensor {
  const options = { exact, isPicture: sizes.length === 2 }
  const indices = sizes.map((output, i) => nearestIndices(sizeOf(x.shape, i + 2), output, sizeOf(steps, i), options))
  const factors = sizes.map((output, i) => output / sizeOf(x.shape, i + 2))
  const repeats = (list: readonly number[], factor: number): boolean =>
    Number.isInteger(factor) && list.every((index, j) => index === Math.floor(j / factor))
  if (indices.every((list, i) => repeats(list, sizeOf(factors, i)))) return repeatElements(x, factors)
  return indices.reduce((result, list, i) => selectPlaces(result, list, i + 2), x)
}

/** The result's sizes, and how many elements of the input lie between two of the result. */
interface Resizing {
  readonly sizes: readonly number[]
  readonly steps: readonly number[]
}

/** One number for each axis behind batch and channel. */
function axisNumbers(
  name: string,
  value: number | readonly number[],
  shape: Shape,
  holds: (n: number) => boolean,
  kind: string,
): readonly number[] {
  const axes = shape.length - 2
  const list = typeof value === 'number' ? new Array<number>(Math.max(axes, 0)).fill(value) : value
  requireList('interpolate', name, list)
  if (axes >= 1 && list.length === axes && list.every(holds)) return list
  throw new ShapeError(
    `interpolate: the ${name} must have one ${kind} for each axis after [N, C], found ${name} ${shown(value)} for ${formatShape(shape)}`,
  )
}

function resizingOf(
  shape: Shape,
  size: number | readonly number[] | undefined,
  { scaleFactor, recomputeScaleFactor = false, mode = 'nearest', antialias = false }: InterpolateOptions,
): Resizing {
  if ((size === undefined) === (scaleFactor === undefined))
    throw new ShapeError(
      `interpolate: needs either a size or a scaleFactor, found ${size === undefined ? 'none of them' : 'both'}`,
    )
  const own = shape.slice(2)
  if (scaleFactor === undefined) {
    const sizes = axisNumbers('size', size ?? [], shape, (n) => Number.isInteger(n) && n > 0, 'whole number')
    return { sizes, steps: sizes.map((output, i) => sizeOf(own, i) / output) }
  }
  const isFactor = (n: number): boolean => Number.isFinite(n) && n > 0
  const factors = axisNumbers('scaleFactor', scaleFactor, shape, isFactor, 'number above 0')
  const sizes = factors.map((factor, i) => Math.floor(sizeOf(own, i) * factor))
  if (sizes.includes(0) && !own.includes(0))
    throw new ShapeError(
      `interpolate: scaleFactor ${shown(factors)} leaves nothing of ${formatShape(shape)}, sizes would be ${formatShape(sizes)}`,
    )
  // PyTorch copies an axis that keeps its size, whatever the factor was; plain bicubic and nearest take the factor there, too.
  const copiesEqual = antialias || mode.endsWith('linear')
  const steps = factors.map((factor, i) => {
    const [input, output] = [sizeOf(own, i), sizeOf(sizes, i)]
    return recomputeScaleFactor || (copiesEqual && input === output) ? input / output : 1 / factor
  })
  return { sizes, steps }
}

/** What a mode has no use for is a mistake. */
function requireFitting({ alignCorners, antialias }: InterpolateOptions, mode: InterpolationMode): void {
  const isWeighted = mode !== 'area' && !mode.startsWith('nearest')
  for (const [name, isAsked] of Object.entries({ alignCorners, antialias }))
    if (isAsked && !isWeighted)
      throw new ShapeError(`interpolate: ${name} is for linear and bicubic modes, found mode ${mode}`)
}

/**
 * Resizes the axes after batch and channel to `size`, or by `scaleFactor`: one matrix product (or selection) each.
 * x: [N, C, L], [N, C, H, W] or [N, C, D, H, W]; size: one number for all axes, or one each; undefined with a scaleFactor.
 */
export function interpolate(
  x: Operand,
  size: number | readonly number[] | undefined,
  options?: InterpolateOptions,
): Tensor {
  const given = optionsOf('interpolate', options, {
    scaleFactor: true,
    recomputeScaleFactor: true,
    mode: true,
    alignCorners: true,
    antialias: true,
  })
  const input = toTensor('interpolate', x)
  return checked(() => {
    const { mode = 'nearest' } = given
    requireOneOf('interpolate', 'mode', mode, modes)
    const { sizes, steps } = resizingOf(input.shape, size, given)
    requireFitting(given, mode)
    if (elementCount(input.shape.slice(2)) === 0)
      throw new ShapeError(`interpolate: there must be elements to resize, found ${formatShape(input.shape)}`)
    if (mode === 'nearest' || mode === 'nearest-exact')
      return resizeNearest(input, sizes, steps, mode === 'nearest-exact')
    return sizes.reduce(
      (result, output, i) => resizeAxis(result, i + 2, output, { ...given, mode }, sizeOf(steps, i)),
      input,
    )
  })
}
