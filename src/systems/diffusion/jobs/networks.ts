/** What the studies train: a judge, denoisers, a classifier of noisy pictures; small, each for a number of steps. */
import { z } from 'zod'
import { trainBriefly } from '../../../tasks/brief-training.ts'
import { type Experiment, threadOptions } from '../../../tasks/experiment.ts'
import { classifierEvaluator, classifierScalars } from '../../../tasks/pictures/classifier.ts'
import { optimizerSettings, trainSettings } from '../../../tasks/settings.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import { pathSetting, whole } from '../../../train/settings.ts'
import type { JobContext } from '../../define.ts'
import { type DenoiserExperiment, denoiserExperiment } from '../denoiser.ts'
import { type ClassifierExperiment, classifierExperiment } from '../noisy-classifier.ts'
import {
  type DenoiserTrainSettings,
  type DiffusionSettings,
  diffusionSettings,
  encoderSettings,
  type UNetSettings,
  unetSettings,
} from '../settings.ts'
import { type FeatureNetwork, Judge, judgeFeatures } from './judge.ts'
import { keptNetwork, type NetworkKeeper, runSteps, type Told } from './kept-networks.ts'
import type { StudyPictures } from './pictures.ts'

/** The denoiser of a study, by default for pictures of 14 x 14 pixels: 16 and 32 channels. */
export function studyUnetSettings() {
  return unetSettings().extend({
    channel_mult: z.array(z.number().positive()).min(1).default([1, 2]).describe('times model_channels, by level'),
    attention_resolutions: z.array(whole).default([2]).describe('where there is attention'),
  })
}

/** The classifier of a study. */
export function studyEncoderSettings() {
  return encoderSettings().extend({
    channel_mult: z.array(z.number().positive()).min(1).default([1, 2]).describe('times model_channels, by level'),
    attention_resolutions: z.array(whole).default([2]).describe('where there is attention'),
  })
}

/** How the networks of a study are trained. */
export function studyTrainingSettings(steps = 1500) {
  return z.strictObject({
    steps: whole.default(steps).describe('of each denoiser'),
    classifier_steps: whole.default(500).describe('of the classifier that guides'),
    judge_steps: whole.default(400).describe('of the classifier that judges'),
    batch_size: whole.default(64).describe('pictures in a step'),
    lr: z.number().positive().default(2e-3).describe('learning rate of denoisers; not tuned'),
    ema_decay: z.number().min(0).lt(1).default(0.99).describe('average of the weights that is used'),
    networks: pathSetting('folder of trained networks that several jobs share; empty: each job trains its own'),
  })
}
export type StudyTrainingSettings = z.infer<ReturnType<typeof studyTrainingSettings>>

/** The process of a study. */
export const studyDiffusionSettings = diffusionSettings

/** What all networks of a study are trained with. */
export interface StudyParts {
  readonly pictures: StudyPictures
  readonly training: StudyTrainingSettings
  readonly context: JobContext
}

/** Where the networks of a study are kept, and what tells of them. */
export function keeperOf({ training, context }: StudyParts): NetworkKeeper {
  return { ...context, ...(training.networks !== '' && { networks: training.networks }) }
}

/** Trains the judge, or loads it. Its test accuracy is among what is told. */
export async function trainedJudge(
  parts: StudyParts,
): Promise<{ readonly features: FeatureNetwork; readonly told: Told }> {
  const { pictures, training, context } = parts
  manualSeed(context.seed + 1000)
  const judge = new Judge(pictures.facts)
  const { judge_steps: steps } = training
  const brief = { steps, batch_size: 64, lr: 2e-3, weight_decay: 0.01 }
  const told = await keptNetwork(
    {
      name: 'networks/judge',
      identity: { brief, data: pictures.identity },
      weights: judge.variables(),
      train: async () => {
        const { accuracy, loss, seconds } = await trainBriefly({
          name: 'judge',
          model: judge,
          train: pictures.judged,
          test: pictures.test,
          training: brief,
          seed: context.seed + 1000,
          scalars: (model, batch) => classifierScalars(model, batch, { label_smoothing: 0, mixup: 0 }),
          evaluator: classifierEvaluator,
          ...threadOptions(context),
        })
        return { accuracy, loss, seconds }
      },
    },
    keeperOf(parts),
  )
  return { features: judgeFeatures(judge, threadOptions(context)), told }
}

/** A trained network with what was said of its training. */
export type Known<E> = E & { readonly told: Told; readonly parameters: number }

/** What distinguishes a denoiser of a study. */
export interface DenoiserVariant {
  readonly name: string
  readonly seed: number
  readonly diffusion: DiffusionSettings
  readonly model: UNetSettings
  readonly steps?: number
  readonly schedule_sampler?: DenoiserTrainSettings['schedule_sampler']
}

/** Optimizer and length of a training of so many steps. */
export function trainSettingsOf(
  { training, pictures }: StudyParts,
  { steps, lr, ema_decay }: { readonly steps: number; readonly lr: number; readonly ema_decay: number },
) {
  const { batch_size } = training
  const epochs = steps / Math.floor(pictures.train.length / batch_size)
  return {
    optimizer: optimizerSettings({
      lr,
      weight_decay: 0,
      warmup_steps: Math.min(50, Math.round(steps / 10)),
      ema_decay,
    }).parse({}),
    // Not whole: so that the schedule ends with the last step.
    train: { ...trainSettings({ epochs: 1, batch_size, monitor: ['loss'] }).parse({}), epochs },
  }
}

/** Trains an experiment for some steps, or loads it; its metrics on the test pictures are told too. */
export async function trainedExperiment<E extends Experiment<never>>(
  experiment: E,
  { name, identity, steps }: { readonly name: string; readonly identity: unknown; readonly steps: number },
  parts: StudyParts,
): Promise<Known<E>> {
  const { pictures, context } = parts
  const data = { train: pictures.train, test: pictures.test, facts: pictures.facts } as never
  const told = await keptNetwork(
    {
      name: `networks/${name}`,
      identity,
      weights: experiment.weights,
      train: async () => {
        const { seconds } = await runSteps(experiment.prepare(data).task, steps, name, context)
        return { ...(await experiment.evaluate(data)), seconds }
      },
    },
    keeperOf(parts),
  )
  const parameters = [...experiment.weights.values()].reduce((sum, { size }) => sum + size, 0)
  return { ...experiment, told, parameters }
}

/** Trains a denoiser of a study, or loads it. */
export function trainedDenoiser(
  { name, seed, diffusion, model, schedule_sampler = 'uniform', steps }: DenoiserVariant,
  parts: StudyParts,
): Promise<Known<DenoiserExperiment>> {
  const { training, pictures, context } = parts
  const count = steps ?? training.steps
  const { optimizer, train } = trainSettingsOf(parts, { ...training, steps: count })
  const config = { diffusion, model, optimizer, train: { ...train, schedule_sampler, microbatch: 0, ema_rates: [] } }
  const experiment = denoiserExperiment(config, pictures.facts, { seed, ...threadOptions(context) })
  const identity = { config, seed, steps: count, data: pictures.identity }
  return trainedExperiment(experiment, { name, identity, steps: count }, parts)
}

/** Trains the classifier that guides, or loads it. */
export function trainedClassifier(
  name: string,
  {
    diffusion,
    model,
  }: { readonly diffusion: DiffusionSettings; readonly model: z.infer<ReturnType<typeof encoderSettings>> },
  parts: StudyParts,
): Promise<Known<ClassifierExperiment>> {
  const { training, pictures, context } = parts
  const { classifier_steps: steps } = training
  const { optimizer, train } = trainSettingsOf(parts, { steps, lr: 1e-3, ema_decay: 0 })
  const config = { diffusion, model, optimizer: { ...optimizer, weight_decay: 0.05 }, train }
  const experiment = classifierExperiment(config, pictures.facts, { seed: context.seed, ...threadOptions(context) })
  const identity = { config, seed: context.seed, steps, data: pictures.identity }
  return trainedExperiment(experiment, { name, identity, steps }, parts)
}
