import { expect, test } from 'vitest'
import { activate } from '../../src/nn/activation-names.ts'
import { valuesOf } from '../support/values.ts'

// transformers 5.23.0, ACT2FN, at -1.5, 0.5 and 20.
test.each([
  ['gelu_10', [-0.10021086, 0.345731229, 10]],
  ['gelu_python_tanh', [-0.100428432, 0.345714003, 20]],
  ['laplace', [0, 0.231421143, 1]],
  ['sqrtsoftplus', [0.448790908, 0.986953378, 4.47213602]],
] as const)('%s', async (name, expected) => {
  const found = await valuesOf((x) => activate(name, x), [-1.5, 0.5, 20])
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 5)
})
