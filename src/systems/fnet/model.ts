/**
 * FNet: Mixing Tokens with Fourier Transforms (Lee-Thorp et al., 2021, arXiv 2105.03824), with its baselines: BERT, Linear, Random,
 * FF-only and the hybrids differ in one argument. Names of parameters are the Hugging Face port's.
 *
 * Shapes: B batch, L tokens, E width of embeddings, H width of the encoder, V vocabulary, P predictions.
 */
import { Dropout, Embedding, init, LayerNorm, Linear, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { ShapeError, UsageError } from '../../util/errors.ts'
import { attentionLayers, type FNetConfig } from './config.ts'

// Where the official initialisation is N(0, 0.02).
const small: init.Initialiser = (shape) => init.normal(shape, { std: 0.02 })
const epsilon = 1e-12

const norm = (width: number): LayerNorm => new LayerNorm(width, { eps: epsilon })
const dense = (from: number, to: number, initBias: init.Initialiser = init.zeros): Linear =>
  new Linear(from, to, { initWeight: small, initBias })

/** Tokens of each example that are no padding: bool [B, L]. Only attention looks at it. */
export type TokenMask = Tensor

/** A layer that mixes tokens: [B, L, H] -> [B, L, H]. */
type Mixing = Module & { forward(x: Tensor, mask?: TokenMask): Tensor }

/** y = Re(F_L F_H x): no parameters, no mask. */
class FourierMixing extends Module {
  forward(x: Tensor): Tensor {
    return ops.fft2Real(x)
  }
}

class NoMixing extends Module {
  forward(x: Tensor): Tensor {
    return x
  }
}

/** y = seq_kernel x hidden_kernel: learned, or random and fixed. The number of tokens cannot change. */
class MatrixMixing extends Module {
  readonly hidden_kernel
  readonly seq_kernel

  constructor({ d_model, max_seq_length, model_arch }: FNetConfig) {
    super()
    const make = (size: number) =>
      model_arch === 'linear' ? init.parameter([size, size], small) : init.buffer([size, size], init.lecunNormal)
    this.hidden_kernel = make(d_model)
    this.seq_kernel = make(max_seq_length)
  }

  forward(x: Tensor): Tensor {
    const [length, tokens = 0] = [this.seq_kernel.shape[0], x.shape[1]]
    if (tokens !== length) {
      throw new ShapeError(`FNet: linear and random mixing need exactly ${length} tokens, found ${tokens}`, {
        hint: 'pad the input to max_seq_length',
      })
    }
    return ops.matmul(ops.matmul(this.seq_kernel, x), this.hidden_kernel)
  }
}

/** Self-attention as BERT's; a padding query attends to all positions equally (flax). */
class SelfAttention extends Module {
  readonly query: Linear
  readonly key: Linear
  readonly value: Linear
  readonly dense: Linear
  readonly #heads: number
  readonly #dropout: number

  constructor({ d_model, num_heads, mixing_dropout_rate }: FNetConfig) {
    super()
    if (d_model % num_heads !== 0) {
      throw new UsageError(`model.d_model must be a multiple of model.num_heads, found ${d_model} and ${num_heads}`)
    }
    const make = (): Linear => dense(d_model, d_model, small)
    this.query = make()
    this.key = make()
    this.value = make()
    this.dense = make()
    this.#heads = num_heads
    this.#dropout = mixing_dropout_rate
  }

  forward(x: Tensor, mask?: TokenMask): Tensor {
    const project = (layer: Linear): Tensor => ops.splitHeads(layer.forward(x), this.#heads) // [B, heads, L, H / heads]
    const scores = mask && pairScores(mask) // [B, 1, L, L]
    const mixed = ops.scaledDotProductAttention(project(this.query), project(this.key), project(this.value), {
      ...(scores && { mask: scores }),
      dropout: this.training ? this.#dropout : 0,
    })
    return this.dense.forward(ops.mergeHeads(mixed)) // [B, L, H]
  }
}

/** What is added to the scores: 0 between tokens that are both real, else so little that it counts only where all are so. */
function pairScores(mask: TokenMask): Tensor {
  const rows = ops.unsqueeze(mask, 1) // [B, 1, L]
  const pair = ops.logicalAnd(ops.unsqueeze(rows, 3), ops.unsqueeze(rows, 2)) // [B, 1, L, L]
  return ops.where(pair, 0, -1e10)
}

function mixingOf(config: FNetConfig, attends: boolean): Mixing {
  if (attends) return new SelfAttention(config)
  if (config.model_arch === 'f_net') return new FourierMixing()
  return config.model_arch === 'ff_only' ? new NoMixing() : new MatrixMixing(config)
}

/** a = LayerNorm(x + mixing(x)); LayerNorm(a + FFN(a)): norms after the sums, as in BERT. */
class Block extends Module {
  readonly fourier: { readonly self: Mixing; readonly output: { readonly LayerNorm: LayerNorm } }
  readonly intermediate: { readonly dense: Linear }
  readonly output: { readonly dense: Linear; readonly LayerNorm: LayerNorm }
  readonly dropout: Dropout

  constructor(config: FNetConfig, attends: boolean) {
    super()
    const { d_model, d_ff, dropout_rate } = config
    this.fourier = { self: mixingOf(config, attends), output: { LayerNorm: norm(d_model) } }
    this.intermediate = { dense: dense(d_model, d_ff, small) }
    this.output = { dense: dense(d_ff, d_model), LayerNorm: norm(d_model) }
    this.dropout = new Dropout(dropout_rate)
  }

  forward(x: Tensor, mask?: TokenMask): Tensor {
    const mixed = this.fourier.output.LayerNorm.forward(ops.add(x, this.fourier.self.forward(x, mask))) // [B, L, H]
    const hidden = ops.gelu(this.intermediate.dense.forward(mixed), { approximate: 'tanh' }) // [B, L, d_ff]
    const fed = this.dropout.forward(this.output.dense.forward(hidden)) // [B, L, H]
    return this.output.LayerNorm.forward(ops.add(mixed, fed))
  }
}

class Embeddings extends Module {
  readonly word_embeddings: Embedding
  readonly position_embeddings: Embedding
  readonly token_type_embeddings: Embedding
  readonly LayerNorm: LayerNorm
  readonly projection: Linear
  readonly dropout: Dropout

  constructor(config: FNetConfig) {
    super()
    const { vocab_size, max_seq_length, type_vocab_size, d_emb, d_model, dropout_rate } = config
    const table = (rows: number): Embedding => new Embedding(rows, d_emb, { initWeight: small })
    this.word_embeddings = table(vocab_size)
    this.position_embeddings = table(max_seq_length)
    this.token_type_embeddings = table(type_vocab_size)
    this.LayerNorm = norm(d_emb)
    this.projection = new Linear(d_emb, d_model, { initWeight: init.lecunNormal, initBias: init.zeros })
    this.dropout = new Dropout(dropout_rate)
  }

  /** input_ids, type_ids [B, L] -> [B, L, H]. */
  forward(inputIds: Tensor, typeIds: Tensor): Tensor {
    const [length = 0, most] = [inputIds.shape[1], this.position_embeddings.numEmbeddings]
    if (length > most) throw new ShapeError(`FNet: at most ${most} tokens fit, found ${length}`)
    const positions = ops.slice(this.position_embeddings.weight, [0, length], 0) // [L, E]
    const words = ops.add(this.word_embeddings.forward(inputIds), this.token_type_embeddings.forward(typeIds))
    const embedded = this.LayerNorm.forward(ops.add(words, positions)) // [B, L, E]
    return this.dropout.forward(this.projection.forward(embedded))
  }
}

/** What the encoder computes. */
export interface Encoded {
  /** [B, L, H] */
  readonly hidden: Tensor
  /** tanh of a dense layer of the first token's, [B, H]. */
  readonly pooled: Tensor
}

/** The encoder with its pooler. */
export class FNetEncoder extends Module {
  readonly config: FNetConfig
  readonly embeddings: Embeddings
  readonly encoder: { readonly layer: readonly Block[] }
  readonly pooler: { readonly dense: Linear }

  constructor(config: FNetConfig) {
    super()
    this.config = config
    this.embeddings = new Embeddings(config)
    this.encoder = { layer: attentionLayers(config).map((attends) => new Block(config, attends)) }
    this.pooler = { dense: dense(config.d_model, config.d_model) }
  }

  /**
   * input_ids, type_ids [B, L]; `mask` bool [B, L] (default: what is not pad_token_id), which only layers that attend look at:
   * all others mix padding in.
   */
  forward(
    inputIds: Tensor,
    typeIds: Tensor,
    mask: TokenMask = ops.notEqual(inputIds, this.config.pad_token_id),
  ): Encoded {
    let hidden = this.embeddings.forward(inputIds, typeIds) // [B, L, H]
    for (const block of this.encoder.layer) hidden = block.forward(hidden, mask)
    const first = ops.select(hidden, 0, 1) // [B, H]
    return { hidden, pooled: ops.tanh(this.pooler.dense.forward(first)) }
  }
}

/** Encoder, masked language model (its last matrix is the word embedding) and next sentence head. */
export class FNetForPreTraining extends Module {
  readonly fnet: FNetEncoder
  readonly cls

  constructor(config: FNetConfig) {
    super()
    const { d_model, d_emb, vocab_size } = config
    this.fnet = new FNetEncoder(config)
    this.cls = {
      predictions: {
        transform: { dense: dense(d_model, d_emb), LayerNorm: norm(d_emb) },
        bias: init.parameter([vocab_size], small),
      },
      seq_relationship: dense(d_model, 2, small),
    }
  }

  /** `positions` int [B, P]: the tokens to predict; without them all L of them are. */
  forward(
    inputIds: Tensor,
    typeIds: Tensor,
    positions?: Tensor,
    mask?: TokenMask,
  ): { readonly maskedLmLogits: Tensor; readonly nextSentenceLogits: Tensor } {
    const { hidden, pooled } = this.fnet.forward(inputIds, typeIds, mask)
    const { transform, bias } = this.cls.predictions
    const chosen = positions ? takePositions(hidden, positions) : hidden // [B, P, H]
    const transformed = transform.LayerNorm.forward(ops.gelu(transform.dense.forward(chosen), { approximate: 'tanh' }))
    return {
      maskedLmLogits: ops.linear(transformed, this.fnet.embeddings.word_embeddings.weight, bias), // [B, P, V]
      nextSentenceLogits: this.cls.seq_relationship.forward(pooled), // [B, 2]
    }
  }
}

/** x [B, L, H], positions [B, P] -> [B, P, H]. */
function takePositions(x: Tensor, positions: Tensor): Tensor {
  const [batch = 0, length = 0, width = 0] = x.shape
  const starts = ops.reshape(ops.arange(0, batch * length, { step: length }), [batch, 1])
  const rows = ops.add(ops.cast(positions, 'int64'), starts) // [B, P]
  return ops.embedding(rows, ops.reshape(x, [batch * length, width]))
}

/** Encoder and a linear layer on the pooled first token: logits [B, classes]. */
export class FNetForSequenceClassification extends Module {
  readonly fnet: FNetEncoder
  readonly classifier: Linear
  readonly dropout: Dropout

  constructor(config: FNetConfig, classes: number) {
    super()
    this.fnet = new FNetEncoder(config)
    this.classifier = dense(config.d_model, classes, small)
    this.dropout = new Dropout(config.dropout_rate)
  }

  forward(inputIds: Tensor, typeIds: Tensor, mask?: TokenMask): Tensor {
    const { pooled } = this.fnet.forward(inputIds, typeIds, mask)
    return this.classifier.forward(this.dropout.forward(pooled))
  }
}
