/** A model with its task: what training, evaluation and the commands need. */
import type { Section } from '../report/figures.ts'
import type { NDArray } from '../tensor/dtype.ts'
import type { Variable } from '../tensor/variable.ts'
import type { LoopOptions, TrainingTask, Metrics as Values } from '../train/loop.ts'
import type { MetricsLine, Snapshots } from '../train/store.ts'
import type { Exportable, OpenedData, TrainingSets } from './define.ts'

/**
 * A model built from a configuration, with everything that can be done with it. `Data`: what the recipe's `open` gives, which the
 * methods are called with.
 */
export interface Experiment<Data extends OpenedData = OpenedData> {
  /** Parameters and buffers of the model by their state-dict names. */
  readonly weights: ReadonlyMap<string, Variable>
  /** Replaces the initial weights before training. */
  readonly initialize?: (weights: ReadonlyMap<string, NDArray>) => void
  /** The training task and how long it runs. */
  prepare(data: Pick<Data, keyof TrainingSets>): {
    readonly task: TrainingTask
    readonly loop: Omit<LoopOptions, 'signal' | 'steps'>
  }
  /** Final metrics on the test data. */
  evaluate(data: Data): Promise<Values>
  /** What `tenfold export` writes, by name; the first one where none is named. */
  readonly exports: Readonly<Record<string, () => Exportable>>
  /**
   * Pictures at each evaluation, such as samples or reconstructions, by name: kept in the run directory and shown in the report.
   * Random functions draw the same numbers each time.
   */
  snapshot?(data: Data): Promise<Snapshots>
  /** Sections of the report, besides the ones every run has. */
  explain?(data: Data, metrics: readonly MetricsLine[]): Promise<readonly Section[]>
}

/** How an experiment is built. */
export interface BuildOptions {
  /** All random numbers of the run follow from it. */
  readonly seed: number
  /** Threads that compute one op. Default: the runtime's choice. */
  readonly threads?: number
}

/** How compiled functions compute. */
export interface ThreadOptions {
  readonly threads?: number
}

/** Of wider options what compiled functions take. */
export function threadOptions({ threads }: { readonly threads?: number | undefined }): ThreadOptions {
  return threads === undefined ? {} : { threads }
}
