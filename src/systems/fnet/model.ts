/**
 * FNet: Mixing Tokens with Fourier Transforms (Lee-Thorp et al., 2021, arXiv 2105.03824), with its baselines: BERT, Linear, Random,
 * FF-only and the hybrids differ in one argument. Names of parameters are the Hugging Face port's.
 *
 * Shapes: B batch, L tokens, E width of embeddings, H width of the encoder, V vocabulary, P predictions.
 */
import { inRowBlocks } from '../../autodiff/row-blocks.ts'
import { LearnedPositions } from '../../models/positions.ts'
import { type Mixed, transformerLayer } from '../../models/transformer.ts'
import { activate } from '../../nn/activation-names.ts'
import { Dropout, Embedding, init, LayerNorm, Linear, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { isInteger } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'
import { attentionLayers, type FNetConfig } from './config.ts'
import { dense, type Mixing, mixingOf, small, type TokenMask } from './mixing.ts'

const norm = (width: number, { port }: FNetConfig): LayerNorm =>
  new LayerNorm(width, { eps: port?.layer_norm_eps ?? 1e-12 })
function activation(x: Tensor, { port }: FNetConfig): Tensor {
  return activate(port?.hidden_act ?? 'gelu_new', x)
}

/** a = LayerNorm(x + mixing(x)); LayerNorm(a + FFN(a)): norms after the sums, as in BERT. */
class Block extends Module {
  readonly fourier: { readonly self: Mixing; readonly output: { readonly LayerNorm: LayerNorm } }
  readonly intermediate: { readonly dense: Linear }
  readonly output: { readonly dense: Linear; readonly LayerNorm: LayerNorm }
  readonly dropout: Dropout
  readonly #config: FNetConfig

  constructor(config: FNetConfig, layer: number, attends: boolean) {
    super()
    const { d_model, d_ff, dropout_rate } = config
    this.fourier = { self: mixingOf(config, layer, attends), output: { LayerNorm: norm(d_model, config) } }
    this.intermediate = { dense: dense(d_model, d_ff, small) }
    this.output = { dense: dense(d_ff, d_model), LayerNorm: norm(d_model, config) }
    this.dropout = new Dropout(dropout_rate)
    this.#config = config
  }

  forward(x: Tensor, mask?: TokenMask): Mixed {
    return transformerLayer(x, {
      norm: 'post',
      mix: (tokens) => this.fourier.self.forward(tokens, mask), // [B, L, H]
      norm1: this.fourier.output.LayerNorm,
      feedForward: (tokens) => this.dropout.forward(this.#feedForward(tokens)), // [B, L, H]
      norm2: this.output.LayerNorm,
    })
  }

  /** [B, L, H] -> [B, L, H], each token by itself. */
  #feedForward(x: Tensor): Tensor {
    return inRowBlocks(x, { widest: this.intermediate.dense.outFeatures }, (tokens) => {
      const hidden = activation(this.intermediate.dense.forward(tokens), this.#config) // [..., d_ff]
      return this.output.dense.forward(hidden)
    })
  }
}

class Embeddings extends Module {
  readonly word_embeddings: Embedding
  readonly position_embeddings: LearnedPositions
  readonly token_type_embeddings: Embedding
  readonly LayerNorm: LayerNorm
  readonly projection: Linear | undefined
  readonly dropout: Dropout

  constructor(config: FNetConfig) {
    super()
    const { vocab_size, max_seq_length, type_vocab_size, d_emb, d_model, dropout_rate } = config
    const { embedding_projection = true, trains_padding = true } = config.port ?? {}
    const table = (rows: number, options = {}): Embedding =>
      new Embedding(rows, d_emb, { initWeight: small, ...options })
    if (!embedding_projection && d_emb !== d_model) {
      throw new UsageError(`without a projection d_emb must be d_model, found ${d_emb} and ${d_model}`)
    }
    this.word_embeddings = table(vocab_size, trains_padding ? {} : { paddingIndex: config.pad_token_id })
    this.position_embeddings = new LearnedPositions(max_seq_length, d_emb, { initWeight: small })
    this.token_type_embeddings = table(type_vocab_size)
    this.LayerNorm = norm(d_emb, config)
    this.projection = embedding_projection
      ? new Linear(d_emb, d_model, { initWeight: init.lecunNormal, initBias: init.zeros })
      : undefined
    this.dropout = new Dropout(dropout_rate)
  }

  /** input_ids, type_ids [B, L], position_ids [B or 1, L] -> [B, L, H]. */
  forward(inputIds: Tensor, typeIds: Tensor, positionIds?: Tensor): Tensor {
    const positions = positionIds
      ? this.position_embeddings.forward(positionIds) // [B or 1, L, E]
      : this.position_embeddings.first(sizeOf(inputIds.shape, 1)) // [L, E]
    const words = ops.add(this.word_embeddings.forward(inputIds), this.token_type_embeddings.forward(typeIds))
    const embedded = this.LayerNorm.forward(ops.add(words, positions)) // [B, L, E]
    return this.dropout.forward(this.projection ? this.projection.forward(embedded) : embedded) // [B, L, H]
  }
}

/** Further inputs of the encoder. */
export interface EncoderInputs {
  /** bool [B, L], true for tokens. Only layers with attention use it; all others mix padding in. Default: all ids but `pad_token_id`. */
  readonly mask?: TokenMask | undefined
  /** int [B or 1, L]. Default: 0, 1, 2, ... */
  readonly positionIds?: Tensor | undefined
}

/** What the encoder computes. */
export interface Encoded {
  /** [B, L, H] */
  readonly hidden: Tensor
  /** tanh of a dense layer applied to the first token, [B, H]. */
  readonly pooled: Tensor
  /** Before the first block and after each, [B, L, H] each. */
  readonly hiddenStates: readonly Tensor[]
  /** Weights of the layers that attend, [B, heads, L, L] each. */
  readonly attentions: readonly Tensor[]
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
    this.encoder = { layer: attentionLayers(config).map((attends, layer) => new Block(config, layer, attends)) }
    this.pooler = { dense: dense(config.d_model, config.d_model) }
  }

  /** inputIds, typeIds int [B, L]. */
  forward(inputIds: Tensor, typeIds: Tensor, options: EncoderInputs = {}): Encoded {
    const { mask = ops.notEqual(inputIds, this.config.pad_token_id), positionIds } = options
    let hidden = this.embeddings.forward(inputIds, typeIds, positionIds) // [B, L, H]
    const [hiddenStates, attentions] = [[hidden], [] as Tensor[]]
    for (const block of this.encoder.layer) {
      const { output, weights } = block.forward(hidden, mask)
      hiddenStates.push(output)
      if (weights) attentions.push(weights)
      hidden = output
    }
    const first = ops.select(hidden, 0, 1) // [B, H]
    return { hidden, pooled: ops.tanh(this.pooler.dense.forward(first)), hiddenStates, attentions }
  }
}

/** Further inputs of the pre-training model. */
export interface PreTrainingInputs extends EncoderInputs {
  /** Tokens to predict, int [B, P]. Default: all L of them. */
  readonly positions?: Tensor | undefined
}

/** What the pre-training model computes. */
export interface PreTrainingOutputs {
  readonly encoded: Encoded
  /** [B, P, V] */
  readonly maskedLmLogits: Tensor
  /** [B, 2] */
  readonly nextSentenceLogits: Tensor
}

/** The output matrix of the masked language model, if it does not share the word embedding. The separate bias is then unused, as in transformers. */
const ownDecoder = ({ d_emb, vocab_size, port }: FNetConfig) =>
  port?.tie_word_embeddings === false && { decoder: dense(d_emb, vocab_size, small) }

/** Encoder, masked language model and next-sentence head. The last matrix of the language model is the word embedding, unless it has its own. */
export class FNetForPreTraining extends Module {
  readonly fnet: FNetEncoder
  readonly cls

  constructor(config: FNetConfig) {
    super()
    const { d_model, d_emb, vocab_size } = config
    this.fnet = new FNetEncoder(config)
    this.cls = {
      predictions: {
        transform: { dense: dense(d_model, d_emb), LayerNorm: norm(d_emb, config) },
        bias: init.parameter([vocab_size], small),
        ...ownDecoder(config),
      },
      seq_relationship: dense(d_model, 2, small),
    }
  }

  /** inputIds, typeIds int [B, L]. */
  forward(inputIds: Tensor, typeIds: Tensor, options: PreTrainingInputs = {}): PreTrainingOutputs {
    const { positions } = options
    const encoded = this.fnet.forward(inputIds, typeIds, options)
    const { hidden, pooled } = encoded
    const { transform, bias, decoder } = this.cls.predictions
    const chosen = positions ? takePositions(hidden, positions) : hidden // [B, P, H]
    const words = this.fnet.embeddings.word_embeddings.weight
    const transformed = transform.LayerNorm.forward(activation(transform.dense.forward(chosen), this.fnet.config))
    return {
      encoded,
      maskedLmLogits: decoder?.forward(transformed) ?? ops.linear(transformed, words, bias), // [B, P, V]
      nextSentenceLogits: this.cls.seq_relationship.forward(pooled), // [B, 2]
    }
  }
}

/** x [B, L, H], positions [B, P] -> [B, P, H]. */
function takePositions(x: Tensor, positions: Tensor): Tensor {
  if (!isInteger(positions.dtype))
    throw new UsageError(`FNetForPreTraining: positions must be integers [B, P], found ${positions}`)
  const [batch, length, width] = x.sizes(3)
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

  /** inputIds, typeIds int [B, L]. */
  forward(inputIds: Tensor, typeIds: Tensor, options: EncoderInputs = {}): Tensor {
    const { pooled } = this.fnet.forward(inputIds, typeIds, options)
    return this.classifier.forward(this.dropout.forward(pooled))
  }
}
