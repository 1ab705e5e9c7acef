/** What the ops of linear algebra share: matrices in the last two axes, and batches of them as one axis inside. */
import { elementCount } from '../../tensor/dtype.ts'
import { broadcastShapes, formatShape, type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor, TensorType } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import { type Emitter, requireDType } from '../define.ts'
import { expand } from '../movement/movement.ts'

/** The axes before those of the matrix. */
export function batchOf(shape: Shape): Shape {
  return shape.slice(0, -2)
}

/** Throws unless the input is float32 of square matrices [..., n, n]. */
export function requireSquare(op: string, argument: string, x: TensorType): void {
  requireDType(op, argument, x, ['float32'])
  if (x.shape.length >= 2 && sizeOf(x.shape, -1) === sizeOf(x.shape, -2)) return
  throw new ShapeError(`${op}: ${argument} must be square matrices [..., n, n], found ${formatShape(x.shape)}`)
}

/** Throws unless b holds as many rows as the square matrices of a, batch by batch. */
export function requireSystem(op: string, a: TensorType, b: TensorType): void {
  requireSquare(op, 'a', a)
  requireDType(op, 'b', b, ['float32'])
  const [left, right] = [a.shape, b.shape]
  const fits = right.length === left.length && left.slice(0, -1).every((size, i) => right[i] === size)
  if (fits) return
  throw new ShapeError(
    `${op}: a [..., n, n] needs b [..., n, columns], found ${formatShape(left)} and ${formatShape(right)}`,
  )
}

/** Two tensors of matrices with one batch shape: that of both, as broadcast. */
export function withOneBatch(op: string, a: Tensor, b: Tensor): readonly [Tensor, Tensor] {
  const batch = broadcastShapes(op, [batchOf(a.shape), batchOf(b.shape)])
  return [expand(a, [...batch, ...a.shape.slice(-2)]), expand(b, [...batch, ...b.shape.slice(-2)])]
}

/** The matrices of a value as float64 [batch, rows, columns]. */
export function emitMatrices(emit: Emitter, value: string, { shape }: TensorType): string {
  return emit.double(emit.node('Reshape', [value, emit.ints([elementCount(batchOf(shape)), ...shape.slice(-2)])]))
}

/** float64 of any batch as the float32 result of an op. */
export function emitResult(emit: Emitter, value: string, { shape }: TensorType): string {
  return emit.cast(emit.node('Reshape', [value, emit.ints(shape)]), 'float32')
}

/** [1, n]: 0, 1, ... */
export function emitPlaces(emit: Emitter, n: number): string {
  return emit.constant(
    'int64',
    [1, n],
    BigInt64Array.from({ length: n }, (_, i) => BigInt(i)),
  )
}
