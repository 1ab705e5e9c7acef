/** Walks the registry of ops: what every op must satisfy, checked on the samples it declares. */
import { describe, expect, test } from 'vitest'
import * as ops from '../../src/ops/kit.ts'
import { ShapeError } from '../../src/util/errors.ts'
import { checkGradients } from '../support/gradients.ts'
import { callConcretely, checkForms } from '../support/samples.ts'

const definitions = Object.values(ops).filter(ops.isOpDefinition)

describe.each(definitions.map((op) => [op.name, op] as const))('%s', (_name, op) => {
  const samples = op.samples()
  const errors = typeof op.errors === 'function' ? op.errors() : []
  test('declares samples and errors', () => {
    expect(samples.length).toBeGreaterThan(0)
    expect(errors.length > 0 || op.errors === 'every tensor is valid').toBe(true)
  })

  test.each(samples.map((sample, i) => [i, sample] as const))(
    'sample %i: shapes, standard export, passes',
    async (i, sample) => {
      await checkForms(sample, i + 1)
    },
  )

  if (op.gradient) {
    test.each(samples.map((sample, i) => [i, sample] as const))('sample %i: gradients', async (i, sample) => {
      await checkGradients(sample, 17 * i + 3)
    })
  }

  test.each(errors.map((sample, i) => [i, sample] as const))('error %i is a ShapeError naming the op', (_i, sample) => {
    expect(() => callConcretely(sample)).toThrow(ShapeError)
  })
})
