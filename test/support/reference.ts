import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readSafetensors } from '../../src/io/safetensors.ts'
import { type NDArray, toNumbers } from '../../src/tensor/dtype.ts'
import { type OpEntry, runOpEntry } from '../../src/verify/op-entry.ts'
import type { OpTargets } from '../../src/verify/target.ts'

/** |found - expected| <= atol + rtol |expected|. */
export interface Tolerance {
  readonly atol: number
  readonly rtol: number
}

interface OpCase {
  readonly tolerance: Tolerance
  readonly cases: readonly (OpEntry & { readonly tolerance?: Tolerance })[]
}

const folder = new URL('../cases/ops/', import.meta.url)

/** Asserts that two arrays are equal within the tolerance; numbers that are not finite must be the same. */
export function expectClose(name: string, found: NDArray | undefined, expected: NDArray, tolerance: Tolerance): void {
  expect(found?.shape, `shape of ${name}`).toEqual(expected.shape)
  const numbers = toNumbers(found?.data ?? new Float32Array())
  const wrong = toNumbers(expected.data).flatMap((value, i) => {
    const number = numbers[i] ?? Number.NaN
    const close = Math.abs(number - value) <= tolerance.atol + tolerance.rtol * Math.abs(value)
    return close || Object.is(number, value) ? [] : [`[${i}]: ${number}, expected ${value}`]
  })
  expect(wrong, name).toEqual([])
}

/** One test for each entry of an op case of `test/cases/ops`. */
export function testOpCase(name: string, targets: OpTargets): void {
  const reference = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as OpCase
  const { tensors } = readSafetensors(readFileSync(new URL(`${name}.safetensors`, folder)))
  describe(name, () => {
    test.each(reference.cases.map((entry) => [entry.name, entry] as const))('%s', async (_name, entry) => {
      const target = targets[entry.op]
      if (!target) throw new Error(`no target for ${entry.op}`)
      const found = await runOpEntry(entry, target, tensors)
      for (const output of [...entry.outputs, ...entry.grads]) {
        const expected = tensors.get(output)
        if (!expected) throw new Error(`the case has no tensor ${output}`)
        expectClose(output, found.get(output), expected, entry.tolerance ?? reference.tolerance)
      }
    })
  })
}
