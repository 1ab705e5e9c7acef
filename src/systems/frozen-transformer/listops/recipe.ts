/** The recipe of list operations (Long Range Arena), shorter by default. */
import { z } from 'zod'
import { classificationFacts } from '../../../tasks/sequences/codec.ts'
import { listOpsSettings, openListOps } from '../../../tasks/sequences/open-listops.ts'
import { count, whole } from '../../../train/settings.ts'
import { defineRecipe } from '../../define.ts'
import { sequenceMetrics } from '../sequences.ts'
import { frozenOptimizerSettings, frozenTrainSettings, modelSettings, pretrainedSettings } from '../settings.ts'
import { startFromBody } from '../start.ts'
import { buildListOps, predictListOps, readBrackets } from './experiment.ts'

const dataSettings = listOpsSettings.extend({
  max_seq_length: z.number().int().min(16).default(32).describe('tokens of an expression, at most (official 2000)'),
  min_length: count.default(4).describe('expressions have more tokens than this (official 500)'),
  max_depth: whole.default(3).describe('levels of nesting, at most (official 10)'),
  brackets: z
    .enum(['kept', 'dropped'])
    .default('kept')
    .describe('closing brackets; dropped: as in the official code, which cannot tell where a list ends'),
})

/** Nested lists of digits and their value. */
export const listOpsRecipe = defineRecipe({
  name: 'listops',
  summary: 'the value of nested list operations (Long Range Arena, short by default), with a frozen body',
  facts: classificationFacts,
  metrics: sequenceMetrics,
  config: z.strictObject({
    data: dataSettings.prefault({}),
    pretrained: pretrainedSettings.prefault({}),
    model: modelSettings.prefault({}),
    optimizer: frozenOptimizerSettings(1e-2).prefault({}),
    train: frozenTrainSettings(6, ['accuracy', 'loss']).prefault({}),
  }),
  start: startFromBody((_config, { max_seq_length }) => max_seq_length),
  open: async ({ data: { brackets, ...data } }) => readBrackets(await openListOps(data), brackets),
  build: buildListOps,
  uses: { predict: predictListOps },
})
