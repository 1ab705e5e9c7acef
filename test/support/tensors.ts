/** Comparison of tensors that two programs computed. */
import { expect } from 'vitest'
import { toNumbers } from '../../src/tensor/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

/** The same shapes, and numbers that differ by less than 1e-5 of the largest of their tensor. */
export function expectSame(found: readonly Tensor[], wanted: readonly Tensor[]): void {
  expect(found.map(({ shape }) => shape)).toEqual(wanted.map(({ shape }) => shape))
  for (const [i, result] of found.entries()) {
    const expected = toNumbers((wanted[i] as Tensor).array.data)
    // All zeros: then nothing else will do.
    const largest = Math.max(...expected.map(Math.abs)) || Number.MIN_VALUE
    const differences = toNumbers(result.array.data).map((value, j) => Math.abs(value - (expected[j] as number)))
    expect(Math.max(...differences) / largest).toBeLessThan(1e-5)
  }
}
