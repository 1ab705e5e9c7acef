import { expect, test } from 'vitest'
import { jaxKey, jaxLecunNormal, splitKey, threefry } from '../../src/util/jax-random.ts'
import { deviationWithinTwo } from '../../src/util/normal.ts'

// The known answers of Random123 (kat_vectors, threefry2x32 20), which JAX tests itself with too.
test.each([
  { key: [0, 0], count: [0, 0], words: [0x6b200159, 0x99ba4efe] },
  { key: [0xffffffff, 0xffffffff], count: [0xffffffff, 0xffffffff], words: [0x1cb996fc, 0xbb002be7] },
  { key: [0x13198a2e, 0x03707344], count: [0x243f6a88, 0x85a308d3], words: [0xc4923a9c, 0x483df7a0] },
] as const)('threefry of $count', ({ key, count, words }) => {
  expect(threefry(key, count)).toEqual(words)
})

test('a matrix has mean 0, variance 1 / rows and nothing beyond two standard deviations of the uncut normal', () => {
  const [key] = splitKey(jaxKey(7))
  const values = Array.from(jaxLecunNormal(key, 100, 200))
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length
  expect(Math.abs(mean)).toBeLessThan(0.003)
  expect(Math.abs(variance - 0.01)).toBeLessThan(0.0002)
  expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(2 / deviationWithinTwo / 10)
})
