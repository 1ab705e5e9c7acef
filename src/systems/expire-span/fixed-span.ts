/**
 * The span is fixed (Dai et al. 2019, Transformer-XL, in the form of the official code), or learned once for a head (Sukhbaatar et al.
 * 2019, Adaptive-Span).
 *
 * Shapes: B batch, K heads, M queries of a block, S attn_lim, T distances that are computed, D width of a head, H hidden width.
 */
import { Dropout, init, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import {
  type BlockContext,
  hideUnseen,
  type LayerMemory,
  MemoryAttention,
  maskedAttention,
  type Read,
  toColumns,
  toDistances,
  withinEpisode,
} from './attention.ts'
import { type AdaptiveSpanConfig, requireThat, type TransformerSeqConfig } from './config.ts'

/** Each query attends to the S positions before it, not to itself. */
export class FixedSpanAttention extends MemoryAttention<LayerMemory> {
  readonly adaptive_span: AdaptiveSpan | undefined
  readonly dropout: Dropout
  readonly #config: TransformerSeqConfig

  constructor(config: TransformerSeqConfig, key_pe: Variable) {
    super(key_pe)
    const { adapt_span, adaptive } = config
    requireThat(
      !adapt_span || adaptive !== undefined,
      'adapt_span needs the settings adapt_span_loss, adapt_span_len, ...',
    )
    this.adaptive_span = adapt_span && adaptive ? new AdaptiveSpan(config, adaptive) : undefined
    this.dropout = new Dropout(config.dropout)
    this.#config = config
  }

  /** The memory [B, T, H] is what can be reached; the next one is all of it and the block where spans are learned, else the last S. */
  forward(queries: Tensor, block: Tensor, memory: LayerMemory, read: Read, { elapsed }: BlockContext) {
    const { attn_lim } = this.#config
    const [b, , m] = queries.sizes(4)
    const span = sizeOf(memory.hidden.shape, 1) // T
    const all = ops.concat([memory.hidden, block], 1) // [B, T + M, H]
    const { keys, values } = read(all)
    // With T columns before, so that the graph is the same one at every span.
    const near = ops.slice(ops.pad(this.key_pe.value, [span, 0]), [attn_lim], 2) // [1, D, T]
    const scores = ops.add(
      toDistances(ops.matmul(queries, ops.transpose(keys))), // [B, K, M, T]
      ops.matmul(queries, near),
    )
    const valuesOf = (weights: Tensor): Tensor => ops.matmul(toColumns(weights), values) // [B, K, M, D]
    const own = elapsed && ops.unsqueeze(withinEpisode(distances(span), elapsed), 1) // [B, 1, M, T]
    const reach = this.adaptive_span?.forward(span) // [K or 1, 1, T]
    const mask = own && reach ? ops.mul(own, reach) : (own ?? reach)
    const seen = own ? hideUnseen(scores, own) : scores
    const output = mask
      ? maskedAttention(seen, mask, this.dropout, valuesOf).output
      : valuesOf(this.dropout.forward(ops.softmax(seen, -1)))
    const next = { hidden: reach ? all : ops.slice(all, [m], 1) }
    const loss = this.adaptive_span?.loss()
    return { output, memory: next, ...(loss && { auxLoss: ops.broadcastTo(loss, [b]) }) }
  }
}

/** `count`, ..., 2, 1: the distances of as many columns before a query, the farthest first. */
export function distances(count: number): Tensor {
  return ops.sub(count, ops.cast(ops.arange(count), 'float32'))
}

/** A span for each head (or for the layer), learned: a soft mask over distances. */
export class AdaptiveSpan extends Module {
  /** `size_ratio`: spans as parts of S, [K, 1, 1], or [1] for all heads. */
  readonly mask: { readonly size_ratio: Variable }
  readonly #size: number
  readonly #config: AdaptiveSpanConfig

  constructor({ nheads, attn_lim }: TransformerSeqConfig, config: AdaptiveSpanConfig) {
    super()
    requireThat(config.adapt_span_len > 0, `adapt_span_len must be above 0, found ${config.adapt_span_len}`)
    const shape = config.adapt_span_layer ? [1] : [nheads, 1, 1]
    this.mask = { size_ratio: init.parameter(shape, init.constant(config.adapt_span_init)) }
    this.#size = attn_lim
    this.#config = config
  }

  /** The mask of the last `span` distances, the farthest first: 1 within a span z S, then a ramp; [K or 1, 1, span]. */
  forward(span: number): Tensor {
    const distance = ops.sub(distances(span), 1) // 0 is the position before
    const length = ops.mul(ops.reshape(this.mask.size_ratio.value, [-1, 1, 1]), this.#size)
    return ops.clamp(ops.add(ops.mul(ops.sub(length, distance), 1 / this.#config.adapt_span_len), 1), 0, 1)
  }

  /** What spans cost: adapt_span_loss times the mean span. */
  loss(): Tensor {
    return ops.mul(ops.mean(this.mask.size_ratio.value), this.#config.adapt_span_loss * this.#size)
  }

  /** T, distances that some head reaches; what is left out, the farthest, is a multiple of adapt_span_trim_step. By the spans as they are now. */
  reach(): number {
    const { adapt_span_len: ramp, adapt_span_trim_step: step } = this.#config
    const longest = Math.ceil(Math.max(...(this.mask.size_ratio.data as Float32Array)) * this.#size + ramp)
    const unused = Math.min(this.#size - 1, this.#size - Math.min(this.#size, longest))
    return this.#size - Math.floor(unused / step) * step
  }

  /** Memories that are kept after a block that has reached back `reach`: with adapt_span_cache only those, and 64 more in case that spans grow. */
  cacheLength(reach: number): number {
    return this.#config.adapt_span_cache ? Math.min(this.#size, reach + 64) : this.#size
  }

  /** After an update: spans stay within [0, S]. Called inside of a traced function. */
  clampSpans(): void {
    const { size_ratio } = this.mask
    size_ratio.assign(ops.clamp(size_ratio.value, 0, 1))
  }
}
