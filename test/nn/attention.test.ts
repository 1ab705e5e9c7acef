import { expect, test } from 'vitest'
import '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { select } from '../../src/ops/indexing/selection.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { expectGradients, expectOutputs, readReference } from '../models/reference.ts'

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
