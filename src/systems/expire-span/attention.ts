/**
 * What the four ways to remember have in common: projections to heads, distances beside columns, weights that are masked softly.
 *
 * Shapes: B batch, K heads, M queries of a block, L columns (memories and the block itself), D width of a head, H hidden width.
 */
import { type Dropout, init, Linear, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { headWidth, type SequenceConfig } from './config.ts'

/** Hidden states as a layer attends to them: after the norm, where it comes first. */
export interface Columns {
  /** [B, L, H] */
  readonly hidden: Tensor
  /** [B, K, L, D] */
  readonly keys: Tensor
  /** [B, K, L, D] */
  readonly values: Tensor
}

/** Makes columns of hidden states [B, L, H]. */
export type Read = (hidden: Tensor) => Columns

/** What attention gives back, besides what a kind of memory adds. */
export interface Attended {
  /** [B, K, M, D] */
  readonly output: Tensor
  /** Added to the loss, [B]. */
  readonly auxLoss?: Tensor
}

/** What all kinds of memory hold: the layer's inputs that it may still attend to, [B, memories, H]. */
export interface LayerMemory {
  readonly hidden: Tensor
}

/** What is known of a block besides its tokens. */
export interface BlockContext {
  /** One number in [0, 1) that cuts all spans of a training block, []. */
  readonly noise?: Tensor | undefined
  /** Where an episode begins with an empty memory: tokens of its episode before each token of the block, [B, M]. Default: it is never emptied. */
  readonly elapsed?: Tensor | undefined
}

/** How a layer remembers: from its queries, its input (the block) and its memory to what it reads, and the next memory. */
export abstract class MemoryAttention<Memory extends LayerMemory> extends Module {
  /** Learned keys of distances, the farthest first, [1, D, distances]. One for all layers of a model. */
  readonly key_pe: Variable

  constructor(key_pe: Variable) {
    super()
    this.key_pe = key_pe
  }

  abstract override forward(
    queries: Tensor, // [B, K, M, D], scaled
    block: Tensor, // [B, M, H]
    memory: Memory,
    read: Read,
    context: BlockContext,
  ): Attended & { readonly memory: Memory }
}

/** Learned keys of the distances `count`, ..., 2, 1. */
export function distanceKeys(config: SequenceConfig, count: number): Variable {
  return init.parameter([1, headWidth(config), count], init.normal)
}

/** Projections without biases around the attention itself. */
export class MultiHeadSeqAttention<Memory extends LayerMemory> extends Module {
  readonly attn: MemoryAttention<Memory>
  readonly proj_query: Linear
  readonly proj_key: Linear
  readonly proj_val: Linear
  readonly proj_out: Linear
  readonly #heads: number

  constructor(config: SequenceConfig, attn: MemoryAttention<Memory>) {
    super()
    const { hid_sz, nheads, nlayers, pre_norm } = config
    const width = nheads * headWidth(config)
    this.attn = attn
    this.proj_query = new Linear(hid_sz, width, { bias: false })
    this.proj_key = new Linear(hid_sz, width, { bias: false })
    this.proj_val = new Linear(hid_sz, width, { bias: false })
    this.proj_out = new Linear(width, hid_sz, { bias: false })
    if (pre_norm) shrink(this.proj_out.weight, nlayers)
    this.#heads = nheads
  }

  /** block [B, M, H]; `norm`: what comes before the projections -> output [B, M, H] and the next memory. */
  forward(block: Tensor, memory: Memory, norm: (x: Tensor) => Tensor, context: BlockContext) {
    const heads = (x: Tensor): Tensor => ops.splitHeads(x, this.#heads)
    const read: Read = (x) => {
      const hidden = norm(x)
      return { hidden, keys: heads(this.proj_key.forward(hidden)), values: heads(this.proj_val.forward(hidden)) }
    }
    const queries = scaled(heads(this.proj_query.forward(norm(block)))) // [B, K, M, D]
    const { output, ...rest } = this.attn.forward(queries, block, memory, read, context)
    return { output: this.proj_out.forward(ops.mergeHeads(output)), ...rest }
  }
}

/** Queries divided by sqrt D, so that nothing has to be done to their scores, of which there are more. */
export function scaled(queries: Tensor): Tensor {
  return ops.mul(queries, 1 / Math.sqrt(sizeOf(queries.shape, -1)))
}

/** Divides first values by sqrt(2 layers): what each of the residual branches of a pre-norm model adds. */
export function shrink(parameter: Variable, nlayers: number): void {
  parameter.set((parameter.data as Float32Array).map((value) => value / Math.sqrt(2 * nlayers)))
}

/** What softly masked attention reads. */
export interface MaskedAttention {
  /** [B, K, M, D] */
  readonly output: Tensor
  /** [B, K, M, columns] */
  readonly weights: Tensor
}

/**
 * softmax(scores), times a soft mask, normalised again (plus 1e-8); with dropout; times the values that `valuesOf` the weights gives. The
 * division comes last, where there are D numbers for a query instead of one for each column.
 */
export function maskedAttention(
  scores: Tensor,
  mask: Tensor,
  dropout: Dropout,
  valuesOf: (weights: Tensor) => Tensor,
): MaskedAttention {
  const masked = ops.mul(ops.softmax(scores, -1), mask)
  const total = ops.add(ops.sum(masked, -1, { keepDims: true }), 1e-8)
  return { output: ops.div(valuesOf(dropout.forward(masked)), total), weights: ops.div(masked, total) }
}

/**
 * 1 where a column is of the query's own episode, else 0, [B, M, columns]: of `distances` in tokens [1 or B, 1 or M, columns] those up to
 * the beginning of the episode, which is `elapsed` [B, M] tokens before each query.
 */
export function withinEpisode(distances: Tensor, elapsed: Tensor): Tensor {
  return ops.cast(ops.lessOrEqual(distances, ops.unsqueeze(ops.cast(elapsed, 'float32'), -1)), 'float32')
}

/** Scores of columns that are not seen at all, where `visible` is 0, get no weight in a softmax. */
export function hideUnseen(scores: Tensor, visible: Tensor): Tensor {
  return ops.add(scores, ops.where(ops.greater(visible, 0), 0, unseen))
}

// Not -inf: a row may have nothing to see (where noise cuts all spans to 0, or an episode begins), and reads nothing instead of NaN.
const unseen = -1e30

/** By distance [..., M, S] (the farthest first) -> by column [..., M, S + M]: each query's row lies one further to the right. */
export function toColumns(x: Tensor): Tensor {
  const [m, s] = x.shape.slice(-2) as [number, number]
  const outer = x.shape.slice(0, -2)
  const padded = ops.reshape(ops.pad(x, [0, m + 1]), [...outer, m * (s + m + 1)]) // rows of S + M + 1
  return ops.reshape(ops.slice(padded, [0, m * (s + m)], -1), [...outer, m, s + m]) // the same, read as rows of S + M
}

/** The other way: by column [..., M, S + M] -> by distance [..., M, S]. */
export function toDistances(x: Tensor): Tensor {
  const [m, l] = x.shape.slice(-2) as [number, number]
  const outer = x.shape.slice(0, -2)
  const padded = ops.pad(ops.reshape(x, [...outer, m * l]), [0, m])
  return ops.slice(ops.reshape(padded, [...outer, m, l + 1]), [0, l - m], -1)
}
