import { expect, test } from 'vitest'
import '../../src/index.ts'
import { ViT, type ViTOptions, vitVariants } from '../../src/models/vit.ts'
import { init, summary } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { expectGradients, expectOutputs, readReference } from './reference.ts'

const sizes = { imageSize: [8, 12], patchSize: 4, width: 12, depth: 2, heads: 3, numClasses: 5 } as const

test.each(['token', 'avg'] as const)(
  "pool %s: timm's state dict loads; outputs and gradients are equal",
  async (pool) => {
    const reference = readReference(`vit-${pool}`)
    const model = new ViT({ ...sizes, pool })
    model.loadStateDict(reference.state)
    await expectOutputs(reference, ['images'], (images = ops.zeros([])) => ({
      tokens: model.tokens(images),
      logits: model.forward(images),
    }))
    await expectGradients(reference, model, ['images'], (images = ops.zeros([])) => model.forward(images))
  },
)

/** timm's `vit_*_patch*_224` with 1000 classes. */
test.each([
  ['Ti/16', 5_717_416],
  ['S/16', 22_050_664],
  ['B/32', 88_224_232],
  ['B/16', 86_567_656],
  ['L/16', 304_326_632],
] as const)('%s has %i parameters', (name, count) => {
  const model = init.skipInit(() => new ViT(vitVariants[name]))
  expect(summary(model, [1, 3, 224, 224]).parameters).toBe(count)
})

test('without a head the representation is the output', () => {
  const model = new ViT({ ...sizes, numClasses: 0 })
  expect(model.forward(ops.zeros([2, 3, 8, 12])).shape).toEqual([2, 12])
})

test('begins with every class equally likely', async () => {
  const logits = new ViT(sizes).forward(ops.ones([1, 3, 8, 12]))
  expect([...(await logits.numbers())]).toEqual([0, 0, 0, 0, 0])
})

test.each<[string, Partial<ViTOptions>, readonly number[]]>([
  ['ViT: pictures of 8x12 pixels cannot be cut into patches of 8x8', { patchSize: 8 }, [1, 3, 8, 12]],
  ['ViT: pictures must have 8x12 pixels, found [1, 3, 12, 12]', {}, [1, 3, 12, 12]],
  ['Attention: the width must be a multiple of the heads, found 12 and 5', { heads: 5 }, [1, 3, 8, 12]],
])('%s', (message, options, shape) => {
  expect(() => new ViT({ ...sizes, ...options }).forward(ops.zeros(shape))).toThrow(
    expect.objectContaining({ message }) as Error,
  )
})
