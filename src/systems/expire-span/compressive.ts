/**
 * Old memories are averaged in groups (Rae et al. 2020, Compressive Transformer, mean pooling).
 *
 * Shapes: B batch, K heads, M queries of a block, S attn_lim, C compressed memories, c compress_rate, D width of a head, H hidden width.
 */
import { Dropout } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import {
  type BlockContext,
  hideUnseen,
  MemoryAttention,
  maskedAttention,
  type Read,
  toColumns,
  toDistances,
  withinEpisode,
} from './attention.ts'
import { type CompressiveConfig, requireThat } from './config.ts'
import { distances } from './fixed-span.ts'

/** The last S inputs of a layer, and averages of those before. */
export interface CompressedMemory {
  /** [B, S, H] */
  readonly hidden: Tensor
  /** [B, C, H] */
  readonly compressed: Tensor
}

/** C, the number of compressed memories. */
export function compressedCount({ compress_size, compress_rate, mem_sz }: CompressiveConfig): number {
  const wholes = [compress_size, mem_sz].every((size) => size % compress_rate === 0)
  requireThat(
    wholes && compress_rate >= 1,
    `compress_size and mem_sz must be multiples of compress_rate, found ${compress_size}, ${mem_sz} and ${compress_rate}`,
  )
  return compress_size / compress_rate
}

/** Each query attends to C + 1 averages and to the S positions before it. */
export class CompressiveAttention extends MemoryAttention<CompressedMemory> {
  readonly dropout: Dropout
  readonly #rate: number
  readonly #count: number

  constructor(config: CompressiveConfig, key_pe: Variable) {
    super(key_pe)
    this.dropout = new Dropout(config.dropout)
    this.#rate = config.compress_rate
    this.#count = compressedCount(config)
  }

  forward(queries: Tensor, block: Tensor, memory: CompressedMemory, read: Read, { elapsed }: BlockContext) {
    const [b, , m] = queries.sizes(4)
    const [, s, h] = memory.hidden.sizes(3)
    const all = ops.concat([memory.hidden, block], 1) // [B, S + M, H]
    const groups = ops.reshape(ops.slice(all, [0, m], 1), [b, m / this.#rate, this.#rate, h])
    const averages = ops.concat([memory.compressed, ops.mean(groups, 2)], 1) // [B, C + M / c, H]
    const [near, far] = [read(all), read(averages)]
    const content = ops.concat(
      [
        this.#ofGroups(ops.matmul(queries, ops.transpose(far.keys))), // [B, K, M, C + 1]
        toDistances(ops.matmul(queries, ops.transpose(near.keys))), // [B, K, M, S]
      ],
      -1,
    )
    const scores = ops.add(content, ops.matmul(queries, this.key_pe)) // [B, K, M, C + 1 + S]
    const valuesOf = (weights: Tensor): Tensor => {
      const ofAverages = this.#toAverages(ops.slice(weights, [0, this.#count + 1], -1)) // [B, K, M, C + M / c]
      const ofNear = toColumns(ops.slice(weights, [-s], -1)) // [B, K, M, S + M]
      return ops.add(ops.matmul(ofAverages, far.values), ops.matmul(ofNear, near.values))
    }
    const own = elapsed && ops.unsqueeze(withinEpisode(this.#distances(m, s), elapsed), 1) // [B, 1, M, C + 1 + S]
    const output = own
      ? maskedAttention(hideUnseen(scores, own), own, this.dropout, valuesOf).output
      : valuesOf(this.dropout.forward(ops.softmax(scores, -1)))
    const next = { hidden: ops.slice(all, [-s], 1), compressed: ops.slice(averages, [m / this.#rate], 1) }
    return { output, memory: next }
  }

  /** Of each query and its columns, [M, C + 1 + S]: of an average the distance of the latest of its group, so that a part of it is enough. */
  #distances(m: number, s: number): Tensor {
    const c = this.#rate
    const place = tensor(Array.from({ length: m }, (_, query) => [query % c])) // in its group, [M, 1]
    const groups = ops.mul(ops.sub(distances(this.#count + 1), 2), c) // [C + 1]: (C - 1) c, ..., 0, -c
    const near = ops.broadcastTo(ops.reshape(distances(s), [1, s]), [m, s])
    return ops.concat([ops.add(ops.add(groups, place), s + 1), near], -1)
  }

  /** Query m sees the averages g to g + C with g = floor(m / c): [B, K, M, C + M / c] -> [B, K, M, C + 1]. */
  #ofGroups(scores: Tensor): Tensor {
    const [b, k, m, n] = scores.sizes(4)
    const grouped = ops.permute(ops.reshape(scores, [b, k, m / this.#rate, this.#rate, n]), [0, 1, 3, 2, 4])
    // By the queries of each place in a group, every row is one average further.
    const found = toDistances(ops.pad(grouped, [0, 1])) // [B, K, c, M / c, C + 1]; what is added is never reached
    return ops.reshape(ops.permute(found, [0, 1, 3, 2, 4]), [b, k, m, this.#count + 1])
  }

  /** The other way: [B, K, M, C + 1] -> [B, K, M, C + M / c]. */
  #toAverages(weights: Tensor): Tensor {
    const [b, k, m, n] = weights.sizes(4)
    const grouped = ops.permute(ops.reshape(weights, [b, k, m / this.#rate, this.#rate, n]), [0, 1, 3, 2, 4])
    const columns = ops.slice(toColumns(grouped), [0, -1], -1) // [B, K, c, M / c, C + M / c]
    return ops.reshape(ops.permute(columns, [0, 1, 3, 2, 4]), [b, k, m, n - 1 + m / this.#rate])
  }
}
