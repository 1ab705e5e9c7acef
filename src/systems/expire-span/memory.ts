/**
 * Memories between two blocks, as numbers: what is kept, what is deleted, what a checkpoint holds.
 *
 * Shapes: B batch, L columns of the block that was computed (memories and its M tokens), H hidden width.
 */
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { sizeOf, sizes } from '../../tensor/shape.ts'
import type { LayerMemory } from './attention.ts'
import type { ExpireSpanConfig } from './config.ts'
import type { ExpiringMemory } from './expire-span.ts'

/** A layer's memory as numbers: what a compiled function takes in the place of its tensors. */
export type Stored<Memory extends LayerMemory> = { readonly [Part in keyof Memory]: NDArray }

/** The memories of one layer of Expire-Span: `hidden` [B, L, H] with `ages` [B, L] at the first query of a block. */
export type StoredMemory = Stored<ExpiringMemory>

type Kept = Pick<ExpireSpanConfig, 'mem_sz' | 'attn_lim' | 'expire_span_ramp'>

/** Vectors of zeros, [B, count, H]: they are attended to like any other. */
export function zeroVectors(batch: number, count: number, { hid_sz }: Pick<ExpireSpanConfig, 'hid_sz'>): NDArray {
  return { dtype: 'float32', shape: [batch, count, hid_sz], data: new Float32Array(batch * count * hid_sz) }
}

/** The state before the first block: mem_sz vectors of zeros with ages mem_sz, ..., 2, 1. */
export function emptyMemory(batch: number, config: Pick<ExpireSpanConfig, 'mem_sz' | 'hid_sz'>): StoredMemory {
  const { mem_sz } = config
  const ages = Float32Array.from({ length: batch * mem_sz }, (_, i) => mem_sz - (i % mem_sz))
  return { hidden: zeroVectors(batch, mem_sz, config), ages: { dtype: 'float32', shape: [batch, mem_sz], data: ages } }
}

/** The last `count` columns of vectors [B, columns, H]; zeros stand before them where there are fewer. */
export function lastColumns({ dtype, shape, data }: NDArray, count: number): NDArray {
  const [b, l, h] = sizes(shape, 3)
  if (count === l) return { dtype, shape, data }
  const [from, to] = [data as Float32Array, new Float32Array(b * count * h)]
  const copied = Math.min(count, l)
  for (let row = 0; row < b; row++)
    to.set(from.subarray((row * l + l - copied) * h, (row + 1) * l * h), ((row + 1) * count - copied) * h)
  return { dtype, shape: [b, count, h], data: to }
}

/** Vectors [B, columns, H] beside each other. */
export function concatColumns(first: NDArray, second: NDArray): NDArray {
  const [b, , h] = sizes(first.shape, 3)
  const lengths = [first, second].map(({ shape }) => sizeOf(shape, 1) * h)
  const joined = new Float32Array(first.data.length + second.data.length)
  let at = 0
  for (let row = 0; row < b; row++)
    for (const [i, length = 0] of lengths.entries()) {
      const from = (i === 0 ? first : second).data as Float32Array
      joined.set(from.subarray(row * length, (row + 1) * length), at)
      at += length
    }
  return { dtype: first.dtype, shape: [b, sizeOf(first.shape, 1) + sizeOf(second.shape, 1), h], data: joined }
}

/**
 * What the next block keeps of `memory` (its last mem_sz columns are the block itself), by what was left of each span at the block's
 * first query (`remaining` [B, L]): a memory that would be beyond its ramp for the whole next block is deleted. All examples keep equally
 * many: each deletes as many as the one with the fewest expired, rounded down to whole blocks, its oldest first; what has expired
 * and stays is masked. Without `remaining` (nothing expires): the last attn_lim.
 */
export function forget(memory: StoredMemory, remaining: NDArray | undefined, config: Kept): StoredMemory {
  const [b, l] = sizes(memory.ages.shape, 2)
  const expired = remaining
    ? Array.from({ length: b }, (_, row) => expiredColumns(remaining, row, config))
    : Array.from({ length: b }, () => Array.from({ length: Math.max(0, l - config.attn_lim) }, (_, column) => column))
  const fewest = Math.min(...expired.map(({ length }) => length))
  const deleted = remaining ? fewest - (fewest % config.mem_sz) : fewest
  return without(
    memory,
    expired.map((columns) => columns.slice(0, deleted)),
    config.mem_sz,
  )
}

/** Columns of an example that no query of the next block can see, oldest first; none of the block itself. */
function expiredColumns({ shape, data }: NDArray, row: number, config: Kept): number[] {
  const l = sizeOf(shape, 1)
  const columns: number[] = []
  for (let column = 0; column < l - config.mem_sz; column++)
    if (!isAlive(Number(data[row * l + column]), config)) columns.push(column)
  return columns
}

/** Memories that some query of the next block can still see, the block's own among them, on average over the examples. */
export function aliveCount({ shape, data }: NDArray, config: Kept): number {
  const left = toNumbers(data).filter((remaining) => isAlive(remaining, config))
  return left.length / sizeOf(shape, 0)
}

/** Whether the first query of the next block sees a memory that had so much left at the first query of this one. */
function isAlive(remaining: number, { mem_sz, expire_span_ramp }: Kept): boolean {
  return remaining + expire_span_ramp - mem_sz > 0
}

/** The memory without the columns (equally many of each example, ascending), `later` steps older. */
function without({ hidden, ages }: StoredMemory, columns: readonly (readonly number[])[], later: number): StoredMemory {
  const [b, l, h] = sizes(hidden.shape, 3)
  const kept = l - (columns[0]?.length ?? 0)
  const [from, counts] = [hidden.data as Float32Array, ages.data as Float32Array]
  const next = { hidden: new Float32Array(b * kept * h), ages: new Float32Array(b * kept) }
  for (const [row, deleted] of columns.entries()) {
    let to = row * kept
    // Runs between deleted columns are copied at once.
    let start = 0
    for (const end of [...deleted, l]) {
      const [first, last] = [row * l + start, row * l + end]
      next.hidden.set(from.subarray(first * h, last * h), to * h)
      for (let i = first; i < last; i++) next.ages[to++] = (counts[i] ?? 0) + later
      start = end + 1
    }
  }
  return {
    hidden: { dtype: 'float32', shape: [b, kept, h], data: next.hidden },
    ages: { dtype: 'float32', shape: [b, kept], data: next.ages },
  }
}
