/** Token ids as a tensor. */
import type { NDArray } from '../../tensor/dtype.ts'

/** Rows of ids, filled up with padding behind: int64 [N, length]. */
export function int64Rows(rows: readonly ArrayLike<number>[], length: number, padding: number): NDArray {
  const data = new BigInt64Array(rows.length * length).fill(BigInt(padding))
  for (const [row, ids] of rows.entries())
    for (let i = 0; i < ids.length; i++) data[row * length + i] = BigInt(ids[i] ?? padding)
  return { dtype: 'int64', shape: [rows.length, length], data }
}
