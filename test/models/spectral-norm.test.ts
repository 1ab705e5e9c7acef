import { expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { SpectralConv2d, SpectralLinear } from '../../src/models/spectral-norm.ts'
import * as ops from '../../src/ops/index.ts'
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

test('a convolution keeps height and width by default, takes the options of Conv2d, and refuses what is none', async () => {
  manualSeed(1)
  const shapeOf = async (...given: ConstructorParameters<typeof SpectralConv2d>) => {
    const layer = new SpectralConv2d(...given)
    return (await compile(() => layer.forward(ops.ones([1, 4, 5, 7])))()).shape
  }
  expect(await shapeOf(4, 6, [2, 3])).toEqual([1, 6, 5, 7])
  expect(await shapeOf(4, 6, [3, 1], { stride: [2, 1], padding: [1, 0], groups: 2 })).toEqual([1, 6, 3, 7])
  expect(() => new SpectralConv2d(4, 6, 3, { groups: 4 })).toThrow(
    'SpectralConv2d: channels must be multiples of groups = 4, found 4 in, 6 out',
  )
  expect(() => new SpectralConv2d(4, 6, [3, 1, 1])).toThrow('SpectralConv2d: kernelSize must')
})
