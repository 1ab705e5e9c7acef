/**
 * Expire-Span: "Not All Memories are Created Equal: Learning to Forget by Expiring" (Sukhbaatar et al. 2021, arXiv 2105.06548), and its
 * three baselines: a language model that reads a text block by block, with a memory in every layer.
 *
 * Shapes: B batch, M tokens of a block, H hidden width, V vocabulary.
 */
import { Dropout, Embedding, LayerNorm, Linear, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'
import {
  type BlockContext,
  distanceKeys,
  type LayerMemory,
  type MemoryAttention,
  MultiHeadSeqAttention,
  shrink,
} from './attention.ts'
import { type CompressedMemory, CompressiveAttention, compressedCount } from './compressive.ts'
import {
  type CompressiveConfig,
  checkConfig,
  type ExpireSpanConfig,
  requireSpanOfBlock,
  type SequenceConfig,
  type TransformerSeqConfig,
} from './config.ts'
import { type ExpireAttended, type ExpiringMemory, SeqAttention } from './expire-span.ts'
import { type AdaptiveSpan, FixedSpanAttention } from './fixed-span.ts'
import {
  concatColumns,
  emptyMemory,
  forget,
  lastColumns,
  type Stored,
  type StoredMemory,
  zeroVectors,
} from './memory.ts'

/** Two linear layers with a ReLU between. */
class FeedForward extends Module {
  readonly fc1: Linear
  readonly fc2: Linear
  readonly dropout: Dropout

  constructor({ hid_sz, inner_hid_sz, nlayers, dropout, pre_norm }: SequenceConfig) {
    super()
    this.fc1 = new Linear(hid_sz, inner_hid_sz)
    this.fc2 = new Linear(inner_hid_sz, hid_sz)
    this.dropout = new Dropout(dropout)
    if (pre_norm) for (const parameter of this.fc2.variables().values()) shrink(parameter, nlayers)
  }

  forward(x: Tensor): Tensor {
    return this.fc2.forward(this.dropout.forward(ops.relu(this.fc1.forward(x))))
  }
}

/** Attention to the block and the layer's memory, then a feed-forward layer. */
class SequenceLayer<Memory extends LayerMemory> extends Module {
  readonly attn: MultiHeadSeqAttention<Memory>
  readonly ff: FeedForward
  readonly norm1: LayerNorm
  readonly norm2: LayerNorm
  readonly #preNorm: boolean

  constructor(config: SequenceConfig, attention: MemoryAttention<Memory>) {
    super()
    this.attn = new MultiHeadSeqAttention(config, attention)
    this.ff = new FeedForward(config)
    this.norm1 = new LayerNorm(config.hid_sz)
    this.norm2 = new LayerNorm(config.hid_sz)
    this.#preNorm = config.pre_norm
  }

  /** block [B, M, H] -> output [B, M, H], the next memory, and what the attention says besides. */
  forward(block: Tensor, memory: Memory, context: BlockContext) {
    const [before, after] = this.#preNorm ? [true, false] : [false, true]
    const norm = (wanted: boolean, layer: LayerNorm) => (x: Tensor) => (wanted ? layer.forward(x) : x)
    const { output: read, ...rest } = this.attn.forward(block, memory, norm(before, this.norm1), context)
    const h = norm(after, this.norm1)(ops.add(block, read)) // [B, M, H]
    const output = norm(after, this.norm2)(ops.add(h, this.ff.forward(norm(before, this.norm2)(h))))
    return { output, ...rest }
  }
}

/** What a model says of a block. */
export interface BlockOutput<Memory extends LayerMemory> {
  /** Of the next token after each, [B, M, V]. */
  readonly logProbs: Tensor
  /** To be added to the loss, [B]. */
  readonly auxLoss: Tensor
  /** Of each layer, for the next block. */
  readonly memories: readonly Memory[]
  /** What each layer's attention says besides: spans and weights of Expire-Span. */
  readonly layers: readonly Partial<ExpireAttended>[]
}

/** The network around the kinds of memory. */
abstract class SequenceModel<Memory extends LayerMemory, Config extends SequenceConfig> extends Module {
  readonly config: Config
  readonly in_emb: Embedding
  readonly layers: readonly SequenceLayer<Memory>[]
  readonly out: { readonly out_emb: Linear }
  readonly out_norm: LayerNorm | undefined

  constructor(config: Config, attention: () => MemoryAttention<Memory>) {
    super()
    checkConfig(config)
    this.config = config
    this.in_emb = new Embedding(config.vocab_sz, config.hid_sz)
    this.layers = Array.from({ length: config.nlayers }, () => new SequenceLayer(config, attention()))
    this.out = { out_emb: new Linear(config.hid_sz, config.vocab_sz) }
    this.out_norm = config.pre_norm ? new LayerNorm(config.hid_sz) : undefined
  }

  /** What a layer remembers before the first block, for `batch` texts. */
  abstract initialMemory(batch: number): Stored<Memory>

  /**
   * What a layer takes into the next block, of the memory after a block as numbers (nothing of which has a gradient any more), of
   * what was left of each span at the block's first query, where memories expire, and of what it had kept before the block. Default:
   * all of the first.
   */
  carry(memory: Stored<Memory>, _remaining?: NDArray, _kept?: Stored<Memory>): Stored<Memory> {
    return memory
  }

  /** What a block is given of what a layer has kept: what it can reach. Default: all of it. */
  reachable(kept: Stored<Memory>, _layer: number): Stored<Memory> {
    return kept
  }

  /** The axes of a layer's memory whose size changes from block to block; undefined: none. */
  dynamicAxes(_layer: number): { readonly [Part in keyof Memory]?: Readonly<Record<number, string>> } | undefined {
    return undefined
  }

  /**
   * tokens: integers [B, M]; memories: one for each layer. `draws`: random numbers in [0, 1) of the block, [1 + layers], in the official
   * order: the noise of spans, then what decides whether each layer is left out. `elapsed` int [B, M]: tokens of its episode before each
   * token, where nothing of an earlier episode may be remembered; default: everything may.
   */
  forward(tokens: Tensor, memories: readonly Memory[], draws?: Tensor, elapsed?: Tensor): BlockOutput<Memory> {
    if (memories.length !== this.layers.length)
      throw new UsageError(
        `${this.constructor.name}: there must be a memory for each of ${this.layers.length} layers, found ${memories.length}`,
        { hint: 'initialMemory gives that of a layer before the first block' },
      )
    const context: BlockContext = { noise: this.noise(draws), elapsed }
    let h = this.in_emb.forward(tokens) // [B, M, H]
    const found = this.layers.map((layer, i) => {
      const { output, ...rest } = layer.forward(h, memories[i] as Memory, context)
      const isLeftOut = this.leftOut(draws, i)
      h = isLeftOut ? ops.where(isLeftOut, h, output) : output
      const auxLoss = rest.auxLoss && isLeftOut ? ops.where(isLeftOut, 0, rest.auxLoss) : rest.auxLoss
      return { ...rest, ...(auxLoss && { auxLoss }) }
    })
    const logits = this.out.out_emb.forward(this.out_norm ? this.out_norm.forward(h) : h) // [B, M, V]
    const losses = found.flatMap(({ auxLoss }) => auxLoss ?? [])
    return {
      logProbs: ops.logSoftmax(logits, -1),
      auxLoss: losses.length > 0 ? ops.addAll(losses) : ops.zeros([tokens.shape[0] ?? 0]),
      memories: found.map(({ memory }) => memory),
      layers: found,
    }
  }

  protected noise(_draws: Tensor | undefined): Tensor | undefined {
    return undefined
  }

  protected leftOut(_draws: Tensor | undefined, _layer: number): Tensor | undefined {
    return undefined
  }
}

/** The paper's model. With expire_span off: the last attn_lim memories at the start of a block, and its earlier tokens. */
export class ExpireSpan extends SequenceModel<ExpiringMemory, ExpireSpanConfig> {
  constructor(config: ExpireSpanConfig) {
    requireSpanOfBlock(config)
    // Distances up to the length of a block: that far back nothing was dropped yet.
    const key_pe = distanceKeys(config, Math.min(config.attn_lim, config.mem_sz))
    super(config, () => new SeqAttention(config, key_pe))
  }

  /** mem_sz memories. */
  initialMemory(batch: number): StoredMemory {
    return emptyMemory(batch, this.config)
  }

  /** Without those that have expired. */
  override carry(memory: StoredMemory, remaining?: NDArray): StoredMemory {
    return forget(memory, remaining, this.config)
  }

  /** Each layer keeps a number of its own. */
  override dynamicAxes(layer: number) {
    const kept = { 1: `memories_${layer}` }
    return { hidden: kept, ages: kept }
  }

  protected override noise(draws: Tensor | undefined): Tensor | undefined {
    return draws && this.config.expire_span_noisy && this.training ? ops.slice(draws, [0, 1], 0) : undefined
  }

  protected override leftOut(draws: Tensor | undefined, layer: number): Tensor | undefined {
    const { expire_span_layerdrop: probability } = this.config
    if (!draws || probability === 0 || !this.training) return undefined
    return ops.less(ops.select(draws, layer + 1, 0), probability)
  }
}

/** A fixed span in the manner of Transformer-XL, or with `adapt_span` one that is learned for each head. */
export class TransformerSeq extends SequenceModel<LayerMemory, TransformerSeqConfig> {
  constructor(config: TransformerSeqConfig) {
    const key_pe = distanceKeys(config, config.attn_lim)
    super(config, () => new FixedSpanAttention(config, key_pe))
  }

  /** attn_lim memories. */
  initialMemory(batch: number): Stored<LayerMemory> {
    return { hidden: zeroVectors(batch, this.config.attn_lim, this.config) }
  }

  /** Where spans are learned: of the last columns as many as some head reaches now, zeros where so many were not kept. */
  override reachable(kept: Stored<LayerMemory>, layer: number): Stored<LayerMemory> {
    const span = this.#span(layer)
    return span ? { hidden: lastColumns(kept.hidden, span.reach()) } : kept
  }

  /** Where spans are learned: what was kept before and the block, the last of it. `memory`: what was reached, and the block. */
  override carry(memory: Stored<LayerMemory>, _remaining?: NDArray, kept?: Stored<LayerMemory>): Stored<LayerMemory> {
    const span = this.#span(0)
    if (!span) return memory
    const { mem_sz } = this.config
    const reach = sizeOf(memory.hidden.shape, 1) - mem_sz
    const all = kept ? concatColumns(kept.hidden, lastColumns(memory.hidden, mem_sz)) : memory.hidden
    return { hidden: lastColumns(all, Math.min(sizeOf(all.shape, 1), span.cacheLength(reach))) }
  }

  /** Where spans are learned: how far back each layer reaches, so that one program serves all spans. */
  override dynamicAxes(layer: number) {
    return this.#span(layer) && { hidden: { 1: `reach_${layer}` } }
  }

  #span(layer: number): AdaptiveSpan | undefined {
    const attention = this.layers[layer]?.attn.attn
    return attention instanceof FixedSpanAttention ? attention.adaptive_span : undefined
  }

  /** After an update of the parameters: learned spans stay within their bounds. Called inside of a traced function. */
  clampSpans(): void {
    for (const layer of this.layers.keys()) this.#span(layer)?.clampSpans()
  }
}

/** A fixed span, and averages of what lies before it. */
export class CompressiveTransformer extends SequenceModel<CompressedMemory, CompressiveConfig> {
  constructor(config: CompressiveConfig) {
    const key_pe = distanceKeys(config, compressedCount(config) + 1 + config.attn_lim)
    super(config, () => new CompressiveAttention(config, key_pe))
  }

  /** attn_lim memories, and compress_size / compress_rate averages. */
  initialMemory(batch: number): Stored<CompressedMemory> {
    const zeros = (count: number): NDArray => zeroVectors(batch, count, this.config)
    return { hidden: zeros(this.config.attn_lim), compressed: zeros(compressedCount(this.config)) }
  }
}

/** Any of the models, whatever it remembers. */
export type AnyModel = SequenceModel<LayerMemory, SequenceConfig>
