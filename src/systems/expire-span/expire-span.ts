/**
 * Expire-Span (section 4): each memory says how long it wants to be remembered.
 *
 * Shapes: B batch, K heads, M queries of a block, L columns, D width of a head, H hidden width. S is attn_lim, R the ramp.
 */
import { Dropout, init, Linear, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import {
  type Attended,
  type BlockContext,
  type Columns,
  hideUnseen,
  MemoryAttention,
  maskedAttention,
  type Read,
  toColumns,
  withinEpisode,
} from './attention.ts'
import { type ExpireSpanConfig, requireThat } from './config.ts'

/** Memories of one layer, each with its age. */
export interface ExpiringMemory {
  /** [B, L - M, H] */
  readonly hidden: Tensor
  /** Steps between each memory and the first query of the coming block, [B, L - M]. */
  readonly ages: Tensor
}

/** How long memories last, and what follows for a block of queries. */
export interface Spans {
  /** s, before the sigmoid, [B, L]. */
  readonly logits: Tensor
  /** e, [B, L] */
  readonly spans: Tensor
  /** e - age: what is left of each span at the first query, [B, L]; a great negative number of what an earlier episode has left. */
  readonly remaining: Tensor
  /** What is left at every query, with noise if there is any: r = e - (t - i), [B, M, L]. */
  readonly offsets: Tensor
  /** 1 within the span, falling to 0 over the ramp after it; 0 for other episodes than the query's; [B, M, L]. */
  readonly mask: Tensor
  /** The span loss of each example, [B]. */
  readonly auxLoss: Tensor
}

/** Predicts spans from memories: equations 2 to 4 of the paper. */
export class ExpireSpanDrop extends Module {
  readonly span_predictor: Linear
  readonly #config: Pick<
    ExpireSpanConfig,
    'expire_span_ramp' | 'expire_span_loss' | 'expire_span_pre_div' | 'span_regulariser'
  >
  readonly #size: number
  readonly #blockLength: number

  /** `size`: the longest span; `blockLength`: M. */
  constructor(
    config: Pick<
      ExpireSpanConfig,
      | 'hid_sz'
      | 'expire_span_ramp'
      | 'expire_span_loss'
      | 'expire_span_pre_div'
      | 'expire_span_init_percentage'
      | 'span_regulariser'
    >,
    size: number,
    blockLength: number,
  ) {
    super()
    const { expire_span_ramp: ramp, expire_span_init_percentage: share, expire_span_pre_div: preDiv } = config
    requireThat(ramp > 0, `expire_span_ramp must be above 0, found ${ramp}`)
    requireThat(preDiv > 0, `expire_span_pre_div must be above 0, found ${preDiv}`)
    requireThat(share > 0 && share < 1, `expire_span_init_percentage must be between 0 and 1, found ${share}`)
    this.#config = config
    this.#size = size
    this.#blockLength = blockLength
    this.span_predictor = new Linear(config.hid_sz, 1, {
      initWeight: init.zeros,
      initBias: init.constant(-Math.log(1 / share - 1)),
    })
  }

  /** hidden [B, L, H], ages [B, L]; `noise`: one number in [0, 1) that cuts all spans to that part of the longest; `elapsed` [B, M]. */
  forward(hidden: Tensor, ages: Tensor, { noise, elapsed }: BlockContext = {}): Spans {
    const { expire_span_ramp: ramp, expire_span_loss: weight, expire_span_pre_div: preDiv } = this.#config
    const m = this.#blockLength
    const scaled = preDiv === 1 ? hidden : ops.mul(hidden, 1 / preDiv)
    const logits = ops.squeeze(this.span_predictor.forward(scaled), -1) // [B, L]
    const spans = ops.mul(ops.sigmoid(logits), this.#size)
    const remaining = ops.sub(spans, ages)
    const cut = noise ? ops.sub(ops.minimum(spans, ops.mul(noise, this.#size)), ages) : remaining
    const query = ops.reshape(ops.cast(ops.arange(m), 'float32'), [1, m, 1])
    const offsets = ops.sub(ops.unsqueeze(cut, 1), query) // [B, M, L]
    const mask = ops.clamp(ops.add(ops.mul(offsets, 1 / ramp), 1), 0, 1)
    const own = elapsed && withinEpisode(distancesOf(ages, m), elapsed) // [B, M, L]
    const seen = own ? ops.mul(mask, own) : mask
    const auxLoss =
      this.#config.span_regulariser === 'every'
        ? ops.mul(ops.mean(ops.slice(spans, [-m], 1), 1), weight) // of the block's own memories
        : spansOnRamp(offsets, seen, weight / (ramp * m))
    // No later query is of an episode that has ended before the block's last token.
    const left = own ? ops.where(ops.greater(ops.select(own, m - 1, 1), 0), remaining, cleared) : remaining
    return { logits, spans, remaining: left, offsets, mask: seen, auxLoss }
  }
}

// Nothing is left, however long the ramp is.
const cleared = -1e30

/** The official span loss of each example, [B]: what is left of fading memories (a negative number), summed over queries and columns. */
function spansOnRamp(offsets: Tensor, mask: Tensor, weight: number): Tensor {
  const onRamp = ops.cast(isOnRamp(mask), 'float32')
  return ops.mul(ops.sum(ops.mul(offsets, onRamp), [1, 2]), weight)
}

/** Tokens between each of M queries and each column, [B, M, L], by the ages at the first one, [B, L]. */
function distancesOf(ages: Tensor, m: number): Tensor {
  return ops.add(ops.unsqueeze(ages, 1), ops.reshape(ops.cast(ops.arange(m), 'float32'), [1, m, 1]))
}

/** Where a memory is fading: neither whole nor gone. */
export function isOnRamp(mask: Tensor): Tensor {
  return ops.logicalAnd(ops.greater(mask, 0), ops.less(mask, 1))
}

/** Which of L columns each of the last M positions may see: those before it, not itself; bool [M, L]. */
export function causalMask(m: number, l: number): Tensor {
  return ops.less(ops.arange(l), ops.add(ops.reshape(ops.arange(m), [m, 1]), l - m))
}

/** What an expiring attention did. */
export interface ExpireAttended extends Attended {
  /** Of its memories and the block itself; absent where nothing expires. */
  readonly spans?: Spans
  /** [B, K, M, L] */
  readonly weights: Tensor
}

/** Attention to memories that expire. */
export class SeqAttention extends MemoryAttention<ExpiringMemory> {
  readonly expire_span: ExpireSpanDrop | undefined
  readonly dropout: Dropout
  readonly #config: ExpireSpanConfig

  constructor(config: ExpireSpanConfig, key_pe: Variable) {
    super(key_pe)
    this.expire_span = config.expire_span ? new ExpireSpanDrop(config, config.attn_lim, config.mem_sz) : undefined
    this.dropout = new Dropout(config.dropout)
    this.#config = config
  }

  forward(queries: Tensor, block: Tensor, memory: ExpiringMemory, read: Read, context: BlockContext) {
    const next = { hidden: ops.concat([memory.hidden, block], 1), ages: this.#agesWith(memory.ages) }
    const columns = read(next.hidden)
    return { ...this.attend(queries, columns, next.ages, context), memory: next }
  }

  /** The block's tokens come after its first query: their ages are 0, -1, -2, ... */
  #agesWith(ages: Tensor): Tensor {
    const m = this.#config.mem_sz
    const block = ops.neg(ops.cast(ops.arange(m), 'float32'))
    return ops.concat([ages, ops.broadcastTo(ops.reshape(block, [1, m]), [sizeOf(ages.shape, 0), m])], 1) // [B, L]
  }

  /** queries [B, K, M, D], scaled; ages [B, L]. */
  attend(queries: Tensor, columns: Columns, ages: Tensor, context: BlockContext = {}): ExpireAttended {
    const [, , m] = queries.sizes(4)
    const l = sizeOf(columns.keys.shape, 2)
    // The block before is never forgotten, so that the last 2 M columns lie side by side in time.
    requireThat(l >= 2 * m, `a block of ${m} tokens needs at least ${m} memories, found ${l - m}`)
    const scores = ops.matmul(queries, ops.transpose(columns.keys)) // [B, K, M, L]
    const positions = toColumns(ops.matmul(queries, this.key_pe)) // [B, K, M, 2 M]: distances 1 to M, in their columns
    const placed = ops.add(scores, ops.pad(positions, [l - 2 * m, 0])) // older memories have none
    const causal = ops.cast(causalMask(m, l), 'float32') // [M, L]
    const spans = this.expire_span?.forward(columns.hidden, ages, context)
    const soft = spans?.mask ?? (context.elapsed && withinEpisode(distancesOf(ages, m), context.elapsed)) // [B, M, L]
    const visible = soft ? ops.mul(ops.unsqueeze(soft, 1), causal) : causal // [B, 1, M, L]
    const attended = maskedAttention(hideUnseen(placed, visible), visible, this.dropout, (weights) =>
      ops.matmul(weights, columns.values),
    )
    return { ...attended, ...(spans && { spans, auxLoss: spans.auxLoss }) }
  }
}
