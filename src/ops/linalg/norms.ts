/** Norms and powers of matrices, made of other ops. */
import { formatShape, normalizeAxis, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFlag, requireList, requireWhole, shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked, type Operand, toFloat } from '../define.ts'
import { abs } from '../elementwise/unary.ts'
import { eye } from '../movement/diagonal.ts'
import { expand } from '../movement/movement.ts'
import { moveAxis } from '../movement/rearrange.ts'
import { vectorNorm } from '../products/distance.ts'
import { matmul } from '../products/matmul.ts'
import { max, min, type ReduceOptions, sum } from '../reduction/reduce.ts'
import { inverse } from './elimination.ts'
import { batchOf, requireSquare } from './matrices.ts'

/** What a matrix norm is of. */
export interface MatrixNormOptions extends Pick<ReduceOptions, 'keepDims'> {
  /** The axes of rows and columns. Default: the last two. */
  readonly axes?: readonly [rows: number, columns: number]
}

/** The norm by the sums of the absolute values along one axis: the largest (order above 0) or the smallest along the other. */
function extremeSum(x: Tensor, order: number, options: ReduceOptions): Tensor {
  const along = Math.abs(order) === 1 ? -2 : -1
  const sums = sum(abs(x), along, { keepDims: true })
  const other = along === -2 ? -1 : -2
  const extreme = order > 0 ? max(sums, other, { keepDims: true }) : min(sums, other, { keepDims: true })
  return sum(extreme, [-2, -1], options)
}

/**
 * 'fro': root of the sum of squares; 1 and -1: largest and smallest sum of |x| of a column; Infinity and -Infinity: of a row.
 * [..., rows, columns] -> [...]. Default: 'fro'.
 */
export function matrixNorm(x: Operand, order: 'fro' | number = 'fro', options?: MatrixNormOptions): Tensor {
  const { axes = [-2, -1], keepDims = false } = optionsOf('matrixNorm', options, { axes: true, keepDims: true })
  const input = toFloat('matrixNorm', x)
  return checked(() => {
    requireFlag('matrixNorm', 'keepDims', keepDims)
    requireList('matrixNorm', 'axes', axes)
    if (input.rank < 2) throw new ShapeError(`matrixNorm: needs at least 2 axes, found ${formatShape(input.shape)}`)
    const places = axes.map((axis) => normalizeAxis('matrixNorm', axis, input.rank))
    if (axes.length !== 2 || places[0] === places[1]) {
      throw new ShapeError(`matrixNorm: axes must be two different ones, found ${shown(axes)}`)
    }
    if (order === 'fro') return vectorNorm(input, 2, places, { keepDims })
    if (![1, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].includes(order)) {
      throw new ShapeError(`matrixNorm: the order must be 'fro', 1, -1, Infinity or -Infinity, found ${shown(order)}`, {
        hint: "linalg.matrixNorm(x, { order: 'nuc' }) computes the norms by singular values, outside of the graph",
      })
    }
    const result = extremeSum(moveAxis(input, places, [-2, -1]), order, { keepDims })
    return keepDims ? moveAxis(result, [-2, -1], places) : result
  })
}

/** The product of n matrices a [..., size, size]; the unit matrix for n = 0, powers of the inverse below. */
export function matrixPower(a: Operand, n: number): Tensor {
  const input = toFloat('matrixPower', a)
  return checked(() => {
    requireSquare('matrixPower', 'input', input)
    requireWhole('matrixPower', 'n', n)
    if (n === 0) return expand(eye(sizeOf(input.shape, -1)), [...batchOf(input.shape), ...input.shape.slice(-2)])
    // By squaring: the powers of 2 that n is made of.
    let [square, result] = [n < 0 ? inverse(input) : input, undefined as Tensor | undefined]
    for (let rest = Math.abs(n); ; square = matmul(square, square)) {
      if (rest % 2 === 1) result = result ? matmul(result, square) : square
      rest = Math.floor(rest / 2)
      if (rest === 0) return result ?? square
    }
  })
}
