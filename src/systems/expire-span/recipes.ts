/** Expire-Span's main recipe: characters of books. */
import { z } from 'zod'
import type { MetricDescriptions, OpenedData } from '../../tasks/define.ts'
import type { BuildOptions } from '../../tasks/experiment.ts'
import { type CharacterFacts, characterFacts } from '../../tasks/language/characters.ts'
import { characterDataSettings, type OpenedCharacters, openCharacters } from '../../tasks/language/open-characters.ts'
import type { OptimizerSettings, TrainSettings } from '../../tasks/settings.ts'
import { defineRecipe } from '../define.ts'
import { continueText } from './continue.ts'
import { characterTokens, explainMemory, explainSpans } from './explain.ts'
import { exportBlock } from './export.ts'
import { inspectText } from './inspect.ts'
import { memoryMetrics } from './metrics.ts'
import { expireOptimizerSettings, expireTrainSettings, type ModelSettings, modelOf, modelSettings } from './settings.ts'
import { type StreamFields, textStream } from './stream.ts'
import { type MemoryExperiment, trainedMemory } from './training.ts'

interface MemoryConfig {
  readonly model: ModelSettings
  readonly optimizer: OptimizerSettings
  readonly train: TrainSettings
}

const characterMetrics = {
  bits_per_character: { goal: 'min', unit: 'bits' },
  ...memoryMetrics,
} satisfies MetricDescriptions

type OpenedStream<Facts> = OpenedData<Facts, StreamFields>

/** A character model: what its uses take. */
export type CharacterExperiment = MemoryExperiment<OpenedStream<CharacterFacts>> & { readonly facts: CharacterFacts }

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
      ...(await explainSpans(model, characterTokens(facts), test)),
    ],
  }
}

const heldOutMeaning =
  'what is evaluated: the test text, or for choosing settings the end of the training text, left out of it'

/** The end of the training text in the place of the test text. */
function validation({
  train,
  test,
}: Pick<OpenedCharacters, 'train' | 'test'>): Pick<OpenedCharacters, 'train' | 'test'> {
  const at = train.length - test.length
  return { train: train.subarray(0, at), test: train.subarray(at) }
}

/** A language model of characters: the main recipe. */
export const characters = defineRecipe({
  name: 'characters',
  summary:
    'a character model of Moby-Dick (npx tenfold data moby-dick) or any text (--set data.folder=PATH): it learns to forget',
  config: z.strictObject({
    data: characterDataSettings
      .extend({ held_out: z.enum(['test', 'validation']).default('test').describe(heldOutMeaning) })
      .prefault({}),
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
    const { train: text, test } = data.held_out === 'test' ? opened : validation(opened)
    return { ...opened, train: textStream(text, form), test: textStream(test, form) }
  },
  build: buildCharacters,
  uses: { continue: continueText, inspect: inspectText },
})
