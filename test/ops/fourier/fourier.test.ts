import fc from 'fast-check'
import { expect, test } from 'vitest'
import { vectorJacobianProduct } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import { blocksOf, chirpTransform } from '../../../src/ops/fourier/chirp.ts'
import { directTransform, factorsOf, fourStepTransform, fourStepWork } from '../../../src/ops/fourier/forms.ts'
import * as ops from '../../../src/ops/index.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { RandomStream } from '../../../src/util/random.ts'

/** The definition, in float64. */
function expected(x: readonly number[], rows: number, columns: number): number[] {
  return x.map((_, at) => {
    const [k, l] = [Math.floor(at / columns), at % columns]
    return x.reduce((sum, value, i) => {
      const [m, n] = [Math.floor(i / columns), i % columns]
      return sum + value * Math.cos(2 * Math.PI * (((k * m) % rows) / rows + ((l * n) % columns) / columns))
    }, 0)
  })
}

async function evaluate(transform: (x: Tensor) => Tensor, data: Float32Array, shape: readonly number[]) {
  const run = compile(transform)
  const y = await run({ dtype: 'float32', shape, data })
  const values = toNumbers(y.array.data)
  await run.release()
  return values
}

function expectClose(found: readonly number[], wanted: readonly number[], tolerance: number): void {
  expect(found).toHaveLength(wanted.length)
  const worst = Math.max(...wanted.map((value, i) => Math.abs(value - (found[i] ?? Number.NaN))))
  expect(worst).toBeLessThanOrEqual(tolerance)
}

test('all forms are the definition, for any rows, columns and factors', async () => {
  const size = fc.integer({ min: 1, max: 9 })
  await fc.assert(
    fc.asyncProperty(size, size, size, fc.integer({ min: 0, max: 1000 }), async (first, second, columns, seed) => {
      const rows = first * second
      const data = new RandomStream(seed).normal(0, 0, rows * columns)
      const wanted = expected(Array.from(data), rows, columns)
      const tolerance = 2e-6 * rows * columns
      expectClose(await evaluate(directTransform, data, [rows, columns]), wanted, tolerance)
      expectClose(await evaluate(chirpTransform, data, [rows, columns]), wanted, tolerance)
      expectClose(
        await evaluate((x) => fourStepTransform(x, [first, second]), data, [rows, columns]),
        wanted,
        tolerance,
      )
    }),
    { numRuns: 25, seed: 1 },
  )
})

test.each([
  [1, 1, 1],
  [13, 13, 1],
  [512, 32, 16],
  [500, 25, 20],
  [8192, 128, 64],
])('%i = %i x %i', (size, first, second) => {
  expect(factorsOf(size)).toEqual([first, second])
})

// 384 goes through four steps, 251 is a prime.
test.each([384, 251])('%i tokens: the definition, and the gradient is the transform of the cotangent', async (rows) => {
  const [batch, columns] = [2, 3]
  const count = rows * columns
  const data = new RandomStream(rows).normal(0, 0, batch * count)
  const shape = [batch, rows, columns]
  const found = await evaluate((x) => ops.fft2Real(x), data, shape)
  const parts = Array.from({ length: batch }, (_, b) => Array.from(data.slice(b * count, (b + 1) * count)))
  expectClose(
    found,
    parts.flatMap((part) => expected(part, rows, columns)),
    1e-3,
  )
  const pullBack = (cotangent: Tensor): Tensor => {
    const x = ops.zeros(shape)
    return vectorJacobianProduct([ops.fft2Real(x)], [cotangent], [x])[0] ?? x
  }
  expect(await evaluate(pullBack, data, shape)).toEqual(found)
})

test('a long prime, 3511 tokens: elements of the definition, and its own gradient', async () => {
  const [rows, columns] = [3511, 2]
  const data = new RandomStream(7).normal(0, 0, rows * columns)
  const shape = [rows, columns]
  const found = await evaluate((x) => ops.fft2Real(x), data, shape)
  const places = [0, 1, 2, 3, 777, 3509, 3510, 5000, 7020, 7021]
  const wanted = places.map((at) => {
    const [k, l] = [Math.floor(at / columns), at % columns]
    return data.reduce((sum, value, i) => {
      const angle = ((k * Math.floor(i / columns)) % rows) / rows + (l * (i % columns)) / columns
      return sum + value * Math.cos(2 * Math.PI * angle)
    }, 0)
  })
  expectClose(
    places.map((at) => found[at] ?? Number.NaN),
    wanted,
    1e-3,
  )
  expect(await evaluate((x) => vectorJacobianProduct([ops.fft2Real(x)], [x], [x])[0] ?? x, data, shape)).toEqual(found)
})

test('the work of a chirp grows like n^1.5 for primes too', () => {
  const work = (size: number): number => {
    const [blocks, rows] = blocksOf(size)
    expect(blocks * rows).toBeGreaterThanOrEqual(size)
    return size * (6 * blocks + 4 * rows)
  }
  expect(work(16381) / work(4093)).toBeLessThanOrEqual(8.5)
})

test('the work grows like n^1.5: a fourfold length takes at most about eight times as many products', () => {
  const work = (size: number): number => size * fourStepWork(factorsOf(size))
  for (const size of [256, 1024, 4096]) expect(work(4 * size) / work(size)).toBeLessThanOrEqual(8.5)
})
