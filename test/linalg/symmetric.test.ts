import { expect, test } from 'vitest'
import { semidefiniteFactor, symmetricEigenvalues } from '../../src/linalg/symmetric.ts'
import { Generator } from '../../src/util/random.ts'

/** B B^T of a random B [size, rank]. */
function gram(size: number, rank: number, seed: number): { size: number; data: Float64Array } {
  const b = new Generator(seed).normal(size * rank)
  const entry = (i: number, j: number): number =>
    Array.from({ length: rank }, (_, k) => (b[i * rank + k] ?? 0) * (b[j * rank + k] ?? 0)).reduce((x, y) => x + y, 0)
  return { size, data: Float64Array.from({ length: size * size }, (_, k) => entry(Math.floor(k / size), k % size)) }
}

test.each([
  [1, 1],
  [7, 7],
  [12, 4],
])('the factor of a %s x %s matrix', (size, rank) => {
  const matrix = gram(size, rank, size)
  const columns = semidefiniteFactor(matrix)
  expect(columns).toHaveLength(rank)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const product = columns.reduce((sum, column) => sum + (column[i] ?? 0) * (column[j] ?? 0), 0)
      expect(product).toBeCloseTo(matrix.data[i * size + j] ?? 0, 10)
    }
  }
})

test('eigenvalues of matrices that are known', () => {
  expect([...symmetricEigenvalues({ size: 0, data: new Float64Array() })]).toEqual([])
  expect([...symmetricEigenvalues({ size: 2, data: Float64Array.of(2, 1, 1, 2) })].map((x) => x.toFixed(12))).toEqual([
    '1.000000000000',
    '3.000000000000',
  ])
  // The second difference: 2 - 2 cos(k pi / (n + 1)).
  const size = 30
  const data = Float64Array.from({ length: size * size }, (_, k) => {
    const apart = Math.abs(Math.floor(k / size) - (k % size))
    return apart === 0 ? 2 : apart === 1 ? -1 : 0
  })
  for (const [k, value] of symmetricEigenvalues({ size, data }).entries())
    expect(value).toBeCloseTo(2 - 2 * Math.cos(((k + 1) * Math.PI) / (size + 1)), 12)
})

test('trace and rank are those of the eigenvalues', () => {
  const matrix = gram(20, 6, 3)
  const values = symmetricEigenvalues(matrix)
  const trace = Array.from({ length: 20 }, (_, i) => matrix.data[i * 21] ?? 0).reduce((x, y) => x + y, 0)
  expect(values.reduce((x, y) => x + y, 0)).toBeCloseTo(trace, 9)
  expect(values.filter((value) => value > 1e-8)).toHaveLength(6)
})
