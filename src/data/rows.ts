import { allocate, elementCount, type NDArray } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import { UsageError } from '../util/errors.ts'
import { bytesOf } from '../util/vectors.ts'

/** `[rows, ...shape]` zeros to be filled row by row. */
export function allocateRows(rows: number, like: Pick<NDArray, 'dtype' | 'shape'>): NDArray {
  const shape = [rows, ...like.shape]
  return { dtype: like.dtype, shape, data: allocate(like.dtype, elementCount(shape)) }
}

/** Copies row `from[i]` of `source` to row `to[i]` of `target` (row i where one is left out); the rows are of equal shape and dtype. */
export function copyRows(source: NDArray, target: NDArray, from?: ArrayLike<number>, to?: ArrayLike<number>): void {
  const size = target.data.byteLength / Math.max(sizeOf(target.shape, 0), 1)
  const input = bytesOf(source.data)
  const output = bytesOf(target.data)
  const count = from?.length ?? to?.length ?? sizeOf(source.shape, 0)
  for (let i = 0; i < count; i++) {
    const start = (from?.[i] ?? i) * size
    output.set(input.subarray(start, start + size), (to?.[i] ?? i) * size)
  }
}

/** Rows `indices` of an array, stacked in that order. */
export function gatherRows(source: NDArray, indices: ArrayLike<number>): NDArray {
  const target = allocateRows(indices.length, { dtype: source.dtype, shape: source.shape.slice(1) })
  copyRows(source, target, indices)
  return target
}

/** Refuses indices that are not whole numbers from 0 to length - 1. */
export function checkIndices(indices: ArrayLike<number>, length: number): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]
    if (index === undefined || !Number.isInteger(index) || index < 0 || index >= length) {
      throw new UsageError(`dataset: an index must be a whole number from 0 to ${length - 1}, found ${index}`)
    }
  }
}
