/** A long text as a model with memory reads it: rows that go on from batch to batch. */
import type { Dataset } from '../../data/dataset.ts'
import { tokenWindows } from '../../data/text/windows.ts'
import { toNumbers } from '../../tensor/dtype.ts'

/** `input` and `target` int32 [length]; `begins`: whether a row's text begins here, so that nothing is remembered yet. */
export type StreamFields = 'input' | 'target' | 'begins'

/** The form of a stream. */
export interface StreamOptions {
  /** Rows that are read at once: batches must have as many, in order. */
  readonly rows: number
  /** Tokens of a block. */
  readonly length: number
  /** Labels of the tokens. Default: the next token of each. */
  readonly targets?: Int32Array
}

/** Windows of the tokens: row r of each batch continues where row r of the batch before ended. */
export function textStream(tokens: Int32Array, options: StreamOptions): Dataset<StreamFields> {
  const windows = tokenWindows(tokens, options)
  return {
    length: windows.length,
    fields: { ...windows.fields, begins: { dtype: 'bool', shape: [] } },
    batch: async (indices, context) => ({
      ...(await windows.batch(indices, context)),
      begins: {
        dtype: 'bool',
        shape: [indices.length],
        data: Uint8Array.from(indices, (index) => (index < options.rows ? 1 : 0)),
      },
    }),
  }
}

/** The first tokens of the first row of a stream, whole blocks. */
export async function firstRow(stream: Dataset<StreamFields>, tokens: number): Promise<Int32Array> {
  const context = { epoch: 0, seed: 0 }
  const { begins } = await stream.batch(
    Array.from({ length: stream.length }, (_, i) => i),
    context,
  )
  const rows = toNumbers(begins.data).filter((flag) => flag === 1).length
  const [length = 1] = stream.fields.input.shape
  const blocks = Math.min(Math.floor(tokens / length), Math.floor(stream.length / rows))
  const { input } = await stream.batch(
    Array.from({ length: blocks }, (_, i) => i * rows),
    context,
  )
  return Int32Array.from(toNumbers(input.data))
}
