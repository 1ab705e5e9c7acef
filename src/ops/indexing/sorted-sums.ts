/** Rows added at equal indices, after they are sorted: on all threads, where a scatter has one. */
import { type Emitter, emitReshape, inputAt } from '../define.ts'

// Rows of equal index are added by a product in each block: more rows multiply more, fewer leave more blocks.
const blockRows = 32

/** Rows and columns of the source, and how many sums there are. */
type Sizes = readonly [rows: number, columns: number, size: number]

/** Values of the graph. */
interface SortedRows {
  /** [total]: ascending, int64; 1 to `blockRows` entries of index `size` follow the real ones. */
  readonly indices: string
  /** [blocks, blockRows, columns] */
  readonly values: string
  /** int64 scalars. */
  readonly total: string
  readonly blocks: string
}

interface BlockSums {
  /** [blocks * blockRows, columns]: for each row the sum of those in its block with its index; 0 for entries that are not real. */
  readonly local: string
  /** [blocks + 1, columns]: what later blocks hold of a block's last index; then a row of 0. */
  readonly later: string
  /** [blocks]: the last index of each. */
  readonly last: string
}

const int64 = (emit: Emitter, value: number): string => emit.scalar(value, 'int64')

/** 0, 1, .. up to an int64 scalar. */
const range = (emit: Emitter, stop: string): string => emit.node('Range', [int64(emit, 0), stop, int64(emit, 1)])

/** Nothing is written for one number of rows only: it may change. */
function sortRows(emit: Emitter, source: string, index: string, [rows, columns, size]: Sizes): SortedRows {
  const count = int64(emit, rows)
  const length = int64(emit, blockRows)
  const added = emit.node('Sub', [length, emit.node('Mod', [count, length])])
  const total = emit.node('Add', [count, added])
  const pads = emit.node('Concat', [emit.ints([0]), emitReshape(emit, added, [1])], { axis: 0 })
  const padded = emit.node('Pad', [index, pads, int64(emit, size)])
  const sorted = emit.nodes('TopK', [padded, emitReshape(emit, total, [1])], 2, { axis: 0, largest: 0, sorted: 1 })
  const [indices, order] = [inputAt('TopK', sorted, 0), inputAt('TopK', sorted, 1)]
  // Any row will do for the entries that are not real.
  const from = emit.node('Min', [order, int64(emit, rows - 1)])
  const values = emitReshape(emit, emit.node('Gather', [source, from], { axis: 0 }), [-1, blockRows, columns])
  return { indices, values, total, blocks: emit.node('Div', [total, length]) }
}

/** Sums within the blocks, and over the blocks after each. */
function sumBlocks(emit: Emitter, { indices, values, blocks }: SortedRows, [, columns, size]: Sizes): BlockSums {
  const isNone = emit.cast(emit.node('Equal', [indices, int64(emit, size)]), 'int64')
  const own = emitReshape(emit, indices, [-1, blockRows, 1])
  // Entries that are not real are equal to nothing, not even to themselves.
  const others = emitReshape(emit, emit.node('Add', [indices, isNone]), [-1, 1, blockRows])
  const local = emit.node('MatMul', [emit.cast(emit.node('Equal', [own, others]), 'float32'), values])
  const byBlock = emitReshape(emit, indices, [-1, blockRows])
  const at = (x: string, place: number): string => emit.node('Gather', [x, int64(emit, place)], { axis: 1 })
  const [first, last] = [at(byBlock, 0), at(byBlock, blockRows - 1)]
  const number = range(emit, blocks)
  const column = (x: string): string => emitReshape(emit, x, [-1, 1])
  const isLater = emit.node('Less', [column(number), number])
  const isEqual = emit.node('Equal', [column(last), first])
  const goesOn = emit.cast(emit.node('And', [isLater, isEqual]), 'float32')
  const later = emit.node('Pad', [emit.node('MatMul', [goesOn, at(local, 0)]), emit.ints([0, 0, 1, 0])])
  return { local: emitReshape(emit, local, [-1, columns]), later, last }
}

/**
 * Sums [size, columns] of the rows of a source [rows, columns] with equal int64 indices. Rows are sorted by index, in blocks; within a block those of
 * equal index are added by a product, and what later blocks hold of its last index by a product over the blocks. Then each sum is
 * read where its index stands first.
 */
export function emitSortedSums(emit: Emitter, source: string, index: string, sizes: Sizes): string {
  const [, , size] = sizes
  const sorted = sortRows(emit, source, index, sizes)
  const { local, later, last } = sumBlocks(emit, sorted, sizes)
  // Where no row has an index, the last entry is read, whose sum is 0.
  const end = emit.node('Expand', [emit.node('Sub', [sorted.total, int64(emit, 1)]), emit.ints([size + 1])])
  const placed = [end, sorted.indices, range(emit, sorted.total)]
  const found = emit.node('ScatterElements', placed, { axis: 0, reduction: 'min' })
  const first = emit.node('Slice', [found, emit.ints([0]), emit.ints([size])])
  const block = emit.node('Div', [first, int64(emit, blockRows)])
  const isLast = emit.node('Equal', [emit.node('Gather', [last, block], { axis: 0 }), range(emit, int64(emit, size))])
  const goesOn = emit.node('Where', [isLast, block, sorted.blocks])
  return emit.node('Add', [
    emit.node('Gather', [local, first], { axis: 0 }),
    emit.node('Gather', [later, goesOn], { axis: 0 }),
  ])
}
