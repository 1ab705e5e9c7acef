/** Discrete cosine transforms, as SciPy's and torchaudio's. */
import { formatShape, normalizeAxis, sizeOf } from '../../tensor/shape.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireCount, requireOneOf } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked, type Operand, toFloat } from '../define.ts'
import { wave } from '../fourier/forms.ts'
import { padAxis } from '../movement/padding.ts'
import { linear } from '../products/linear.ts'

/** Options of `dct` and `idct`. */
export interface CosineOptions {
  /** Length of the transform: the axis is cut, or filled with zeros. Default: its size. */
  readonly n?: number
  /** Default: -1. */
  readonly axis?: number
  /** 'ortho' makes the matrix orthogonal. Default: null. */
  readonly norm?: 'ortho' | null
}

function element(kind: 'forward' | 'inverse', n: number, k: number, m: number, norm: 'ortho' | null): number {
  const value = wave('cos', k * (2 * m + 1), 4 * n)
  if (norm === 'ortho') return value * Math.sqrt((k === 0 ? 1 : 2) / n)
  return kind === 'forward' ? 2 * value : (value * (k === 0 ? 0.5 : 1)) / n
}

/** The first `kept` rows of the DCT-II, [kept, n]. */
export function dctMatrix(op: string, n: number, kept: number, norm: 'ortho' | null): Tensor {
  if (norm !== null) requireOneOf(op, 'norm', norm, ['ortho'])
  const data = Float32Array.from({ length: kept * n }, (_, i) => element('forward', n, Math.floor(i / n), i % n, norm))
  return constant(data, [kept, n], 'float32')
}

function transformed(
  op: 'dct' | 'idct',
  x: Operand,
  options: CosineOptions | undefined,
  matrixOf: (n: number, norm: 'ortho' | null) => Tensor,
) {
  const input = toFloat(op, x)
  return checked(() => {
    const { axis = -1, norm = null, n } = optionsOf(op, options, { n: true, axis: true, norm: true })
    if (input.rank === 0) throw new ShapeError(`${op}: a scalar has no axis to transform`)
    const at = normalizeAxis(op, axis, input.rank)
    const size = sizeOf(input.shape, at)
    const length = n ?? size
    if (n !== undefined) requireCount(op, 'n', n, 1)
    else if (size === 0) throw new ShapeError(`${op}: axis ${at} must have elements, found ${formatShape(input.shape)}`)
    return linear(padAxis(input, at, 0, length - size), matrixOf(length, norm), undefined, { axis: at })
  })
}

/**
 * The DCT-II, y[k] = 2 times the sum over m of x[m] cos(pi k (2 m + 1) / (2 n)); 'ortho' divides by 2 sqrt(n) where k is 0, and by
 * sqrt(2 n) elsewhere. A product with a matrix: work n^2. `scipy.fft.dct`.
 */
export function dct(x: Operand, options?: CosineOptions): Tensor {
  return transformed('dct', x, options, (n, norm) => dctMatrix('dct', n, n, norm))
}

/** The inverse of `dct`, a scaled DCT-III; `scipy.fft.idct`. */
export function idct(x: Operand, options?: CosineOptions): Tensor {
  return transformed('idct', x, options, (n, norm) => {
    if (norm !== null) requireOneOf('idct', 'norm', norm, ['ortho'])
    const data = Float32Array.from({ length: n * n }, (_, i) => element('inverse', n, i % n, Math.floor(i / n), norm))
    return constant(data, [n, n], 'float32')
  })
}
