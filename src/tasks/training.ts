/** Training of a model by its loss, whatever the problem: optimizer and schedule, the step, what a checkpoint holds. */
import { compile } from '../compile/compile.ts'
import { type BatchTensors, batchRows, type Dataset } from '../data/dataset.ts'
import { type BatchSource, DataLoader } from '../data/loader.ts'
import type { Module } from '../nn/index.ts'
import * as ops from '../ops/index.ts'
import {
  Adam,
  AdamW,
  averageInto,
  constantScheduleWithWarmup,
  cosineScheduleWithWarmup,
  inverseSqrtSchedule,
  LAMB,
  LARS,
  linearScheduleWithWarmup,
  type Optimizer,
  type Schedule,
  SGD,
} from '../optim/index.ts'
import { manualSeed, randomState } from '../tensor/random-state.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { defineTask, type Metrics, type TrainingTask } from '../train/loop.ts'
import { checkpointVariables } from '../train/store.ts'
import type { Communicator } from '../util/communicator.ts'
import { mapValues } from '../util/records.ts'
import type { MetricDescriptions, OpenedData } from './define.ts'
import { type BuildOptions, type Experiment, type ThreadOptions, threadOptions } from './experiment.ts'
import { loopOptions, type OptimizerSettings, type TrainSettings } from './settings.ts'

/** What is done of a training at a step, as whole epochs. */
export interface Epochs {
  readonly stepsPerEpoch: number
  readonly epochs: number
}

/** mmcv's schedules: the rate changes between epochs only, and a warm-up is a share of what the epoch has. */
function epochRate(name: 'epoch_cosine' | 'epoch_steps', lr: number, { stepsPerEpoch, epochs }: Epochs): Schedule {
  const done = (step: number): number => Math.floor(step / Math.max(1, stepsPerEpoch)) / epochs
  if (name === 'epoch_cosine') return (step) => (lr * (1 + Math.cos(Math.PI * done(step)))) / 2
  return (step) => lr * 0.1 ** [8 / 12, 11 / 12].filter((milestone) => done(step) >= milestone - 1e-9).length
}

/** The learning rate of every step of a training. `epochs`: for schedules that change between epochs. Default: one epoch. */
export function learningRate(
  settings: OptimizerSettings,
  totalSteps: number,
  epochs: Epochs = { stepsPerEpoch: totalSteps, epochs: 1 },
): Schedule {
  const { lr, schedule, warmup_steps, warmup_share, warmup_ratio } = settings
  const numWarmupSteps = warmup_steps > 0 ? warmup_steps : Math.round(warmup_share * totalSteps)
  const lengths = { numWarmupSteps, numTrainingSteps: totalSteps }
  const risen = (full: Schedule): Schedule => {
    return (step) => {
      const left = step < numWarmupSteps ? 1 - step / numWarmupSteps : 0
      return full(step) * (1 - left * (1 - warmup_ratio))
    }
  }
  const full = (): Schedule => {
    switch (schedule) {
      case 'cosine':
        return cosineScheduleWithWarmup(lr, lengths)
      case 'linear':
        return linearScheduleWithWarmup(lr, lengths)
      case 'constant':
        return constantScheduleWithWarmup(lr, { numWarmupSteps })
      case 'inverse_sqrt':
        return inverseSqrtSchedule(lr, { numWarmupSteps })
      case 'epoch_cosine':
      case 'epoch_steps':
        return risen(epochRate(schedule, lr, epochs))
    }
  }
  const chosen = full()
  if (warmup_ratio === 0 || schedule.startsWith('epoch_')) return chosen
  const after = chosen(numWarmupSteps)
  return (step) => (step < numWarmupSteps ? risen(() => after)(step) : chosen(step))
}

/** Learning rates of parameters as multiples of the setting, by what `Module.namedParameters` calls them. */
export type LearningRateScale = (name: string) => number

/** What an optimizer needs to know beside its settings. */
export interface OptimizerOptions {
  /** Multiples of the learning rate. Default: 1 for all. */
  readonly scaleOf?: (parameter: Variable) => number
  /** For schedules that change between epochs. Default: one epoch. */
  readonly epochs?: Epochs
}

/** The optimizer of the settings for a training of so many steps. */
export function makeOptimizer(
  parameters: readonly Variable[],
  settings: OptimizerSettings,
  totalSteps: number,
  { scaleOf = () => 1, epochs }: OptimizerOptions = {},
): Optimizer {
  const { name, weight_decay, betas, eps, momentum } = settings
  const lr = learningRate(settings, totalSteps, epochs)
  const isDecayed = ({ shape }: Variable): boolean => settings.decayed === 'all' || shape.length > 1
  // The first group's rate is the one that is shown, so those of the setting itself come first.
  const scales = [...new Set([1, ...parameters.map(scaleOf)])]
  const groups = scales
    .flatMap((scale) => {
      const own = parameters.filter((parameter) => scaleOf(parameter) === scale)
      const rate = scale === 1 ? {} : { lr: (step: number): number => scale * lr(step) }
      return [true, false].map((decays) => ({
        parameters: own.filter((parameter) => isDecayed(parameter) === decays),
        weightDecay: decays ? weight_decay : 0,
        ...rate,
      }))
    })
    .filter((group) => group.parameters.length > 0)
  switch (name) {
    case 'adamw':
      return new AdamW(groups, { lr, betas, eps })
    case 'adam':
      return new Adam(groups, { lr, betas, eps })
    case 'lamb':
      return new LAMB(groups, { lr, betas, eps })
    case 'sgd':
      return new SGD(groups, { lr, momentum, nesterov: settings.nesterov && momentum > 0 })
    case 'lars':
      return new LARS(groups, { lr, momentum, nesterov: settings.nesterov, decayVectors: settings.decayed === 'all' })
  }
}

/** What a step shows of a batch, `loss`, which is minimized, among it. */
export type StepScalars = Readonly<Record<string, Tensor>> & { readonly loss: Tensor }

/** What a training task is made of. */
export interface TaskParts<Name extends string = string> extends ThreadOptions {
  readonly model: Module
  /** A second model of the same configuration, which follows the trained one as an average and is the one to use. */
  readonly averaged?: Module
  readonly loader: BatchSource<Name>
  readonly optimizer: OptimizerSettings
  /** Parameters that learn at another rate. Default: none. */
  readonly lrScale?: LearningRateScale
  /** Length of the training, for the learning rate. */
  readonly epochs: number
  /** Computes what a step shows, inside of the traced step. */
  readonly scalars: (batch: BatchTensors<Name>) => StepScalars
  /**
   * Whether all of `scalars` are means over the examples of the batch: then several processes can compute them of parts of it.
   * Default: false.
   */
  readonly meansOfExamples?: boolean
  /** What a training keeps besides weights and optimizer, by name: part of checkpoints, not of the model. Default: nothing. */
  readonly state?: ReadonlyMap<string, Variable>
  /** Called in the traced step after the update: moving averages that belong to the model follow the new weights. */
  readonly updated?: () => void
  readonly evaluate: TrainingTask['evaluate']
}

/** How a step changes a model, and what of it belongs into checkpoints. */
export interface Updates {
  /** Changes the weights, inside of the traced step. `weight`: of this loss among those of several processes. */
  minimize(loss: Tensor, weight?: number): void
  /** The model to use as `model.*`: the averaged one if there is one, and then the trained one as `trained.*`; optimizer, random numbers. */
  readonly variables: ReadonlyMap<string, Variable>
  learningRate(): number
}

function scaleByName(model: Module, lrScale: LearningRateScale): (parameter: Variable) => number {
  const scales = new Map([...model.namedParameters()].map(([name, parameter]) => [parameter, lrScale(name)]))
  return (parameter) => scales.get(parameter) ?? 1
}

/** The optimizer of the settings at work on a model. */
export function updatesOf({
  model,
  averaged,
  loader,
  optimizer: settings,
  epochs,
  state,
  lrScale,
}: Pick<TaskParts, 'model' | 'averaged' | 'optimizer' | 'epochs' | 'state' | 'lrScale'> & {
  readonly loader: Pick<BatchSource, 'stepsPerEpoch'>
}): Updates {
  const { clip_norm: clipNorm, ema_decay } = settings
  const { stepsPerEpoch } = loader
  const optimizer = makeOptimizer(model.parameters(), settings, epochs * stepsPerEpoch, {
    epochs: { stepsPerEpoch, epochs },
    ...(lrScale && { scaleOf: scaleByName(model, lrScale) }),
  })
  const average = averaged && averageInto(averaged.variables(), model.variables(), ema_decay)
  return {
    minimize: (loss, weight = 1) => {
      optimizer.minimize(loss, { ...(clipNorm > 0 && { clipNorm }), weight })
      average?.update()
    },
    variables: checkpointVariables({
      model: (averaged ?? model).variables(),
      trained: averaged ? model.variables() : [],
      average: average?.variables() ?? [],
      optimizer: optimizer.variables(),
      random: randomState().variables,
      state: state ?? [],
    }),
    learningRate: () => optimizer.lr,
  }
}

/** The task that minimizes the loss of a model. Its checkpoints hold what `Updates.variables` says. */
export function trainingTask<Name extends string>(parts: TaskParts<Name>): TrainingTask {
  const { loader, scalars, meansOfExamples, updated, evaluate, threads } = parts
  const { minimize, variables, learningRate } = updatesOf(parts)
  const taskWith = (batches: BatchSource<Name>, communicator?: Communicator): TrainingTask => {
    const step = compile(
      (batch: BatchTensors<Name>) => {
        const shown = scalars(batch)
        const examples = batchRows(batch)
        minimize(shown.loss, examples)
        updated?.()
        return { ...shown, ...mapValues(shown, (value) => ops.meanOverRanks(value, examples)) }
      },
      { ...(threads !== undefined && { threads }), ...(communicator && { communicator }) },
    )
    return defineTask({ variables, loader: batches, step, evaluate, learningRate })
  }
  const task = taskWith(loader)
  if (!meansOfExamples || !(loader instanceof DataLoader)) return task
  return { ...task, distributed: (communicator) => taskWith(loader.partFor(communicator), communicator) }
}

/** What a training keeps of its model beside it: state for checkpoints, and what a step does to it after the update. */
export interface KeptBeside {
  readonly state: ReadonlyMap<string, Variable>
  readonly updated: () => void
}

/** What makes a model trainable on examples; `Found`: what an evaluation finds, besides its metrics. */
export interface TrainablePlan<
  Model extends Module,
  Found extends { readonly metrics: Metrics },
  Name extends string = string,
> {
  /** Makes the model; with averaging of weights it is made twice. */
  readonly make: () => Model
  readonly config: { readonly optimizer: OptimizerSettings; readonly train: TrainSettings }
  readonly metrics: MetricDescriptions
  readonly options: BuildOptions
  readonly scalars: (model: Model, batch: BatchTensors<Name>) => StepScalars
  /** Whether all of them are means over the examples of the batch, so that several processes can train together. Default: false. */
  readonly meansOfExamples?: boolean
  /** What `scalars` keeps from step to step, by name: part of checkpoints. Default: nothing. */
  readonly state?: ReadonlyMap<string, Variable>
  /** What else is kept of the trained model. Default: nothing. */
  readonly beside?: (trained: Model) => KeptBeside
  /** Makes the function that runs a model over a data set. */
  readonly evaluator: (model: Model, options: ThreadOptions) => (data: Dataset<Name>) => Promise<Found>
  /** Parameters that learn at another rate. Default: none. */
  readonly lrScale?: LearningRateScale
}

/** A model and its training: most of an experiment. */
export interface Trainable<Model extends Module, Found, Name extends string = string>
  extends Pick<Experiment<OpenedData<unknown, Name>>, 'weights' | 'prepare' | 'evaluate'>,
    ThreadOptions,
    Required<Pick<Experiment, 'initialize'>> {
  /** The one to evaluate, use and save: with averaging the averaged one. */
  readonly model: Model
  /** Runs the model over a data set. */
  readonly score: (data: Dataset<Name>) => Promise<Found>
}

/** A model trained on shuffled examples by its loss. All random numbers follow from the seed. */
export function trainable<Model extends Module, Found extends { readonly metrics: Metrics }, Name extends string>(
  plan: TrainablePlan<Model, Found, Name>,
): Trainable<Model, Found, Name> {
  const { make, metrics, options, scalars, meansOfExamples = false, evaluator, beside, lrScale } = plan
  const { optimizer, train } = plan.config
  const { seed } = options
  manualSeed(seed)
  const trained = make()
  const averaged = optimizer.ema_decay > 0 ? make() : undefined
  averaged?.loadStateDict(trained.stateDict())
  const model = averaged ?? trained
  const kept = beside?.(trained)
  const state = new Map([...(plan.state ?? []), ...(kept?.state ?? [])])
  const threads = threadOptions(options)
  const score = evaluator(model, threads)
  const evaluate = async ({ test }: { readonly test: Dataset<Name> }): Promise<Metrics> => (await score(test)).metrics
  return {
    model,
    ...threads,
    score,
    evaluate,
    weights: model.variables(),
    initialize: (weights) => {
      for (const each of [trained, averaged]) each?.loadStateDict(weights, { strict: false })
    },
    prepare: (data) => ({
      task: trainingTask({
        model: trained,
        ...(averaged && { averaged }),
        loader: new DataLoader(data.train, { batchSize: train.batch_size, shuffle: true, seed, dropLast: true }),
        optimizer,
        ...(lrScale && { lrScale }),
        epochs: train.epochs,
        scalars: (batch) => scalars(trained, batch),
        meansOfExamples,
        state,
        ...(kept && { updated: kept.updated }),
        evaluate: () => evaluate(data),
        ...threads,
      }),
      loop: loopOptions(train, metrics),
    }),
  }
}
