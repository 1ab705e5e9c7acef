import { expect, test } from 'vitest'
import { blendedBits } from '../../../src/tasks/language/blended-contexts.ts'

const ids = (...values: number[]) => Int32Array.from(values)

test('orders are blended by Witten and Bell', () => {
  const [unigram = 0, bigram = 0] = blendedBits(ids(0, 0, 1), ids(0, 1), 2, 1)
  // Unigram: two kinds in three symbols, so 2/5 of the weight goes to 1/2: P(0) = 3/5, P(1) = 2/5.
  expect(unigram).toBeCloseTo(-(Math.log2(3 / 5) + Math.log2(2 / 5)) / 2, 12)
  // After 0 came 0 and 1: (1 + 2 * 2/5) / 4; the first symbol has no context.
  expect(bigram).toBeCloseTo(-(Math.log2(3 / 5) + Math.log2((1 + 2 * (2 / 5)) / 4)) / 2, 12)
})

test('a text that repeats is known by longer contexts; symbols never seen cost something, not everything', () => {
  const text = Int32Array.from({ length: 600 }, (_, i) => [0, 1, 0, 2][i % 4] ?? 0)
  const bits = blendedBits(text, text.subarray(0, 200), 4, 3)
  expect(bits.length).toBe(4)
  expect(bits[0]).toBeGreaterThan(1.4)
  expect(bits[3]).toBeLessThan(0.1)
  expect(blendedBits(text, ids(3), 4, 2)[2]).toBeLessThan(12)
})

test('contexts that would not be exact numbers are left out', () => {
  expect(blendedBits(ids(1, 2, 3), ids(1, 2), 2 ** 20, 5).length).toBe(3)
})
