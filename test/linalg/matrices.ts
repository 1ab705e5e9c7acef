/** Small matrices in float64 for the tests of linear algebra. */
import { expect } from 'vitest'
import { linalg } from '../../src/index.ts'
import type { Matrices } from '../../src/linalg/index.ts'
import { randomNumbers } from '../support/gradients.ts'

export function random(shape: readonly number[], seed = 1): Matrices {
  const next = randomNumbers(seed)
  const count = shape.reduce((product, size) => product * size, 1)
  return { shape, data: Float64Array.from({ length: count }, () => 2 * next() - 1) }
}

/** Rows by columns of the last two axes, of one matrix. */
export function times(a: Matrices, b: Matrices): Matrices {
  const [rows = 0, inner = 0] = a.shape
  const [, columns = 0] = b.shape
  const data = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      for (let k = 0; k < inner; k++)
        data[i * columns + j] =
          (data[i * columns + j] ?? 0) + (a.data[i * inner + k] ?? 0) * (b.data[k * columns + j] ?? 0)
  return { shape: [rows, columns], data }
}

export function mirrored({ shape: [rows = 0, columns = 0], data }: Matrices): Matrices {
  const at = (i: number): number => data[(i % rows) * columns + Math.floor(i / rows)] ?? 0
  return { shape: [columns, rows], data: Float64Array.from({ length: rows * columns }, (_, i) => at(i)) }
}

export function diagonal(values: ArrayLike<number>): Matrices {
  const n = values.length
  const at = (i: number): number => (i % (n + 1) === 0 ? (values[i / (n + 1)] ?? 0) : 0)
  return { shape: [n, n], data: Float64Array.from({ length: n * n }, (_, i) => at(i)) }
}

export const unit = (n: number): Matrices => diagonal(new Array<number>(n).fill(1))

export function expectNear(found: Matrices, wanted: Matrices, tolerance = 1e-12): void {
  expect(found.shape).toEqual(wanted.shape)
  const worst = found.data.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (wanted.data[i] ?? Number.NaN))),
    0,
  )
  expect(worst).toBeLessThan(tolerance)
}

/** Symmetric, of all kinds that its eigenvalues may be. */
export function symmetric(n: number, values?: readonly number[]): Matrices {
  if (!values) {
    const x = random([n, n])
    const other = mirrored(x)
    return { shape: x.shape, data: x.data.map((value, i) => value + (other.data[i] ?? 0)) }
  }
  const { q } = linalg.qr(random([n, n], 5))
  return times(times(q, diagonal(values)), mirrored(q))
}
