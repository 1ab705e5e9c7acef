import { expect, test } from 'vitest'
import { bytesOf, dot, meanOf, meanOrZero, rowsOf } from '../../src/util/vectors.ts'

test('inner products and means add in the order of the elements', () => {
  expect(dot([1, 2, 3], Float64Array.of(4, 5, 6))).toBe(32)
  expect(dot([1e16, 1, -1e16], [1, 1, 1])).toBe(0)
  expect([meanOf([1, 2, 6]), meanOf([]), meanOrZero([1, 2]), meanOrZero([])]).toEqual([3, Number.NaN, 1.5, 0])
})

test('rows of a matrix', () => {
  expect(rowsOf([1, 2, 3, 4, 5, 6], 2)).toEqual([
    [1, 2],
    [3, 4],
    [5, 6],
  ])
})

test('bytes are those of the view, in the same memory', () => {
  const whole = Int32Array.of(1, 2, 3)
  const bytes = bytesOf(whole.subarray(1, 2))
  expect([...bytes]).toEqual([2, 0, 0, 0])
  bytes[0] = 7
  expect([...whole]).toEqual([1, 7, 3])
})
