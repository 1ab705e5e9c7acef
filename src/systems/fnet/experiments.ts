/** FNet's two experiments: the pre-training model and the classifier, with everything that a recipe does with them. */
import { TextTokenizer } from '../../data/index.ts'
import { init, type Module } from '../../nn/index.ts'
import { manualSeed, randomState } from '../../ops/index.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import type { TrainingTask } from '../../train/loop.ts'
import { ShapeError } from '../../util/errors.ts'
import type { BuildOptions, Experiment, Facts } from '../define.ts'
import { classificationEvaluator, classificationTask } from './classification.ts'
import { classificationFacts, codecOf, type OpenedClassification } from './classification-data.ts'
import { explainClassification, explainPretraining } from './explain.ts'
import { FNetForPreTraining, FNetForSequenceClassification } from './model.ts'
import { exportClassifier, exportPretraining, predictClasses, predictWords } from './predict.ts'
import { pretrainingEvaluator, pretrainingTask } from './pretraining.ts'
import { pretrainingFacts } from './pretraining-facts.ts'
import type { EncoderSettings, OptimizerSettings, TrainSettings } from './settings.ts'
import type { FNetTaskArguments } from './task.ts'

interface TrainedConfig {
  readonly model: EncoderSettings
  readonly optimizer: OptimizerSettings
  readonly train: TrainSettings
}

function seedAll(seed: number): void {
  init.manualSeed(seed)
  manualSeed(seed)
}

const threadOptions = ({ threads }: BuildOptions) => (threads === undefined ? {} : { threads })

/** Weights by name into those of the model that have it; what is not among them keeps its values. */
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

/** What both experiments do alike: weights, training, evaluation. `metric` decides which checkpoint is the best. */
function trainable<Model extends Module>(
  model: Model,
  task: (model: Model, ...around: FNetTaskArguments) => TrainingTask,
  evaluate: Experiment['evaluate'],
  metric: string,
  config: TrainedConfig,
  options: BuildOptions,
): Pick<Experiment, 'weights' | 'prepare' | 'evaluate' | 'initialize'> {
  const { train } = config
  const settings = { ...config, seed: options.seed }
  return {
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
    evaluate,
    initialize: (weights) => loadWeights(model, weights),
  }
}

/** The model of `fnet/pretrain`. */
export function buildPretraining(config: TrainedConfig, given: Facts, options: BuildOptions): Experiment {
  const facts = pretrainingFacts.parse(given)
  seedAll(options.seed)
  const model = new FNetForPreTraining({
    ...config.model,
    vocab_size: facts.vocab_size,
    max_seq_length: facts.max_seq_length,
    pad_token_id: new TextTokenizer(facts.tokenizer).specialIds().pad,
  })
  const evaluateModel = pretrainingEvaluator(model, threadOptions(options))
  // The baselines stand beside every evaluation, in the log, on the screen and in the report.
  const { unigram, bigram } = facts.baselines
  const evaluate: Experiment['evaluate'] = async (data) => ({
    ...(await evaluateModel(data)),
    unigram_accuracy: unigram.accuracy,
    bigram_accuracy: bigram.accuracy,
  })
  return {
    ...trainable(model, pretrainingTask, evaluate, 'mlm_accuracy', config, options),
    predict: (texts) => predictWords(model, facts, texts),
    exportable: () => exportPretraining(model, facts),
    explain: (data, metrics) => explainPretraining(model, facts, data.test, metrics),
  }
}

/** The model of the recipes that classify: words, list operations, bytes. */
export function buildClassifier(config: TrainedConfig, given: Facts, options: BuildOptions): Experiment {
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
  const evaluateModel = classificationEvaluator(model, facts.labels.length, threadOptions(options))
  const evaluate: Experiment['evaluate'] = async (data) => ({
    ...(await evaluateModel(data)).metrics,
    majority_accuracy: facts.majority,
  })
  return {
    ...trainable(model, classificationTask, evaluate, 'accuracy', config, options),
    predict: (texts) => predictClasses(model, facts, texts),
    exportable: () => exportClassifier(model, facts),
    // What `open` of these recipes gives has the texts of the test examples too.
    explain: async (data, metrics) =>
      explainClassification(facts, data as OpenedClassification, await evaluateModel(data.test), metrics),
  }
}
