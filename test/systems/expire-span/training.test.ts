import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Report } from '../../../src/report/figures.ts'
import { defineRecipe } from '../../../src/systems/define.ts'
import { blockReader, CarriedMemory } from '../../../src/systems/expire-span/carried.ts'
import { continueCharacters } from '../../../src/systems/expire-span/continue.ts'
import { characterTokens, explainSpans } from '../../../src/systems/expire-span/explain.ts'
import { inspectText } from '../../../src/systems/expire-span/inspect.ts'
import { type CharacterExperiment, characters } from '../../../src/systems/expire-span/recipes.ts'
import type { StreamFields } from '../../../src/systems/expire-span/stream.ts'
import {
  collisions,
  copy,
  corridors,
  cue,
  instruction,
  portal,
} from '../../../src/systems/expire-span/tasks/recipes.ts'
import type { OpenedData, UseContext } from '../../../src/tasks/define.ts'
import { type CharacterFacts, encodeCharacters } from '../../../src/tasks/language/characters.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { type LoopResult, train } from '../../../src/train/loop.ts'
import { MemoryStore } from '../../../src/train/memory-store.ts'
import { configFrom } from '../../../src/train/settings.ts'
import type { Checkpoint } from '../../../src/train/store.ts'
import { Generator } from '../../../src/util/random.ts'

const file = join(mkdtempSync(join(tmpdir(), 'tenfold-expire-')), 'text.txt')
const words = ['whale', 'sea', 'ship', 'white', 'the', 'a', 'of', 'and']
const draws = new Generator(3).integers(0, words.length, 900)
const lines = Array.from({ length: 90 }, (_, i) => [...draws.slice(10 * i, 10 * i + 10)].map((n) => words[n]).join(' '))
writeFileSync(file, lines.join('.\n'))

const tiny = {
  'model.hid_sz': 16,
  'model.inner_hid_sz': 24,
  'model.nlayers': 2,
  'model.mem_sz': 8,
  'model.nheads': 2,
  'model.attn_lim': 48,
  'model.expire_span_ramp': 4,
  'model.expire_span_init_percentage': 0.3,
  'train.batch_size': 4,
  'train.epochs': 1,
  'optimizer.lr': 0.01,
}

async function openCharacters(settings: Record<string, unknown> = {}) {
  const config = configFrom(
    characters.config,
    Object.entries({ ...tiny, 'data.folder': file, ...settings }).map(([path, value]) => ({ path, value })),
  )
  const data = (await characters.open(config, {})) as OpenedData<CharacterFacts, StreamFields>
  return { data, experiment: characters.build(config, data.facts, { seed: 1 }) as unknown as CharacterExperiment }
}

/** Trains to a number of steps, from what the store has. */
async function trainTo(steps: number, store: MemoryStore, settings: Record<string, unknown> = {}): Promise<LoopResult> {
  const { data, experiment } = await openCharacters(settings)
  const { task, loop } = experiment.prepare(data)
  return train(task, store, { ...loop, evaluateEvery: 4, steps })
}

const lengthsIn = (checkpoint: Checkpoint | undefined): (number | undefined)[] =>
  [0, 1].map((layer) => checkpoint?.tensors.get(`memory.${layer}.hidden`)?.shape[1])

describe('memory is part of the training', () => {
  const noisy = { 'model.dropout': 0.1, 'model.expire_span_noisy': true, 'model.expire_span_layerdrop': 0.2 }

  test('a training that was broken off goes on bit for bit, evaluations or not', async () => {
    const [straight, broken] = [new MemoryStore(), new MemoryStore()]
    const whole = await trainTo(12, straight, noisy)
    await trainTo(7, broken, noisy)
    const [first = 0, second = 0] = lengthsIn(broken.newest)
    expect(first).toBeGreaterThanOrEqual(8)
    expect(second).toBeGreaterThanOrEqual(8)
    const rest = await trainTo(12, broken, noisy)
    expect(rest.metrics).toEqual(whole.metrics)
    expect(broken.newest?.tensors).toEqual(straight.newest?.tensors)
  })

  test.each(['fixed', 'adaptive', 'compressive'])('one setting makes it a baseline: %s', async (memory) => {
    const store = new MemoryStore()
    const settings = { 'model.memory': memory, 'model.compress_rate': 2, 'model.compress_size': 16 }
    const { metrics } = await trainTo(3, store, settings)
    expect(metrics.bits_per_character).toBeGreaterThan(0)
    expect(metrics.memories).toBe(48)
  })

  test('a step that is undone leaves the memory as it was', async () => {
    const { data, experiment } = await openCharacters()
    const { task } = experiment.prepare(data)
    const losses: number[] = []
    for await (const batch of task.loader) {
      losses.push((await task.step(batch)).loss.item())
      if (losses.length < 4) continue
      const after = task.state?.arrays()
      task.step.undo()
      expect(task.state?.arrays()).not.toEqual(after)
      expect((await task.step(batch)).loss.item()).toBe(losses.at(-1))
      expect(task.state?.arrays()).toEqual(after)
      break
    }
    // However long memories became.
    expect(task.step.traces).toHaveLength(1)
    await task.step.release()
  })

  test('a checkpoint of another batch size is refused', async () => {
    const store = new MemoryStore()
    await trainTo(2, store)
    await expect(trainTo(4, store, { 'train.batch_size': 5 })).rejects.toThrow(
      'step 2: has no "memory.0.hidden" for 5 rows of text',
    )
  })
})

describe('the trained model', () => {
  test('learns, and forgets', async () => {
    const { data, experiment } = await openCharacters({ 'train.epochs': 2, 'optimizer.warmup_steps': 10 })
    const before = await experiment.evaluate(data)
    const { task } = experiment.prepare(data)
    for (let epoch = 0; epoch < 2; epoch++) for await (const batch of task.loader) await task.step(batch)
    const after = await experiment.evaluate(data)
    expect(after.bits_per_character).toBeLessThan(Number(before.bits_per_character) - 1)
    expect(after.memories).toBeLessThan(48)
    await task.step.release()
  })

  test('writes what it would say of the text as a whole', async () => {
    const { data, experiment } = await openCharacters()
    const { model, facts } = experiment
    const text = 'the whale and the sea'
    const written = await continueCharacters(model, facts, text, { characters: 5, temperature: 0, seed: 0 })
    // Greedy: each character is the most probable one after all before it, block by block.
    const all = encodeCharacters(text + written, facts)
    const read = blockReader(model.eval(), (tokens: Tensor, readBlock) => readBlock(tokens).logProbs)
    const memory = new CarriedMemory(model, 1)
    const greedy: number[] = []
    for (let start = 0; start + 8 <= all.length; start += 8) {
      const block = { dtype: 'int32' as const, shape: [1, 8], data: all.slice(start, start + 8) }
      const { result, next } = await read(block as never, memory.memories)
      memory.advance(next)
      const logProbs = await result.numbers()
      const classes = facts.characters.length
      for (let i = 0; i < 8; i++) {
        const row = logProbs.slice(i * classes + 1, (i + 1) * classes)
        greedy.push(row.indexOf(Math.max(...row)) + 1)
      }
    }
    await read.compiled.release()
    expect([...all.slice(text.length, 24)]).toEqual(greedy.slice(text.length - 1, 23))
    await expect(continueCharacters(model, facts, '', { characters: 5, temperature: 1, seed: 0 })).rejects.toThrow(
      'there is no text to continue',
    )
    const sections = await explainSpans(model, characterTokens(facts), data.test)
    expect(sections.map(({ title, figures }) => [title, figures.map(({ kind }) => kind)])).toEqual([
      ['What is kept how long', ['shaded', 'shaded', 'table', 'table', 'heatmaps', 'lines']],
    ])
  })
})

describe('inspect', () => {
  const inspect = async (
    options: { text: string; characters: number },
    settings: Record<string, unknown> = {},
    out?: string,
  ) => {
    const { data, experiment } = await openCharacters(settings)
    const pages: Omit<Report, 'footer'>[] = []
    const said: string[] = []
    const context = {
      out,
      say: (line: string) => said.push(line),
      openData: async () => data,
      step: 7,
      writePage: async (name: string, page: Omit<Report, 'footer'>) => {
        pages.push(page)
        return name
      },
    } as unknown as UseContext
    const answers: unknown[] = []
    for await (const answer of inspectText.run(experiment as never, [], options, context)) answers.push(answer)
    return { answers, pages, said }
  }

  test('the text is not written over', async () => {
    await expect(inspect({ text: file, characters: 30 }, {}, file)).rejects.toThrow(`${file} is an input`)
  })

  test.each([
    ['a file', file],
    ['the test text', ''],
  ])('shades %s by span', async (_, text) => {
    const { answers, pages } = await inspect({ text, characters: 30 })
    expect(answers).toEqual([{ file: 'inspect.html' }])
    const figures = pages[0]?.sections.flatMap((section) => section.figures) ?? []
    expect(figures.map(({ kind }) => kind)).toEqual([
      'lines',
      'shaded',
      'shaded',
      'table',
      'table',
      'heatmaps',
      'lines',
    ])
    // Whole blocks of 8.
    expect(figures.map((figure) => (figure.kind === 'shaded' ? figure.pieces.length : 0))).toEqual([
      0, 24, 24, 0, 0, 0, 0,
    ])
  })

  test('says which characters it does not know', async () => {
    const strange = join(mkdtempSync(join(tmpdir(), 'tenfold-unknown-')), 'text.txt')
    writeFileSync(strange, `\u2603\u2603 \u00e9${readFileSync(file, 'utf8')}`)
    expect((await inspect({ text: strange, characters: 30 })).said).toEqual([
      'note: 3 of 30 characters are unknown to the model: \u2603, \u00e9',
    ])
    expect((await inspect({ text: file, characters: 30 })).said).toEqual([])
  })

  test('says what it cannot show', async () => {
    await expect(inspect({ text: file, characters: 5 })).rejects.toThrow(
      'the text must have at least 8 characters, a block, found 5',
    )
    await expect(inspect({ text: file, characters: 30 }, { 'model.memory': 'fixed' })).rejects.toThrow(
      'inspect is for memories that expire: model.memory of this run is another one',
    )
  })
})

describe('texts with questions', () => {
  const cases = [
    [defineRecipe(corridors), { 'data.max_length': 10 }],
    [defineRecipe(portal), { 'data.rooms': 3 }],
    [defineRecipe(instruction), { 'data.max_walk': 5 }],
    [defineRecipe(copy), { 'data.length': 8 }],
    [defineRecipe(cue), { 'data.max_length': 40 }],
    [defineRecipe(collisions), {}],
  ] as const

  test.each(cases.map(([recipe, settings]) => ({ name: recipe.name, recipe, settings })))(
    '$name is a recipe',
    async ({ recipe, settings }) => {
      const all = { ...tiny, 'data.tokens': 1600, 'data.test_tokens': 800, ...settings }
      const config = configFrom(
        recipe.config,
        Object.entries(all).map(([path, value]) => ({ path, value })),
      )
      const data = await recipe.open(config, {})
      expect(data.opening.summary).toMatch(
        /^1,600 tokens to train on, 800 to test with; \d+ test questions \(one answer for all: [\d.]+ % wrong\)$/,
      )
      const experiment = recipe.build(config, data.facts, { seed: 1 })
      const { error } = await experiment.evaluate(data)
      expect(error).toBeGreaterThan(0)
      expect(error).toBeLessThanOrEqual(1)
    },
  )

  test('a short training answers what lies far beyond its block', async () => {
    const settings = {
      ...tiny,
      'model.pre_norm': true,
      'model.expire_span_init_percentage': 0.5,
      'model.expire_span_loss': 1e-4,
      'data.tokens': 51_200,
      'data.test_tokens': 3200,
      'data.min_length': 18,
      'data.max_length': 22,
      'data.views': 4,
      'train.batch_size': 16,
      'optimizer.lr': 0.003,
      'optimizer.warmup_steps': 20,
    }
    const config = configFrom(
      corridors.config,
      Object.entries(settings).map(([path, value]) => ({ path, value })),
    )
    const data = await corridors.open(config)
    const experiment = corridors.build(config, data.facts, { seed: 1 })
    const { task } = experiment.prepare(data)
    for await (const batch of task.loader) await task.step(batch)
    await task.step.release()
    const { error, alive } = await experiment.evaluate(data)
    expect(error).toBeLessThan(0.1)
    // Of up to 48 it keeps few.
    expect(alive).toBeLessThan(16)
    const sections = await experiment.explain?.(data, [])
    expect(sections?.map(({ title }) => title)).toEqual(['How far back', 'Memory', 'What is kept how long'])
  })

  test('a text that is too short to ask anything is refused', async () => {
    const config = configFrom(corridors.config, [
      { path: 'data.test_tokens', value: 512 },
      { path: 'data.min_length', value: 90 },
    ])
    await expect(corridors.open(config)).rejects.toThrow('the test text of 512 tokens asks nothing')
  })

  test.each(['data.tokens', 'data.test_tokens'])('%s without a block for each row is refused', async (path) => {
    const config = configFrom(corridors.config, [{ path, value: 255 }])
    await expect(corridors.open(config)).rejects.toThrow(
      `${path} must be at least 256, a block for each row, found 255`,
    )
  })
})
