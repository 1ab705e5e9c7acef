import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { formOf, type Transform, transformRows } from '../../../src/ops/fourier/rows.ts'
import * as ops from '../../../src/ops/index.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { type Tensor, tensor } from '../../../src/tensor/tensor.ts'
import { RandomStream } from '../../../src/util/random.ts'

async function numbersOf(call: () => readonly Tensor[]): Promise<number[][]> {
  const run = compile(call)
  const results = await run()
  await run.release()
  return results.map(({ array }) => toNumbers(array.data))
}

function expectClose(found: readonly number[], wanted: readonly number[], tolerance: number): void {
  expect(found).toHaveLength(wanted.length)
  const worst = Math.max(...wanted.map((value, i) => Math.abs(value - (found[i] ?? Number.NaN))))
  expect(worst).toBeLessThanOrEqual(tolerance)
}

/** The definition in float64: parts of all rows of one batch, [part][row][column]. */
function expected(x: readonly number[], { size, sign, given, from, kept, to }: Transform, columns: number): number[] {
  const at = (row: number, part: number, column: number): number => x[(row * from + part) * columns + column] ?? 0
  return Array.from({ length: to * kept * columns }, (_, i) => {
    const [part, k, column] = [Math.floor(i / (kept * columns)), Math.floor(i / columns) % kept, i % columns]
    let [real, imag] = [0, 0]
    for (let m = 0; m < given; m++) {
      const angle = (sign * 2 * Math.PI * ((k * m) % size)) / size
      const [re, im] = [at(m, 0, column), from === 2 ? at(m, 1, column) : 0]
      real += re * Math.cos(angle) - im * Math.sin(angle)
      imag += re * Math.sin(angle) + im * Math.cos(angle)
    }
    return part === 0 ? real : imag
  })
}

test('rows are transformed as defined: any length, rows that are left out, parts, sign', async () => {
  const lengths = fc.constantFrom(1, 2, 5, 36, 64, 97, 144, 210, 263, 293, 400)
  const share = fc.double({ min: 0.01, max: 1, noNaN: true })
  await fc.assert(
    fc.asyncProperty(lengths, share, share, fc.nat(7), fc.nat(1000), async (size, inward, outward, kind, seed) => {
      const transform: Transform = {
        size,
        sign: kind & 1 ? 1 : -1,
        given: Math.ceil(inward * size),
        from: kind & 2 ? 2 : 1,
        kept: Math.ceil(outward * size),
        to: kind & 4 ? 2 : 1,
      }
      const columns = 2
      const rows = transform.given * transform.from
      const data = new RandomStream(seed).normal(0, 0, rows * columns)
      const x = { dtype: 'float32', shape: [1, rows, columns], data } as const
      const [found = []] = await numbersOf(() => [transformRows(tensor(x), transform)])
      expectClose(found, expected(Array.from(data), transform, columns), 2e-6 * size + 1e-6)
    }),
    { numRuns: 40, seed: 1 },
  )
})

test('lengths are split into factors, and those without go by a chirp', () => {
  const kindOf = (size: number): string =>
    formOf({ size, sign: -1, given: size, from: 1, kept: Math.floor(size / 2) + 1, to: 2 }).kind
  expect([32, 400, 1024, 44100].map(kindOf)).toEqual(['direct', 'split', 'split', 'split'])
  expect([509, 761, 1009, 4099].map(kindOf)).toEqual(['direct', 'direct', 'chirp', 'chirp'])
})

test('the work of a transform grows more slowly than its length to the power of 1.5', () => {
  const work = (size: number): number => formOf({ size, sign: -1, given: size, from: 2, kept: size, to: 2 }).work
  for (const size of [1024, 4096, 16384]) expect(work(4 * size) / work(size)).toBeLessThan(8)
})

describe('long signals', () => {
  test.each([4096, 6000, 4099])('%i samples: there and back, and the energy', async (size) => {
    const data = new RandomStream(size).normal(0, 0, size)
    const x = tensor({ dtype: 'float32', shape: [1, size], data })
    const [back = [], energy = []] = await numbersOf(() => {
      const spectrum = ops.rfft(x, { norm: 'ortho' })
      const power = ops.add(ops.square(spectrum.real), ops.square(spectrum.imag))
      return [ops.irfft(spectrum, { n: size, norm: 'ortho' }), ops.sum(power)]
    })
    expectClose(back, Array.from(data), 2e-5)
    // Half of the spectrum has half of the energy, but for the ends.
    const whole = data.reduce((sum, value) => sum + value ** 2, 0)
    expect(Math.abs((energy[0] ?? 0) / whole - 0.5)).toBeLessThan(0.01)
  })
})

test('a number stands for the other part of all elements', async () => {
  const x = tensor([1, 2, 3])
  const [real, imag] = await numbersOf(() => Object.values(ops.complexMul({ real: x, imag: 0 }, { real: 0, imag: 1 })))
  expect([real?.map((value) => value + 0), imag]).toEqual([
    [0, 0, 0],
    [1, 2, 3],
  ])
})
