import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Recipe } from '../../../src/systems/define.ts'
import { classify, listops, pretrain } from '../../../src/systems/fnet/recipes.ts'
import type { OpenedData } from '../../../src/tasks/define.ts'
import type { Experiment } from '../../../src/tasks/experiment.ts'
import { configFrom } from '../../../src/train/settings.ts'
import { predictionsOf } from '../../support/predictions.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-fnet-'))
const adjectives = { good: ['fine', 'lovely', 'great', 'superb'], bad: ['poor', 'dull', 'awful', 'weak'] }
const nouns = ['film', 'book', 'play', 'song', 'tale']

/** Rows whose label is in one word. */
const rows = Array.from({ length: 240 }, (_, i) => {
  const label = i % 3 ? 'good' : 'bad'
  return `${label},"what a ${adjectives[label][i % 4]} ${nouns[i % 5]} this ${nouns[(i * 7) % 5]} was"`
})
const csv = join(folder, 'rows.csv')
writeFileSync(csv, ['label,text', ...rows].join('\n'))
const text = join(folder, 'text.txt')
writeFileSync(text, rows.map((row) => row.slice(row.indexOf('"') + 1, -1)).join('.\n'))

const tiny = {
  'model.num_layers': 1,
  'model.d_emb': 24,
  'model.d_model': 24,
  'model.d_ff': 48,
  'model.num_heads': 2,
  'tokenizer.size': 120,
  'data.max_seq_length': 16,
  'train.batch_size': 16,
  'optimizer.lr': 0.02,
}

async function open(
  recipe: Recipe,
  settings: Record<string, unknown>,
): Promise<{ data: OpenedData; experiment: Experiment }> {
  const config = configFrom(
    recipe.config,
    Object.entries(settings).map(([path, value]) => ({ path, value })),
  )
  const data = await recipe.open(config, {})
  return { data, experiment: recipe.build(config, data.facts, { seed: 1 }) }
}

async function trainFor(epochs: number, { data, experiment }: { data: OpenedData; experiment: Experiment }) {
  const { task } = experiment.prepare(data)
  for (let epoch = 0; epoch < epochs; epoch++) for await (const batch of task.loader) await task.step(batch)
  return experiment.evaluate(data)
}

describe('learning', () => {
  test.each(['f_net', 'bert'])('%s tells classes apart that one word decides', async (arch) => {
    const settings = { 'data.file': csv, 'model.model_arch': arch, 'model.dropout_rate': 0, 'train.epochs': 12 }
    const opened = await open(classify, { ...tiny, ...settings, 'model.num_layers': 2, 'optimizer.lr': 0.005 })
    const { accuracy, f1, majority_accuracy } = await trainFor(12, opened)
    expect(accuracy).toBe(1)
    expect(f1).toBeCloseTo(1, 5)
    expect(majority_accuracy).toBeGreaterThan(0.5)
    const [prediction] = await predictionsOf(classify, opened.experiment, ['what a superb song this tale was'])
    expect(prediction?.choices[0]).toMatchObject({ label: 'good' })
  })

  test('hidden words of a language of few sentences are found better than by counting', async () => {
    const settings = {
      ...tiny,
      'data.folder': text,
      'data.short_share': 0,
      'train.epochs': 15,
      'data.max_seq_length': 32,
    }
    const { mlm_accuracy = 0, bigram_accuracy = 1 } = await trainFor(15, await open(pretrain, settings))
    expect(mlm_accuracy).toBeGreaterThan(bigram_accuracy)
  })
})

test('the order of sentences is learned where a story has one', async () => {
  const parts = ['in the morning they woke', 'at noon they ate', 'then evening came', 'at night they slept']
  const stories = Array.from({ length: 80 }, (_, i) =>
    parts.map((part) => `${part} by the ${nouns[i % 5]}.`).join('\n'),
  )
  const days = join(folder, 'days.txt')
  writeFileSync(days, stories.join('\n'))
  // Two sentences of a story fit, but no three.
  const settings = {
    ...tiny,
    'data.folder': days,
    'data.next_sentence': 'swapped',
    'data.max_seq_length': 24,
    'data.short_share': 0,
    'train.epochs': 30,
  }
  const opened = await open(pretrain, { ...settings, 'optimizer.lr': 0.01 })
  const { nsp_accuracy } = await trainFor(30, opened)
  expect(nsp_accuracy).toBeGreaterThan(0.9)
})

describe('the same data every time', () => {
  test.each([
    ['pretrain', pretrain, { ...tiny, 'data.folder': text, 'data.max_seq_length': 32 }],
    ['classify', classify, { ...tiny, 'data.file': csv }],
    [
      'listops',
      listops,
      { 'data.train_examples': 40, 'data.test_examples': 20, 'data.max_seq_length': 64, 'data.min_length': 8 },
    ],
  ] as const)('%s', async (_, recipe, settings) => {
    const [first, second] = [await open(recipe, settings), await open(recipe, settings)]
    expect(second.data.facts).toEqual(first.data.facts)
    const read = ({ data }: typeof first) => data.train.batch([0, 5, 9], { epoch: 1, seed: 2 })
    expect(await read(second)).toEqual(await read(first))
  })
})

test('a classifier takes the encoder of a pre-trained model, and keeps its own head', async () => {
  const { experiment: source } = await open(pretrain, { ...tiny, 'data.folder': text, 'data.max_seq_length': 32 })
  const { experiment: target } = await open(classify, { ...tiny, 'data.file': csv, 'tokenizer.size': 120 })
  const head = target.weights.get('classifier.weight')?.data
  const pooler = 'fnet.pooler.dense.weight'
  const weights = new Map([...source.weights].filter(([name]) => name === pooler).map(([name, v]) => [name, v.array]))
  target.initialize?.(weights)
  expect(target.weights.get(pooler)?.data).toEqual(source.weights.get(pooler)?.data)
  expect(target.weights.get('classifier.weight')?.data).toEqual(head)
})
