import { expect, test } from 'vitest'
import { init, summary } from '../../../src/nn/index.ts'
import { architectures, type FNetConfig } from '../../../src/systems/fnet/config.ts'
import { FNetEncoder, FNetForPreTraining, FNetForSequenceClassification } from '../../../src/systems/fnet/model.ts'
import {
  fromFlax,
  fromOfficial,
  fromTransformers,
  loadOfficial,
  toBertName,
  toFlax,
} from '../../../src/systems/fnet/official.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'

const config: FNetConfig = {
  model_arch: 'f_net',
  vocab_size: 20,
  max_seq_length: 8,
  type_vocab_size: 2,
  pad_token_id: 3,
  d_emb: 6,
  d_model: 12,
  d_ff: 10,
  num_layers: 2,
  num_heads: 3,
  num_attention_layers: 1,
  attention_layout: 'top',
  dropout_rate: 0,
  mixing_dropout_rate: 0,
}

test.each(architectures)('a %s checkpoint goes to flax names and back', (model_arch) => {
  manualSeed(1)
  const own = new FNetForPreTraining({ ...config, model_arch })
  const flax = toFlax(own.stateDict(), { heads: config.num_heads, random: model_arch === 'random' })
  expect(fromFlax(flax)).toEqual(own.stateDict())
  expect(flax.get('encoder/self_attention_1/query/kernel')?.shape).toEqual([12, 3, 4])
  manualSeed(2)
  const other = new FNetForPreTraining({ ...config, model_arch })
  loadOfficial(other, flax)
  expect(other.stateDict()).toEqual(own.stateDict())
})

test("random mixing's matrices come from the seed, so that a checkpoint without them loads", () => {
  const random = { ...config, model_arch: 'random' as const, num_attention_layers: 0 }
  const [own, other] = [new FNetForPreTraining(random), new FNetForPreTraining(random)]
  const state = new Map([...own.stateDict()].filter(([name]) => !name.endsWith('_kernel')))
  loadOfficial(other, state)
  expect(other.stateDict()).toEqual(own.stateDict())
  const seeded = new FNetForPreTraining({ ...random, random_seed: 1 })
  const name = 'fnet.encoder.layer.0.fourier.self.seq_kernel'
  expect(seeded.stateDict().get(name)).not.toEqual(own.stateDict().get(name))
})

test("the classifier of fine-tuning has the name of pre-training's next sentence", () => {
  const state = toFlax(new FNetForSequenceClassification(config, 4).stateDict(), { heads: 3 })
  expect(state.get('classification/output_kernel')?.shape).toEqual([4, 12])
  expect([...fromFlax(state).keys()]).toContain('classifier.weight')
})

test("transformers' names: BERT's attention, tied and constant tensors", () => {
  const array = { dtype: 'float32', shape: [1], data: new Float32Array(1) } as const
  const bert = 'bert.encoder.layer.3.attention.output.LayerNorm.weight'
  const state = new Map(
    [bert, 'cls.predictions.decoder.weight', 'fnet.embeddings.position_ids'].map((name) => [name, array]),
  )
  const [ours = ''] = fromTransformers(state).keys()
  expect([...fromOfficial(state).keys()]).toEqual(['fnet.encoder.layer.3.fourier.output.LayerNorm.weight'])
  expect(toBertName(ours)).toBe(bert)
})

test('a last matrix of its own is kept where the model has one', () => {
  const port = { tie_word_embeddings: false } as const
  const model = new FNetForPreTraining({ ...config, port })
  const state = model.stateDict()
  expect(state.get('cls.predictions.decoder.weight')?.shape).toEqual([config.vocab_size, config.d_emb])
  const other = new FNetForPreTraining({ ...config, port })
  loadOfficial(other, state)
  expect(other.stateDict()).toEqual(state)
  expect(() => loadOfficial(new FNetForPreTraining(config), state)).toThrow('they are tied')
})

test('an unknown tensor is named, with the nearest known name', () => {
  const array = { dtype: 'float32', shape: [1], data: new Float32Array(1) } as const
  expect(() => fromFlax(new Map([['embedder/words/embedding', array]]))).toThrowErrorMatchingInlineSnapshot(
    `[FormatError: FNet checkpoint: unknown tensor "embedder/words/embedding"]`,
  )
})

test('BERT-base has as many parameters as the published one', () => {
  const sizes = { vocab_size: 30_522, max_seq_length: 512, d_emb: 768, d_model: 768, d_ff: 3072, num_layers: 12 }
  const port = { embedding_projection: false } as const
  const model = init.skipInit(() => {
    return new FNetEncoder({ ...config, ...sizes, model_arch: 'bert', num_heads: 12, num_attention_layers: 0, port })
  })
  const ids = { dtype: 'int64', shape: [1, 8] } as const
  expect(summary(model, ids, ids).parameters).toBe(109_482_240)
})
