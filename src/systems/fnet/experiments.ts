/** FNet's two experiments: the pre-training model and the classifier, with everything that a recipe does with them. */
import { type Dataset, TextTokenizer } from '../../data/index.ts'
import type { Module } from '../../nn/index.ts'
import type { OpenedData } from '../../tasks/define.ts'
import { type BuildOptions, type Experiment, threadOptions } from '../../tasks/experiment.ts'
import type { PretrainingFacts } from '../../tasks/language/facts.ts'
import type { MaskedFields } from '../../tasks/language/masked-pairs.ts'
import type { OpenedPretraining } from '../../tasks/language/open.ts'
import { classificationEvaluator, classificationScalars } from '../../tasks/sequences/classifier.ts'
import { type ClassificationFacts, codecOf } from '../../tasks/sequences/codec.ts'
import type { SequenceFields } from '../../tasks/sequences/dataset.ts'
import type { OpenedClassification } from '../../tasks/sequences/open.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { manualSeed, randomState } from '../../tensor/random-state.ts'
import type { Metrics, TrainingTask } from '../../train/loop.ts'
import { ShapeError } from '../../util/errors.ts'
import { explainClassification, explainPretraining } from './explain.ts'
import { FNetForPreTraining, FNetForSequenceClassification } from './model.ts'
import { exportClassifier, exportPretraining, type Trained } from './predict.ts'
import { pretrainingEvaluator, pretrainingTask } from './pretraining.ts'
import type { EncoderSettings, OptimizerSettings, TrainSettings } from './settings.ts'
import { type FNetTaskArguments, fnetTask } from './task.ts'

interface TrainedConfig {
  readonly model: EncoderSettings
  readonly optimizer: OptimizerSettings
  readonly train: TrainSettings
}

function seedAll(seed: number): void {
  manualSeed(seed)
}

/** Copies weights by name into the model; variables that are not among them keep their values. */
function loadWeights(model: Module, weights: ReadonlyMap<string, NDArray>): void {
  for (const [name, variable] of model.variables()) {
    const saved = weights.get(name)
    if (!saved) continue
    if (saved.data.length !== variable.size) {
      throw new ShapeError(
        `"${name}" must be ${variable.leaf}, found [${saved.shape.join(', ')}] in the pre-trained weights`,
      )
    }
    variable.set(saved.data)
  }
}

/** What both experiments share: weights, training, evaluation. `metric` decides which checkpoint is the best. */
function trainable<Model extends Module, Name extends string>(
  model: Model,
  task: (model: Model, ...around: FNetTaskArguments<Name>) => TrainingTask,
  evaluate: (test: Dataset<Name>) => Promise<Metrics>,
  metric: string,
  config: TrainedConfig,
  options: BuildOptions,
): { readonly model: Model } & Pick<
  Experiment<OpenedData<unknown, Name>>,
  'weights' | 'prepare' | 'evaluate' | 'initialize'
> {
  const { train } = config
  const settings = { ...config, seed: options.seed }
  return {
    model,
    weights: model.variables(),
    prepare: (data) => ({
      task: task(
        model,
        data.train,
        settings,
        randomState().variables,
        () => evaluate(data.test),
        threadOptions(options),
      ),
      loop: {
        epochs: train.epochs,
        ...(train.evaluate_every > 0 && { evaluateEvery: train.evaluate_every }),
        checkpointEvery: train.checkpoint_every,
        keepCheckpoints: train.keep_checkpoints,
        monitor: { metric, goal: 'max' as const },
        ...(train.patience > 0 && { patience: train.patience }),
      },
    }),
    evaluate: ({ test }) => evaluate(test),
    initialize: (weights) => loadWeights(model, weights),
  }
}

/** The model of `fnet/pretrain`. */
export function buildPretraining(config: TrainedConfig, facts: PretrainingFacts, options: BuildOptions) {
  seedAll(options.seed)
  const model = new FNetForPreTraining({
    ...config.model,
    vocab_size: facts.vocab_size,
    max_seq_length: facts.max_seq_length,
    pad_token_id: new TextTokenizer(facts.tokenizer).specialIds().pad,
  })
  const evaluateModel = pretrainingEvaluator(model, threadOptions(options))
  // The baselines are part of every evaluation, in the log, on the screen and in the report.
  const { unigram, bigram } = facts.baselines
  const evaluate = async (data: Dataset<MaskedFields>): Promise<Metrics> => ({
    ...(await evaluateModel(data)),
    unigram_accuracy: unigram.accuracy,
    bigram_accuracy: bigram.accuracy,
  })
  return {
    ...trainable(model, pretrainingTask, evaluate, 'mlm_accuracy', config, options),
    facts,
    exports: { model: () => exportPretraining(model, facts) },
    explain: ({ test }, metrics) => explainPretraining(model, facts, test, metrics),
  } satisfies Experiment<OpenedPretraining> & Trained<FNetForPreTraining, PretrainingFacts>
}

/** The training task of a classifier. */
function classifierTask(
  model: FNetForSequenceClassification,
  ...around: FNetTaskArguments<SequenceFields>
): TrainingTask {
  return fnetTask(model, (batch) => classificationScalars(model, batch), ...around)
}

/** The model of the recipes that classify: words, list operations, bytes. */
export function buildClassifier(config: TrainedConfig, facts: ClassificationFacts, options: BuildOptions) {
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
  const evaluateModel = classificationEvaluator(model, facts.labels.length, threadOptions(options))
  const evaluate = async (data: Dataset<SequenceFields>): Promise<Metrics> => ({
    ...(await evaluateModel(data)).metrics,
    majority_accuracy: facts.majority,
  })
  return {
    ...trainable(model, classifierTask, evaluate, 'accuracy', config, options),
    facts,
    exports: { classifier: () => exportClassifier(model, facts) },
    explain: async (data, metrics) => explainClassification(facts, data, await evaluateModel(data.test), metrics),
  } satisfies Experiment<OpenedClassification> & Trained<FNetForSequenceClassification, ClassificationFacts>
}
