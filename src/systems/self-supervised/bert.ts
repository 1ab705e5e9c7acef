/**
 * BERT with its head for masked words (Devlin et al. 2018), with the names of transformers' BertForMaskedLM.
 *
 * Shapes: N batch, L tokens, H width, V vocabulary.
 */
import { attendByHeads, transformerLayer } from '../../models/transformer.ts'
import { type ActivationName, activate } from '../../nn/activation-names.ts'
import { Dropout, Embedding, init, LayerNorm, Linear, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { ShapeError, UsageError } from '../../util/errors.ts'

/** Names of transformers' BertConfig. */
export interface BertConfig {
  readonly vocab_size: number
  readonly hidden_size: number
  readonly num_hidden_layers: number
  readonly num_attention_heads: number
  readonly intermediate_size: number
  readonly max_position_embeddings: number
  readonly type_vocab_size: number
  readonly hidden_act: ActivationName
  readonly layer_norm_eps: number
  readonly pad_token_id: number
  readonly tie_word_embeddings: boolean
  /** Default: 0.1, as published. */
  readonly hidden_dropout_prob?: number
  /** Default: 0.1, as published. */
  readonly attention_probs_dropout_prob?: number
}

/** The published sizes. */
export const bertVariants = {
  'bert-base-uncased': sizes(768, 12),
  'bert-large-uncased': sizes(1024, 24),
} as const

function sizes(hidden_size: number, num_hidden_layers: number): BertConfig {
  return {
    vocab_size: 30_522,
    hidden_size,
    num_hidden_layers,
    num_attention_heads: hidden_size / 64,
    intermediate_size: 4 * hidden_size,
    max_position_embeddings: 512,
    type_vocab_size: 2,
    hidden_act: 'gelu',
    layer_norm_eps: 1e-12,
    pad_token_id: 0,
    tie_word_embeddings: true,
  }
}

const small: init.Initialiser = (shape) => init.normal(shape, { std: 0.02 })
const dense = (from: number, to: number): Linear => new Linear(from, to, { initWeight: small, initBias: init.zeros })

/** What transformers adds to the score of padding: float32's most negative number. */
const lowest = -3.4028234663852886e38

/** Attention, feed-forward, each added to its input and normalised. */
class BertLayer extends Module {
  readonly attention
  readonly intermediate
  readonly output
  readonly dropout: Dropout
  readonly #config: BertConfig

  constructor(config: BertConfig) {
    super()
    const { hidden_size: width, intermediate_size, layer_norm_eps: eps, hidden_dropout_prob = 0.1 } = config
    this.#config = config
    this.attention = {
      self: { query: dense(width, width), key: dense(width, width), value: dense(width, width) },
      output: { dense: dense(width, width), LayerNorm: new LayerNorm(width, { eps }) },
    }
    this.intermediate = { dense: dense(width, intermediate_size) }
    this.output = { dense: dense(intermediate_size, width), LayerNorm: new LayerNorm(width, { eps }) }
    this.dropout = new Dropout(hidden_dropout_prob)
  }

  /** x [N, L, H]; mask: added to the scores, [N, 1, 1, L]. */
  forward(x: Tensor, mask: Tensor): Tensor {
    const { num_attention_heads: heads, hidden_act, attention_probs_dropout_prob = 0.1 } = this.#config
    const { query, key, value } = this.attention.self
    const dropout = this.training ? attention_probs_dropout_prob : 0
    const { output } = transformerLayer(x, {
      norm: 'post',
      mix: (tokens) => {
        const options = { heads, mask, dropout }
        const mixed = attendByHeads(query.forward(tokens), key.forward(tokens), value.forward(tokens), options)
        return { output: this.dropout.forward(this.attention.output.dense.forward(mixed.output)) }
      },
      norm1: this.attention.output.LayerNorm,
      feedForward: (tokens) => {
        const hidden = activate(hidden_act, this.intermediate.dense.forward(tokens)) // [N, L, intermediate]
        return this.dropout.forward(this.output.dense.forward(hidden))
      },
      norm2: this.output.LayerNorm,
    })
    return output
  }
}

/** Words, types and places, added and normalised. */
class BertEmbeddings extends Module {
  readonly word_embeddings: Embedding
  readonly position_embeddings: Embedding
  readonly token_type_embeddings: Embedding
  readonly LayerNorm: LayerNorm
  readonly dropout: Dropout

  constructor(config: BertConfig) {
    super()
    const { hidden_size: width, layer_norm_eps: eps, hidden_dropout_prob = 0.1 } = config
    const table = (rows: number): Embedding => new Embedding(rows, width, { initWeight: small })
    // The padding's row has no gradient through the look-up (it has one through a tied head).
    this.word_embeddings = new Embedding(config.vocab_size, width, {
      initWeight: small,
      paddingIndex: config.pad_token_id,
    })
    this.position_embeddings = table(config.max_position_embeddings)
    this.token_type_embeddings = table(config.type_vocab_size)
    this.LayerNorm = new LayerNorm(width, { eps })
    this.dropout = new Dropout(hidden_dropout_prob)
  }

  /** ids int [N, L], types int [N, L] -> [N, L, H]. */
  forward(ids: Tensor, types: Tensor): Tensor {
    const length = sizeOf(ids.shape, 1)
    const { weight } = this.position_embeddings
    if (length > sizeOf(weight.shape, 0)) {
      throw new ShapeError(`BERT: at most ${sizeOf(weight.shape, 0)} tokens fit, found ${length}`)
    }
    const words = ops.add(this.word_embeddings.forward(ids), this.token_type_embeddings.forward(types))
    return this.dropout.forward(this.LayerNorm.forward(ops.add(words, ops.slice(weight, [0, length], 0))))
  }
}

/**
 * From hidden states to logits. Tied, the decoder has the matrix of the word embeddings and `bias`; otherwise it has its own, and `bias` is not
 * used (as in transformers).
 */
class BertPredictions extends Module {
  readonly transform
  readonly bias: Variable
  readonly decoder: { readonly weight: Variable; readonly bias: Variable }
  readonly #act: ActivationName

  constructor(config: BertConfig, words: Embedding) {
    super()
    const { hidden_size: width, vocab_size, layer_norm_eps: eps, hidden_act, tie_word_embeddings } = config
    this.transform = { dense: dense(width, width), LayerNorm: new LayerNorm(width, { eps }) }
    this.bias = init.parameter([vocab_size], init.zeros)
    this.decoder = tie_word_embeddings
      ? { weight: words.weight, bias: this.bias }
      : { weight: init.parameter([vocab_size, width], small), bias: init.parameter([vocab_size], init.zeros) }
    this.#act = hidden_act
  }

  forward(hidden: Tensor): Tensor {
    const x = this.transform.LayerNorm.forward(activate(this.#act, this.transform.dense.forward(hidden)))
    return ops.linear(x, this.decoder.weight, this.decoder.bias)
  }
}

/** BERT's encoder and its head for masked words. */
export class BertForMaskedLM extends Module {
  readonly bert: { readonly embeddings: BertEmbeddings; readonly encoder: { readonly layer: readonly BertLayer[] } }
  readonly cls: { readonly predictions: BertPredictions }

  constructor(config: BertConfig) {
    super()
    const { num_hidden_layers, hidden_size, num_attention_heads } = config
    if (hidden_size % num_attention_heads !== 0) {
      throw new UsageError(
        `BERT: hidden_size must be a multiple of num_attention_heads, found ${hidden_size} and ${num_attention_heads}`,
      )
    }
    const embeddings = new BertEmbeddings(config)
    const layer = Array.from({ length: num_hidden_layers }, () => new BertLayer(config))
    this.bert = { embeddings, encoder: { layer } }
    this.cls = { predictions: new BertPredictions(config, embeddings.word_embeddings) }
  }

  /** ids int [N, L]; mask int or bool [N, L], 0 for padding -> logits [N, L, V]. */
  forward(ids: Tensor, mask: Tensor, types: Tensor = ops.zeros(ids.shape, 'int64')): Tensor {
    return this.cls.predictions.forward(this.features(ids, mask, types))
  }

  /** Hidden states after the last layer: [N, L, H]. */
  features(ids: Tensor, mask: Tensor, types: Tensor = ops.zeros(ids.shape, 'int64')): Tensor {
    const isToken = ops.notEqual(
      ops.unsqueeze(ops.unsqueeze(mask, 1), 1),
      mask.dtype === 'bool' ? ops.zeros([], 'bool') : 0,
    )
    const added = ops.where(isToken, ops.zeros([]), ops.full([], lowest)) // [N, 1, 1, L]
    let x = this.bert.embeddings.forward(ids, types)
    for (const layer of this.bert.encoder.layer) x = layer.forward(x, added)
    return x
  }
}
