/** What `trainModel` is given, and what it gives. */
import type { FunctionOptions } from '../compile/compile.ts'
import type { BatchTensors } from '../data/dataset.ts'
import type { BatchSource } from '../data/loader.ts'
import type { Variable } from '../tensor/variable.ts'
import type { CheckpointChoice } from './checkpoint.ts'
import type { MetricDescriptions } from './describe-metrics.ts'
import type { LoopObserver, LoopOptions, LoopResult, Metrics, StepResult } from './loop.ts'
import type { RunDirectory } from './run.ts'
import type { RunReportOptions } from './run-report.ts'
import type { Settings } from './settings.ts'
import type { Snapshots } from './store.ts'

/** What a checkpoint can hold: a module, an optimizer, an average of weights, a variable, or variables by name. */
export type Stateful =
  | { variables(): Iterable<readonly [string, Variable]> }
  | Iterable<readonly [string, Variable]>
  | Variable

/** What `trainModel` trains, how long, and what it keeps. */
export interface TrainOptions<Name extends string = string> {
  /**
   * The run directory. It is made, or, if it holds a run of this program, continued from its newest checkpoint: bit for bit as if nothing
   * had happened. Default: nothing is written to disk.
   */
  readonly folder?: string
  /**
   * Everything that training changes, by name: `{ model, optimizer }`. The names of a checkpoint's tensors begin with these. Random numbers
   * and the position in the data are kept without being named.
   */
  readonly state: Readonly<Record<string, Stateful>>
  /** Gives the batches: a `DataLoader`, or a source of one's own. */
  readonly loader: BatchSource<Name>
  /**
   * A training step: a function of a batch of tensors which is traced, as by `compile`. It calls `optimizer.minimize(loss)` and returns
   * scalars by name, `loss` among them.
   */
  readonly step: (batch: BatchTensors<Name>) => StepResult
  /** How the step is compiled: threads, axes whose size changes. */
  readonly compile?: FunctionOptions<[BatchTensors<Name>]>
  /** Metrics on held-out data, by name. It may put the models of `state` into evaluation mode: they train on in the mode they had. Default: no evaluation. */
  readonly evaluate?: () => Promise<Metrics>
  /** Variables that carry information from batch to batch, as the memory of a stream; evaluation leaves them as they were. Default: none. */
  readonly memory?: readonly Variable[]
  /** Pictures of an evaluation, which are kept and shown in the report. Default: none. */
  readonly snapshot?: () => Promise<Snapshots>
  /** Passes over the data. Default: as many as `steps` need. */
  readonly epochs?: number
  /** Ends training after so many steps, if sooner. Default: the epochs. */
  readonly steps?: number
  /** Steps between evaluations, beside the one after each epoch. Default: none. */
  readonly evaluateEvery?: number
  /** Steps between checkpoints, beside those after each epoch and evaluation. Default: 100. */
  readonly checkpointEvery?: number
  /** Numbered checkpoints kept, beside the best. Default: 2. */
  readonly keepCheckpoints?: number
  /** The metric of `evaluate` that says which is better. Default: the lowest `loss`. */
  readonly monitor?: LoopOptions['monitor']
  /** Early stop: ends after so many evaluations in a row without a better one. Default: never. */
  readonly patience?: number
  /** How metrics are read: `{ accuracy: { goal: 'max', unit: 'percent' } }`. Default: plain numbers, lower ones are better. */
  readonly metrics?: MetricDescriptions
  /** Kept in `run.json` and shown in the report; a run is only continued with the same ones. Default: none. */
  readonly settings?: Settings
  /** Prints progress to the standard error. Default: true. */
  readonly progress?: boolean
  /** Writes an event file for `tensorboard --logdir FOLDER`. Default: false. */
  readonly tensorboard?: boolean
  /** Writes `report.html` at the end; sections of one's own, or a function that makes them then. Default: false. */
  readonly report?: boolean | RunReportOptions | (() => Promise<RunReportOptions>)
  /** Called at steps, evaluations and checkpoints. */
  readonly observer?: LoopObserver
  /** Saves and stops after the step in which this is aborted; at once, if it is already. */
  readonly signal?: AbortSignal
}

/** The names of all options. */
export const trainOptionNames = Object.keys({
  folder: true,
  state: true,
  loader: true,
  step: true,
  compile: true,
  evaluate: true,
  memory: true,
  snapshot: true,
  epochs: true,
  steps: true,
  evaluateEvery: true,
  checkpointEvery: true,
  keepCheckpoints: true,
  monitor: true,
  patience: true,
  metrics: true,
  settings: true,
  progress: true,
  tensorboard: true,
  report: true,
  observer: true,
  signal: true,
} satisfies Record<keyof TrainOptions, true>)

/** How a training ended. */
export interface TrainResult extends LoopResult {
  /** Never `not finite`: that is an error. */
  readonly reason: 'finished' | 'interrupted' | 'early stop'
  /** The run directory, if there is one. */
  readonly run?: RunDirectory
  /** The path of `report.html`, if it was written. */
  readonly report?: string
  /** Puts the variables back to a checkpoint and returns its step: the best one, the newest, or that of a step. */
  restore(choice: CheckpointChoice): Promise<number>
}

/** The `system` of runs that a program of its own makes. */
export const programSystem = 'program'
