import { expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { SpectralLinear } from '../../src/models/spectral-norm.ts'
import { manualSeed } from '../../src/tensor/random-state.ts'
import { tensor } from '../../src/tensor/tensor.ts'
import { valuesOf } from '../support/values.ts'

test('in training the vectors find the largest singular value, in evaluation they stay', async () => {
  manualSeed(1)
  const layer = new SpectralLinear(2, 2, { bias: false })
  layer.weight_orig.set([3, 0, 0, 1])
  const identity = tensor([
    [1, 0],
    [0, 1],
  ])
  const step = compile(() => layer.forward(identity))
  for (let i = 0; i < 12; i++) await step()
  layer.eval()
  const u = [...layer.weight_u.data]
  const [first = 0, , , last = 0] = await valuesOf(() => layer.forward(identity))
  expect(first).toBeCloseTo(1, 5)
  expect(last).toBeCloseTo(1 / 3, 5)
  expect([...layer.weight_u.data]).toEqual(u)
})
