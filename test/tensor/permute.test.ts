import { expect, test } from 'vitest'
import { permuteArray } from '../../src/tensor/permute.ts'

test('axes are reordered', () => {
  const array = { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) } as const
  expect(permuteArray(array, [1, 0])).toEqual({
    dtype: 'float32',
    shape: [3, 2],
    data: Float32Array.of(1, 4, 2, 5, 3, 6),
  })
})

test('int64 beyond 2^53 stays exact', () => {
  const data = BigInt64Array.of(9007199254740993n, -9223372036854775808n)
  expect(permuteArray({ dtype: 'int64', shape: [1, 2], data }, [1, 0]).data).toEqual(data)
})
