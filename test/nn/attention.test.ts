import { describe, expect, test } from 'vitest'
import '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { select } from '../../src/ops/indexing/selection.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { expectGradients, expectOutputs, readReference } from '../models/reference.ts'
import { expectEqual, random } from '../support/tensors.ts'

const inputs = ['query', 'key', 'value', 'mask', 'padding']

test.each([
  ['multihead', {}],
  ['multihead-widths', { kdim: 8, vdim: 6, addBiasKv: true, addZeroAttn: true }],
] as const)("%s: PyTorch's state dict loads, and its outputs and gradients are ours", async (name, options) => {
  const reference = readReference(name)
  const layer = new nn.MultiheadAttention(12, 3, options)
  layer.loadStateDict(reference.state)
  // A mask for each head, [N heads, L, S], and one of the keys that is added.
  const attend = (query: Tensor, key: Tensor, value: Tensor, mask: Tensor, padding: Tensor): ops.Attention =>
    layer.forward(query, key, value, { attnMask: ops.cast(mask, 'bool'), keyPaddingMask: padding })
  await expectOutputs(reference, inputs, (...given) => {
    const [query, key, value, mask, padding] = given as [Tensor, Tensor, Tensor, Tensor, Tensor]
    const first = (x: Tensor): Tensor => select(x, 0, 0)
    const attnMask = ops.slice(ops.cast(mask, 'bool'), [0, 3], 0)
    const alone = layer.forward(first(query), first(key), first(value), { attnMask, keyPaddingMask: first(padding) })
    return { ...attend(query, key, value, mask, padding), alone: alone.output }
  })
  await expectGradients(reference, layer, inputs, (...given) => {
    return attend(...(given as [Tensor, Tensor, Tensor, Tensor, Tensor])).output
  })
})

test('parameters begin as in PyTorch', () => {
  const layer = new nn.MultiheadAttention(64, 4, { addBiasKv: true })
  expect([...layer.stateDict().keys()]).toEqual([
    ...['in_proj_weight', 'in_proj_bias', 'bias_k', 'bias_v', 'out_proj.weight', 'out_proj.bias'],
  ])
  const data = layer.bias_k?.data as Float32Array
  const deviation = Math.sqrt(data.reduce((sum, value) => sum + value ** 2, 0) / data.length)
  // xavier_normal_ of [1, 1, 64]: sqrt(2 / 128).
  expect(deviation).toBeGreaterThan(0.08)
  expect(deviation).toBeLessThan(0.18)
  expect(() => new nn.MultiheadAttention(4, 2, { addZeroAttn: 1 as unknown as boolean })).toThrow(
    'MultiheadAttention: addZeroAttn must be true or false, found 1',
  )
})

describe('MultiheadAttention', () => {
  const [query, key, value] = [random([2, 3, 4], 2), random([2, 5, 4], 3), random([2, 5, 4], 4)]

  test('separate projections compute what the joint one does', async () => {
    const joint = new nn.MultiheadAttention(4, 2)
    const separate = new nn.MultiheadAttention(4, 2, { kdim: 3 })
    const parts = Array.from({ length: 3 }, (_, i) => joint.in_proj_weight?.data.slice(16 * i, 16 * i + 16))
    separate.q_proj_weight?.set(parts[0] ?? [])
    separate.v_proj_weight?.set(parts[2] ?? [])
    // A key that is projected through three of its four inputs: the fourth one's weights are 0.
    const narrow = Array.from(parts[1] ?? [], Number)
    separate.k_proj_weight?.set(narrow.filter((_, i) => i % 4 < 3))
    joint.in_proj_weight?.set([
      ...Array.from(parts[0] ?? [], Number),
      ...narrow.map((weight, i) => (i % 4 < 3 ? weight : 0)),
      ...Array.from(parts[2] ?? [], Number),
    ])
    const bias = random([12], 9)
    for (const layer of [joint, separate]) layer.in_proj_bias?.set(bias.array.data)
    separate.out_proj.loadStateDict(joint.out_proj.stateDict())
    const thin = ops.slice(key, [0, 3], 2)
    await expectEqual(separate.forward(query, thin, value).output, joint.forward(query, key, value).output)
  })

  test('in bool masks true is ignored', async () => {
    const layer = new nn.MultiheadAttention(4, 2)
    const keyPaddingMask = tensor(
      [
        [0, 0, 1, 1, 1],
        [0, 1, 1, 1, 1],
      ],
      'bool',
    )
    const attnMask = tensor(
      [
        [1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
      ],
      'bool',
    )
    const { weights } = layer.forward(query, key, value, { keyPaddingMask, attnMask })
    expect(weights.shape).toEqual([2, 2, 3, 5])
    const numbers = await weights.numbers()
    // Example 0: query 0 is left with key 1; example 1, query 1: with key 0.
    expect(numbers.slice(0, 5)).toEqual([0, 1, 0, 0, 0])
    expect(numbers.slice(35, 40)).toEqual([1, 0, 0, 0, 0])
    const padding = await layer.forward(query, key, value, { keyPaddingMask }).weights.numbers()
    expect(padding.slice(2, 5)).toEqual([0, 0, 0])
    const added = ops.where(attnMask, -50, 0)
    const both = await layer.forward(query, key, value, { keyPaddingMask, attnMask: added }).weights.numbers()
    expect(both[1]).toBeCloseTo(1, 5)
  })

  test('heads divide the width', () => {
    expect(() => new nn.MultiheadAttention(4, 3)).toThrow(
      'MultiheadAttention: embedDim must be a multiple of numHeads, found 4 and 3',
    )
  })
})
