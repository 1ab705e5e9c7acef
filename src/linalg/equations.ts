/** Equations, inverses and determinants of matrices, outside of the graph: what is singular throws. */
import { broadcastShapes, formatShape } from '../tensor/shape.ts'
import { optionsOf, requireAtLeast, requireFlag } from '../util/check.ts'
import { LinalgError, ShapeError } from '../util/errors.ts'
import {
  type Batch,
  gather,
  type Matrices,
  type MatrixInput,
  mapMatrices,
  matrixAt,
  placeOf,
  readMatrices,
  readSquare,
  transposed,
  unitMatrix,
} from './matrices.ts'
import { product, view } from './product.ts'
import { singularValues } from './singular.ts'
import { luInPlace, solveTriangleInPlace } from './triangular.ts'

function singular(op: string, read: Batch, i: number, column: number): LinalgError {
  return new LinalgError(`${op}: a must be regular, found no pivot in column ${column}${placeOf(read, i)}`, {
    hint: 'linalg.lstsq and linalg.pinv take singular matrices, too',
  })
}

/** Rows of b in the order of the pivots, then both triangles. */
function solveOne(op: string, read: Batch, i: number, b: Float64Array, columns: number): Float64Array {
  const n = read.rows
  const matrix = matrixAt(read, i).slice()
  const { order, singular: column } = luInPlace(matrix, n)
  if (column >= 0) throw singular(op, read, i, column)
  const x = new Float64Array(n * columns)
  for (const [to, from] of order.entries()) x.set(b.subarray(from * columns, (from + 1) * columns), to * columns)
  solveTriangleInPlace(matrix, x, n, columns, { upper: false, unit: true })
  solveTriangleInPlace(matrix, x, n, columns, { upper: true, unit: false })
  return x
}

/** The place in a batch of the matrix that broadcasting takes for place i of the whole. */
function placesIn(own: readonly number[], whole: readonly number[]): number[] {
  const count = whole.reduce((total, size) => total * size, 1)
  return Array.from({ length: count }, (_, i) => {
    let [rest, place, stride] = [i, 0, 1]
    for (let axis = 1; axis <= whole.length; axis++) {
      const size = whole.at(-axis) as number
      const ownSize = own.at(-axis) ?? 1
      if (ownSize > 1) place += (rest % size) * stride
      stride *= ownSize
      rest = Math.floor(rest / size)
    }
    return place
  })
}

/** Each pair of a batch of two operands whose batches broadcast. */
function mapPairs(
  op: string,
  a: Batch,
  b: Batch,
  columns: number,
  each: (i: number, j: number) => Float64Array,
): Matrices {
  const batch = broadcastShapes(op, [a.batch, b.batch])
  const [left, right] = [placesIn(a.batch, batch), placesIn(b.batch, batch)]
  return gather(
    batch,
    [a.columns, columns],
    left.map((i, at) => each(i, right[at] as number)),
  )
}

function requireRows(op: string, a: MatrixInput, b: MatrixInput, rows: number, found: number): void {
  if (rows === found) return
  throw new ShapeError(
    `${op}: b must have a row for each row of a, found a ${formatShape(a.shape)}, b ${formatShape(b.shape)}`,
  )
}

/** b as matrices; a vector [n] is one column, and its result a vector again. */
function solveWith(op: string, a: MatrixInput, b: MatrixInput, rows: number, each: (b: Batch) => Matrices): Matrices {
  const read = readMatrices(op, 'b', b, 1)
  requireRows(op, a, b, rows, read.rows)
  const result = each(read)
  return b.shape.length === 1 ? { ...result, shape: result.shape.slice(0, -1) } : result
}

/** The x of a x = b: a [..., n, n], b [..., n, columns] or [n]; batches broadcast. Throws a LinalgError for a singular a. */
export function solve(a: MatrixInput, b: MatrixInput): Matrices {
  const read = readSquare('linalg.solve', 'a', a)
  return solveWith('linalg.solve', a, b, read.rows, (right) =>
    mapPairs('linalg.solve', read, right, right.columns, (i, j) =>
      solveOne('linalg.solve', read, i, matrixAt(right, j), right.columns),
    ),
  )
}

/** Which triangle, and how it is read. */
export interface SolveTriangularOptions {
  /** Whether a is the upper triangle; the other one is not read. */
  readonly upper: boolean
  /** Whether the diagonal is 1, whatever stands there. Default: false. */
  readonly unitriangular?: boolean
}

/** The x of a x = b with a triangular a; otherwise as `solve`. */
export function solveTriangular(a: MatrixInput, b: MatrixInput, options: SolveTriangularOptions): Matrices {
  const op = 'linalg.solveTriangular'
  const { upper, unitriangular = false } = optionsOf(op, options, { upper: true, unitriangular: true })
  requireFlag(op, 'upper', upper as boolean)
  requireFlag(op, 'unitriangular', unitriangular)
  const read = readSquare(op, 'a', a)
  return solveWith(op, a, b, read.rows, (right) =>
    mapPairs(op, read, right, right.columns, (i, j) => {
      const x = matrixAt(right, j).slice()
      const triangle = { upper: upper as boolean, unit: unitriangular }
      const row = solveTriangleInPlace(matrixAt(read, i), x, read.rows, right.columns, triangle)
      if (row >= 0) throw singular(op, read, i, row)
      return x
    }),
  )
}

/** The inverses of [..., n, n]. Throws a LinalgError for a singular matrix. */
export function inv(a: MatrixInput): Matrices {
  const read = readSquare('linalg.inv', 'a', a)
  const unit = unitMatrix(read.rows)
  const parts = mapMatrices(read, (_, i) => solveOne('linalg.inv', read, i, unit, read.rows))
  return gather(read.batch, [read.rows, read.rows], parts)
}

/** Sign of the determinants of [..., n, n] and logarithm of their size: [...] each; 0 and -Infinity of singular ones. */
export function slogdet(a: MatrixInput): { readonly sign: Matrices; readonly logAbsDet: Matrices } {
  const read = readSquare('linalg.slogdet', 'a', a)
  const [signs, logarithms] = [new Float64Array(read.count), new Float64Array(read.count)]
  mapMatrices(read, (matrix, i) => {
    const { odd } = luInPlace(matrix, read.rows)
    let [sign, sum] = [odd ? -1 : 1, 0]
    for (let k = 0; k < read.rows; k++) {
      const pivot = matrix[k * read.rows + k] as number
      sign *= Math.sign(pivot)
      sum += Math.log(Math.abs(pivot))
    }
    // No -0.
    signs[i] = sign || 0
    logarithms[i] = sum
  })
  return { sign: { shape: read.batch, data: signs }, logAbsDet: { shape: read.batch, data: logarithms } }
}

/** The determinants of [..., n, n]: [...]. */
export function det(a: MatrixInput): Matrices {
  const { sign, logAbsDet } = slogdet(a)
  return { shape: sign.shape, data: sign.data.map((value, i) => value * Math.exp(logAbsDet.data[i] as number)) }
}

/** Which singular values count as 0. */
export interface RankOptions {
  /** Those up to this share of the largest. Default: the larger size by the resolution of the input's type. */
  readonly rtol?: number
}

function shareOf(op: string, read: Batch, options: RankOptions | undefined): number {
  const { rtol = Math.max(read.rows, read.columns) * read.resolution } = optionsOf(op, options, { rtol: true })
  requireAtLeast(op, 'rtol', rtol, 0)
  return rtol
}

/** The pseudoinverses (Moore and Penrose) of [..., rows, columns]: [..., columns, rows]. */
export function pinv(a: MatrixInput, options?: RankOptions): Matrices {
  const read = readMatrices('linalg.pinv', 'a', a)
  const rtol = shareOf('linalg.pinv', read, options)
  return gather(
    read.batch,
    [read.columns, read.rows],
    mapMatrices(read, (matrix) => pseudoinverse(matrix, read, rtol)),
  )
}

function pseudoinverse(matrix: Float64Array, { rows, columns, resolution }: Batch, rtol: number): Float64Array {
  const k = Math.min(rows, columns)
  const { u, values, v } = singularValues(matrix, rows, columns, resolution)
  const least = (values[0] ?? 0) * rtol
  const scaled = v.map((value, at) => {
    const size = values[at % k] as number
    return size > least ? value / size : 0
  })
  return product(view(scaled, k), view(transposed(u, rows, k), rows), [columns, k, rows])
}

/** The x of least length that makes |a x - b| least: a [..., rows, columns], b [..., rows, n] or [rows]; batches broadcast. */
export function lstsq(a: MatrixInput, b: MatrixInput, options?: RankOptions): Matrices {
  const read = readMatrices('linalg.lstsq', 'a', a)
  const rtol = shareOf('linalg.lstsq', read, options)
  const inverses = mapMatrices(read, (matrix) => pseudoinverse(matrix, read, rtol))
  return solveWith('linalg.lstsq', a, b, read.rows, (right) =>
    mapPairs('linalg.lstsq', read, right, right.columns, (i, j) => {
      const sizes = [read.columns, read.rows, right.columns] as const
      return product(view(inverses[i] as Float64Array, read.rows), view(matrixAt(right, j), right.columns), sizes)
    }),
  )
}

/** How many singular values of [..., rows, columns] do not count as 0: [...]. */
export function matrixRank(a: MatrixInput, options?: RankOptions): Matrices {
  const read = readMatrices('linalg.matrixRank', 'a', a)
  const rtol = shareOf('linalg.matrixRank', read, options)
  const ranks = mapMatrices(read, (matrix) => {
    const { values } = singularValues(matrix, read.rows, read.columns, read.resolution)
    return values.filter((value) => value > (values[0] as number) * rtol).length
  })
  return { shape: read.batch, data: Float64Array.from(ranks) }
}
