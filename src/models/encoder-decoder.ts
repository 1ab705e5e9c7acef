/**
 * The encoder-decoder transformer for translation (Vaswani et al. 2017, arXiv 1706.03762), with a norm before each part. Both languages
 * and the output share one embedding matrix.
 *
 * Shapes: N batch, S source tokens, L target tokens, C width, V vocabulary.
 */
import { Dropout, Embedding, init, LayerNorm, MLP, Module, ReLU } from '../nn/index.ts'
import * as ops from '../ops/index.ts'
import { sizeOf } from '../tensor/shape.ts'
import { type Tensor, tensor } from '../tensor/tensor.ts'
import type { AttentionCache } from './attention-cache.ts'
import { sinCos1d } from './positions.ts'
import { Attention, TransformerBlock, transformerLayer } from './transformer.ts'

/** The sizes of a model. */
export interface EncoderDecoderConfig {
  readonly vocab_size: number
  /** Tokens in a sequence of either language, at most. */
  readonly max_positions: number
  readonly d_model: number
  /** Hidden width of the MLPs. Default: 4 d_model. */
  readonly d_ff?: number
  readonly heads: number
  readonly encoder_layers: number
  readonly decoder_layers: number
  /** Default: 0.1, as published. */
  readonly dropout?: number
}

/** What the decoder reads besides its own tokens. */
export interface DecodeInputs {
  /** The output of the encoder, [N, S, C]. */
  readonly memory: Tensor
  /** bool [N, S]: true for tokens of the source, false for padding. Default: all are tokens. */
  readonly sourceMask?: Tensor
  /** Keys and values of earlier tokens, where tokens are decoded one by one. */
  readonly cache?: AttentionCache
}

/** Each target token attends to itself and those before it, then to the source; then an MLP. */
class DecoderBlock extends Module {
  readonly norm_self: LayerNorm
  readonly self_attn: Attention
  readonly norm1: LayerNorm
  readonly cross_attn: Attention
  readonly norm2: LayerNorm
  readonly mlp: MLP
  readonly drop: Dropout

  constructor({ d_model, d_ff = 4 * d_model, heads, dropout = 0.1 }: EncoderDecoderConfig) {
    super()
    this.norm_self = new LayerNorm(d_model)
    this.self_attn = new Attention(d_model, { heads })
    this.norm1 = new LayerNorm(d_model)
    this.cross_attn = new Attention(d_model, { heads, contextWidth: d_model })
    this.norm2 = new LayerNorm(d_model)
    this.mlp = new MLP(d_model, d_ff, { act: new ReLU(), drop: dropout })
    this.drop = new Dropout(dropout)
  }

  /** x [N, L, C] -> [N, L, C]. */
  forward(x: Tensor, { memory, sourceMask, cache }: DecodeInputs): Tensor {
    const own = { causal: true, ...(cache && { cache }) }
    const seen = { context: memory, ...(sourceMask && { mask: attended(sourceMask) }), ...(cache && { cache }) }
    const read = this.self_attn.forward(this.norm_self.forward(x), own).output // [N, L, C]
    const mixed = ops.add(x, this.drop.forward(read))
    const { output } = transformerLayer(mixed, {
      norm: 'pre',
      mix: (tokens) => ({ output: this.drop.forward(this.cross_attn.forward(tokens, seen).output) }),
      norm1: this.norm1,
      feedForward: (tokens) => this.mlp.forward(tokens),
      norm2: this.norm2,
    })
    return output
  }
}

/** bool [N, S] -> [N, 1, 1, S]: the same mask for every head and every target token. */
function attended(mask: Tensor): Tensor {
  return ops.unsqueeze(ops.unsqueeze(mask, 1), 1)
}

/** A translator: `encode` reads the source, `decode` gives the logits of the token after each target token. */
export class EncoderDecoder extends Module {
  readonly embedding: Embedding
  readonly encoder: readonly TransformerBlock[]
  readonly encoder_norm: LayerNorm
  readonly decoder: readonly DecoderBlock[]
  readonly decoder_norm: LayerNorm
  readonly drop: Dropout
  readonly config: EncoderDecoderConfig
  readonly #positions: Float32Array

  constructor(config: EncoderDecoderConfig) {
    super()
    const { vocab_size, max_positions, d_model, d_ff = 4 * d_model, heads, dropout = 0.1 } = config
    this.config = config
    this.embedding = new Embedding(vocab_size, d_model, {
      initWeight: (shape) => init.normal(shape, { std: d_model ** -0.5 }),
    })
    this.encoder = Array.from(
      { length: config.encoder_layers },
      () => new TransformerBlock(d_model, { heads, mlpWidth: d_ff, act: new ReLU(), dropout }),
    )
    this.encoder_norm = new LayerNorm(d_model)
    this.decoder = Array.from({ length: config.decoder_layers }, () => new DecoderBlock(config))
    this.decoder_norm = new LayerNorm(d_model)
    this.drop = new Dropout(dropout)
    this.#positions = sinCos1d([max_positions, d_model]) as Float32Array
  }

  /** ids [N, L] -> embeddings times sqrt(C), plus positions, [N, L, C]. */
  #embedded(ids: Tensor, positions: Tensor): Tensor {
    const { max_positions, d_model } = this.config
    const table = tensor({ dtype: 'float32', shape: [max_positions, d_model], data: this.#positions })
    const vectors = ops.mul(this.embedding.forward(ids), Math.sqrt(d_model))
    return this.drop.forward(ops.add(vectors, ops.embedding(positions, table)))
  }

  /** source [N, S], mask bool [N, S] (default: all are tokens) -> memory [N, S, C]. */
  encode(source: Tensor, mask?: Tensor): Tensor {
    const positions = ops.reshape(ops.arange(sizeOf(source.shape, 1)), [1, -1])
    let x = this.#embedded(source, positions)
    for (const block of this.encoder) x = block.forward(x, mask ? { mask: attended(mask) } : {})
    return this.encoder_norm.forward(x)
  }

  /** target [N, L] -> logits of the token after each, [N, L, V]. */
  decode(target: Tensor, inputs: DecodeInputs): Tensor {
    const length = sizeOf(target.shape, 1)
    const positions = inputs.cache?.positions(length) ?? ops.reshape(ops.arange(length), [1, -1])
    let x = this.#embedded(target, positions)
    for (const block of this.decoder) x = block.forward(x, inputs)
    return ops.matmul(this.decoder_norm.forward(x), ops.transpose(this.embedding.weight))
  }

  /** source [N, S], target [N, L] -> logits [N, L, V]. */
  forward(source: Tensor, target: Tensor, sourceMask?: Tensor): Tensor {
    const memory = this.encode(source, sourceMask)
    return this.decode(target, { memory, ...(sourceMask && { sourceMask }) })
  }
}
