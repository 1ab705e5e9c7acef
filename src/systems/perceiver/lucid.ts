/**
 * The Perceiver of perceiver-pytorch (MIT), the one most people use: the paper's iteration with blocks of its own (GEGLU of four times
 * the width, separate head widths, LayerNorm before the head, weights tied from the second layer on). Its arguments and names.
 *
 * Shapes: B batch, M inputs of C channels, N latents of D channels, K classes.
 */
import { fourierFeatures, gridPositions } from '../../models/positions.ts'
import { init, LayerNorm, Linear, Module } from '../../nn/index.ts'
import { parameter } from '../../nn/init.ts'
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { UsageError } from '../../util/errors.ts'
import type { AttentionMaps } from './attention.ts'
import { repeated } from './model.ts'

/** Constructor arguments of the original. */
export interface LucidConfig {
  readonly num_freq_bands: number
  readonly depth: number
  /** mu, of all axes. */
  readonly max_freq: number
  readonly input_channels?: number
  /** Axes between the batch and the channels: 1 for sound, 2 for pictures, 3 for video. */
  readonly input_axis?: number
  readonly num_latents?: number
  readonly latent_dim?: number
  readonly cross_heads?: number
  readonly latent_heads?: number
  readonly cross_dim_head?: number
  readonly latent_dim_head?: number
  readonly num_classes?: number
  readonly attn_dropout?: number
  readonly ff_dropout?: number
  /** Whether the layers from the second on share their weights. */
  readonly weight_tie_layers?: boolean
  readonly fourier_encode_data?: boolean
  readonly self_per_cross_attn?: number
  readonly final_classifier_head?: boolean
  /** Softmax over the latents instead of the inputs; for all layers, or one each. */
  readonly inverted_cross_attn?: boolean | readonly boolean[]
}

/** The original's defaults. */
const defaults = {
  input_channels: 3,
  input_axis: 2,
  num_latents: 512,
  latent_dim: 512,
  cross_heads: 1,
  latent_heads: 8,
  cross_dim_head: 64,
  latent_dim_head: 64,
  num_classes: 1000,
  attn_dropout: 0,
  ff_dropout: 0,
  weight_tie_layers: false,
  fourier_encode_data: true,
  self_per_cross_attn: 1,
  final_classifier_head: true,
  inverted_cross_attn: false,
} as const satisfies Partial<LucidConfig>

/** Tokens, and the maps [B, heads, N, M] with which they were read. */
interface Attended extends AttentionMaps {
  readonly output: Tensor
}

interface HeadOptions {
  readonly heads: number
  readonly dimHead: number
  readonly dropout: number
}

/** How a cross attention reads. */
interface Reading {
  /** bool [B, M] (true: kept). */
  readonly mask: Tensor | undefined
  /** Said at each call, as in the original: tied layers share their weights, not this. */
  readonly inverted: boolean
}

/** Attention with one matrix for keys and values. */
class LucidAttention extends Module {
  readonly to_q: Linear
  readonly to_kv: Linear
  readonly to_out: Linear
  readonly #options: HeadOptions

  constructor(width: number, contextWidth: number, options: HeadOptions) {
    super()
    const inner = options.heads * options.dimHead
    this.to_q = new Linear(width, inner, { bias: false })
    this.to_kv = new Linear(contextWidth, 2 * inner, { bias: false })
    this.to_out = new Linear(inner, width)
    this.#options = options
  }

  /** x [B, N, D], context [B, M, C]. */
  forward(x: Tensor, context: Tensor, { mask, inverted }: Reading = { mask: undefined, inverted: false }): Attended {
    const { heads, ...options } = this.#options
    const dropout = this.training ? options.dropout : 0
    const [keys, values] = ops.chunk(this.to_kv.forward(context), 2, -1) as [Tensor, Tensor]
    const [q, k, v] = [this.to_q.forward(x), keys, values].map((each) => ops.splitHeads(each, heads)) as [
      Tensor,
      Tensor,
      Tensor,
    ]
    const scores = ops.mul(ops.matmul(q, ops.transpose(k)), 1 / Math.sqrt(sizeOf(q.shape, -1))) // [B, heads, N, M]
    const { output, weights } = inverted
      ? invertedAttention(scores, v, mask, dropout)
      : maskedAttention(q, k, v, mask, dropout)
    return { output: this.to_out.forward(ops.mergeHeads(output)), weights, scores }
  }
}

/** As `masked_fill` before the softmax has it: where everything is masked all inputs weigh the same, whatever the queries are. */
function maskedAttention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | undefined, dropout: number): ops.Attention {
  if (!mask) return ops.attentionWithWeights(q, k, v, { dropout })
  const keep = ops.reshape(mask, [sizeOf(mask.shape, 0), 1, 1, -1]) // [B, 1, 1, M]
  const asking = ops.where(ops.any(keep, -1, { keepDims: true }), q, 0)
  return ops.attentionWithWeights(asking, k, v, { dropout, mask: ops.where(keep, 0, -1e30) })
}

/** Latents compete for the inputs (as in slot attention, arXiv 2006.15055); what a latent got is then divided by its sum. */
function invertedAttention(scores: Tensor, v: Tensor, mask: Tensor | undefined, dropout: number): ops.Attention {
  const shares = ops.softmax(scores, -2)
  const kept = mask ? ops.where(ops.reshape(mask, [sizeOf(mask.shape, 0), 1, 1, -1]), shares, 0) : shares
  const sums = ops.maximum(ops.sum(ops.abs(kept), -1, { keepDims: true }), 1e-8)
  const weights = ops.div(kept, sums)
  return { output: ops.matmul(dropout > 0 ? ops.dropout(weights, dropout) : weights, v), weights }
}

/** LayerNorm of the tokens (and of what they read), then `fn`. */
class PreNormAttention extends Module {
  readonly fn: LucidAttention
  readonly norm: LayerNorm
  readonly norm_context: LayerNorm | undefined

  constructor(width: number, contextWidth: number | undefined, options: HeadOptions) {
    super()
    this.fn = new LucidAttention(width, contextWidth ?? width, options)
    this.norm = new LayerNorm(width)
    this.norm_context = contextWidth === undefined ? undefined : new LayerNorm(contextWidth)
  }

  forward(x: Tensor, context?: Tensor, reading?: Reading): Attended {
    const normed = this.norm.forward(x)
    return this.fn.forward(normed, (context && this.norm_context?.forward(context)) ?? normed, reading)
  }
}

/** Linear, GEGLU, dropout, linear: the places 1 and 3 of `net` have no parameters. */
class PreNormFeedForward extends Module {
  readonly fn: { readonly net: { readonly 0: Linear; readonly 2: Linear } }
  readonly norm: LayerNorm
  readonly #dropout: number

  constructor(width: number, dropout: number) {
    super()
    this.fn = { net: { 0: new Linear(width, 8 * width), 2: new Linear(4 * width, width) } }
    this.norm = new LayerNorm(width)
    this.#dropout = dropout
  }

  forward(x: Tensor): Tensor {
    const { net } = this.fn
    const hidden = ops.geglu(net[0].forward(this.norm.forward(x))) // [B, N, 4 D]
    const y = net[2].forward(hidden)
    return this.training && this.#dropout > 0 ? ops.dropout(y, this.#dropout) : y
  }
}

type SelfLayer = readonly [attention: PreNormAttention, feedForward: PreNormFeedForward]
type Layer = readonly [cross: PreNormAttention, feedForward: PreNormFeedForward, selfLayers: readonly SelfLayer[]]

/** What the model computed on the way. */
export interface LucidOutputs {
  /** The latents after the last layer, [B, N, D]. */
  readonly embeddings: Tensor
  /** Of each layer: the cross attention, then the self attentions; weights are those after the softmax. */
  readonly attentions: readonly { readonly cross: AttentionMaps; readonly self: readonly AttentionMaps[] }[]
  /** [B, K]; without a head the latents. */
  readonly logits: Tensor
}

/** perceiver_pytorch.Perceiver. */
export class LucidPerceiver extends Module {
  readonly latents: Variable
  readonly layers: readonly Layer[]
  readonly to_logits: { readonly 1: LayerNorm; readonly 2: Linear } | undefined
  readonly #config: Required<LucidConfig>
  readonly #inverted: readonly boolean[]

  constructor(config: LucidConfig) {
    super()
    const full = { ...defaults, ...config }
    const { latent_dim: width, input_axis, num_freq_bands, depth } = full
    this.#config = full
    this.#inverted = invertedLayers(full)
    const features = full.fourier_encode_data ? input_axis * (2 * num_freq_bands + 1) : 0
    const inputWidth = full.input_channels + features
    this.latents = parameter([full.num_latents, width], init.normal)
    const first = layer(full, inputWidth)
    const tied = full.weight_tie_layers && depth > 1 ? layer(full, inputWidth) : undefined
    this.layers = Array.from({ length: depth }, (_, i) => (i === 0 ? first : (tied ?? layer(full, inputWidth))))
    this.to_logits = full.final_classifier_head
      ? { 1: new LayerNorm(width), 2: new Linear(width, full.num_classes) }
      : undefined
  }

  /** data [B, ...axes, channels]; mask bool [B, M] or [B, ...axes] (true: kept) -> logits [B, K]. */
  forward(data: Tensor, mask?: Tensor): Tensor {
    return this.outputs(data, mask).logits
  }

  outputs(data: Tensor, mask?: Tensor): LucidOutputs {
    const rows = this.#rows(data) // [B, M, C]
    const keep = mask && ops.reshape(mask, [sizeOf(mask.shape, 0), -1])
    let x = repeated(this.latents, sizeOf(data.shape, 0)) // [B, N, D]
    const attentions = this.layers.map(([cross, feedForward, selfLayers], i) => {
      const read = cross.forward(x, rows, { mask: keep, inverted: this.#inverted[i] ?? false })
      x = ops.add(read.output, x)
      x = ops.add(feedForward.forward(x), x)
      const self = selfLayers.map(([attention, selfFeedForward]) => {
        const mixed = attention.forward(x)
        x = ops.add(mixed.output, x)
        x = ops.add(selfFeedForward.forward(x), x)
        return mixed
      })
      return { cross: read, self }
    })
    const head = this.to_logits
    return { embeddings: x, attentions, logits: head ? head[2].forward(head[1].forward(ops.mean(x, 1))) : x }
  }

  /** The data and, behind them, the features of their places. */
  #rows(data: Tensor): Tensor {
    const { input_axis, fourier_encode_data, num_freq_bands, max_freq } = this.#config
    const [batch, ...sizes] = data.shape.slice(0, -1)
    if (sizes.length !== input_axis) {
      throw new UsageError(`Perceiver: the data must have ${input_axis} axes between batch and channels, found ${data}`)
    }
    const rows = ops.flatten(data, 1, input_axis)
    if (!fourier_encode_data) return rows
    const options = { bands: num_freq_bands, maxResolution: max_freq, order: 'axes' } as const
    const features = fourierFeatures(gridPositions(sizes), options) // [M, axes (2 K + 1)]
    return ops.concat([rows, ops.broadcastTo(features, [batch ?? 0, ...features.shape])], -1)
  }
}

/** `inverted_cross_attn` of each layer. */
function invertedLayers({ depth, inverted_cross_attn }: Required<LucidConfig>): readonly boolean[] {
  if (typeof inverted_cross_attn === 'boolean') return new Array<boolean>(depth).fill(inverted_cross_attn)
  if (inverted_cross_attn.length === depth) return inverted_cross_attn
  throw new UsageError(
    `Perceiver: inverted_cross_attn must be one value or one for each of the ${depth} layers, found ${inverted_cross_attn.length}`,
  )
}

function layer(config: Required<LucidConfig>, inputWidth: number): Layer {
  const { latent_dim: width, attn_dropout: dropout, ff_dropout } = config
  const cross = { heads: config.cross_heads, dimHead: config.cross_dim_head, dropout }
  const self = { heads: config.latent_heads, dimHead: config.latent_dim_head, dropout }
  return [
    new PreNormAttention(width, inputWidth, cross),
    new PreNormFeedForward(width, ff_dropout),
    Array.from(
      { length: config.self_per_cross_attn },
      () => [new PreNormAttention(width, undefined, self), new PreNormFeedForward(width, ff_dropout)] as const,
    ),
  ]
}
