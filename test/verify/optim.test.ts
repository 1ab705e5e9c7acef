import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readSafetensors } from '../../src/io/safetensors.ts'
import { type OptimEntry, optimTargets } from '../../src/verify/targets/optim.ts'
import { expectClose, type Tolerance } from '../support/reference.ts'

interface OptimCase {
  readonly tolerance: Tolerance
  readonly cases: readonly OptimEntry[]
}

const folder = new URL('../cases/optim/', import.meta.url)

describe.each(['optimizers', 'clipping', 'schedules', 'ema'])('%s', (name) => {
  const reference = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as OptimCase
  const { tensors } = readSafetensors(readFileSync(new URL(`${name}.safetensors`, folder)))
  test.each(reference.cases.map((entry) => [entry.name, entry] as const))('%s', async (_name, entry) => {
    const found = await optimTargets[entry.op]?.(entry, tensors)
    expect([...(found?.keys() ?? [])]).toEqual(entry.outputs)
    for (const output of entry.outputs) {
      const expected = tensors.get(output)
      if (!expected) throw new Error(`the case has no tensor ${output}`)
      expectClose(output, found?.get(output), expected, reference.tolerance)
    }
  })
})
