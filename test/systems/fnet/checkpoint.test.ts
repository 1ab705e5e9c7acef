/** Small random checkpoints in the layouts of the official code and of transformers begin the training of FNet's recipes. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { readTokenizer, trainTokenizer } from '../../../src/data/index.ts'
import { writeNpz } from '../../../src/io/npz.ts'
import { writeSafetensors } from '../../../src/io/safetensors.ts'
import type { Recipe } from '../../../src/systems/define.ts'
import type { FNetConfig } from '../../../src/systems/fnet/config.ts'
import { FNetForPreTraining } from '../../../src/systems/fnet/model.ts'
import { toBertName, toFlax } from '../../../src/systems/fnet/official.ts'
import { classify, pretrain } from '../../../src/systems/fnet/recipes.ts'
import { type NDArray, toNumbers } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { configFrom } from '../../../src/train/settings.ts'
import { told } from '../../data/support.ts'
import { predictionsOf } from '../../support/predictions.ts'
import { pytorchCheckpoint } from '../../support/pytorch.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-fnet-checkpoint-'))

function write(name: string, content: Uint8Array | string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const sentences = Array.from({ length: 200 }, (_, i) => `the ${['cat', 'dog', 'whale'][i % 3]} came ${i % 7} times.`)
const text = write('text.txt', sentences.join('\n'))
const csv = write('rows.csv', ['label,text', ...sentences.map((row, i) => `${i % 2 ? 'a' : 'b'},${row}`)].join('\n'))

const sizes: FNetConfig = {
  model_arch: 'f_net',
  vocab_size: 130,
  max_seq_length: 16,
  type_vocab_size: 4,
  pad_token_id: 3,
  d_emb: 6,
  d_model: 12,
  d_ff: 10,
  num_layers: 3,
  num_heads: 3,
  num_attention_layers: 0,
  attention_layout: 'top',
  dropout_rate: 0,
  mixing_dropout_rate: 0,
}

type State = ReadonlyMap<string, NDArray>

function weightsOf(changes: Partial<FNetConfig> = {}): State {
  manualSeed(5)
  return new FNetForPreTraining({ ...sizes, ...changes }).stateDict()
}

const ours = weightsOf()
const flax = toFlax(ours, { heads: 3 })
const renamed = (tensors: State, change: (name: string) => string | undefined): State =>
  new Map(
    [...tensors].flatMap(([name, array]) => {
      const changed = change(name)
      return changed === undefined ? [] : [[changed, array] as const]
    }),
  )
/** As transformers saves it: the tied matrix too. */
const transformers = new Map([
  ...ours,
  ['cls.predictions.decoder.weight', ours.get('fnet.embeddings.word_embeddings.weight') as NDArray],
])
const npz = (name: string, state: State) => write(name, writeNpz(state))
const safetensors = (name: string, state: State) => write(name, writeSafetensors(state))

const files = {
  'official .npz': npz('official.npz', flax),
  'official, a training state': npz(
    'state.npz',
    renamed(flax, (name) => `target/${name}`),
  ),
  'transformers .safetensors': safetensors('hf.safetensors', transformers),
  'transformers .bin': write('hf.bin', pytorchCheckpoint(transformers)),
  'of a run of tenfold': safetensors(
    'ours.safetensors',
    renamed(ours, (name) => `model.${name}`),
  ),
}

let tokenizer = ''
beforeAll(async () => {
  const learned = trainTokenizer(sentences, { kind: 'wordpiece', size: 100, lowercase: true })
  tokenizer = write('tokenizer.json', JSON.stringify((await learned).file))
})

/** An experiment of a recipe begun from a checkpoint, as the command line does it. */
async function begin(recipe: Recipe, settings: Record<string, unknown>) {
  const all = { 'tokenizer.file': tokenizer, 'train.batch_size': 8, 'train.epochs': 1, ...settings }
  const source = recipe === pretrain ? { 'data.folder': text } : { 'data.file': csv }
  const chosen = configFrom(
    recipe.config,
    Object.entries({ ...source, ...all }).map(([path, value]) => ({ path, value })),
  )
  const start = await recipe.start?.(chosen)
  const data = await recipe.open(chosen, start ? { start } : {})
  const pretrained = start?.fit(chosen, data.facts)
  const config = pretrained?.config ?? chosen
  const experiment = recipe.build(config, data.facts, { seed: 1 })
  experiment.initialize?.(pretrained?.weights ?? new Map())
  return { config, data, experiment, summary: pretrained?.summary }
}

describe('pre-training goes on from a checkpoint', () => {
  test.each(Object.entries(files))('%s', async (_, path) => {
    const { config, data, experiment, summary } = await begin(pretrain, { 'model.checkpoint': path })
    expect(config).toMatchObject({
      model: { model_arch: 'f_net', num_layers: 3, d_emb: 6, d_model: 12, d_ff: 10, type_vocab_size: 4 },
      data: { max_seq_length: 16 },
    })
    expect(data.facts).toMatchObject({ vocab_size: 130, max_seq_length: 16 })
    for (const [name, variable] of experiment.weights)
      expect([name, variable.data]).toEqual([name, ours.get(name)?.data])
    expect(summary).toMatch(/^weights of .*: f_net, 3 layers of width 12, 130 tokens, texts padded to 16$/)
  })

  test('the words for [MASK] are those of the model that was saved', async () => {
    const { experiment } = await begin(pretrain, { 'model.checkpoint': files['official .npz'] })
    const [prediction] = await predictionsOf(pretrain, experiment, ['the [MASK] came'])
    const words = await readTokenizer(tokenizer)
    const ids = words.specialIds()
    const tokens = [ids.cls, ...words.encode('the [MASK] came'), ids.sep]
    const inputs = Int32Array.from({ length: 16 }, (_, i) => tokens[i] ?? ids.pad)
    const own = new FNetForPreTraining(sizes).eval()
    own.loadStateDict(ours)
    const run = compile((input: Tensor, types: Tensor) => own.forward(input, types).maskedLmLogits)
    const row = (data: Int32Array<ArrayBuffer>) => ({ dtype: 'int32', shape: [1, 16], data }) as const
    const logits = toNumbers((await run(row(inputs), row(new Int32Array(16)))).array.data).slice(2 * 130, 3 * 130)
    await run.release()
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0)
    const best = Math.max(...logits.slice(0, words.size))
    expect(prediction?.choices[0]?.label).toBe(words.token(logits.indexOf(best)))
    expect(prediction?.choices[0]?.probability).toBeCloseTo(Math.exp(best) / total, 5)
  })

  test('an encoder alone gets new heads', async () => {
    const encoder = renamed(ours, (name) => /^fnet\.(.*)/.exec(name)?.[1])
    const official = renamed(flax, (name) => /^encoder\/(.*)/.exec(name)?.[1])
    for (const path of [safetensors('encoder.safetensors', encoder), npz('encoder.npz', official)]) {
      const { experiment } = await begin(pretrain, { 'model.checkpoint': path })
      for (const [name, variable] of experiment.weights) {
        if (name.startsWith('fnet.')) expect([name, variable.data]).toEqual([name, ours.get(name)?.data])
      }
      expect(experiment.weights.get('cls.predictions.transform.dense.weight')?.data).not.toEqual(
        ours.get('cls.predictions.transform.dense.weight')?.data,
      )
    }
  })
})

describe('classification', () => {
  test('takes the encoder, and learns', async () => {
    const { config, data, experiment } = await begin(classify, {
      'model.checkpoint': files['transformers .safetensors'],
    })
    expect(config.model).toMatchObject({ d_model: 12, dropout_rate: 0.1 })
    const pooler = 'fnet.pooler.dense.weight'
    expect(experiment.weights.get(pooler)?.data).toEqual(ours.get(pooler)?.data)
    const { task } = experiment.prepare(data)
    for await (const batch of task.loader) await task.step(batch)
    expect(experiment.weights.get(pooler)?.data).not.toEqual(ours.get(pooler)?.data)
  })

  test.each([
    [{ model_arch: 'bert' }, {}],
    [{ model_arch: 'linear' }, {}],
    [{ num_attention_layers: 2 }, {}],
    [{ num_attention_layers: 1, attention_layout: 'bottom' }, {}],
    [{ model_arch: 'ff_only' }, { 'model.model_arch': 'ff_only' }],
    [
      { model_arch: 'random', random_seed: 3 },
      { 'model.model_arch': 'random', 'model.random_seed': 3 },
    ],
  ] as const)('of %j, told by its tensors', async (arch, settings) => {
    const state = weightsOf(arch)
    // The official file of `random` is without its matrices.
    const saved = 'random_seed' in arch ? renamed(state, (name) => (/_kernel$/.test(name) ? undefined : name)) : state
    const path = npz('arch.npz', toFlax(saved, { heads: 3 }))
    const { config, experiment } = await begin(classify, { 'model.checkpoint': path, ...settings })
    expect(config.model).toMatchObject(arch)
    if ('num_attention_layers' in arch || arch.model_arch === 'bert')
      expect(config.model).toMatchObject({ num_heads: 3 })
    for (const [name, variable] of experiment.weights) {
      if (name.startsWith('fnet.')) expect([name, variable.data]).toEqual([name, state.get(name)?.data])
    }
  })
})

const vector = (...values: number[]): NDArray => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
})

describe('a wrong file is one clear line', () => {
  const without = (part: string) => renamed(ours, (name) => (name.includes(part) ? undefined : name))
  const bert = renamed(weightsOf({ model_arch: 'bert' }), toBertName)
  test.each([
    ['none', () => join(folder, 'nowhere.npz'), {}],
    ['text', () => text, {}],
    ['other', () => npz('other.npz', new Map([['stem/kernel', ours.get('cls.predictions.bias') as NDArray]])), {}],
    ['incomplete', () => safetensors('less.safetensors', without('encoder.layer.1.output.dense.bias')), {}],
    ['no projection', () => safetensors('flat.safetensors', without('projection')), {}],
    [
      'unknown',
      () => npz('odd.npz', new Map([...flax, ['encoder/pooled/kernel', flax.get('encoder/pooler/kernel') as NDArray]])),
      {},
    ],
    [
      'a kernel of another rank',
      () =>
        npz(
          'rank.npz',
          new Map([
            ...flax,
            ['encoder/pooler/kernel', { dtype: 'float32', shape: [4], data: new Float32Array(4) } as const],
          ]),
        ),
      {},
    ],
    ['BERT', () => safetensors('bert.safetensors', bert), {}],
    [
      'an output matrix of its own',
      () => safetensors('untied.safetensors', new Map([...transformers, ['cls.predictions.decoder.bias', vector(1)]])),
      {},
    ],
    [
      'positions in another order',
      () =>
        safetensors('order.safetensors', new Map([...transformers, ['fnet.embeddings.position_ids', vector(2, 1)]])),
      {},
    ],
    ['architecture', () => files['official .npz'], { 'model.model_arch': 'bert' }],
    ['vocabulary', () => files['official .npz'], { 'tokenizer.file': '' }],
    ['larger vocabulary', () => npz('few.npz', toFlax(weightsOf({ vocab_size: 20 }), { heads: 3 })), {}],
  ])('%s', async (_, path, settings) => {
    const message = await told(() => begin(pretrain, { 'model.checkpoint': path(), ...settings }))
    expect(message.replaceAll(folder, 'FOLDER')).toMatchSnapshot()
    expect(message.split('\n')).toHaveLength(1)
  })

  test('two places to start from', async () => {
    const given = { 'model.checkpoint': files['official .npz'], 'pretrained.run': folder }
    expect(await told(() => begin(classify, given))).toBe(
      'UsageError: pretrained.run and model.checkpoint: give one of them',
    )
  })
})
