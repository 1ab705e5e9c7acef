/** Decompositions of matrices [..., rows, columns], each matrix of a batch by itself; names and results as in `torch.linalg`. */
import { optionsOf, requireOneOf } from '../util/check.ts'
import { LinalgError } from '../util/errors.ts'
import { inOrder, symmetricEigen } from './eigen.ts'
import {
  gather,
  type Matrices,
  type MatrixInput,
  mapMatrices,
  placeOf,
  readMatrices,
  readSquare,
  transposed,
  unitMatrix,
} from './matrices.ts'
import { mirrored, product, view } from './product.ts'
import { applyReflections, qrInPlace } from './reflections.ts'
import { singularValues } from './singular.ts'
import { choleskyInPlace } from './triangular.ts'

/** The lower triangular l of a = l l^T; only the lower triangle of a is read. Throws a LinalgError unless a is positive definite. */
export function cholesky(a: MatrixInput): Matrices {
  const read = readSquare('linalg.cholesky', 'a', a)
  const parts = mapMatrices(read, (matrix, i) => {
    const failure = choleskyInPlace(matrix, read.rows)
    if (failure) {
      throw new LinalgError(
        `linalg.cholesky: a must be positive definite, found pivot ${failure.pivot} in row ${failure.row}${placeOf(read, i)}`,
        { hint: 'a small multiple of the unit matrix, added to a, makes a covariance matrix definite' },
      )
    }
    return matrix
  })
  return gather(read.batch, [read.rows, read.rows], parts)
}

/** Ascending eigenvalues [..., n] of symmetric matrices [..., n, n], of which only the lower triangle is read. */
export function eigvalsh(a: MatrixInput): Matrices {
  const read = readSquare('linalg.eigvalsh', 'a', a)
  const parts = mapMatrices(read, (matrix) => symmetricEigen(lowerOf(matrix, read.rows), read.rows, false).values)
  return gather(read.batch, [read.rows], parts)
}

/** What is above the diagonal has no say, not even in the matrix's size. */
function lowerOf(matrix: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++) matrix.fill(0, i * n + i + 1, (i + 1) * n)
  return matrix
}

/** Eigenvalues as `eigvalsh`, and eigenvectors of length 1 as columns: a = vectors diag(values) vectors^T. */
export function eigh(a: MatrixInput): { readonly values: Matrices; readonly vectors: Matrices } {
  const read = readSquare('linalg.eigh', 'a', a)
  const { batch, rows: n } = read
  const parts = mapMatrices(read, (matrix) => symmetricEigen(lowerOf(matrix, n), n, true))
  return {
    values: gather(
      batch,
      [n],
      parts.map(({ values }) => values),
    ),
    vectors: gather(
      batch,
      [n, n],
      parts.map(({ vectors }) => vectors),
    ),
  }
}

/**
 * The symmetric root of symmetric matrices without negative eigenvalues; those that roundings made negative count 0. Throws a LinalgError
 * for others. The Fréchet distance of two covariances a, b needs the trace of the root of root(a) b root(a).
 */
export function matrixSqrth(a: MatrixInput): Matrices {
  const read = readSquare('linalg.matrixSqrth', 'a', a)
  const n = read.rows
  const parts = mapMatrices(read, (matrix, i) => {
    const { values, vectors } = symmetricEigen(lowerOf(matrix, n), n, true)
    const [least = 0, most = 0] = [values[0], values[n - 1]]
    if (least < -n * read.resolution * Math.max(Math.abs(least), Math.abs(most))) {
      throw new LinalgError(`linalg.matrixSqrth: a must have no eigenvalue below 0, found ${least}${placeOf(read, i)}`)
    }
    const scaled = vectors.map((value, at) => value * Math.sqrt(Math.sqrt(Math.max(0, values[at % n] as number))))
    return product(view(scaled, n), mirrored(view(scaled, n)), [n, n, n])
  })
  return gather(read.batch, [n, n], parts)
}

/** Of how many columns q is: as many as needed for a = q r, or all. */
export interface QrOptions {
  /** Default: 'reduced'. */
  readonly mode?: 'reduced' | 'complete'
}

/** a = q r with orthonormal columns of q and r upper triangular. */
export function qr(a: MatrixInput, options?: QrOptions): { readonly q: Matrices; readonly r: Matrices } {
  const { mode = 'reduced' } = optionsOf('linalg.qr', options, { mode: true })
  requireOneOf('linalg.qr', 'mode', mode, ['reduced', 'complete'])
  const read = readMatrices('linalg.qr', 'a', a)
  const { batch, rows, columns } = read
  const width = mode === 'complete' ? rows : Math.min(rows, columns)
  const parts = mapMatrices(read, (matrix) => {
    const reflections = qrInPlace(matrix, rows, columns)
    const q = inOrder(
      unitMatrix(rows),
      rows,
      Array.from({ length: width }, (_, k) => k),
    )
    applyReflections(reflections, q, width, false)
    return { q, r: matrix.subarray(0, width * columns) }
  })
  return {
    q: gather(
      batch,
      [rows, width],
      parts.map(({ q }) => q),
    ),
    r: gather(
      batch,
      [width, columns],
      parts.map(({ r }) => r),
    ),
  }
}

/** a = u diag(s) vh with orthonormal columns of u [..., rows, k] and rows of vh [..., k, columns], s [..., k] descending, k the smaller size. */
export function svd(a: MatrixInput): { readonly u: Matrices; readonly s: Matrices; readonly vh: Matrices } {
  const read = readMatrices('linalg.svd', 'a', a)
  const { batch, rows, columns } = read
  const k = Math.min(rows, columns)
  const parts = mapMatrices(read, (matrix) => singularValues(matrix, rows, columns, read.resolution))
  return {
    u: gather(
      batch,
      [rows, k],
      parts.map(({ u }) => u),
    ),
    s: gather(
      batch,
      [k],
      parts.map(({ values }) => values),
    ),
    vh: gather(
      batch,
      [k, columns],
      parts.map(({ v }) => transposed(v, columns, k)),
    ),
  }
}
