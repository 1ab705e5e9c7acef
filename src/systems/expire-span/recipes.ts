/** Expire-Span's recipes: characters of books, and objects that collide. */
import { z } from 'zod'
import { describeSides, openingOf } from '../../data/opening.ts'
import { recordWhole } from '../../data/record.ts'
import type { MetricDescriptions, OpenedData } from '../../tasks/define.ts'
import type { BuildOptions, Experiment } from '../../tasks/experiment.ts'
import { type CharacterFacts, characterFacts } from '../../tasks/language/characters.ts'
import { characterDataSettings, openCharacters } from '../../tasks/language/open-characters.ts'
import type { OptimizerSettings, TrainSettings } from '../../tasks/settings.ts'
import { count, share, whole } from '../../train/settings.ts'
import { deriveSeed, Generator } from '../../util/random.ts'
import { defineRecipe } from '../define.ts'
import { type CollisionOptions, type Draws, generateCollisions, tokensPerStep } from './collisions.ts'
import { continueText } from './continue.ts'
import { explainMemory, explainSpans } from './explain.ts'
import { exportBlock } from './export.ts'
import { inspectText } from './inspect.ts'
import type { AnyModel } from './model.ts'
import { expireOptimizerSettings, expireTrainSettings, type ModelSettings, modelOf, modelSettings } from './settings.ts'
import { type StreamFields, textStream } from './stream.ts'
import { trainedMemory } from './training.ts'

interface MemoryConfig {
  readonly model: ModelSettings
  readonly optimizer: OptimizerSettings
  readonly train: TrainSettings
}

const memoryMetrics = {
  loss: { goal: 'min', unit: 'nats' },
  /** Kept by a layer, on average. */
  memories: { goal: 'min' },
  span_loss: { goal: 'min' },
} satisfies MetricDescriptions

const characterMetrics = {
  bits_per_character: { goal: 'min', unit: 'bits' },
  ...memoryMetrics,
} satisfies MetricDescriptions

type OpenedStream<Facts> = OpenedData<Facts, StreamFields>

/** A character model: what its uses take. */
export interface CharacterExperiment extends Experiment<OpenedStream<CharacterFacts>> {
  readonly model: AnyModel
  readonly facts: CharacterFacts
}

function buildCharacters(config: MemoryConfig, facts: CharacterFacts, options: BuildOptions): CharacterExperiment {
  const trained = trainedMemory({
    make: () => modelOf(config.model, facts.characters.length),
    config,
    metrics: characterMetrics,
    options,
    describe: (loss) => ({ bits_per_character: loss / Math.LN2, loss }),
  })
  const { model, score } = trained
  return {
    ...trained,
    facts,
    exports: { block: () => exportBlock(model, { characters: JSON.stringify(facts.characters) }) },
    explain: async ({ test }) => [
      explainMemory((await score(test)).lengths, config.model),
      ...(await explainSpans(model, facts, test)),
    ],
  }
}

/** A language model of characters: the main recipe. */
export const characters = defineRecipe({
  name: 'characters',
  summary:
    'a character model of Moby-Dick (npx tenfold data moby-dick) or any text (--set data.folder=PATH): it learns to forget',
  config: z.strictObject({
    data: characterDataSettings.prefault({}),
    model: modelSettings({
      hid_sz: 128,
      inner_hid_sz: 512,
      nlayers: 4,
      mem_sz: 64,
      attn_lim: 1024,
      pre_norm: false,
      dropout: 0,
      expire_span_loss: 1e-6,
      expire_span_ramp: 32,
      expire_span_init_percentage: 0.1,
    }).prefault({}),
    optimizer: expireOptimizerSettings(1e-3).prefault({}),
    train: expireTrainSettings({
      epochs: 1,
      batch_size: 16,
      evaluate_every: 400,
      monitor: ['bits_per_character', 'loss'],
    }).prefault({}),
  }),
  facts: characterFacts,
  metrics: characterMetrics,
  open: async ({ data, model, train }, { known }): Promise<OpenedStream<CharacterFacts>> => {
    const form = { rows: train.batch_size, length: model.mem_sz }
    const opened = await openCharacters(data, form.rows * form.length + 1, known)
    return { ...opened, train: textStream(opened.train, form), test: textStream(opened.test, form) }
  },
  build: buildCharacters,
  uses: { continue: continueText, inspect: inspectText },
})

const collisionSettings = z.strictObject({
  steps: whole.default(100_000).describe('steps of the world to train on (paper: 50 million)'),
  test_steps: whole.default(5000).describe('steps to test with'),
  num_particles: z.number().int().min(2).default(2).describe('objects'),
  num_colors: whole.default(3).describe('their colours (paper: 5)'),
  grid_size: z.number().int().min(2).default(6).describe('rows and columns of the world (paper: 16)'),
  speed: z.number().positive().default(0.5).describe('standard deviation of velocities, cells a step'),
  color_change_prob: share.default(0.05).describe('probability that an object changes its colour in a step'),
  easy_q: share.default(0.4).describe('share of the questions about the objects that met last'),
  data_seed: count.default(0).describe('seed of the world'),
})

const collisionFacts = z.object({ vocab_sz: whole })
type CollisionFacts = z.infer<typeof collisionFacts>

const collisionMetrics = { error: { goal: 'min', unit: 'percent' }, ...memoryMetrics } satisfies MetricDescriptions

/** Random numbers of the world from a generator. */
function drawsOf(generator: Generator): Draws {
  return {
    uniform: () => generator.uniform(1)[0] ?? 0,
    normal: () => generator.normal(1)[0] ?? 0,
    integer: (count) => generator.integers(0, count, 1)[0] ?? 0,
  }
}

function buildCollisions(config: MemoryConfig, facts: CollisionFacts, options: BuildOptions) {
  const trained = trainedMemory({
    make: () => modelOf(config.model, facts.vocab_sz),
    config,
    metrics: collisionMetrics,
    options,
    omitted: 0,
    describe: (loss, error) => ({ error, loss }),
  })
  const { model, score } = trained
  return {
    ...trained,
    exports: { block: () => exportBlock(model, {}) },
    explain: async ({ test }: OpenedStream<CollisionFacts>) => [
      explainMemory((await score(test)).lengths, config.model),
    ],
  } satisfies Experiment<OpenedStream<CollisionFacts>>
}

/** Object collision by the rules of the official generator, smaller. */
export const collisions = defineRecipe({
  name: 'collisions',
  summary: 'where did objects of these colours meet last? (generated; the answer is far back)',
  config: z.strictObject({
    data: collisionSettings.prefault({}),
    model: modelSettings({
      hid_sz: 64,
      inner_hid_sz: 256,
      nlayers: 2,
      mem_sz: 64,
      attn_lim: 1024,
      pre_norm: true,
      dropout: 0,
      expire_span_loss: 2e-6,
      expire_span_ramp: 32,
      expire_span_init_percentage: 0.1,
    }).prefault({}),
    optimizer: expireOptimizerSettings(1e-3).prefault({}),
    train: expireTrainSettings({ epochs: 2, batch_size: 16, evaluate_every: 200, monitor: ['error', 'loss'] }).prefault(
      {},
    ),
  }),
  facts: collisionFacts,
  metrics: collisionMetrics,
  open: async ({ data, model, train }): Promise<OpenedStream<CollisionFacts>> => {
    const { steps, test_steps, data_seed, ...world } = data
    const side = (name: string, length: number) => {
      const options: CollisionOptions = world
      const { tokens, labels } = generateCollisions(
        length,
        drawsOf(new Generator(deriveSeed(data_seed, name))),
        options,
      )
      const form = { rows: train.batch_size, length: model.mem_sz, targets: Int32Array.from(labels) }
      return textStream(Int32Array.from(tokens), form)
    }
    const tokens = tokensPerStep(world.num_particles)
    return {
      train: side('train', steps),
      test: side('test', test_steps),
      // Labels are classes 0 to 4 of the same output.
      facts: { vocab_sz: Math.max(5, 2 * world.grid_size + 2 * world.num_colors) },
      opening: openingOf([describeSides('token', tokens * steps, tokens * test_steps)], [], recordWhole('token', {})),
    }
  },
  build: buildCollisions,
})
