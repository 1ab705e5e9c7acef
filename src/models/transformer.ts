/**
 * Transformer layers (Vaswani et al. 2017, arXiv 1706.03762). `transformerLayer` computes a layer from parts of any names;
 * `TransformerBlock` is a module with timm's names.
 *
 * Shapes: N batch, L tokens, S tokens of the context, C width, I total width of all heads.
 */
import { Dropout, init, type Layer, LayerNorm, Linear, MLP, Module } from '../nn/index.ts'
import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { UsageError } from '../util/errors.ts'
import type { AttentionCache, KeysAndValues } from './attention-cache.ts'

/** Which tokens attend to which. As in `ops`, and unlike in `nn.MultiheadAttention`, true means attend. */
export interface AttentionInputs {
  /** Where keys and values come from: [N, S, contextWidth]. Default: the tokens themselves. */
  readonly context?: Tensor
  /** Broadcasts to [N, heads, L, S]: bool, or float32 that is added to the scores. Default: all attend to all. */
  readonly mask?: Tensor
  /** Token i attends to the tokens 0 to i only. Default: false. */
  readonly causal?: boolean
  /**
   * Keys and values of earlier tokens; x then holds the new tokens only, and the cache holds their mask. Needs causal attention. A context
   * may be left out once its keys and values are in the cache.
   */
  readonly cache?: AttentionCache
}

/** Tokens mixed with each other; layers that attend also give their weights. */
export interface Mixed {
  /** [N, L, C] */
  readonly output: Tensor
  /** [N, heads, L, S] */
  readonly weights?: Tensor
}

/** A layer that mixes tokens: attention, or what replaces it. */
export type TokenMixer = Module & { forward(x: Tensor, inputs?: AttentionInputs): Mixed }

/** Options of `attendByHeads`. */
export interface HeadOptions extends Omit<AttentionInputs, 'context'> {
  readonly heads: number
  /** Factor on the products of queries and keys. Default: 1 / sqrt(I / heads). */
  readonly scale?: number
  /** Probability with which a weight is dropped. Default: 0. */
  readonly dropout?: number
}

/** Multi-head attention, each head over its share of the width: q [N, L, I], k and v [N, S, I] -> output [N, L, I], weights [N, heads, L, S]. */
export function attendByHeads(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { heads, cache, ...options }: HeadOptions,
): ops.Attention {
  const [queries, keys, values] = [ops.splitHeads(q, heads), ops.splitHeads(k, heads), ops.splitHeads(v, heads)]
  const { output, weights } = cache
    ? attendWithCache(queries, keys, values, cache, options)
    : ops.attentionWithWeights(queries, keys, values, options) // [N, heads, L, I / heads]
  return { output: ops.mergeHeads(output), weights }
}

function attendWithCache(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  cache: AttentionCache,
  { mask, causal = false, ...options }: ops.AttentionOptions,
): ops.Attention {
  if (!causal || mask) {
    throw new UsageError(
      `Attention: with a cache attention must be causal and without a mask of its own, found ${mask ? 'a mask' : 'causal: false'}`,
      { hint: 'the mask of the new tokens belongs to the cache: new AttentionCache({ mask })' },
    )
  }
  return cache.attend(q, k, v, options)
}

/** Options of an attention layer. */
export interface AttentionOptions {
  readonly heads: number
  /** Width of a head. Default: C / heads, which must be whole. */
  readonly headWidth?: number
  /** For cross attention, the width of the other input, which keys and values come from. Default: none, the tokens attend to each other. */
  readonly contextWidth?: number
  /** Whether the maps to queries, keys and values have biases. Default: true. */
  readonly qkvBias?: boolean
  /** Probability with which an attention weight is dropped in training. Default: 0. */
  readonly dropout?: number
}

/**
 * Multi-head attention with timm's names: qkv [3 I, C] (cross attention: q [I, C], kv [2 I, contextWidth]) and proj [C, I]. Initial
 * values are those of PyTorch's nn.MultiheadAttention.
 */
export class Attention extends Module {
  readonly heads: number
  readonly qkv: Linear | undefined
  readonly q: Linear | undefined
  readonly kv: Linear | undefined
  readonly proj: Linear
  readonly #dropout: number

  constructor(width: number, options: AttentionOptions) {
    super()
    const { heads, headWidth = width / heads, contextWidth, qkvBias = true, dropout = 0 } = options
    if (!Number.isInteger(headWidth)) {
      throw new UsageError(`Attention: the width must be a multiple of the heads, found ${width} and ${heads}`)
    }
    const inner = heads * headWidth
    const map = (from: number, to: number): Linear =>
      new Linear(from, to, { bias: qkvBias, initWeight: init.xavierUniform, initBias: init.zeros })
    this.heads = heads
    this.qkv = contextWidth === undefined ? map(width, 3 * inner) : undefined
    this.q = contextWidth === undefined ? undefined : map(width, inner)
    this.kv = contextWidth === undefined ? undefined : map(contextWidth, 2 * inner)
    this.proj = new Linear(inner, width, { initBias: init.zeros })
    this.#dropout = dropout
  }

  /** x [N, L, C] -> output [N, L, C], weights [N, heads, L, S]. */
  forward(x: Tensor, { context, cache, ...masks }: AttentionInputs = {}): ops.Attention {
    const options = { heads: this.heads, dropout: this.training ? this.#dropout : 0, ...masks }
    const { output, weights } = this.qkv
      ? this.#attendToSelf(x, context, { ...options, ...(cache && { cache }) })
      : this.#attendToContext(x, context, cache, options) // [N, L, I]
    return { output: this.proj.forward(output), weights }
  }

  #attendToSelf(x: Tensor, context: Tensor | undefined, options: HeadOptions): ops.Attention {
    if (!this.qkv || context) throw new UsageError('Attention: a context was given, but the layer has no contextWidth')
    const [q, k, v] = ops.chunk(this.qkv.forward(x), 3, -1) // [N, L, I] each
    return attendByHeads(q, k, v, options)
  }

  /** With a cache, keys and values of the context are computed only once. */
  #attendToContext(
    x: Tensor,
    context: Tensor | undefined,
    cache: AttentionCache | undefined,
    { heads, ...options }: HeadOptions,
  ): ops.Attention {
    const compute = (): KeysAndValues => {
      if (!context || !this.kv) throw new UsageError('Attention: a layer with a contextWidth needs a context')
      const [key, value] = ops.chunk(this.kv.forward(context), 2, -1) // [N, S, I] each
      return { key: ops.splitHeads(key, heads), value: ops.splitHeads(value, heads) }
    }
    const { key, value } = cache ? cache.context(compute) : compute() // [N, heads, S, I / heads]
    const q = ops.splitHeads(this.q?.forward(x) ?? x, heads)
    const { output, weights } = ops.attentionWithWeights(q, key, value, options)
    return { output: ops.mergeHeads(output), weights }
  }
}

/** Where the norms of a layer stand: before each part, or after each sum as in the original transformer and BERT. */
export type NormPlace = 'pre' | 'post'

/** What a transformer layer consists of. */
export interface LayerParts {
  readonly norm: NormPlace
  readonly mix: (x: Tensor) => Mixed
  readonly norm1: Layer
  readonly feedForward: (x: Tensor) => Tensor
  readonly norm2: Layer
}

/**
 * One transformer layer, x [N, L, C] -> output [N, L, C]. Norms before: y = x + mix(norm1(x)), output = y + feedForward(norm2(y)).
 * Norms after: y = norm1(x + mix(x)), output = norm2(y + feedForward(y)).
 */
export function transformerLayer(x: Tensor, { norm, mix, norm1, feedForward, norm2 }: LayerParts): Mixed {
  const isPre = norm === 'pre'
  const { output, ...rest } = mix(isPre ? norm1.forward(x) : x) // [N, L, C]
  const sum = ops.add(x, output)
  const mixed = isPre ? sum : norm1.forward(sum)
  const fed = ops.add(mixed, feedForward(isPre ? norm2.forward(mixed) : mixed)) // [N, L, C]
  return { output: isPre ? fed : norm2.forward(fed), ...rest }
}

interface BlockOptions extends Omit<AttentionOptions, 'heads' | 'dropout'> {
  /** Hidden width of the MLP. Default: 4 C. */
  readonly mlpWidth?: number
  /** Activation of the MLP. Default: GELU (erf). */
  readonly act?: Layer
  /** Where the norms stand. Default: pre. */
  readonly norm?: NormPlace
  /** Added to the variances of the norms. Default: 1e-5. */
  readonly eps?: number
  /** Dropout after the attention, inside the MLP and after it. Default: 0. */
  readonly dropout?: number
  /** Dropout of attention weights. Default: 0. */
  readonly attentionDropout?: number
}

/** Options of a block: either `heads` for its attention, or `attn`, a module that mixes the tokens in its place. */
export type TransformerBlockOptions = BlockOptions &
  ({ readonly heads: number; readonly attn?: never } | { readonly heads?: never; readonly attn: TokenMixer })

/**
 * Attention and an MLP, each with a norm and a residual connection, with timm's names: norm1, attn, norm2, mlp.fc1, mlp.fc2. With a
 * contextWidth the tokens attend to a context; if norms come before, `norm_context` normalises it first (as in Perceiver).
 */
export class TransformerBlock extends Module {
  readonly norm1: LayerNorm
  readonly norm_context: LayerNorm | undefined
  readonly attn: TokenMixer
  readonly norm2: LayerNorm
  readonly mlp: MLP
  readonly drop: Dropout
  readonly #norm: NormPlace

  constructor(width: number, options: TransformerBlockOptions) {
    super()
    const { mlpWidth = 4 * width, act, norm = 'pre', eps = 1e-5, dropout = 0, attentionDropout = 0 } = options
    const { contextWidth } = options
    this.norm1 = new LayerNorm(width, { eps })
    this.norm_context = contextWidth !== undefined && norm === 'pre' ? new LayerNorm(contextWidth, { eps }) : undefined
    this.attn =
      options.attn === undefined ? new Attention(width, { ...options, dropout: attentionDropout }) : options.attn
    this.norm2 = new LayerNorm(width, { eps })
    this.mlp = new MLP(width, mlpWidth, { ...(act && { act }), drop: dropout })
    this.drop = new Dropout(dropout)
    this.#norm = norm
  }

  /** x [N, L, C] -> [N, L, C]. */
  forward(x: Tensor, { context, ...masks }: AttentionInputs = {}): Tensor {
    const read = context && { context: this.norm_context?.forward(context) ?? context } // [N, S, contextWidth]
    const { output } = transformerLayer(x, {
      norm: this.#norm,
      mix: (tokens) => ({ output: this.drop.forward(this.attn.forward(tokens, { ...read, ...masks }).output) }),
      norm1: this.norm1,
      feedForward: (tokens) => this.mlp.forward(tokens),
      norm2: this.norm2,
    })
    return output
  }
}
