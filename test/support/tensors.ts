/** Tensors of random numbers, and comparisons of what programs computed. */
import { expect } from 'vitest'
import { elementCount, toNumbers } from '../../src/tensor/dtype.ts'
import { constant, type Tensor } from '../../src/tensor/tensor.ts'
import { randomNumbers } from './gradients.ts'

/** The same shapes, and numbers that differ by less than 1e-5 of the largest of their tensor. */
export function expectSame(found: readonly Tensor[], wanted: readonly Tensor[]): void {
  expect(found.map(({ shape }) => shape)).toEqual(wanted.map(({ shape }) => shape))
  for (const [i, result] of found.entries()) {
    const expected = toNumbers((wanted[i] as Tensor).array.data)
    // All zeros: then nothing else will do.
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || Number.MIN_VALUE
    const differences = toNumbers(result.array.data).map((value, j) => Math.abs(value - (expected[j] as number)))
    expect(differences.reduce((most, value) => Math.max(most, value), 0) / largest).toBeLessThan(1e-5)
  }
}

/** Values from -1 to 1. */
export function random(shape: readonly number[], seed = 1): Tensor {
  const next = randomNumbers(seed)
  return constant(
    Float32Array.from({ length: elementCount(shape) }, () => 2 * next() - 1),
    shape,
    'float32',
  )
}

/** Shapes are equal and values are to five digits. */
export async function expectEqual(found: Tensor, expected: Tensor): Promise<void> {
  expect(found.shape).toEqual(expected.shape)
  const [a, b] = [await found.numbers(), await expected.numbers()]
  for (const [i, value] of a.entries()) expect(value).toBeCloseTo(b[i] ?? Number.NaN, 5)
}
