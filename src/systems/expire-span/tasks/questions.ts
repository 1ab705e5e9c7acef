/** Recipes of generated texts with questions: corridor, portal, instruction, copy, collisions. */
import { z } from 'zod'
import { describeSides, openingOf } from '../../../data/opening.ts'
import { recordWhole } from '../../../data/record.ts'
import type { MetricDescriptions, OpenedData } from '../../../tasks/define.ts'
import type { BuildOptions } from '../../../tasks/experiment.ts'
import type { OptimizerSettings, TrainDefaults, TrainSettings } from '../../../tasks/settings.ts'
import { count, whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { deriveSeed } from '../../../util/random.ts'
import { percent } from '../../../util/words.ts'
import { explainMemory, explainSpans, spaced } from '../explain.ts'
import { exportBlock } from '../export.ts'
import { inspectTokens } from '../inspect.ts'
import { memoryMetrics } from '../metrics.ts'
import {
  expireOptimizerSettings,
  expireTrainSettings,
  type ModelDefaults,
  type ModelSettings,
  modelOf,
  modelSettings,
} from '../settings.ts'
import { questionStream, type StreamFields } from '../stream.ts'
import { type MemoryExperiment, trainedMemory } from '../training.ts'
import { distanceSection } from './distances.ts'
import { drawsOf, type QuestionText, type World } from './text.ts'

const heldOut = ['test', 'validation'] as const

/** How much is generated. */
export function lengthSettings(defaults: { readonly tokens: number; readonly test_tokens: number }) {
  return {
    tokens: whole.default(defaults.tokens).describe('tokens to train on, in all rows together'),
    test_tokens: whole.default(defaults.test_tokens).describe('tokens to test with'),
    data_seed: count.default(0).describe('seed of the texts'),
    held_out: z
      .enum(heldOut)
      .default('test')
      .describe('which other text is used to evaluate: for choosing settings, validation'),
  }
}

/** Of texts in episodes. */
export const episodeSettings = {
  clear: z
    .boolean()
    .default(true)
    .describe('empty the memory where an episode begins, as in reinforcement learning; false: old episodes stay in it'),
}

type Lengths = z.infer<z.ZodObject<ReturnType<typeof lengthSettings>>> & { readonly clear?: boolean }

const questionFacts = z.object({ names: z.array(z.string()).min(1), classes: whole })

/** The names of the tokens, and how many answers there are. */
export type QuestionFacts = z.infer<typeof questionFacts>

/** A generated stream, and what is asked in each row of the test text. */
export interface OpenedQuestions extends OpenedData<QuestionFacts, StreamFields> {
  readonly asked: readonly QuestionText[]
}

/** The configuration of such a recipe. */
export interface QuestionConfig<Options> extends Record<string, unknown> {
  readonly data: Lengths & Options
  readonly model: ModelSettings
  readonly optimizer: OptimizerSettings
  readonly train: TrainSettings
}

/** A trained answerer of questions. */
export interface QuestionExperiment extends MemoryExperiment<OpenedQuestions> {
  readonly facts: QuestionFacts
  /** Whether the memory is empty where an episode begins. */
  readonly clears: boolean
}

/** What makes a recipe of a world. */
interface QuestionPlan<Options> {
  readonly name: string
  readonly summary: string
  readonly world: World<Options>
  /** Settings of the text: `lengthSettings` and those of the world. */
  readonly data: z.ZodType<Lengths & Options>
  readonly model: ModelDefaults
  readonly lr: number
  readonly train: Omit<TrainDefaults, 'monitor'>
}

const questionMetrics = {
  error: { goal: 'min', unit: 'percent' },
  ...memoryMetrics,
} satisfies MetricDescriptions

/** A recipe with its exact types. */
export function questionRecipe<Options>(plan: QuestionPlan<Options>) {
  const { name, summary, world, data, model, lr, train } = plan
  const config: z.ZodType<QuestionConfig<Options>> = z.strictObject({
    data: data.prefault({} as never),
    model: modelSettings(model).prefault({}),
    optimizer: expireOptimizerSettings(lr).prefault({}),
    train: expireTrainSettings({ ...train, monitor: ['error', 'loss'] }).prefault({}),
  })
  return {
    name,
    summary,
    config,
    facts: questionFacts,
    metrics: questionMetrics,
    open: async (settings: QuestionConfig<Options>) => openQuestions(world, settings),
    build: buildQuestions,
    uses: { inspect: inspectTokens },
  }
}

function openQuestions<Options>(world: World<Options>, config: QuestionConfig<Options>): OpenedQuestions {
  const { data, model, train } = config
  const rows = train.batch_size
  for (const name of ['tokens', 'test_tokens'] as const) {
    if (data[name] < rows * model.mem_sz)
      throw new UsageError(
        `data.${name} must be at least ${rows * model.mem_sz}, a block for each row, found ${data[name]}`,
        { hint: `a batch has ${rows} rows (train.batch_size), a block ${model.mem_sz} tokens (model.mem_sz)` },
      )
  }
  const texts = (side: string, tokens: number): QuestionText[] =>
    Array.from({ length: rows }, (_, row) =>
      world.generate(Math.floor(tokens / rows), drawsOf(deriveSeed(data.data_seed, `${side} ${row}`)), data),
    )
  const stream = (of: readonly QuestionText[]) => questionStream(of, model.mem_sz)
  const asked = texts(data.held_out, data.test_tokens)
  const questions = asked.reduce((sum, { labels }) => sum + labels.filter((label) => label > 0).length, 0)
  if (questions === 0)
    throw new UsageError(`the test text of ${data.test_tokens.toLocaleString('en')} tokens asks nothing`, {
      hint: `more than ${rows} episodes are needed, one for each row: a greater data.test_tokens, or shorter episodes`,
    })
  const parts = [
    describeSides('token', data.tokens, data.test_tokens),
    `${questions.toLocaleString('en')} test questions (one answer for all: ${percent(guessingError(asked))} wrong)`,
  ]
  return {
    train: stream(texts('train', data.tokens)),
    test: stream(asked),
    asked,
    facts: { names: [...world.names(data)], classes: world.classes(data) },
    opening: openingOf(parts, [], recordWhole('token', {})),
  }
}

/** The error of always giving the most frequent answer. */
export function guessingError(texts: readonly QuestionText[]): number {
  const counts = new Map<number, number>()
  for (const label of texts.flatMap(({ labels }) => labels))
    if (label > 0) counts.set(label, (counts.get(label) ?? 0) + 1)
  const all = [...counts.values()]
  return 1 - Math.max(...all) / all.reduce((sum, count) => sum + count, 0)
}

function buildQuestions(
  config: Pick<QuestionConfig<unknown>, 'data' | 'model' | 'optimizer' | 'train'>,
  facts: QuestionFacts,
  options: BuildOptions,
): QuestionExperiment {
  const { names, classes } = facts
  const clears = config.data.clear ?? false
  const trained = trainedMemory({
    // Answers are classes of the same output as tokens; class 0 is for what is not asked.
    make: () => modelOf(config.model, Math.max(names.length, classes + 1)),
    config,
    metrics: questionMetrics,
    options,
    omitted: 0,
    clears,
    describe: (loss, error) => ({ error, loss }),
  })
  const { model, score } = trained
  return {
    ...trained,
    facts,
    clears,
    exports: {
      block: () => exportBlock(model, { tokens: JSON.stringify(names), classes: String(classes) }, { clears }),
    },
    explain: async ({ test, asked }) => {
      const { lengths, wrong } = await score(test)
      return [
        distanceSection(asked, wrong),
        explainMemory(lengths, config.model),
        ...(await explainSpans(model, spaced(names), test, { clears })),
      ]
    },
  }
}
