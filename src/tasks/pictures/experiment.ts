/** A picture classifier in training and in use: everything that a recipe needs besides its model and its data. */
import type { Module } from '../../nn/index.ts'
import type { Section } from '../../report/figures.ts'
import { manualSeed, randomState } from '../../tensor/random-state.ts'
import type { MetricDescriptions } from '../define.ts'
import { type BuildOptions, type Experiment, threadOptions } from '../experiment.ts'
import { type ClassifierModel, classifierEvaluator, classifierTask } from './classifier.ts'
import type { PictureFacts } from './facts.ts'
import { mistakesSection } from './figures.ts'
import type { OpenedPictures } from './open.ts'
import { exportClassifier } from './predict.ts'
import { type AugmentSettings, monitorOf, type OptimizerSettings, type TrainSettings } from './settings.ts'

/** The metrics of every picture classifier. */
export const pictureMetrics = {
  accuracy: { goal: 'max', unit: 'percent' },
  loss: { goal: 'min' },
} as const satisfies MetricDescriptions

/** The settings that the training of a classifier uses. */
export interface ClassifierConfig {
  readonly optimizer: OptimizerSettings
  readonly augment: AugmentSettings
  readonly train: TrainSettings
}

/** An experiment with a classifier in it, as the uses take it. */
export interface PictureExperiment<Model extends ClassifierModel> extends Experiment<OpenedPictures> {
  readonly model: Model
  readonly facts: PictureFacts
  readonly threads?: number
}

/** What a recipe adds. */
export interface PictureExperimentOptions<Model> extends BuildOptions {
  /** Sections of the report about the model itself. */
  readonly explain?: (model: Model) => readonly Section[]
}

/** Trains and uses the classifier that `make` makes; with averaging of weights it is made twice. All random numbers follow from the seed. */
export function pictureExperiment<Model extends ClassifierModel & Module>(
  make: () => Model,
  { optimizer, augment, train }: ClassifierConfig,
  facts: PictureFacts,
  options: PictureExperimentOptions<Model>,
): PictureExperiment<Model> {
  const { seed, explain } = options
  manualSeed(seed)
  const trained = make()
  const averaged = optimizer.ema_decay > 0 ? make() : undefined
  averaged?.loadStateDict(trained.stateDict())
  // What is evaluated, used and saved as the model: with averaging, the averaged one.
  const model = averaged ?? trained
  const threads = threadOptions(options)
  const evaluate = classifierEvaluator(model, threads)
  return {
    model,
    facts,
    ...threads,
    weights: model.variables(),
    initialize: (weights) => {
      for (const each of [trained, averaged]) each?.loadStateDict(weights, { strict: false })
    },
    prepare: (data) => ({
      task: classifierTask(
        trained,
        data,
        { ...optimizer, ...train, optimizer: optimizer.name, mixup: augment.mixup },
        seed,
        randomState().variables,
        evaluate,
        { ...threads, ...(averaged && { averaged }) },
      ),
      loop: {
        epochs: train.epochs,
        checkpointEvery: train.checkpoint_every,
        keepCheckpoints: train.keep_checkpoints,
        monitor: monitorOf(train),
        ...(train.patience > 0 && { patience: train.patience }),
      },
    }),
    evaluate: async ({ test }) => (await evaluate(test)).metrics,
    exports: { classifier: () => exportClassifier({ model, facts }) },
    explain: async ({ test }) => [
      await mistakesSection(facts, test, await evaluate(test)),
      ...(explain?.(model) ?? []),
    ],
  }
}
