import { expect, test } from 'vitest'
import { BertModel, bertVariants } from '../../src/models/bert.ts'
import { init, summary } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { expectGradients, expectOutputs, readReference } from './reference.ts'

const config = {
  vocab_size: 19,
  hidden_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 20,
  max_position_embeddings: 9,
}

test("transformers' state dict loads; outputs and gradients are equal, with padding and two segments", async () => {
  const reference = readReference('bert')
  const model = new BertModel(config).eval()
  model.loadStateDict(reference.state)
  const outputs = (ids: Tensor, mask: Tensor, types: Tensor) =>
    model.outputs(ids, { mask: ops.cast(mask, 'bool'), types })
  const none = ops.zeros([])
  const inputs = ['ids', 'mask', 'types']
  await expectOutputs(reference, inputs, (ids = none, mask = none, types = none) => {
    const { hidden, attentions } = outputs(ids, mask, types)
    return { hidden, 'attention.0': attentions[0] ?? none }
  })
  await expectGradients(
    reference,
    model,
    inputs,
    (ids = none, mask = none, types = none) => outputs(ids, mask, types).hidden,
  )
})

test('embeddings may stand in the place of ids', async () => {
  const model = new BertModel(config).eval()
  const ids = ops.reshape(ops.arange(6), [2, 3])
  const words = model.embeddings.word_embeddings.forward(ids)
  expect(await model.forward(words).numbers()).toEqual(await model.forward(ids).numbers())
})

/** transformers' counts without the pooler. */
test.each([
  ['bert-base', 108_891_648],
  ['bert-large', 334_092_288],
] as const)('%s has %i parameters', (name, count) => {
  const model = init.skipInit(() => new BertModel(bertVariants[name]))
  expect(summary(model, { dtype: 'int64', shape: [1, 8] }).parameters).toBe(count)
})

test.each<[string, () => unknown]>([
  [
    'Bert: hidden_size must be a multiple of num_attention_heads, found 12 and 5',
    () => new BertModel({ ...config, num_attention_heads: 5 }),
  ],
  [
    'Bert: the input must be integers [N, L] or embeddings [N, L, H], found float32[2, 3]',
    () => new BertModel(config).forward(ops.zeros([2, 3])),
  ],
])('%s', (message, act) => expect(act).toThrow(message))
