/** Triangles and diagonals of matrices: the last two axes, or two given ones. */
import type { DType } from '../../tensor/dtype.ts'
import { formatShape, normalizeAxis, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireCount, requireWhole } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { arange, requireElements } from '../creation.ts'
import { checked, type Operand, toTensor } from '../define.ts'
import { equal, greaterOrEqual, lessOrEqual } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { sum } from '../reduction/reduce.ts'
import { reshape, slice } from './movement.ts'
import { dilate, padAxis } from './padding.ts'
import { moveAxis } from './rearrange.ts'

/** Column j against row i + diagonal, for each element of a matrix: [rows, columns], bool. */
function compareColumns(
  compare: (a: Operand, b: Operand) => Tensor,
  rows: number,
  columns: number,
  diagonal: number,
): Tensor {
  return compare(arange(columns), reshape(arange(diagonal, diagonal + rows), [rows, 1]))
}

function triangle(op: string, x: Operand, diagonal: number, compare: (a: Operand, b: Operand) => Tensor): Tensor {
  const input = toTensor(op, x)
  return checked(() => {
    requireWhole(op, 'diagonal', diagonal)
    if (input.rank < 2) throw new ShapeError(`${op}: needs at least 2 axes, found ${formatShape(input.shape)}`)
    return where(compareColumns(compare, sizeOf(input.shape, -2), sizeOf(input.shape, -1), diagonal), input, 0)
  })
}
/** The lower triangle of matrices: 0 above the given diagonal (0: the main one, positive ones lie above it). */
export function tril(x: Operand, diagonal = 0): Tensor {
  return triangle('tril', x, diagonal, lessOrEqual)
}
/** The upper triangle of matrices: 0 below the given diagonal. */
export function triu(x: Operand, diagonal = 0): Tensor {
  return triangle('triu', x, diagonal, greaterOrEqual)
}
/** 1 on the main diagonal, 0 elsewhere: [rows, columns], square by default. */
export function eye(rows: number, columns = rows, dtype: DType = 'float32'): Tensor {
  return checked(() => {
    requireCount('eye', 'rows', rows)
    requireCount('eye', 'columns', columns)
    requireElements('eye', [rows, columns])
    return cast(compareColumns(equal, rows, columns, 0), dtype)
  })
}

/** Which diagonal, and of which matrices. */
export interface DiagonalOptions {
  /** 0: the main diagonal; positive ones lie above it. Default: 0. */
  readonly offset?: number
  /** The axis of the rows. */
  readonly axis1?: number
  /** The axis of the columns. */
  readonly axis2?: number
}

const diagonalNames = { offset: true, axis1: true, axis2: true } as const

/** Where a diagonal begins in a matrix stored row by row. */
function firstElement(offset: number, columns: number): number {
  return offset >= 0 ? offset : -offset * columns
}

/** The diagonals of matrices, as a new last axis. axis1, axis2: 0 and 1 by default. */
export function diagonal(x: Operand, options?: DiagonalOptions): Tensor {
  const { offset = 0, axis1 = 0, axis2 = 1 } = optionsOf('diagonal', options, diagonalNames)
  const input = toTensor('diagonal', x)
  return checked(() => {
    requireWhole('diagonal', 'offset', offset)
    const matrices = moveAxis(input, [axis1, axis2], [-2, -1])
    const [rows, columns] = [sizeOf(matrices.shape, -2), sizeOf(matrices.shape, -1)]
    const count = Math.max(0, Math.min(rows + Math.min(offset, 0), columns - Math.max(offset, 0)))
    const start = count === 0 ? 0 : firstElement(offset, columns)
    const stop = count === 0 ? 0 : start + (count - 1) * (columns + 1) + 1
    const stored = reshape(matrices, [...matrices.shape.slice(0, -2), rows * columns])
    return slice(stored, [start, stop, columns + 1], -1)
  })
}

/** Square matrices with the last axis of x on a diagonal. axis1, axis2 of the result: the last two by default. */
export function diagEmbed(x: Operand, options?: DiagonalOptions): Tensor {
  const { offset = 0, axis1 = -2, axis2 = -1 } = optionsOf('diagEmbed', options, diagonalNames)
  const input = toTensor('diagEmbed', x)
  return checked(() => {
    requireWhole('diagEmbed', 'offset', offset)
    if (input.rank === 0) throw new ShapeError('diagEmbed: a scalar has no axis to lay on a diagonal')
    const size = sizeOf(input.shape, -1) + Math.abs(offset)
    const spread = dilate(input, -1, size + 1)
    const start = firstElement(offset, size)
    const stored = padAxis(spread, -1, start, size * size - start - sizeOf(spread.shape, -1))
    const matrices = reshape(stored, [...input.shape.slice(0, -1), size, size])
    const axes = [axis1, axis2].map((axis) => normalizeAxis('diagEmbed', axis, matrices.rank))
    return moveAxis(matrices, [-2, -1], axes)
  })
}

/** The sum of the main diagonal of a matrix. */
export function trace(x: Operand): Tensor {
  const input = toTensor('trace', x)
  return checked(() => {
    if (input.rank !== 2) throw new ShapeError(`trace: needs a matrix, found ${formatShape(input.shape)}`)
    return sum(diagonal(input))
  })
}
