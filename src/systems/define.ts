/** What a system is: the same parts in each of the ten, walked by the command line, the report and the checks. */
import type { z } from 'zod'
import type { Dataset } from '../data/dataset.ts'
import type { Opening } from '../data/opening.ts'
import type { DataRecord } from '../data/record.ts'
import type { NDArray } from '../tensor/dtype.ts'
import type { Tensor, TensorType } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import type { LoopOptions, Metrics, TrainingTask } from '../train/loop.ts'
import type { Report, Section } from '../train/report/figures.ts'
import type { Settings } from '../train/settings.ts'
import type { MetricsLine } from '../train/store.ts'
import { FormatError, UsageError } from '../util/errors.ts'
import type { CaseTargetRule } from '../verify/target.ts'

/** What the data of a run decided, and later use needs without the data: kept in `run.json`. */
export type Facts = Readonly<Record<string, unknown>>

/** What is trained on and tested with. */
export interface TrainingSets {
  /** As training sees it: with random changes, if there are any. */
  readonly train: Dataset
  /** The training examples as they are. Default: `train`. */
  readonly plain?: Dataset
  readonly test: Dataset
}

/** Data opened for training. */
export interface OpenedData extends TrainingSets {
  readonly facts: Facts
  /** What was found and what not, for people and for the run to remember. */
  readonly opening: Opening
}

/** What a run that was started earlier remembers of its data. */
export interface KnownData {
  readonly facts: Facts
  readonly record: DataRecord
}

/** One prediction for one input (a file or a text), best first. */
export interface Prediction {
  readonly input: string
  readonly choices: readonly { readonly label: string; readonly probability: number }[]
}

/** An input that nothing can be said of, and why. */
export interface Refusal {
  readonly input: string
  readonly error: UsageError | FormatError
}

/** Predictions for one input after the other. What is wrong with an input stands in its place, and the others go on. */
export async function* predictEach(
  inputs: readonly string[],
  predict: (input: string) => Promise<readonly Prediction[]>,
): AsyncGenerator<Prediction | Refusal> {
  for (const input of inputs) {
    try {
      yield* await predict(input)
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof FormatError)) throw error
      yield { input, error }
    }
  }
}

/** A function to write as a model file, with symbolic batch size. */
export interface Exportable {
  /** Inputs by name; axis 0 is the batch. */
  readonly inputs: Readonly<Record<string, TensorType>>
  /** Computes the outputs by name from the inputs by name. */
  readonly forward: (inputs: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>
  /** What a consumer must know: labels, preprocessing. */
  readonly metadata: Readonly<Record<string, string>>
}

/** Weights that training starts from instead of random ones. */
export interface Pretrained<Config> {
  /** The configuration with the sizes that the weights have. */
  readonly config: Config
  /** By the names of `Experiment.weights`; what is not among them keeps its initial values. */
  readonly weights: ReadonlyMap<string, NDArray>
  /** What was loaded, for people. */
  readonly summary: string
}

/** Frozen features of a data set and its labels. */
export interface LabelledFeatures {
  /** float32 [examples, width] */
  readonly features: NDArray
  readonly labels: readonly number[]
}

/** What a model makes of its inputs before the head, for few-shot evaluation. */
export interface Representation {
  readonly features: (data: Dataset) => Promise<LabelledFeatures>
  /** Opens another task's pictures, one sub-folder a class, as the model takes them. */
  readonly openFolder: (folder: string) => Promise<OpenedData>
}

/** A model built from a configuration, with everything that can be done with it. */
export interface Experiment {
  /** Parameters and buffers of the model by their state-dict names. */
  readonly weights: ReadonlyMap<string, Variable>
  /** The training task and how long it runs. */
  readonly prepare: (data: TrainingSets) => {
    readonly task: TrainingTask
    readonly loop: Omit<LoopOptions, 'signal' | 'steps'>
  }
  /** Final metrics on held-out data. */
  readonly evaluate: (data: Dataset) => Promise<Metrics>
  /** In the order of `inputs`, which are what the recipe's `predictExample` shows one of. */
  readonly predict: (inputs: readonly string[]) => AsyncIterable<Prediction | Refusal>
  readonly exportable: () => Exportable
  /** Replaces the initial weights before training. */
  readonly initialize?: (weights: ReadonlyMap<string, NDArray>) => void
  readonly representation?: Representation
  /** Sections that show the learned weights; data are not needed. */
  readonly inspect?: () => readonly Section[]
  /** Sections of the report, besides the ones every run has. */
  readonly explain: (data: OpenedData, metrics: readonly MetricsLine[]) => Promise<readonly Section[]>
}

export interface BuildOptions {
  /** All random numbers of the run follow from it. */
  readonly seed: number
  /** Threads that compute one op. Default: the runtime's choice. */
  readonly threads?: number
}

/** A way to train a system: its data and defaults. */
export interface Recipe<Config extends Settings = Settings> {
  readonly name: string
  /** One line for `tenfold list`. */
  readonly summary: string
  /** What `tenfold predict RUN` is given, as one writes it in a shell: `FILE...`, `"Call me [MASK]."`. */
  readonly predictExample: string
  /** Every setting with its default; a strict object, so that unknown settings are errors. */
  readonly config: z.ZodType<Config>
  /** Optional npm packages that opening and reading the data needs: looked for before work begins. */
  readonly packages?: (config: Config) => readonly string[]
  /**
   * Opens the data. Those of an earlier run (`known`) keep its facts, and each example its side: what has changed is told in the
   * opening, and nothing is read of what training began from.
   */
  readonly open: (config: Config, known?: KnownData) => Promise<OpenedData>
  /** Reads the weights to start from, if the configuration names any. */
  readonly pretrained?: (config: Config, facts: Facts) => Promise<Pretrained<Config> | undefined>
  /** Builds the model; all random numbers follow from the seed. */
  readonly build: (config: Config, facts: Facts, options: BuildOptions) => Experiment
}

/** What a study is given besides its settings. */
export interface StudyContext {
  /** Where finished parts are kept, so that a study that was stopped goes on. */
  readonly folder: string
  readonly seed: number
  /** Threads that compute one op. Default: the runtime's choice. */
  readonly threads?: number
  /** Tells of progress: a line for people, and the same as data. */
  readonly progress: (line: string, fields: Readonly<Record<string, unknown>>) => void
  /** Ends the study after the part in hand; throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** An experiment of many trainings that ends in one page. */
export interface Study<Config extends Settings = Settings> {
  readonly name: string
  /** One line for `tenfold list`. */
  readonly summary: string
  /** Every setting with its default; a strict object. */
  readonly config: z.ZodType<Config>
  /** Optional npm packages that the data need: looked for before work begins. */
  readonly packages?: (config: Config) => readonly string[]
  readonly run: (config: Config, context: StudyContext) => Promise<Report>
}

export interface System {
  readonly name: string
  readonly title: string
  /** Authors, year and identifier of the paper. */
  readonly paper: string
  readonly recipes: readonly Recipe[]
  readonly studies?: readonly Study[]
  /** How `tenfold verify` runs the reference cases of the official implementation. */
  readonly targets: readonly CaseTargetRule[]
}

/** Declares a recipe. Its configuration type is only known to itself: whoever holds it passes what the schema parsed. */
export function defineRecipe<Config extends Settings>(recipe: Recipe<Config>): Recipe {
  return recipe as unknown as Recipe
}

/** Declares a study, as `defineRecipe` a recipe. */
export function defineStudy<Config extends Settings>(study: Study<Config>): Study {
  return study as unknown as Study
}

export function defineSystem(system: System): System {
  return system
}
