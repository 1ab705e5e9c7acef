import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeSafetensors } from '../../src/io/safetensors.ts'
import type { NDArray } from '../../src/tensor/dtype.ts'
import { otherRoundings, roundedOtherwise } from '../../src/verify/rounding.ts'
import { type CaseResult, verify } from '../../src/verify/run.ts'
import { type ReferenceCase, requiredTensor } from '../../src/verify/target.ts'

const vector = (...values: number[]): NDArray => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
})

/** A case whose result is `high` where the sum of its inputs exceeds 5, else 0; it is 5, the official code found 3e-5. Tolerance: 1e-5. */
async function runKink(high: number): Promise<{ result: CaseResult | undefined; runs: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-rounding-'))
  const description = {
    format: 1,
    system: 'test',
    case: 'kink',
    target: 'Kink',
    config: {},
    mode: 'eval',
    inputs: ['x'],
    outputs: ['y'],
    tolerance: { atol: 1e-5, rtol: 0 },
  }
  await writeFile(join(folder, 'kink.json'), JSON.stringify(description))
  const tensors = writeSafetensors([
    ['input/x', vector(1, 1, 1, 1, 1)],
    ['output/y', vector(3e-5)],
  ])
  await writeFile(join(folder, 'kink.safetensors'), tensors)
  let runs = 0
  const rule = {
    target: 'Kink',
    run: async ({ tensors }: ReferenceCase) => {
      runs++
      const sum = (requiredTensor(tensors, 'input/x').data as Float32Array).reduce((total, x) => total + x)
      return new Map([['output/y', vector(sum > 5 ? high : 0)]])
    },
  }
  const found: CaseResult[] = []
  for await (const result of verify([folder], [rule])) found.push(result)
  return { result: found[0], runs }
}

describe('a case that differs by little more than its tolerance', () => {
  test('passes where it agrees in full for inputs that differ by a rounding, and says so', async () => {
    const { result } = await runKink(3e-5)
    expect(result).toMatchObject({ passed: true, maxAbsolute: 0 })
    expect(result?.rounding).toBeGreaterThan(0)
  })

  test('fails where no rounding of its inputs agrees, with what differs for those given', async () => {
    const { result, runs } = await runKink(6e-5)
    expect(result).toMatchObject({ passed: false })
    expect(result?.problem).toMatch(/^output\/y\[0\] is 0, expected 0\.0000299/)
    expect(result).not.toHaveProperty('rounding')
    expect(runs).toBe(1 + otherRoundings)
  })
})

describe('inputs rounded otherwise', () => {
  const values = vector(1, -3.7, 1e-20, 0, 65504, 0.1)

  test('differ by at most one unit in the last place, otherwise at each trial, alike when repeated', () => {
    const bits = (array: NDArray): Int32Array => new Int32Array((array.data as Float32Array).slice().buffer)
    const found = Array.from({ length: 20 }, (_, i) => bits(roundedOtherwise(i + 1)(values, 'input/x')))
    for (const each of found)
      for (const [i, value] of each.entries()) expect(Math.abs(value - (bits(values)[i] ?? 0))).toBeLessThanOrEqual(1)
    expect(new Set(found.map(String)).size).toBeGreaterThan(10)
    expect(bits(roundedOtherwise(3)(values, 'param/w'))).toEqual(found[2])
    expect(new Set(found.map(([first]) => first)).size).toBe(3)
  })

  test('are weights and inputs in float32: no results, no indices, nothing that is compared exactly', () => {
    const rounding = roundedOtherwise(1)
    for (const name of ['output/y', 'grad/w', 'state/mean', 'input/formula_check/w'])
      expect(rounding(values, name)).toBe(values)
    const index: NDArray = { dtype: 'int64', shape: [1], data: BigInt64Array.of(7n) }
    expect(rounding(index, 'input/ids')).toBe(index)
  })
})
