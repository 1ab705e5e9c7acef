/** A picture classifier in training and in use: everything that a recipe needs besides its model and its data. */
import type { Module } from '../../nn/index.ts'
import type { Section } from '../../report/figures.ts'
import type { MetricDescriptions } from '../define.ts'
import type { BuildOptions, Experiment } from '../experiment.ts'
import type { TrainSettings } from '../settings.ts'
import { type LearningRateScale, trainable } from '../training.ts'
import { type ClassifierModel, classifierEvaluator, classifierScalars } from './classifier.ts'
import type { PictureFacts } from './facts.ts'
import { mistakesSection } from './figures.ts'
import type { OpenedPictures } from './open.ts'
import { exportClassifier } from './predict.ts'
import type { AugmentSettings, ClassifierOptimizerSettings } from './settings.ts'

/** The metrics of every picture classifier. */
export const pictureMetrics = {
  accuracy: { goal: 'max', unit: 'percent' },
  loss: { goal: 'min' },
} as const satisfies MetricDescriptions

/** The settings that the training of a classifier uses. */
export interface ClassifierConfig {
  readonly optimizer: ClassifierOptimizerSettings
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
  /** Sections of the report about the model itself; `test`: pictures to show it on. */
  readonly explain?: (model: Model, test: OpenedPictures['test']) => readonly Section[] | Promise<readonly Section[]>
  /** Parameters that learn at another rate. Default: none. */
  readonly lrScale?: LearningRateScale
}

/** Trains and uses the classifier that `make` makes; with averaging of weights it is made twice. All random numbers follow from the seed. */
export function pictureExperiment<Model extends ClassifierModel & Module>(
  make: () => Model,
  config: ClassifierConfig,
  facts: PictureFacts,
  options: PictureExperimentOptions<Model>,
): PictureExperiment<Model> {
  const { label_smoothing } = config.optimizer
  const loss = { label_smoothing, mixup: config.augment.mixup }
  const { score, ...trained } = trainable({
    make,
    config,
    metrics: pictureMetrics,
    options,
    scalars: (model, batch) => classifierScalars(model, batch, loss),
    meansOfExamples: true,
    evaluator: classifierEvaluator,
    ...(options.lrScale && { lrScale: options.lrScale }),
  })
  const { model } = trained
  return {
    ...trained,
    facts,
    exports: { classifier: () => exportClassifier({ model, facts }) },
    explain: async ({ test }) => [
      await mistakesSection(facts, test, await score(test)),
      ...((await options.explain?.(model, test)) ?? []),
    ],
  }
}
