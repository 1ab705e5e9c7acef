/** Functions of rows, computed for some rows at a time, so that what passes from op to op stays in the cache. */
import * as ops from '../ops/kit.ts'
import { elementCount } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { currentTrace } from '../tensor/trace.ts'
import { UsageError } from '../util/errors.ts'

// float32 elements of a block's widest tensor: 2 MB, about the second-level caches of two cores.
const blockElements = 524_288
// What the third-level cache holds several of (8 MB) is not worth the nodes; nor are more blocks than 32.
const smallElements = 2_097_152
const mostBlocks = 32

export interface RowBlockOptions {
  /** Elements that the widest tensor inside of the function has for each row. */
  readonly widest: number
  /** How many leading axes are rows. Default: all but the last. */
  readonly axes?: number
}

/** Rows of a block: as even as possible, and no more than the cache holds. */
function blockRows(rows: number, widest: number): number {
  const elements = rows * widest
  return elements <= smallElements ? rows : Math.ceil(rows / Math.min(mostBlocks, Math.ceil(elements / blockElements)))
}

/**
 * fn(x), for a function that treats every row of x by itself: x [...rows, ...rest] -> [...rows, ...other rest]. Where a
 * tensor inside of `fn` is larger than the processor's cache, `fn` gets some rows at a time, [rows, ...rest], forward
 * and backward. Only compiled functions do this: exported graphs and summaries stay as the model is written.
 * Measured in docs/decisions/020-blocks-of-rows.md.
 */
export function inRowBlocks(x: Tensor, options: RowBlockOptions, fn: (rows: Tensor) => Tensor): Tensor {
  const axes = options.axes ?? x.rank - 1
  if (axes < 1 || axes > x.rank)
    throw new UsageError(`inRowBlocks: axes must be 1 to ${x.rank} for ${x}, found ${axes}`)
  const leading = x.shape.slice(0, axes)
  const count = elementCount(leading)
  const rows = currentTrace()?.tuned ? blockRows(count, options.widest) : count
  if (rows >= count) return fn(x)
  const blocks = ops.split(ops.reshape(x, [count, ...x.shape.slice(axes)]), rows, 0)
  const result = ops.concat(blocks.map(fn), 0)
  return ops.reshape(result, [...leading, ...result.shape.slice(1)])
}
