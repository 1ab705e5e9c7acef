/** Norms of matrices, by their elements or by their singular values, and what else is one number of a matrix. */

import { optionsOf, shown } from '../util/check.ts'
import { ShapeError } from '../util/errors.ts'
import { type Matrices, type MatrixInput, mapMatrices, readMatrices, readSquare } from './matrices.ts'
import { singularValues } from './singular.ts'

/** Which norm: 'fro', 'nuc', 1, -1, 2, -2, Infinity, -Infinity. */
export interface NormOptions {
  /** Default: 'fro'. */
  readonly order?: 'fro' | 'nuc' | number
}

const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0)

/** The sums of |x| of each column, or of each row. */
function sumsOf(x: Float64Array, rows: number, columns: number, ofColumns: boolean): Float64Array {
  const sums = new Float64Array(ofColumns ? columns : rows)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = ofColumns ? j : i
      sums[at] = (sums[at] as number) + Math.abs(x[i * columns + j] as number)
    }
  }
  return sums
}

/**
 * 'fro': root of the sum of squares; 'nuc': sum of the singular values; 2 and -2: the largest and the smallest of them; 1 and -1: largest and
 * smallest sum of |x| of a column; Infinity and -Infinity: of a row. [..., rows, columns] -> [...].
 */
export function matrixNorm(a: MatrixInput, options?: NormOptions): Matrices {
  const { order = 'fro' } = optionsOf('linalg.matrixNorm', options, { order: true })
  const orders = ['fro', 'nuc', 1, -1, 2, -2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  if (!orders.includes(order)) {
    throw new ShapeError(`linalg.matrixNorm: the order must be one of ${orders.join(', ')}, found ${shown(order)}`)
  }
  const read = readMatrices('linalg.matrixNorm', 'a', a)
  const { rows, columns, resolution } = read
  const norms = mapMatrices(read, (matrix) => {
    if (order === 'fro') return Math.sqrt(matrix.reduce((sum, value) => sum + value * value, 0))
    if (order !== 'nuc' && Math.abs(order) !== 2) {
      const sums = sumsOf(matrix, rows, columns, Math.abs(order) === 1)
      return order > 0 ? Math.max(...sums) : Math.min(...sums)
    }
    const { values } = singularValues(matrix, rows, columns, resolution)
    return order === 'nuc' ? total(values) : ((order === 2 ? values[0] : values.at(-1)) ?? 0)
  })
  return { shape: read.batch, data: Float64Array.from(norms) }
}

/** The sums of the diagonals of [..., n, n]: [...]. */
export function trace(a: MatrixInput): Matrices {
  const read = readSquare('linalg.trace', 'a', a)
  const sums = mapMatrices(read, (matrix) => total(matrix.filter((_, i) => i % (read.rows + 1) === 0)))
  return { shape: read.batch, data: Float64Array.from(sums) }
}

/** The condition numbers of [..., rows, columns]: largest by smallest singular value, [...]; Infinity of singular ones. */
export function cond(a: MatrixInput): Matrices {
  const [most, least] = [matrixNorm(a, { order: 2 }), matrixNorm(a, { order: -2 })]
  return { shape: most.shape, data: most.data.map((value, i) => value / (least.data[i] as number)) }
}
