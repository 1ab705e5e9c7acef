import { expect, test } from 'vitest'
import { betaNumbers } from '../../src/util/distributions.ts'
import { Generator } from '../../src/util/random.ts'

test.each([
  [0.2, 0.2],
  [0.5, 2],
  [3, 5],
])('Beta(%d, %d) has its mean and variance', (a, b) => {
  const numbers = Array.from(betaNumbers(new Generator(4), a, b, 20_000))
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length
  const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length
  expect(mean).toBeCloseTo(a / (a + b), 2)
  expect(variance).toBeCloseTo((a * b) / ((a + b) ** 2 * (a + b + 1)), 2)
  expect(numbers.every((x) => x >= 0 && x <= 1)).toBe(true)
})

test('very small parameters give 0 or 1, not NaN', () => {
  const numbers = Array.from(betaNumbers(new Generator(1), 1e-3, 1e-3, 200))
  expect(numbers.every((x) => x >= 0 && x <= 1)).toBe(true)
})

test('Beta(1, 1) is uniform', () => {
  const numbers = Array.from(betaNumbers(new Generator(2), 1, 1, 10_000))
  for (const edge of [0.1, 0.5, 0.9]) {
    expect(numbers.filter((x) => x < edge).length / numbers.length).toBeCloseTo(edge, 1)
  }
})
