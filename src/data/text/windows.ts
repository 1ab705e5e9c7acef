import { UsageError } from '../../util/errors.ts'
import type { Dataset } from '../dataset.ts'
import { checkIndices } from '../rows.ts'

export interface WindowOptions {
  /** Tokens in a window. */
  readonly length: number
  /** From the start of one window to the start of the next; default: the length, so that windows do not overlap. */
  readonly stride?: number
  /**
   * Cuts the text into this many rows of equal length and orders the windows so that, in batches of `rows` taken without shuffling,
   * row r of each batch continues where row r of the batch before ended (for models with memory). Default: windows in text order.
   */
  readonly rows?: number
  /** What is to be said of each token, such as its label. Default: the token after it. */
  readonly targets?: Int32Array
}

/**
 * Windows of a token sequence (bytes of a text, or token numbers) for next-token prediction: `input` int32 [length] and `target`
 * int32 [length], target[i] being the token after input[i] (or what `targets` has for it). A remainder too short for a window is left
 * out.
 */
export function tokenWindows(tokens: Uint8Array | Int32Array, options: WindowOptions): Dataset<'input' | 'target'> {
  const { length, stride = length, rows = 1, targets } = options
  for (const [name, value] of Object.entries({ length, stride, rows })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new UsageError(`tokenWindows: ${name} must be a whole number of at least 1, found ${value}`)
    }
  }
  if (targets && targets.length !== tokens.length)
    throw new UsageError(
      `tokenWindows: there must be as many targets as tokens, found ${targets.length} and ${tokens.length}`,
    )
  // Where the next token is the target, the last target of a row is the first token of the next.
  const ahead = targets ? 0 : 1
  const rowLength = Math.floor((tokens.length - ahead) / rows)
  const windows = Math.max(0, Math.floor((rowLength - length) / stride) + 1)
  if (windows === 0) {
    const needed = rows * length + ahead
    throw new UsageError(`tokenWindows: ${rows} rows of length ${length} need ${needed} tokens, found ${tokens.length}`)
  }
  const field = { dtype: 'int32', shape: [length] } as const
  const count = windows * rows
  return {
    length: count,
    fields: { input: field, target: field },
    batch(indices) {
      checkIndices(indices, count)
      const shape = [indices.length, length]
      const [input, target] = [new Int32Array(indices.length * length), new Int32Array(indices.length * length)]
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i] ?? 0
        const start = (index % rows) * rowLength + Math.floor(index / rows) * stride
        input.set(tokens.subarray(start, start + length), i * length)
        target.set((targets ?? tokens).subarray(start + ahead, start + ahead + length), i * length)
      }
      return { input: { dtype: 'int32', shape, data: input }, target: { dtype: 'int32', shape, data: target } }
    },
  }
}
