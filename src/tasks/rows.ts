/** Lists of numbers as arrays. */
import type { NDArray } from '../tensor/dtype.ts'

/** int32 [rows, columns] of rows of equal length. */
export function int32Rows(rows: readonly (readonly number[])[], columns: number): NDArray {
  const data = new Int32Array(rows.length * columns)
  for (const [i, row] of rows.entries()) data.set(row, i * columns)
  return { dtype: 'int32', shape: [rows.length, columns], data }
}

/** int32 [values]. */
export function int32Vector(values: readonly number[]): NDArray {
  return { dtype: 'int32', shape: [values.length], data: Int32Array.from(values) }
}
