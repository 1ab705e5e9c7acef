/** Walks the functions made of ops: the tables of `composites/` hold their samples, by function. */
import { describe, expect, test } from 'vitest'
import * as ops from '../../src/ops/kit.ts'
import { tables, tools } from '../support/composites.ts'
import { checkGradients } from '../support/gradients.ts'
import { callConcretely, checkForms } from '../support/samples.ts'

test('every exported function is an op or has samples', () => {
  const sampled = new Set([...tables.values()].flatMap(({ samples }) => Object.keys(samples)))
  const missing = Object.entries(ops).flatMap(([name, value]) => {
    const isCovered = sampled.has(name) || tools.has(name) || `${name}Op` in ops
    return typeof value === 'function' && !isCovered ? [name] : []
  })
  expect(missing).toEqual([])
})

describe.each([...tables])('%s', (_family, table) => {
  describe.each(Object.entries(table.samples))('%s', (name, samples) => {
    test('is exported', () => {
      expect(ops).toHaveProperty(name)
    })
    test.each(samples.map((sample, i) => [i, sample] as const))('sample %i', async (i, sample) => {
      await checkForms(sample, i + 1)
      await checkGradients(sample, 17 * i + 3)
    })
  })
  test.each(Object.entries(table.errors ?? {}))('%s', (message, sample) => {
    expect(() => callConcretely(sample)).toThrow(message)
  })
})
