/** Recipes of frozen transformers: the tasks of the paper. */
import { z } from 'zod'
import { defineRecipe } from '../define.ts'
import { type BitTask, bitFacts, bitSettings, openBits } from './bits/data.ts'
import { bitMetrics, buildBits, predictBits } from './bits/experiment.ts'
import { frozenOptimizerSettings, frozenTrainSettings, modelSettings, pretrainedSettings } from './settings.ts'
import { startFromBody } from './start.ts'

/** A recipe of a task of bits. */
function bitRecipe(
  name: BitTask,
  summary: string,
  defaults: {
    readonly data: Parameters<typeof bitSettings>[0]
    readonly lr: number
    readonly epochs: number
    readonly example: string
  },
) {
  return defineRecipe({
    name,
    summary,
    facts: bitFacts,
    metrics: bitMetrics,
    config: z.strictObject({
      data: bitSettings(defaults.data).prefault({}),
      pretrained: pretrainedSettings.prefault({}),
      model: modelSettings.prefault({}),
      optimizer: frozenOptimizerSettings(defaults.lr).prefault({}),
      train: frozenTrainSettings(defaults.epochs, ['accuracy', 'exact', 'loss']).prefault({}),
    }),
    start: startFromBody((_config, { tokens }) => tokens),
    open: async ({ data }) => openBits(name, data),
    build: buildBits,
    uses: { predict: predictBits(defaults.example) },
  })
}

/** Random strings, one of which is to be completed from memory. */
export const bitMemoryRecipe = bitRecipe(
  'bit-memory',
  'remember strings of bits and complete one of them, with a frozen body',
  { data: { n: 40, num_patterns: 3, patch_size: 10 }, lr: 1e-2, epochs: 3, example: '"BITS BITS BITS BITS-WITH-?"' },
)

/** The exclusive or of two strings. */
export const bitXorRecipe = bitRecipe('bit-xor', 'the exclusive or of two strings of bits, with a frozen body', {
  data: { n: 5, num_patterns: 2, patch_size: 1 },
  lr: 3e-3,
  epochs: 2,
  example: '"10110 01101"',
})
