import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { selfSupervised } from '../../../src/systems/self-supervised/index.ts'
import { type CaseResult, verify } from '../../../src/verify/run.ts'

const folder = new URL('../../cases/self-supervised/', import.meta.url)
const cases = readdirSync(folder).filter((name) => name.endsWith('.json'))

describe('agrees with the official implementations', () => {
  test.each(cases)('%s', async (name) => {
    const results: CaseResult[] = []
    for await (const result of verify([new URL(name, folder).pathname], selfSupervised.targets ?? []))
      results.push(result)
    expect(results).toHaveLength(1)
    expect(results[0]).toMatchObject({ passed: true, tensors: expect.any(Number) })
    expect(results[0]?.tensors).toBeGreaterThan(0)
  })
})
