/**
 * The one module that a Perceiver is made of: attention and an MLP, each after a LayerNorm and each added to its input (Jaegle et al.
 * 2021, arXiv 2103.03206, section 3.1; details from DeepMind's code). Names of parameters are those of transformers' port.
 *
 * Shapes: B batch, N queries (latents), M inputs, D channels of the queries, C channels of the inputs.
 */
import { checkpoint } from '../../autodiff/checkpoint.ts'
import { type ActivationName, activate } from '../../nn/activation-names.ts'
import { type init, LayerNorm, Linear, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { sizeOf, sizes } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'
import { askInputs, type ReadingSizes, readInputs, readsDirectly, tellValues } from './reading.ts'

/** What one attention gave each input to read: [B, heads, N, M] each. */
export interface AttentionMaps {
  /** Before the softmax: what the paper's Figure 3 shows, since weights are too sparse to see. */
  readonly scores: Tensor
  /** After the softmax; each row sums to 1. */
  readonly weights: Tensor
}

/** Tokens after a layer, and what they have read. */
export interface LayerOutput extends AttentionMaps {
  /** [B, N, D] */
  readonly output: Tensor
}

/** Options of a layer; those of the official code. */
export interface PerceiverLayerOptions {
  /** D, channels of the queries. */
  readonly width: number
  /** C, channels of what is read; absent: the tokens read each other. */
  readonly contextWidth?: number
  readonly heads: number
  /** Channels of queries and keys, all heads together. Default: C for cross attention, D for self attention. */
  readonly qkChannels?: number
  /** Channels of the values, all heads together. Default: those of the keys. */
  readonly vChannels?: number
  /** Hidden width of the MLP is this times D. Default: 1. */
  readonly wideningFactor?: number
  /** Whether the result of the attention is added to the queries. Default: true. */
  readonly useQueryResidual?: boolean
  /** Activation of the MLP. Default: the tanh form of GELU, as in DeepMind's code. */
  readonly act?: ActivationName
  /** What a query without any input to read gets: nothing (DeepMind), or the mean of all inputs (the ports). Default: nothing. */
  readonly allMasked?: 'nothing' | 'mean'
  /** How the weights of the linear layers begin. Default: PyTorch's. */
  readonly initWeight?: init.Initializer
}

// Added to the scores of masked inputs, as the official code does: -inf would give NaN where everything is masked.
const masked = -1e30

/** Attention (to a context, or of the tokens to each other), then an MLP. */
export class PerceiverLayer extends Module {
  readonly attention: {
    readonly self: {
      readonly layernorm1: LayerNorm
      readonly layernorm2: LayerNorm | undefined
      readonly query: Linear
      readonly key: Linear
      readonly value: Linear
    }
    readonly output: { readonly dense: Linear }
  }
  readonly layernorm: LayerNorm
  readonly mlp: { readonly dense1: Linear; readonly dense2: Linear }
  readonly #options: PerceiverLayerOptions

  constructor(options: PerceiverLayerOptions) {
    super()
    const { width, contextWidth, heads, wideningFactor = 1 } = options
    const qk = options.qkChannels ?? contextWidth ?? width
    const v = options.vChannels ?? qk
    for (const [name, channels] of Object.entries({ qkChannels: qk, vChannels: v })) {
      if (channels % heads !== 0) {
        throw new UsageError(`Perceiver: ${name} must be a multiple of the heads, found ${channels} and ${heads}`, {
          hint: 'set heads that divide it, or another number of channels',
        })
      }
    }
    const linear = (from: number, to: number): Linear =>
      new Linear(from, to, options.initWeight ? { initWeight: options.initWeight } : {})
    this.attention = {
      self: {
        layernorm1: new LayerNorm(width),
        layernorm2: contextWidth === undefined ? undefined : new LayerNorm(contextWidth),
        query: linear(width, qk),
        key: linear(contextWidth ?? width, qk),
        value: linear(contextWidth ?? width, v),
      },
      output: { dense: linear(v, width) },
    }
    this.layernorm = new LayerNorm(width)
    this.mlp = { dense1: linear(width, wideningFactor * width), dense2: linear(wideningFactor * width, width) }
    this.#options = options
  }

  /**
   * x [B, N, D], context [B, M, C], mask bool [B, M] (true: may be read) -> output [B, N, D], maps [B, heads, N, M]. `recompute`: training
   * keeps of the layer only what goes into and comes out of the attention itself, and computes the rest again (default: false).
   */
  forward(x: Tensor, context?: Tensor, mask?: Tensor, recompute = false): LayerOutput {
    const { layernorm2 } = this.attention.self
    if ((context === undefined) !== (layernorm2 === undefined)) {
      throw new UsageError(
        context
          ? 'PerceiverLayer: a context was given, but the layer has no contextWidth'
          : 'PerceiverLayer: a layer with a contextWidth needs a context',
      )
    }
    const part: typeof checkpoint = recompute ? checkpoint : (fn, ...inputs) => fn(...inputs)
    const { found, told, ...maps } = this.#read(part, x, context, mask)
    return { output: part((x: Tensor, found: Tensor) => this.#refined(x, told(found)), x, found), ...maps }
  }

  /** Adds to the tokens [B, N, D] what they have read [B, N, v], then the MLP. */
  #refined(x: Tensor, read: Tensor): Tensor {
    const { useQueryResidual = true, act = 'gelu_new' } = this.#options
    const output = this.attention.output.dense.forward(read)
    const y = useQueryResidual ? ops.add(x, output) : output // [B, N, D]
    const hidden = activate(act, this.mlp.dense1.forward(this.layernorm.forward(y))) // [B, N, wideningFactor D]
    return ops.add(y, this.mlp.dense2.forward(hidden))
  }

  /** The attention alone: what it gives, and how that becomes [B, N, v]. */
  #read(part: typeof checkpoint, x: Tensor, context: Tensor | undefined, mask: Tensor | undefined) {
    const { layernorm1, layernorm2, query, key, value } = this.attention.self
    const { heads, allMasked = 'nothing' } = this.#options
    const normed = layernorm1.forward(x) // [B, N, D]
    const read = context && layernorm2 ? layernorm2.forward(context) : normed // [B, M, C]
    const queriesOf = (normed: Tensor): Tensor => ops.splitHeads(query.forward(normed), heads) // [B, heads, N, qk / heads]
    const k = ops.splitHeads(key.forward(read), heads) // [B, heads, M, qk / heads]
    const added = mask && ops.where(ops.reshape(mask, [sizeOf(mask.shape, 0), 1, 1, -1]), 0, masked) // [B, 1, 1, M]
    const scale = 1 / Math.sqrt(sizeOf(k.shape, -1))
    // Any number of inputs may be there: the largest of no numbers is not.
    const readable = mask && allMasked === 'nothing' ? ops.any(mask, -1) : undefined // [B]
    const merged = (output: Tensor): Tensor => {
      const all = ops.mergeHeads(output) // [B, N, v]
      return readable ? ops.mul(all, ops.cast(ops.reshape(readable, [-1, 1, 1]), 'float32')) : all
    }
    const scores = ops.mul(ops.matmul(queriesOf(normed), ops.transpose(k)), scale) // [B, heads, N, M]
    if (context && layernorm2 && readsDirectly(this.#readingSizes(x))) {
      const inputs = { norm: layernorm2, key, value }
      const asked = part((x: Tensor) => askInputs(queriesOf(layernorm1.forward(x)), inputs), x) // [B, heads, N, C]
      const { output, weights } = readInputs(asked, context, { norm: layernorm2, added, scale })
      return { found: output, told: (found: Tensor) => merged(tellValues(found, inputs)), weights, scores }
    }
    const values = ops.splitHeads(value.forward(read), heads)
    const { output, weights } = ops.attentionWithWeights(queriesOf(normed), k, values, added ? { mask: added } : {})
    return { found: output, told: merged, weights, scores }
  }

  #readingSizes(x: Tensor): ReadingSizes {
    const [vChannels, channels] = sizes(this.attention.self.value.weight.shape, 2)
    const qkChannels = sizeOf(this.attention.self.query.weight.shape, 0)
    return { heads: this.#options.heads, queries: sizeOf(x.shape, 1), channels, qkChannels, vChannels }
  }
}
