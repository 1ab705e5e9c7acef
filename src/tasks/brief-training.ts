/** Short trainings of many models beside each other, for studies: a number of steps, then the accuracy. */
import { z } from 'zod'
import { type BatchTensors, DataLoader, type Dataset, subset } from '../data/index.ts'
import type { Module } from '../nn/index.ts'
import { TenfoldError } from '../util/errors.ts'
import { Generator } from '../util/random.ts'
import { type ThreadOptions, threadOptions } from './experiment.ts'
import { type OptimizerSettings, optimizerSettings } from './settings.ts'
import { type LearningRateScale, type StepScalars, trainingTask } from './training.ts'

/** How a model is trained; unless a plan has an optimizer: AdamW on matrices and kernels, warm-up over a tenth of the steps, half a cosine. */
export interface BriefTraining {
  readonly steps: number
  readonly batch_size: number
  readonly lr: number
  readonly weight_decay: number
}

/** How good a model is. */
export type BriefScore = { readonly accuracy: number; readonly loss: number }

/** A training whose loss did not stay finite. */
export class DivergedError extends TenfoldError {}

/** What is trained, and what it is tried on. */
export interface BriefPlan<Model extends Module, Name extends string> extends ThreadOptions {
  /** For messages. */
  readonly name: string
  readonly model: Model
  readonly train: Dataset<Name>
  readonly test: Dataset<Name>
  readonly training: BriefTraining
  /** Decides the order of the examples. */
  readonly seed: number
  /** What a step minimizes. */
  readonly scalars: (model: Model, batch: BatchTensors<Name>) => StepScalars
  /** Makes the function that runs the model over a data set. */
  readonly evaluator: (
    model: Model,
    options: ThreadOptions,
  ) => (data: Dataset<Name>) => Promise<{ readonly metrics: BriefScore }>
  /** How weights are updated; its learning rate counts, not that of `training`. Default: as `BriefTraining` says. */
  readonly optimizer?: OptimizerSettings
  /** Parameters that learn at another rate. Default: none. */
  readonly lrScale?: LearningRateScale
  /** Evaluated on the way, after every so many steps. */
  readonly watch?: {
    readonly every: number
    readonly data: Dataset<Name>
    readonly told: (step: number, score: BriefScore) => void
  }
}

/** What came of it. */
export const briefResult = z.strictObject({
  /** On held-out examples. */
  accuracy: z.number(),
  loss: z.number(),
  /** On (at most 2000 of) the examples that were trained on. */
  trainAccuracy: z.number(),
  parameters: z.number(),
  steps: z.number(),
  seconds: z.number(),
})
export type BriefResult = z.infer<typeof briefResult>

/** Trains a model. Throws a DivergedError if the loss does not stay finite. */
export async function trainBriefly<Model extends Module, Name extends string>(
  plan: BriefPlan<Model, Name>,
): Promise<BriefResult> {
  const { name, model, train, test, training, seed, scalars, lrScale, watch } = plan
  const options = threadOptions(plan)
  const evaluate = plan.evaluator(model, options)
  const batchSize = Math.min(training.batch_size, train.length)
  const loader = new DataLoader(train, { batchSize, shuffle: true, seed, dropLast: true })
  const { lr, weight_decay, steps } = training
  const task = trainingTask({
    model,
    loader,
    optimizer:
      plan.optimizer ??
      optimizerSettings({ lr, weight_decay, decayed: 'matrices', warmup_steps: Math.round(steps / 10) }).parse({}),
    ...(lrScale && { lrScale }),
    // Not whole: so that the schedule ends with the last step.
    epochs: steps / loader.stepsPerEpoch,
    scalars: (batch) => scalars(model, batch),
    evaluate: async () => (await evaluate(test)).metrics,
    ...options,
  })
  const started = performance.now()
  let step = 0
  while (step < steps) {
    for await (const batch of task.loader) {
      const { loss } = await task.step(batch)
      if (!Number.isFinite(loss?.item())) {
        throw new DivergedError(`${name}: the loss became NaN or infinite at step ${step + 1}`, {
          hint: 'a smaller learning rate',
        })
      }
      step++
      if (watch && step % watch.every === 0) watch.told(step, (await evaluate(watch.data)).metrics)
      if (step >= steps) break
    }
  }
  const seconds = (performance.now() - started) / 1000
  const { accuracy, loss } = (await evaluate(test)).metrics
  const { accuracy: trainAccuracy } = (await evaluate(firstExamples(train, 2000))).metrics
  await task.step.release()
  const parameters = model.parameters().reduce((sum, { size }) => sum + size, 0)
  return { accuracy, loss, trainAccuracy, parameters, steps: step, seconds }
}

function firstExamples<Name extends string>(dataset: Dataset<Name>, count: number): Dataset<Name> {
  return { ...dataset, length: Math.min(count, dataset.length) }
}

/**
 * Examples `from` to `from + count` of a random order that follows from the seed: smaller parts lie within larger ones, and parts
 * beside each other share no example.
 */
export function randomPart<Name extends string>(
  dataset: Dataset<Name>,
  count: number,
  seed: number,
  from = 0,
): Dataset<Name> {
  return subset(dataset, new Generator(seed).permutation(dataset.length).subarray(from, from + count))
}
