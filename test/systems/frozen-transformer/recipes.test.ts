import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeSafetensors } from '../../../src/io/safetensors.ts'
import type { Recipe } from '../../../src/systems/define.ts'
import { openBits } from '../../../src/systems/frozen-transformer/bits/data.ts'
import { parseBits } from '../../../src/systems/frozen-transformer/bits/experiment.ts'
import { makeBody } from '../../../src/systems/frozen-transformer/bodies/body.ts'
import type { BodyConfig } from '../../../src/systems/frozen-transformer/config.ts'
import { controlled } from '../../../src/systems/frozen-transformer/controls.ts'
import { shareOnRelevant } from '../../../src/systems/frozen-transformer/explain.ts'
import { bodyOf } from '../../../src/systems/frozen-transformer/official.ts'
import { bitMemoryRecipe, bitXorRecipe } from '../../../src/systems/frozen-transformer/recipes.ts'
import { modelConfig, modelSettings } from '../../../src/systems/frozen-transformer/settings.ts'
import { prepareRun } from '../../../src/systems/session.ts'
import type { OpenedData } from '../../../src/tasks/define.ts'
import type { Experiment } from '../../../src/tasks/experiment.ts'
import { type NDArray, toNumbers } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { FrozenParameters } from '../../../src/train/frozen.ts'
import { configFrom } from '../../../src/train/settings.ts'
import { pytorchCheckpoint } from '../../support/pytorch.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-frozen-'))

const tiny = {
  'model.embedding_size': 16,
  'model.n_layer': 1,
  'model.n_head': 2,
  'model.body_dropout': 0,
  'model.dropout': 0,
  'data.train_examples': 64,
  'data.test_examples': 50,
  'train.batch_size': 16,
  'optimizer.lr': 0.01,
}

function configOf(recipe: Recipe, settings: Record<string, unknown>) {
  const given = Object.entries({ ...tiny, ...settings }).map(([path, value]) => ({ path, value }))
  return configFrom(recipe.config, given)
}

async function open(recipe: Recipe, settings: Record<string, unknown> = {}) {
  const config = configOf(recipe, settings)
  const start = await recipe.start?.(config)
  const data = await recipe.open(config, start ? { start } : {})
  const fitted = start?.fit(config, data.facts)
  const experiment = recipe.build(fitted?.config ?? config, data.facts, { seed: 1 })
  if (fitted) experiment.initialize?.(fitted.weights)
  return { data, experiment, summary: fitted?.summary }
}

async function trainFor(epochs: number, { data, experiment }: { data: OpenedData; experiment: Experiment }) {
  const { task } = experiment.prepare(data)
  for (let epoch = 0; epoch < epochs; epoch++) for await (const batch of task.loader) await task.step(batch)
  return { task, metrics: await experiment.evaluate(data) }
}

describe('training', () => {
  test.each([
    ['gpt2', ['sequence_model.h.0.ln_1.weight', 'sequence_model.wpe.weight', 'in_net.0.weight', 'out_net.0.bias']],
    ['vit', ['vit_pos_embed', 'sequence_model.blocks.0.norm2.bias', 'sequence_model.norm.weight']],
    ['bert', ['sequence_model.embeddings.position_embeddings.weight', 'sequence_model.embeddings.LayerNorm.bias']],
    ['lstm', ['sequence_model.params.0.ln_cell.alpha', 'in_net.0.weight']],
  ])('%s: what is frozen keeps its bits and has no state', async (model_name, learning) => {
    const opened = await open(bitXorRecipe, { 'model.model_name': model_name, 'data.n': 2 })
    const { weights } = opened.experiment
    const frozen = new FrozenParameters(weights)
    const before = new Map([...weights].map(([name, { data }]) => [name, data.slice()]))
    const { task } = await trainFor(1, opened)
    frozen.check()
    expect(frozen.tensors).toBeGreaterThan(3)
    const changed = [...weights].filter(([name, { data }]) => data.some((value, i) => value !== before.get(name)?.[i]))
    for (const [, { frozen: isFrozen }] of changed) expect(isFrozen).toBe(false)
    expect(changed.map(([name]) => name)).toEqual(expect.arrayContaining(learning))
    const states = [...task.variables.keys()].filter((name) => name.startsWith('optimizer.'))
    for (const [name, variable] of weights) {
      if (variable.frozen) expect(states.filter((state) => state.includes(name))).toEqual([])
    }
  })

  test('XOR of single bits is learned by what is around a frozen body', async () => {
    const opened = await open(bitXorRecipe, {
      'data.n': 1,
      'data.train_examples': 512,
      'model.embedding_size': 32,
      'model.initializer_range': 0.1,
      'optimizer.lr': 0.02,
    })
    const { metrics } = await trainFor(2, opened)
    expect(metrics.accuracy).toBe(1)
    expect(metrics.guess_accuracy).toBe(0.5)
  })

  test('bit memory copies the visible bits at least', async () => {
    const settings = { 'data.n': 6, 'data.patch_size': 3, 'data.num_patterns': 2, 'data.train_examples': 512 }
    const { metrics } = await trainFor(4, await open(bitMemoryRecipe, settings))
    expect(metrics.accuracy).toBeGreaterThan(0.7)
    expect(metrics.guess_accuracy).toBeCloseTo(0.75, 1)
  })
})

test('attention is measured on the tokens that an answer depends on', () => {
  const facts = { task: 'bit-xor', n: 2, rows: 2, patch_size: 1, tokens: 4, guess: 0.5 } as const
  const rows = [1, 0, 0, 0, 0.5, 0.5, 0, 0, 0.5, 0.25, 0.25, 0, 0.1, 0.2, 0.3, 0.4]
  const map: NDArray = { dtype: 'float32', shape: [1, 1, 4, 4], data: Float32Array.from(rows) }
  const [share] = shareOnRelevant(map, facts)
  expect(share).toBeCloseTo((0.5 + 0.25 + 0.2 + 0.4) / 2, 6)
})

test('the report says what learns and whom the first layer attends to', async () => {
  const titles = async (...settings: [string, unknown][]) => {
    const { data, experiment } = await open(bitXorRecipe, Object.fromEntries(settings))
    const sections = (await experiment.explain?.(data, [])) ?? []
    return sections.flatMap(({ figures }) => figures.map(({ title }) => title))
  }
  expect(await titles()).toEqual([
    'What learns',
    'Activations',
    'Attention of the first layer',
    'Attention on the bits that matter',
  ])
  expect(await titles(['model.model_name', 'lstm'])).toEqual(['What learns'])
})

describe('data', () => {
  const settings = { n: 4, num_patterns: 2, patch_size: 2, train_examples: 40, test_examples: 10, data_seed: 0 }

  test('examples depend on seed, epoch and number alone', async () => {
    const { train } = openBits('bit-memory', settings)
    const at = async (indices: readonly number[], epoch: number) =>
      toNumbers((await train.batch(indices, { epoch, seed: 5 })).x.data)
    const [both, second] = [await at([3, 7], 0), await at([7], 0)]
    expect(both.slice(both.length / 2)).toEqual(second)
    expect(await at([7], 1)).not.toEqual(second)
  })

  test('strings must be cut evenly', () => {
    expect(() => openBits('bit-xor', { ...settings, n: 2 ** 30 })).toThrow(
      'test examples of 21,474,836,480 bits are more than the 33,554,432 that can be held',
    )
    expect(() => openBits('bit-xor', { ...settings, n: 5 })).toThrow(
      'data.n must be a multiple of data.patch_size, found 5 and 2',
    )
  })

  test('bits as one writes them', () => {
    const { facts } = openBits('bit-memory', settings)
    expect([...parseBits('0110 1111 01??', facts)]).toEqual([-1, 1, 1, -1, 1, 1, 1, 1, -1, 1, 0, 0])
    expect(() => parseBits('0110 1111', facts)).toThrow(
      'an example has 3 strings of 4 bits with a space between, found 2',
    )
    expect(() => parseBits('0110 1111 011', facts)).toThrow(
      'an example has 3 strings of 4 bits with a space between, found one of 3',
    )
    expect(() => parseBits('0110 1211 01??', facts)).toThrow('a bit is written 0, 1, ?, found "2"')
  })
})

function stateOf(config: BodyConfig): Map<string, NDArray> {
  manualSeed(4)
  return makeBody(config, 0).model.stateDict()
}

const gpt2 = { kind: 'gpt2', n_embd: 16, n_layer: 2, n_head: 4, n_positions: 12, vocab_size: 7 } as const
const prefixed = (prefix: string, state: ReadonlyMap<string, NDArray>) =>
  new Map([...state].map(([name, array]) => [`${prefix}${name}`, array]))

describe('bodies from files', () => {
  const mask: NDArray = { dtype: 'float32', shape: [1, 1, 12, 12], data: new Float32Array(144) }

  test.each([
    ['a GPT-2 without a head', ''],
    ['a language model', 'transformer.'],
    ['the official code', 'model.sequence_model.'],
  ])('%s', (_name, prefix) => {
    const state = stateOf(gpt2)
    const head = { 'lm_head.weight': state.get('wte.weight') ?? mask, 'optim.state': mask }
    const file = new Map([
      ...prefixed(prefix, state),
      [`${prefix}h.0.attn.bias`, mask],
      ...(prefix ? Object.entries(head) : []),
    ])
    const { config, weights } = bodyOf(file, 4)
    expect(config).toEqual({ ...gpt2, n_inner: 64 })
    expect([...weights.keys()].sort()).toEqual([...state.keys()].sort())
  })

  test('a BERT', () => {
    const bert = { kind: 'bert', hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2 } as const
    const sizes = { vocab_size: 5, max_position_embeddings: 9, type_vocab_size: 2, intermediate_size: 24 }
    const state = stateOf({ ...bert, ...sizes })
    const file = new Map([...prefixed('bert.', state), ['bert.pooler.dense.weight', mask], ['cls.seq', mask]])
    const { config, weights } = bodyOf(file, 2)
    expect(config).toEqual({ ...bert, ...sizes })
    expect([...weights.keys()].sort()).toEqual([...state.keys()].sort())
  })

  test('a ViT and an LSTM', () => {
    const vit = { kind: 'vit', embed_dim: 64, depth: 2, num_heads: 1, mlp_ratio: 2, qkv_bias: false } as const
    const found = bodyOf(stateOf({ ...vit, img_size: 8, patch_size: 4, num_classes: 3 }))
    expect(found.config).toMatchObject(vit)
    expect([...found.weights.keys()].filter((name) => !/^(blocks|norm)\./.test(name))).toEqual([])
    const lstm = { kind: 'lstm', hidden_size: 6, num_layers: 2 } as const
    expect(bodyOf(prefixed('sequence_model.', stateOf(lstm))).config).toEqual(lstm)
  })

  test('something must learn, and heads must divide the width', () => {
    const task = { input_dim: 2, output_dim: 2, tokens: 4 }
    const of = (settings: object) => () => modelConfig(modelSettings.parse(settings), task)
    const frozen = { freeze_ln: true, freeze_pos: true, freeze_in: true, freeze_out: true }
    expect(of(frozen)).toThrow('nothing would learn: all of model.freeze_... are true')
    expect(of({ ...frozen, freeze_trans: false })).not.toThrow()
    expect(of({ model_name: 'lstm', embedding_size: 66, n_head: 4 })).not.toThrow()
    expect(of({ embedding_size: 64, n_head: 3 })).toThrow(
      'model.embedding_size must be a multiple of model.n_head, found 64 and 3',
    )
  })

  test('what does not fit is one line', () => {
    const state = stateOf(gpt2)
    expect(() => bodyOf(new Map([['weight', mask]]))).toThrow('has no body of a known kind')
    expect(() => bodyOf(state)).toThrow('a width of 16 is no multiple of 64, so its heads are not known')
    expect(() => bodyOf(state, 3)).toThrow('its width must be a multiple of the heads, found 16 and 3')
    const short = new Map([...state].filter(([name]) => name !== 'h.1.ln_2.bias'))
    expect(() => bodyOf(short, 4)).toThrow('is not a complete body: "h.1.ln_2.bias" is missing')
    expect(() => bodyOf(new Map([...state, ['h.0.adapter', mask]]), 4)).toThrow(
      'has a tensor that no gpt2 has: "h.0.adapter"',
    )
    expect(() => bodyOf(new Map([...state, ['h.1.ln_1.bias', mask]]), 4)).toThrow(
      'is not a body of one size: GPT2Model: the state dict does not fit: of another shape h.1.ln_1.bias (float32[16], found float32[1, 1, 12, 12])',
    )
  })

  test('a recipe takes sizes and weights from the file, and freezes them', async () => {
    const state = stateOf(gpt2)
    const path = join(folder, 'gpt2.bin')
    writeFileSync(path, pytorchCheckpoint(prefixed('transformer.', state)))
    const { experiment, summary } = await open(bitXorRecipe, {
      'pretrained.checkpoint': path,
      'pretrained.heads': 4,
    })
    expect(summary).toBe(`body of ${path}: gpt2, 2 layers of width 16`)
    for (const [name, { data }] of state) expect(experiment.weights.get(`sequence_model.${name}`)?.data).toEqual(data)
    await expect(open(bitMemoryRecipe, { 'pretrained.checkpoint': path, 'pretrained.heads': 4 })).rejects.toThrow(
      `${path}: has positions for 12 tokens, but the task has 16`,
    )
    await expect(open(bitXorRecipe, { 'pretrained.weights': 'shuffled' })).rejects.toThrow(
      'pretrained.weights=shuffled needs weights',
    )
    await expect(open(bitXorRecipe, { 'pretrained.heads': 3 })).rejects.toThrow('pretrained.heads=3 needs a file')
    const [[first, values] = ['', mask] as const] = state
    const spoiled = new Map(state).set(first, {
      ...values,
      data: new Float32Array(values.data.length).fill(Number.NaN),
    })
    writeFileSync(path, pytorchCheckpoint(prefixed('transformer.', spoiled)))
    const given = { 'pretrained.checkpoint': path, 'pretrained.heads': 4 }
    await expect(prepareRun(bitXorRecipe, configOf(bitXorRecipe, given), { seed: 1 }, () => {})).rejects.toThrow(
      `model.n_layer=1 contradicts the weights to start from, which have 2 (body of ${path}: gpt2, 2 layers of width 16)`,
    )
    const config = configOf(bitXorRecipe, { ...given, 'model.n_layer': 2, 'model.n_head': 4 })
    await expect(prepareRun(bitXorRecipe, config, { seed: 1 }, () => {})).rejects.toThrow(
      `sequence_model.${first} of the weights to start from has NaN (body of ${path}`,
    )
    const other = join(folder, 'other.safetensors')
    writeFileSync(other, writeSafetensors(new Map([['weight', mask]])))
    await expect(open(bitXorRecipe, { 'pretrained.checkpoint': other })).rejects.toThrow(
      `${other}: has no body of a known kind`,
    )
  })

  test('controls keep the statistics of each tensor, or its entries', () => {
    const weights = new Map([...stateOf({ ...gpt2, n_embd: 64 })].filter(([name]) => name === 'h.0.mlp.c_fc.weight'))
    const [given] = [...weights.values()].map(({ data }) => toNumbers(data))
    const valuesOf = (control: 'statistics' | 'shuffled') =>
      [...controlled(weights, control, 1).values()].map(({ data }) => toNumbers(data))[0] ?? []
    const sorted = (values: readonly number[] = []) => [...values].sort((a, b) => a - b)
    expect(valuesOf('shuffled')).not.toEqual(given)
    expect(sorted(valuesOf('shuffled'))).toEqual(sorted(given))
    const deviation = (values: readonly number[] = []) =>
      Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length)
    expect(deviation(valuesOf('statistics')) / deviation(given)).toBeCloseTo(1, 1)
    expect(sorted(valuesOf('statistics'))).not.toEqual(sorted(given))
  })
})
