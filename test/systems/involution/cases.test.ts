import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { involution } from '../../../src/systems/involution/index.ts'
import { type CaseResult, verify } from '../../../src/verify/run.ts'

const folder = new URL('../../cases/involution/', import.meta.url).pathname

test.each(readdirSync(folder).filter((file) => file.endsWith('.json')))('%s', async (file) => {
  const results: CaseResult[] = []
  for await (const result of verify([`${folder}${file}`], involution.targets ?? [])) results.push(result)
  expect(results).toHaveLength(1)
  expect(results[0]?.problem).toBeUndefined()
  expect(results[0]).toMatchObject({ passed: true })
  expect(results[0]?.tensors).toBeGreaterThan(2)
})
