/** What a task offers to recipes whatever their model: data, metrics, uses of a trained model, exports. */
import type { z } from 'zod'
import type { Dataset } from '../data/dataset.ts'
import type { Opening } from '../data/opening.ts'
import type { DataRecord } from '../data/record.ts'
import type { TextTokenizer } from '../data/text/tokenizer.ts'
import type { Report } from '../report/figures.ts'
import type { NDArray } from '../tensor/dtype.ts'
import type { Tensor, TensorType } from '../tensor/tensor.ts'
import type { Metric, MetricDescriptions } from '../train/describe-metrics.ts'
import type { Settings } from '../train/settings.ts'
import { FormatError, UsageError } from '../util/errors.ts'

export type { Metric, MetricDescriptions }

/** What is trained on and tested with. */
export interface TrainingSets<Name extends string = string> {
  /** As training sees it: with random changes, if there are any. */
  readonly train: Dataset<Name>
  /** The training examples as they are. Default: `train`. */
  readonly plain?: Dataset<Name>
  readonly test: Dataset<Name>
}

/** The vocabulary that belongs to weights of a text model. */
export interface Vocabulary {
  readonly tokenizer: TextTokenizer
  /** Rows of the embedding: at least as many as the tokenizer has tokens. */
  readonly vocab_size: number
  /** Tokens that a text is cut or padded to. */
  readonly max_seq_length: number
}

/** Data opened for training. `facts`: what follows from the data and is needed later without them; kept in `run.json`. */
export interface OpenedData<Facts = unknown, Name extends string = string> extends TrainingSets<Name> {
  readonly facts: Facts
  /** Test examples, where `test` has several rows of each. Default: its length. */
  readonly testExamples?: number
  /** What was found and what was not: as text, and as stored with the run. */
  readonly opening: Opening
}

/** What an earlier run stored about its data. */
export interface KnownData<Facts = unknown> {
  readonly facts: Facts
  readonly record: DataRecord
}

/** A function to write as a model file, with symbolic batch size. */
export interface Exportable<Name extends string = string> {
  /** Inputs by name; axis 0 is the batch. */
  readonly inputs: Readonly<Record<Name, TensorType>>
  /** Computes the outputs by name from the inputs by name. */
  forward(inputs: Readonly<Record<Name, Tensor>>): Readonly<Record<string, Tensor>>
  /** What a consumer must know: labels, preprocessing. */
  readonly metadata: Readonly<Record<string, string>>
  /** false: the batch has the size of the inputs. Default: true, any size. */
  readonly symbolicBatch?: boolean
}

/** Labels with their probabilities, best first. */
export type Choices = readonly { readonly label: string; readonly probability: number }[]

/** What a use of a model says: about one of its inputs, or without one. */
export type Answer = { readonly input?: string } & (
  | { readonly choices: Choices }
  | { readonly text: string }
  /** Numbers by name, and the same as text. */
  | { readonly values: Readonly<Record<string, number>>; readonly line: string }
  /** Overall results by name: in the last line of `--json`. */
  | { readonly metrics: Readonly<Record<string, number>> }
  /** A file that was written. */
  | { readonly file: string }
  /** This input failed; the others continue. */
  | { readonly error: UsageError | FormatError }
)

/** What a use is given besides its inputs. `Data`: what the recipe's `open` gives. */
export interface UseContext<Data extends OpenedData = OpenedData> {
  /** Where `--out` says that files go; undefined: the use chooses, inside of the run. Prefer `place`. */
  readonly out: string | undefined
  /** The run directory. */
  readonly run: string
  /** Steps that the weights were trained for. */
  readonly step: number
  readonly seed: number
  /** Prints a line besides the answers. */
  readonly say: (line: string) => void
  /** Shows a piece of the next answer while it is made, a text that is being written; the answer has all of it. Nothing with `--json`. */
  readonly write?: (piece: string) => void
  readonly signal?: AbortSignal
  /** All tensors of the checkpoint in use, by their names in it: weights are `model.*`, what else the training keeps `state.*`. */
  readonly readTensors: () => Promise<ReadonlyMap<string, NDArray>>
  /** The data of the run, opened again: each example on its old side. */
  readonly openData: () => Promise<Data>
  /** What the run was trained on and tested with. */
  readonly readRecord: () => Promise<DataRecord>
  /** Another run with its model, such as a classifier that guides a sampler. `E`: what that recipe builds. Throws a UsageError unless it is of that recipe. */
  readonly openRun: <E>(path: string, recipe: string) => Promise<E>
  /** Where a file of this name goes: in the run, or where `--out` says; no two files of a command get one place. */
  readonly place: (name: string) => Promise<string>
  /** Writes a page and returns its path, the `place` of its name. */
  readonly writePage: (name: string, report: Omit<Report, 'footer'>) => Promise<string>
}

/** A use of a trained run: predict, sample, continue, nearest ... A command of that name. */
export interface Use<E = unknown, Options extends Settings = Settings, Data extends OpenedData = OpenedData> {
  /** One line for `--help`. */
  readonly summary: string
  /** The inputs as one writes them in a shell: `FILE...`, `"Call me [MASK]."`; empty: it takes none. */
  readonly inputs: string
  /** Every option with its default and description: a strict object, flat. */
  readonly options: z.ZodType<Options>
  /** Whether a run can be used so, by what it knows of its data, so that the use is proposed after a training. Default: yes. */
  readonly fits?: (experiment: E) => boolean
  readonly run: (
    experiment: E,
    inputs: readonly string[],
    options: Options,
    context: UseContext<Data>,
  ) => AsyncIterable<Answer>
}

/** Declares a use. Its types of experiment, options and data are erased: its recipe and schema guarantee them. */
export function defineUse<E, Options extends Settings, Data extends OpenedData = OpenedData>(
  use: Use<E, Options, Data>,
): Use<E> {
  return use as unknown as Use<E>
}

/** Answers for one input after the other. The error of an input takes the place of its answer, and the others continue. */
export async function* answerEach(
  inputs: readonly string[],
  answer: (input: string) => Promise<readonly Answer[]>,
): AsyncGenerator<Answer> {
  for (const input of inputs) {
    try {
      yield* await answer(input)
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof FormatError)) throw error
      yield { input, error }
    }
  }
}

/** The most probable entries, best first. */
export function topChoices(probabilities: readonly number[], label: (index: number) => string, top: number): Choices {
  return probabilities
    .map((probability, index) => ({ index, probability }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, top)
    .map(({ index, probability }) => ({ label: label(index), probability }))
}
