/** Discrete Fourier transforms along an axis, of real and complex numbers, as PyTorch's `torch.fft`. */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, normalizeAxes, normalizeAxis, sizeOf } from '../../tensor/shape.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireCount, requireFinite, requireOneOf } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { requireElements, zeros } from '../creation.ts'
import { checked, type Operand, toTensor } from '../define.ts'
import { select } from '../indexing/selection.ts'
import { reshape, slice, transpose } from '../movement/movement.ts'
import { roll, stack } from '../movement/rearrange.ts'
import { type Complex, type ComplexOperand, type Parts, partsOf } from './complex.ts'
import { type Transform, transformRows } from './rows.ts'

const norms = ['forward', 'backward', 'ortho'] as const

/** Where the factor 1 / n stands: in the transform, in its inverse (the default), or its root in both. */
export type FourierNorm = (typeof norms)[number]

/** Options of transforms along one axis. */
export interface FourierOptions {
  /** Length of the transform: the axis is cut, or filled with zeros. Default: its size; of irfft 2 (size - 1). */
  readonly n?: number
  /** Default: -1, the last. */
  readonly axis?: number
  /** Default: backward. */
  readonly norm?: FourierNorm
}

const fourierNames = { n: true, axis: true, norm: true } as const

/** Options of transforms along two axes. */
export interface Fourier2dOptions {
  /** Default: [-2, -1]. */
  readonly axes?: readonly number[]
  /** Default: backward. */
  readonly norm?: FourierNorm
}

/** How the rows of one axis are transformed; what goes in follows from the input. */
type Plan = Pick<Transform, 'size' | 'sign' | 'kept' | 'to' | 'weights'>

function planOf(op: string, parts: Parts, given: FourierOptions | null | undefined, isInverse: boolean) {
  const { n, axis = -1, norm = 'backward' } = optionsOf(op, given, fourierNames)
  requireOneOf(op, 'norm', norm, norms)
  if (parts.real.rank === 0) throw new ShapeError(`${op}: a scalar has no axis to transform`)
  const at = normalizeAxis(op, axis, parts.real.rank)
  const size = n ?? sizeOf(parts.real.shape, at)
  if (n !== undefined) requireCount(op, 'n', n, 1)
  else if (size === 0)
    throw new ShapeError(`${op}: axis ${at} must have elements, found ${formatShape(parts.real.shape)}`)
  const factorOf = (length: number): number =>
    norm === 'ortho' ? 1 / Math.sqrt(length) : (norm === 'backward') === isInverse ? 1 / length : 1
  return { at, size, sign: isInverse ? 1 : -1, factorOf } as const
}

function scaled(factor: number): Pick<Transform, 'weights'> {
  return factor === 1 ? {} : { weights: { name: `${factor}`, at: () => factor } }
}

/** Transforms one axis. Rows are what moves fast: the last axis is swapped to where rows are, any other one lies there. */
function alongAxis({ real, imag }: Parts, axis: number, plan: Plan): Complex {
  const isLast = axis === real.rank - 1
  const size = sizeOf(real.shape, axis)
  const given = Math.min(size, plan.size)
  const [before, after] = [real.shape.slice(0, axis), real.shape.slice(axis + 1)]
  const outShape = [...before, plan.kept, ...after]
  const [batch, columns] = isLast ? [1, elementCount(before)] : [elementCount(before), elementCount(after)]
  if (real.size === 0) return { real: zeros(outShape), imag: zeros(outShape) }
  const rowsOf = (x: Tensor): Tensor => {
    const rows = isLast ? transpose(reshape(x, [columns, size])) : x
    return slice(reshape(rows, [batch, size, columns]), [0, given], 1)
  }
  const from = imag ? 2 : 1
  const rows = imag ? reshape(stack([rowsOf(real), rowsOf(imag)], 2), [batch, 2 * given, columns]) : rowsOf(real)
  const result = transformRows(rows, { ...plan, given, from }) // [batch, to, kept, columns]
  const outOf = (part: number): Tensor => {
    const rows = reshape(select(result, part, 1), [batch * plan.kept, columns])
    return reshape(isLast ? transpose(rows) : rows, outShape)
  }
  return { real: outOf(0), imag: outOf(plan.to - 1) }
}

function complexTransform(
  op: string,
  x: ComplexOperand,
  options: FourierOptions | undefined,
  isInverse: boolean,
): Complex {
  const parts = partsOf(op, x)
  return checked(() => {
    const { at, size, sign, factorOf } = planOf(op, parts, options, isInverse)
    return alongAxis(parts, at, { size, sign, kept: size, to: 2, ...scaled(factorOf(size)) })
  })
}

/** y[k] = sum over m of x[m] exp(-2 pi i k m / n) along one axis, for real or complex x; `torch.fft.fft`. */
export function fft(x: ComplexOperand, options?: FourierOptions): Complex {
  return complexTransform('fft', x, options, false)
}

/** The inverse of `fft`: x[m] = 1 / n times the sum over k of y[k] exp(2 pi i k m / n); `torch.fft.ifft`. */
export function ifft(x: ComplexOperand, options?: FourierOptions): Complex {
  return complexTransform('ifft', x, options, true)
}

/** The first n / 2 + 1 numbers of the transform of real x, which make up the whole; `torch.fft.rfft`. */
export function rfft(x: Operand, options?: FourierOptions): Complex {
  const real = requireReal('rfft', x)
  return checked(() => {
    const { at, size, sign, factorOf } = planOf('rfft', { real, imag: undefined }, options, false)
    const plan = { size, sign, kept: Math.floor(size / 2) + 1, to: 2, ...scaled(factorOf(size)) } as const
    return alongAxis({ real, imag: undefined }, at, plan)
  })
}

function requireReal(op: string, x: Operand): Tensor {
  const { real, imag } = partsOf(op, x)
  if (imag) throw checked(() => new ShapeError(`${op}: x must be real, found a pair of parts`))
  return real
}

/** The inverse of `rfft`: real numbers from the first n / 2 + 1 of their transform. n is even unless it is given; `torch.fft.irfft`. */
export function irfft(x: ComplexOperand, options?: FourierOptions): Tensor {
  const parts = partsOf('irfft', x)
  return checked(() => {
    const given = optionsOf('irfft', options, fourierNames)
    const axis = normalizeAxis('irfft', given.axis ?? -1, parts.real.rank)
    const n = given.n ?? 2 * (sizeOf(parts.real.shape, axis) - 1)
    const { at, size, sign, factorOf } = planOf('irfft', parts, { ...given, n }, true)
    const half = Math.floor(size / 2) + 1
    const cut = { real: slice(parts.real, [0, half], at), imag: parts.imag && slice(parts.imag, [0, half], at) }
    return alongAxis(cut, at, { size, sign, kept: size, to: 1, weights: halfWeights(size, factorOf(size)) }).real
  })
}

/** Each number of a half transform stands for itself and its conjugate, but the first one, and the middle of an even length. */
export function halfWeights(size: number, factor: number): NonNullable<Transform['weights']> {
  return { name: `half ${factor}`, at: (k) => (k === 0 || 2 * k === size ? factor : 2 * factor) }
}

function alongTwo(op: string, x: ComplexOperand, options: Fourier2dOptions | undefined, isInverse: boolean): Complex {
  const parts = partsOf(op, x)
  return checked(() => {
    const { axes = [-2, -1], norm = 'backward' } = optionsOf(op, options, { axes: true, norm: true })
    const both = normalizeAxes(op, axes, parts.real.rank)
    if (both.length !== 2)
      throw new ShapeError(`${op}: needs two axes to transform, found ${formatShape(parts.real.shape)}`)
    return both.reduceRight<ComplexOperand>(
      (y, axis) => complexTransform(op, y, { axis, norm }, isInverse),
      x,
    ) as Complex
  })
}

/** `fft` along two axes; `torch.fft.fft2`. */
export function fft2(x: ComplexOperand, options?: Fourier2dOptions): Complex {
  return alongTwo('fft2', x, options, false)
}

/** `ifft` along two axes; `torch.fft.ifft2`. */
export function ifft2(x: ComplexOperand, options?: Fourier2dOptions): Complex {
  return alongTwo('ifft2', x, options, true)
}

/** k / (n d) for k below `positive`, then (k - n) / (n d). */
function frequencies(
  op: string,
  n: number,
  d: number,
  sizesOf: () => readonly [count: number, positive: number],
): Tensor {
  return checked(() => {
    requireCount(op, 'n', n, 1)
    requireFinite(op, 'd', d)
    if (d === 0) throw new ShapeError(`${op}: d must not be 0`)
    const [count, positive] = sizesOf()
    requireElements(op, [count])
    const data = Float32Array.from({ length: count }, (_, k) => (k < positive ? k : k - n) / (n * d))
    return constant(data, [count], 'float32')
  })
}

/** The frequencies of the numbers of `fft`, in cycles per unit of the distance d of two samples (default 1). */
export function fftfreq(n: number, d = 1): Tensor {
  return frequencies('fftfreq', n, d, () => [n, Math.ceil(n / 2)])
}

/** The frequencies of the numbers of `rfft`. */
export function rfftfreq(n: number, d = 1): Tensor {
  return frequencies('rfftfreq', n, d, () => [Math.floor(n / 2) + 1, n])
}

function shifted(
  op: string,
  x: Operand,
  axes: number | readonly number[] | undefined,
  shiftOf: (size: number) => number,
) {
  const input = toTensor(op, x)
  return checked(() => {
    const along = normalizeAxes(op, axes, input.rank)
    if (along.length === 0) return input
    return roll(
      input,
      along.map((axis) => shiftOf(sizeOf(input.shape, axis))),
      along,
    )
  })
}

/** Puts frequency 0 in the middle of the given axes (default: all). */
export function fftshift(x: Operand, axes?: number | readonly number[]): Tensor {
  return shifted('fftshift', x, axes, (size) => Math.floor(size / 2))
}

/** Undoes `fftshift`. */
export function ifftshift(x: Operand, axes?: number | readonly number[]): Tensor {
  return shifted('ifftshift', x, axes, (size) => -Math.floor(size / 2))
}
