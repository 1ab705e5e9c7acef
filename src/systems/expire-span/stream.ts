/** A long text as a model with memory reads it: rows that go on from batch to batch. */
import type { Dataset } from '../../data/dataset.ts'
import { tokenWindows } from '../../data/text/windows.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import type { QuestionText } from './tasks/text.ts'

/**
 * `input`, `target` and `elapsed` (tokens of its episode before each token) int32 [length]; `begins`: whether a row's text begins here, so
 * that nothing is remembered yet.
 */
export type StreamFields = 'input' | 'target' | 'elapsed' | 'begins'

/** The form of a stream. */
export interface StreamOptions {
  /** Rows that are read at once: batches must have as many, in order. */
  readonly rows: number
  /** Tokens of a block. */
  readonly length: number
  /** Labels of the tokens. Default: the next token of each. */
  readonly targets?: Int32Array
  /** Tokens of its episode before each token. Default: each row is one episode. */
  readonly elapsed?: Int32Array
}

/** Windows of the tokens: row r of each batch continues where row r of the batch before ended. */
export function textStream(tokens: Int32Array, options: StreamOptions): Dataset<StreamFields> {
  const { rows, length, elapsed } = options
  const windows = tokenWindows(tokens, options)
  const ages = elapsed && tokenWindows(elapsed, { rows, length, targets: elapsed })
  const sinceStart = (indices: ArrayLike<number>): NDArray => ({
    dtype: 'int32',
    shape: [indices.length, length],
    data: Int32Array.from(Array.from(indices).flatMap((index) => places(Math.floor(index / rows) * length, length))),
  })
  return {
    length: windows.length,
    fields: { ...windows.fields, elapsed: windows.fields.input, begins: { dtype: 'bool', shape: [] } },
    batch: async (indices, context) => ({
      ...(await windows.batch(indices, context)),
      elapsed: ages ? (await ages.batch(indices, context)).input : sinceStart(indices),
      begins: {
        dtype: 'bool',
        shape: [indices.length],
        data: Uint8Array.from(indices, (index) => (index < rows ? 1 : 0)),
      },
    }),
  }
}

/** Texts with questions as a stream, each of them a row: the targets are the labels. `length`: tokens of a block. */
export function questionStream(texts: readonly QuestionText[], length: number): Dataset<StreamFields> {
  const join = (part: 'tokens' | 'labels' | 'elapsed') => Int32Array.from(texts.flatMap((text) => text[part]))
  return textStream(join('tokens'), { rows: texts.length, length, targets: join('labels'), elapsed: join('elapsed') })
}

/** `count` numbers from `start` on. */
const places = (start: number, count: number): number[] => Array.from({ length: count }, (_, i) => start + i)

/** Tokens that are read one after the other. */
export interface TokenText {
  readonly tokens: Int32Array
  /** Tokens of its episode before each token, where nothing of an earlier one may be remembered. */
  readonly elapsed?: Int32Array
}

/** The first tokens of the first row of a stream, whole blocks. */
export async function firstRow(stream: Dataset<StreamFields>, tokens: number): Promise<Required<TokenText>> {
  const context = { epoch: 0, seed: 0 }
  const { begins } = await stream.batch(
    Array.from({ length: stream.length }, (_, i) => i),
    context,
  )
  const rows = toNumbers(begins.data).filter((flag) => flag === 1).length
  const [length = 1] = stream.fields.input.shape
  const blocks = Math.min(Math.floor(tokens / length), Math.floor(stream.length / rows))
  const { input, elapsed } = await stream.batch(
    Array.from({ length: blocks }, (_, i) => i * rows),
    context,
  )
  return { tokens: Int32Array.from(toNumbers(input.data)), elapsed: Int32Array.from(toNumbers(elapsed.data)) }
}
