/** Products of vectors, matrices and tensors under their own names: forms of matmul and mul. */
import { elementCount } from '../../tensor/dtype.ts'
import {
  broadcastShapes,
  formatShape,
  listOf,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
} from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFinite, requireList, shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked, type Operand, toTensor } from '../define.ts'
import { add, mul } from '../elementwise/binary.ts'
import { permute, reshape } from '../movement/movement.ts'
import { type AddmmOptions, addmmNames, matmul, matmulWith } from './matmul.ts'

function requireRanks(op: string, operands: Readonly<Record<string, Tensor>>, ranks: readonly number[]): void {
  const entries = Object.entries(operands)
  if (entries.every(([, operand], i) => operand.rank === ranks[i])) return
  const needed = entries.map(([name], i) => `${name} with ${ranks[i]} ${ranks[i] === 1 ? 'axis' : 'axes'}`)
  const found = entries.map(([, operand]) => formatShape(operand.shape))
  throw new ShapeError(`${op}: needs ${needed.join(' and ')}, found ${found.join(' and ')}`, {
    hint: 'matmul takes any number of axes',
  })
}

/** Products of matrices, batch by batch: a [batch, n, m], b [batch, m, p] -> [batch, n, p]; nothing broadcasts. */
export function bmm(a: Operand, b: Operand): Tensor {
  const [left, right] = [toTensor('bmm', a), toTensor('bmm', b)]
  return checked(() => {
    requireRanks('bmm', { a: left, b: right }, [3, 3])
    if (left.shape[0] !== right.shape[0]) {
      throw new ShapeError(
        `bmm: batch sizes must be equal, found a ${formatShape(left.shape)}, b ${formatShape(right.shape)}`,
        { hint: 'matmul broadcasts batches of size 1' },
      )
    }
    return matmul(left, right)
  })
}

/** Matrix times vector: [n, m], [m] -> [n]. */
export function mv(matrix: Operand, vector: Operand): Tensor {
  const [a, x] = [toTensor('mv', matrix), toTensor('mv', vector)]
  return checked(() => {
    requireRanks('mv', { matrix: a, vector: x }, [2, 1])
    return matmul(a, x)
  })
}

/** Sum of the products of two vectors: [n], [n] -> []. */
export function dot(a: Operand, b: Operand): Tensor {
  const [x, y] = [toTensor('dot', a), toTensor('dot', b)]
  return checked(() => {
    requireRanks('dot', { a: x, b: y }, [1, 1])
    return matmul(x, y)
  })
}

/** All products of the elements of two vectors: [n], [m] -> [n, m]. */
export function outer(a: Operand, b: Operand): Tensor {
  const [x, y] = [toTensor('outer', a), toTensor('outer', b)]
  return checked(() => {
    requireRanks('outer', { a: x, b: y }, [1, 1])
    return mul(reshape(x, [x.size, 1]), y)
  })
}

/** beta input + alpha a b for batches: a [batch, n, m], b [batch, m, p], input broadcasts to [batch, n, p]. */
export function baddbmm(input: Operand, a: Operand, b: Operand, options?: AddmmOptions): Tensor {
  const { alpha = 1, beta = 1 } = optionsOf('baddbmm', options, addmmNames)
  const [added, left, right] = [toTensor('baddbmm', input), toTensor('baddbmm', a), toTensor('baddbmm', b)]
  return checked(() => {
    requireFinite('baddbmm', 'alpha', alpha)
    requireFinite('baddbmm', 'beta', beta)
    requireRanks('baddbmm', { a: left, b: right }, [3, 3])
    const product = matmulWith(left, right, { scale: alpha })
    if (!sameShape(broadcastShapes('baddbmm', [added.shape, product.shape]), product.shape)) {
      throw new ShapeError(
        `baddbmm: the input must broadcast to the products' shape ${formatShape(product.shape)}, found ${formatShape(added.shape)}`,
      )
    }
    return beta === 0 ? product : add(mul(added, beta), product)
  })
}

/** Kronecker product: block i of the result is a_i b, on every axis; sizes multiply, missing leading axes have size 1. */
export function kron(a: Operand, b: Operand): Tensor {
  const [left, right] = [toTensor('kron', a), toTensor('kron', b)]
  const rank = Math.max(left.rank, right.rank)
  const padded = ({ shape }: Tensor): Shape => [...new Array<number>(rank - shape.length).fill(1), ...shape]
  const [shapeA, shapeB] = [padded(left), padded(right)]
  const product = mul(
    reshape(
      left,
      shapeA.flatMap((size) => [size, 1]),
    ),
    reshape(
      right,
      shapeB.flatMap((size) => [1, size]),
    ),
  )
  return reshape(
    product,
    shapeA.map((size, i) => size * sizeOf(shapeB, i)),
  )
}

/** Pairs of axes to sum over: as many as `axes` says, the last of a with the first of b, or two lists of equal length. */
export type ContractedAxes = number | readonly [a: readonly number[], b: readonly number[]]

/** Sum of products over pairs of axes; what is left of a, then of b, makes the result. */
export function tensordot(a: Operand, b: Operand, axes: ContractedAxes = 2): Tensor {
  const [left, right] = [toTensor('tensordot', a), toTensor('tensordot', b)]
  return checked(() => {
    const [axesA, axesB] = contractedAxes(axes, left.rank, right.rank)
    const paired =
      axesA.length === axesB.length && axesA.every((axis, i) => left.shape[axis] === right.shape[axesB[i] ?? -1])
    const distinct = new Set(axesA).size === axesA.length && new Set(axesB).size === axesB.length
    if (!paired || !distinct) {
      throw new ShapeError(
        `tensordot: axes must pair distinct axes of equal size, found ${shown(axesA)} of a ${formatShape(left.shape)} with ${shown(axesB)} of b ${formatShape(right.shape)}`,
      )
    }
    const keptA = left.shape.flatMap((_, axis) => (axesA.includes(axis) ? [] : [axis]))
    const keptB = right.shape.flatMap((_, axis) => (axesB.includes(axis) ? [] : [axis]))
    const [rows, inner, columns] = [sizes(left, keptA), sizes(left, axesA), sizes(right, keptB)]
    const product = matmul(
      reshape(permute(left, [...keptA, ...axesA]), [elementCount(rows), elementCount(inner)]),
      reshape(permute(right, [...axesB, ...keptB]), [elementCount(inner), elementCount(columns)]),
    )
    return reshape(product, [...rows, ...columns])
  })
}

function sizes(x: Tensor, axes: readonly number[]): number[] {
  return axes.map((axis) => sizeOf(x.shape, axis))
}

function contractedAxes(axes: ContractedAxes, rankA: number, rankB: number): readonly [number[], number[]] {
  if (typeof axes !== 'number') {
    requireList('tensordot', 'axes', axes)
    const [ofA, ofB] = [axes[0] ?? [], axes[1] ?? []]
    if (axes.length !== 2) throw new ShapeError('tensordot: axes must be one number or two lists of axes')
    return [
      listOf(ofA).map((axis) => normalizeAxis('tensordot', axis, rankA)),
      listOf(ofB).map((axis) => normalizeAxis('tensordot', axis, rankB)),
    ]
  }
  if (!Number.isInteger(axes) || axes < 0 || axes > Math.min(rankA, rankB)) {
    throw new ShapeError(
      `tensordot: the number of axes must be a whole number from 0 to ${Math.min(rankA, rankB)}, found ${shown(axes)}`,
    )
  }
  const list = Array.from({ length: axes }, (_, i) => i)
  return [list.map((i) => rankA - axes + i), list]
}
