import { expect, test } from 'vitest'
import '../../src/index.ts'
import { GPT2LMHeadModel, GPT2Model, gpt2LMWeights, gpt2Variants, gpt2Weights } from '../../src/models/gpt2.ts'
import { init, summary } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import type { NDArray } from '../../src/tensor/dtype.ts'
import { manualSeed } from '../../src/tensor/random-state.ts'
import { expectGradients, expectOutputs, readReference } from './reference.ts'

const config = { vocab_size: 19, n_positions: 10, n_embd: 12, n_layer: 2, n_head: 3 }

test("transformers' state dict loads; outputs and gradients are equal, padding left out", async () => {
  const reference = readReference('gpt2')
  const model = new GPT2LMHeadModel(config).eval()
  model.loadStateDict(reference.state)
  const inputs = ['ids', 'mask']
  await expectOutputs(reference, inputs, (ids = ops.zeros([]), mask = ops.zeros([])) => {
    const padding = ops.cast(mask, 'bool')
    return { hidden: model.transformer.forward(ids, { mask: padding }), logits: model.forward(ids, { mask: padding }) }
  })
  await expectGradients(reference, model, inputs, (ids = ops.zeros([]), mask = ops.zeros([])) =>
    model.forward(ids, { mask: ops.cast(mask, 'bool') }),
  )
})

const unscaled = { n_inner: 20, activation_function: 'relu', scale_attn_weights: false } as const
const byLayer = {
  activation_function: 'silu',
  scale_attn_by_inverse_layer_idx: true,
  layer_norm_epsilon: 1e-3,
} as const

test.each([
  ['gpt2-unscaled', unscaled],
  ['gpt2-by-layer', byLayer],
])("%s: transformers' other settings", async (name, settings) => {
  const reference = readReference(name)
  const model = new GPT2Model({ ...config, ...settings }).eval()
  model.loadStateDict(reference.state)
  const forward = (ids = ops.zeros([])) => model.forward(ids)
  await expectOutputs(reference, ['ids'], (ids) => ({ hidden: forward(ids) }))
  await expectGradients(reference, model, ['ids'], forward)
})

test('without causal each token sees those behind it too, and the layers say whom they saw', async () => {
  const model = new GPT2Model(config).eval()
  const ids = ops.reshape(ops.arange(6), [2, 3])
  const ofFirst = async (causal: boolean): Promise<number[]> => {
    const { attentions } = model.outputs(ids, { causal })
    expect(attentions.map(({ shape }) => shape)).toEqual([
      [2, 3, 3, 3],
      [2, 3, 3, 3],
    ])
    return (await attentions[0]?.numbers())?.slice(0, 3) ?? []
  }
  expect(await ofFirst(true)).toEqual([1, 0, 0])
  for (const weight of await ofFirst(false)) expect(weight).toBeCloseTo(1 / 3, 1)
})

test('embeddings may stand in the place of ids', async () => {
  const model = new GPT2Model(config).eval()
  const ids = ops.reshape(ops.arange(6), [2, 3])
  const [byIds, byEmbeddings] = [model.forward(ids), model.forward(model.wte.forward(ids))]
  expect(await byEmbeddings.numbers()).toEqual(await byIds.numbers())
})

/** transformers' counts. */
test.each([
  ['gpt2', 124_439_808],
  ['gpt2-medium', 354_823_168],
] as const)('%s has %i parameters', (name, count) => {
  const model = init.skipInit(() => new GPT2LMHeadModel(gpt2Variants[name]))
  expect(summary(model, { dtype: 'int64', shape: [1, 8] }).parameters).toBe(count)
})

test('published files: the prefix, the head of the language model and constant masks are left out', () => {
  const array: NDArray = { dtype: 'float32', shape: [1], data: new Float32Array(1) }
  const names = ['wte.weight', 'h.0.attn.bias', 'h.0.attn.masked_bias', 'h.0.attn.c_attn.bias', 'ln_f.bias']
  const kept = ['wte.weight', 'h.0.attn.c_attn.bias', 'ln_f.bias']
  expect([...gpt2Weights(new Map(names.map((name) => [name, array]))).keys()]).toEqual(kept)
  const ofLanguageModel = [...names.map((name) => `transformer.${name}`), 'lm_head.weight']
  expect([...gpt2Weights(new Map(ofLanguageModel.map((name) => [name, array]))).keys()]).toEqual(kept)
})

test('published files of a language model load, with a head, without, and with the prefix or not', () => {
  const model = new GPT2LMHeadModel(config)
  const state = model.stateDict()
  const bare = [...state].filter(([name]) => name !== 'lm_head.weight')
  const plain = bare.map(([name, array]) => [name.replace('transformer.', ''), array] as const)
  for (const file of [state, new Map(bare), new Map(plain)]) {
    const other = new GPT2LMHeadModel(config)
    other.loadStateDict(gpt2LMWeights(file))
    expect(other.stateDict()).toEqual(state)
  }
  const shape = [config.vocab_size, config.n_embd]
  const array: NDArray = { dtype: 'float32', shape, data: new Float32Array(config.vocab_size * config.n_embd) }
  expect(() => gpt2LMWeights(new Map([...state, ['lm_head.weight', array]]))).toThrow(
    'GPT2LMHeadModel: the head must be the matrix of the embedding, found another one',
  )
})

test('begins with small weights, the last maps of the branches smaller', () => {
  manualSeed(0)
  const weights = new GPT2Model({ ...config, n_embd: 48, n_layer: 8 }).stateDict()
  const deviation = (name: string): number => {
    const data = weights.get(name)?.data as Float32Array
    return Math.sqrt(data.reduce((sum, value) => sum + value ** 2, 0) / data.length)
  }
  expect(deviation('h.0.attn.c_attn.weight')).toBeCloseTo(0.02, 3)
  expect(deviation('h.0.mlp.c_proj.weight')).toBeCloseTo(0.005, 3)
})

test.each<[string, () => unknown]>([
  ['GPT2: n_embd must be a multiple of n_head, found 12 and 5', () => new GPT2Model({ ...config, n_head: 5 })],
  [
    'LearnedPositions: at most 10 tokens fit, found 11',
    () => new GPT2Model(config).forward(ops.zeros([1, 11], 'int64')),
  ],
  [
    'GPT2: the input must be integers [N, L] or embeddings [N, L, E], found int64[3]',
    () => new GPT2Model(config).forward(ops.zeros([3], 'int64')),
  ],
])('%s', (message, make) => {
  expect(make).toThrow(expect.objectContaining({ message }) as Error)
})
