/** A classifier of named arrays in training and in use: everything that a recipe needs besides its model and its data. */
import type { Section } from '../../report/figures.ts'
import { UsageError } from '../../util/errors.ts'
import type { MetricDescriptions, OpenedData } from '../define.ts'
import type { BuildOptions, Experiment } from '../experiment.ts'
import type { ClassifierOptimizerSettings } from '../pictures/settings.ts'
import type { TrainSettings } from '../settings.ts'
import { trainable } from '../training.ts'
import { type ArrayClassifier, type ArrayEvaluation, arrayEvaluator, arrayScalars } from './classifier.ts'
import type { ArrayFacts } from './facts.ts'
import { type ExampleFigure, resultSection } from './figures.ts'
import { exportArrays } from './predict.ts'

/** The metrics of classifiers of arrays: accuracy where examples have one class, mean average precision where they have any number. */
export const arrayMetrics = {
  accuracy: { goal: 'max', unit: 'percent' },
  mean_average_precision: { goal: 'max', unit: 'percent' },
  loss: { goal: 'min' },
} as const satisfies MetricDescriptions

/** The settings that the training of a classifier uses. */
export interface ArrayConfig {
  readonly optimizer: ClassifierOptimizerSettings
  readonly train: TrainSettings
}

/** Arrays as a classifier takes them. */
export type OpenedArrays<Facts extends ArrayFacts = ArrayFacts> = OpenedData<Facts, 'label'>

/** An experiment with a classifier in it, as the uses take it. */
export interface ArrayExperiment<Model extends ArrayClassifier = ArrayClassifier, Facts extends ArrayFacts = ArrayFacts>
  extends Experiment<OpenedArrays<Facts>> {
  readonly model: Model
  readonly facts: Facts
  readonly threads?: number
}

/** What a recipe adds. */
export interface ArrayExperimentOptions<Model> extends BuildOptions {
  /** What a consumer of the exported model must know of its inputs. */
  readonly preprocessing: Readonly<Record<string, unknown>>
  /** Draws one example of the report. */
  readonly figure?: ExampleFigure
  /** Sections of the report about the model itself. */
  readonly explain?: (model: Model, test: OpenedArrays['test']) => readonly Section[] | Promise<readonly Section[]>
}

/** Refuses a monitored metric that such data don't have. */
function checkMonitor({ monitor }: TrainSettings, { classes_per_example: kind }: ArrayFacts): void {
  const missing = kind === 'one' ? 'mean_average_precision' : 'accuracy'
  if (monitor !== missing) return
  const other = kind === 'one' ? 'accuracy' : 'mean_average_precision'
  throw new UsageError(
    `train.monitor is ${missing}, which these data do not have: their examples have ${kind === 'one' ? 'one class each' : 'any number of classes'}`,
    {
      hint: `--set train.monitor=${other}, or loss`,
    },
  )
}

/** Trains and uses the classifier that `make` makes; with averaging of weights it is made twice. */
export function arrayExperiment<Model extends ArrayClassifier, Facts extends ArrayFacts>(
  make: () => Model,
  config: ArrayConfig,
  facts: Facts,
  options: ArrayExperimentOptions<Model>,
): ArrayExperiment<Model, Facts> {
  checkMonitor(config.train, facts)
  const { classes_per_example: kind } = facts
  const { label_smoothing: smoothing } = config.optimizer
  const { score, ...trained } = trainable<Model, ArrayEvaluation, 'label'>({
    make,
    config,
    metrics: arrayMetrics,
    options,
    scalars: (model, batch) => arrayScalars(model, batch, kind, smoothing),
    meansOfExamples: true,
    evaluator: (model, threads) => arrayEvaluator(model, facts, threads),
  })
  const { model } = trained
  return {
    ...trained,
    facts,
    exports: { classifier: () => exportArrays({ model, facts }, options.preprocessing) },
    explain: async ({ test }) => [
      await resultSection(facts, test, await score(test), options.figure),
      ...((await options.explain?.(model, test)) ?? []),
    ],
  }
}
