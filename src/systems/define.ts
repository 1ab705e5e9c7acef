/** What a system is: the same parts in each of the ten, used by the command line, the report and the checks. */
import type { z } from 'zod'
import type { Report } from '../report/figures.ts'
import type { KnownData, MetricDescriptions, OpenedData, Use, Vocabulary } from '../tasks/define.ts'
import type { BuildOptions, Experiment } from '../tasks/experiment.ts'
import type { NDArray } from '../tensor/dtype.ts'
import type { Settings } from '../train/settings.ts'
import type { CaseTargetRule } from '../verify/target.ts'

/** Weights to start from instead of random ones, brought to the sizes of the data. */
export interface FittedWeights<Config> {
  /** The configuration with the sizes that the weights have. */
  readonly config: Config
  /** By the names of `Experiment.weights`; what is not among them keeps its initial values. */
  readonly weights: ReadonlyMap<string, NDArray>
  /** What was loaded, as text. */
  readonly summary: string
}

/** What a run starts from: read once, before the data, which may need its vocabulary. */
export interface Start<Config, Facts> {
  readonly vocabulary?: Vocabulary
  readonly fit: (config: Config, facts: Facts) => FittedWeights<Config>
}

/** What opening data is given besides the settings. */
export interface OpenContext<Config, Facts> {
  /**
   * For an earlier run: its data keep its facts, and each example its side; changes are reported in the opening, and nothing is
   * read of the initial weights.
   */
  readonly known?: KnownData<Facts>
  /** What training starts from, if not random weights. */
  readonly start?: Start<Config, Facts>
}

/** A way to train a system: its data and defaults, and the uses of the result. */
export interface Recipe<Config extends Settings = Settings, Facts = unknown, E extends Experiment = Experiment> {
  readonly name: string
  /** One line for `tenfold list`. */
  readonly summary: string
  /** Every setting with its default; a strict object, so that unknown settings are errors. */
  readonly config: z.ZodType<Config>
  /** The form of what the data decide and the model is built from: a run whose facts do not fit is of another version. */
  readonly facts: z.ZodType<Facts>
  /** How each metric of a step or an evaluation is read. */
  readonly metrics: MetricDescriptions
  /** Optional npm packages that opening and reading the data needs: looked for before work begins. */
  readonly packages?: (config: NoInfer<Config>) => readonly string[]
  /** Reads what the configuration says that training starts from; undefined: random weights. */
  readonly start?: (config: NoInfer<Config>) => Promise<Start<NoInfer<Config>, NoInfer<Facts>> | undefined>
  readonly open: (
    config: NoInfer<Config>,
    context: OpenContext<NoInfer<Config>, NoInfer<Facts>>,
  ) => Promise<OpenedData<NoInfer<Facts>>>
  /** Builds the model; all random numbers follow from the seed. */
  readonly build: (config: NoInfer<Config>, facts: NoInfer<Facts>, options: BuildOptions) => E
  /** Uses of a trained run: a command each, by name. The first one is recommended at the end of a training. */
  readonly uses?: Readonly<Record<string, Use<NoInfer<E>>>>
}

/** What a job is given besides its settings. */
export interface JobContext {
  /** Where results and finished parts are kept, so that a stopped job can continue. */
  readonly folder: string
  readonly seed: number
  /** Threads that compute one op. Default: the runtime's choice. */
  readonly threads?: number
  /** Reports progress: as a line, and as data. */
  readonly progress: (line: string, fields: Readonly<Record<string, unknown>>) => void
  /** Ends the job after the current part; throws the signal's reason. */
  readonly signal?: AbortSignal
  /**
   * A part that is not made twice: what `make` gives is kept in a file, and taken from there as long as `identity` (all that it
   * depends on) is the same. `schema`: the form of the part.
   */
  readonly keep: <Part>(
    name: string,
    identity: unknown,
    schema: z.ZodType<Part>,
    make: () => Promise<Part>,
  ) => Promise<Kept<Part>>
  /**
   * How parts come about. `alone`: this process makes them, one after the other; `shared`: with other processes that have the same folder;
   * `finished`: those that are there are read, and `keep` throws a MissingPartError for others. Default: alone. Jobs leave this to `eachOf`
   * and `allOf`.
   */
  readonly parts?: 'alone' | 'shared' | 'finished'
  /** Writes a result as a file of the folder and returns its path. */
  readonly write: (name: string, content: Uint8Array | string) => Promise<string>
  /** A trained run of this system with its model; `E`: what that recipe builds. Throws a UsageError unless it is of that recipe. */
  readonly openRun: <E = Experiment>(path: string, recipe: string) => Promise<E>
}

/** A part of a job. */
export interface Kept<Part> {
  readonly part: Part
  /** Whether it existed already. */
  readonly wasThere: boolean
}

/** Work that is not one training: a study, a pipeline, an audit, a comparison. It ends in one page and a JSON file. */
export interface Job<Config extends Settings = Settings> {
  readonly name: string
  /** One line for `tenfold list`. */
  readonly summary: string
  /** Every setting with its default; a strict object. */
  readonly config: z.ZodType<Config>
  /** Optional npm packages that it needs: looked for before work begins. */
  readonly packages?: (config: Config) => readonly string[]
  /** Throws where a program that it needs is missing: called before anything is said or made, but for a page of what is finished. */
  readonly requirePrograms?: (config: Config) => void
  readonly run: (config: Config, context: JobContext) => Promise<Report>
}

export interface System {
  readonly name: string
  readonly title: string
  /** Authors, year and identifier of the paper. */
  readonly paper: string
  readonly recipes?: readonly Recipe[]
  readonly jobs?: readonly Job[]
  /** How `tenfold verify` runs the reference cases of the official implementation. */
  readonly targets?: readonly CaseTargetRule[]
}

/** Declares a recipe. Its exact types are erased: callers pass what its schemas parsed. */
export function defineRecipe<Config extends Settings, Facts, E extends Experiment>(
  recipe: Recipe<Config, Facts, E>,
): Recipe {
  return recipe as unknown as Recipe
}

/** Declares a job, as `defineRecipe` a recipe. */
export function defineJob<Config extends Settings>(job: Job<Config>): Job {
  return job as unknown as Job
}

export function defineSystem(system: System): System {
  return system
}
