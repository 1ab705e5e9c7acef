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

  /** block [B, M, H] -> output [B, M, H], the next memory, and what else the attention computed. */
  forward(block: Tensor, memory: Memory, context: BlockContext) {
    const [before, after] = this.#preNorm ? [true, false] : [false, true]
    const norm = (wanted: boolean, layer: LayerNorm) => (x: Tensor) => (wanted ? layer.forward(x) : x)
    const { output: read, ...rest } = this.attn.forward(block, memory, norm(before, this.norm1), context)
    const h = norm(after, this.norm1)(ops.add(block, read)) // [B, M, H]
    const output = norm(after, this.norm2)(ops.add(h, this.ff.forward(norm(before, this.norm2)(h))))
    return { output, ...rest }
  }
}

/** What a model computes of a block. */
export interface BlockOutput<Memory extends LayerMemory> {
  /** Log-probabilities of the token after each one, [B, M, V]. */
  readonly logProbs: Tensor
  /** Of each text, to be added to its loss, [B]. */
  readonly auxLoss: Tensor
  /** The memory of each layer after the block. */
  readonly memories: readonly Memory[]
  /** What else each layer's attention computed: spans and weights of Expire-Span. */
  readonly layers: readonly Partial<ExpireAttended>[]
}

/** The network that all kinds of memory share: embedding, layers of attention and feed-forward, output. */
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
   * What a layer keeps for the next block. `memory`: all that it remembers after this block, as plain numbers, so that no gradient flows
   * between blocks. `_remaining`: where memories expire, how much of each span was left at the block's first query. `_kept`: what the layer
   * had kept before this block. Default: all of `memory`.
   */
  carry(memory: Stored<Memory>, _remaining?: NDArray, _kept?: Stored<Memory>): Stored<Memory> {
    return memory
  }

  /** The part of the kept memory that the next block can reach, and is given. Default: all of it. */
  reachable(kept: Stored<Memory>, _layer: number): Stored<Memory> {
    return kept
  }

  /** The axes of a layer's memory whose size changes from block to block; undefined: none. */
  dynamicAxes(_layer: number): { readonly [Part in keyof Memory]?: Readonly<Record<number, string>> } | undefined {
    return undefined
  }

  /**
   * tokens: integers [B, M]; memories: one for each layer. `draws`: random numbers in [0, 1) for this block, [1 + layers], in the official
   * order: first the noise of the spans, then for each layer the number that decides whether it is left out. `elapsed` int [B, M]: how many
   * tokens of the same episode stand before each token; tokens of earlier episodes are not attended to. Default: everything is remembered.
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

/** The paper's model. With expire_span off each block attends to the last attn_lim memories before it, and to its own earlier tokens. */
export class ExpireSpan extends SequenceModel<ExpiringMemory, ExpireSpanConfig> {
  constructor(config: ExpireSpanConfig) {
    requireSpanOfBlock(config)
    // Positions are needed up to the length of a block only: that far back no memory has been dropped yet.
    const key_pe = distanceKeys(config, Math.min(config.attn_lim, config.mem_sz))
    super(config, () => new SeqAttention(config, key_pe))
  }

  /** Begins with mem_sz empty memories. */
  initialMemory(batch: number): StoredMemory {
    return emptyMemory(batch, this.config)
  }

  /** The memories that have not expired. */
  override carry(memory: StoredMemory, remaining?: NDArray): StoredMemory {
    return forget(memory, remaining, this.config)
  }

  /** Each layer keeps its own number of memories. */
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

/** A fixed span as in Transformer-XL, or with `adapt_span` a span that is learned for each head. */
export class TransformerSeq extends SequenceModel<LayerMemory, TransformerSeqConfig> {
  constructor(config: TransformerSeqConfig) {
    const key_pe = distanceKeys(config, config.attn_lim)
    super(config, () => new FixedSpanAttention(config, key_pe))
  }

  /** Begins with attn_lim memories of zeros. */
  initialMemory(batch: number): Stored<LayerMemory> {
    return { hidden: zeroVectors(batch, this.config.attn_lim, this.config) }
  }

  /** Where spans are learned: as many of the last columns as the farthest-reaching head reads now, filled up with zeros where fewer were kept. */
  override reachable(kept: Stored<LayerMemory>, layer: number): Stored<LayerMemory> {
    const span = this.#span(layer)
    return span ? { hidden: lastColumns(kept.hidden, span.reach()) } : kept
  }

  /** Where spans are learned: the last columns of what was kept before, followed by this block. `memory`: what was reached, and the block. */
  override carry(memory: Stored<LayerMemory>, _remaining?: NDArray, kept?: Stored<LayerMemory>): Stored<LayerMemory> {
    const span = this.#span(0)
    if (!span) return memory
    const { mem_sz } = this.config
    const reach = sizeOf(memory.hidden.shape, 1) - mem_sz
    const all = kept ? concatColumns(kept.hidden, lastColumns(memory.hidden, mem_sz)) : memory.hidden
    return { hidden: lastColumns(all, Math.min(sizeOf(all.shape, 1), span.cacheLength(reach))) }
  }

  /** Where spans are learned, the size is how far back the layer reaches; one program serves all of them. */
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

/** The Compressive Transformer: a fixed span, and averages of the memories before it. */
export class CompressiveTransformer extends SequenceModel<CompressedMemory, CompressiveConfig> {
  constructor(config: CompressiveConfig) {
    const key_pe = distanceKeys(config, compressedCount(config) + 1 + config.attn_lim)
    super(config, () => new CompressiveAttention(config, key_pe))
  }

  /** Begins with attn_lim memories and compress_size / compress_rate averages, all zeros. */
  initialMemory(batch: number): Stored<CompressedMemory> {
    const zeros = (count: number): NDArray => zeroVectors(batch, count, this.config)
    return { hidden: zeros(this.config.attn_lim), compressed: zeros(compressedCount(this.config)) }
  }
}

/** Any of the models, whatever it remembers. */
export type AnyModel = SequenceModel<LayerMemory, SequenceConfig>
