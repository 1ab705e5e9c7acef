/** Lists of numbers as arrays. */

import type { Batch } from '../data/dataset.ts'
import type { NDArray } from '../tensor/dtype.ts'
import type { EncodedPair } from './language/sentence-pairs.ts'

/** int32 [rows, columns] of rows of equal length. */
export function int32Rows(rows: readonly (readonly number[])[], columns: number): NDArray {
  const data = new Int32Array(rows.length * columns)
  for (const [i, row] of rows.entries()) data.set(row, i * columns)
  return { dtype: 'int32', shape: [rows.length, columns], data }
}

/** `input_ids` and `type_ids` int32 [sequences, length] of encoded sequences. */
export function segmentRows(sequences: readonly EncodedPair[], length: number): Batch<'input_ids' | 'type_ids'> {
  const rows = (part: keyof EncodedPair): NDArray =>
    int32Rows(
      sequences.map((sequence) => sequence[part]),
      length,
    )
  return { input_ids: rows('inputIds'), type_ids: rows('typeIds') }
}

/** int32 [values]. */
export function int32Vector(values: readonly number[]): NDArray {
  return { dtype: 'int32', shape: [values.length], data: Int32Array.from(values) }
}
