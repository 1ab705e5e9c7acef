/**
 * BERT (Devlin et al. 2018, arXiv 1810.04805), with the names of transformers: its state dicts load as they are.
 *
 * Shapes: N batch, L tokens, H width.
 */
import { type ActivationName, activate } from '../nn/activation-names.ts'
import { Dropout, Embedding, init, LayerNorm, Linear, Module } from '../nn/index.ts'
import * as ops from '../ops/index.ts'
import { formatShape, sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ShapeError, UsageError } from '../util/errors.ts'
import { LearnedPositions } from './positions.ts'
import { attendByHeads, type Mixed, transformerLayer } from './transformer.ts'

/** Sizes, with the names of transformers' `config.json`. */
export interface BertConfig {
  /** Default: 30,522. */
  readonly vocab_size?: number
  readonly hidden_size: number
  readonly num_hidden_layers: number
  readonly num_attention_heads: number
  /** Hidden width of the feed-forward layers. Default: 4 hidden_size. */
  readonly intermediate_size?: number
  /** Tokens in a sequence, at most. Default: 512. */
  readonly max_position_embeddings?: number
  /** The id of padding: the look-up gives its embedding no gradient. Default: none. */
  readonly pad_token_id?: number
  /** Kinds of segments. Default: 2. */
  readonly type_vocab_size?: number
  /** Activation of the feed-forward layers. Default: gelu (erf). */
  readonly hidden_act?: ActivationName
  /** Default: 1e-12. */
  readonly layer_norm_eps?: number
  /** Dropout of embeddings and of each residual branch. Default: 0.1, as published. */
  readonly hidden_dropout_prob?: number
  /** Dropout of attention weights. Default: 0.1. */
  readonly attention_probs_dropout_prob?: number
  /** Standard deviation of the initial matrices. Default: 0.02. */
  readonly initializer_range?: number
}

/** The published sizes. */
export const bertVariants = {
  'bert-base': { hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12 },
  'bert-large': { hidden_size: 1024, num_hidden_layers: 24, num_attention_heads: 16 },
} as const satisfies Readonly<Record<string, BertConfig>>

const matrixInit =
  ({ initializer_range: std = 0.02 }: BertConfig): init.Initializer =>
  (shape) =>
    init.normal(shape, { std })

function linear(config: BertConfig, from: number, to: number): Linear {
  return new Linear(from, to, { initWeight: matrixInit(config), initBias: init.zeros })
}

function norm({ hidden_size, layer_norm_eps: eps = 1e-12 }: BertConfig): LayerNorm {
  return new LayerNorm(hidden_size, { eps })
}

/**
 * The last map of a residual branch, with dropout: transformers' BertSelfOutput and BertOutput. It holds the norm after the sum too, which
 * `BertLayer` applies.
 */
class BertOutput extends Module {
  readonly dense: Linear
  readonly LayerNorm: LayerNorm
  readonly dropout: Dropout

  constructor(config: BertConfig, from: number) {
    super()
    this.dense = linear(config, from, config.hidden_size)
    this.LayerNorm = norm(config)
    this.dropout = new Dropout(config.hidden_dropout_prob ?? 0.1)
  }

  /** What the branch adds: [N, L, from] -> [N, L, H]. */
  forward(x: Tensor): Tensor {
    return this.dropout.forward(this.dense.forward(x))
  }
}

/** Queries, keys and values of all heads. */
class BertSelfAttention extends Module {
  readonly query: Linear
  readonly key: Linear
  readonly value: Linear
  readonly #heads: number
  readonly #dropout: number

  constructor(config: BertConfig) {
    super()
    const { hidden_size, num_attention_heads: heads, attention_probs_dropout_prob = 0.1 } = config
    if (hidden_size % heads !== 0) {
      throw new UsageError(
        `Bert: hidden_size must be a multiple of num_attention_heads, found ${hidden_size} and ${heads}`,
      )
    }
    const map = (): Linear => linear(config, hidden_size, hidden_size)
    this.query = map()
    this.key = map()
    this.value = map()
    this.#heads = heads
    this.#dropout = attention_probs_dropout_prob
  }

  /** x [N, L, H] -> output [N, L, H], weights [N, heads, L, L]. */
  forward(x: Tensor, mask?: Tensor): ops.Attention {
    return attendByHeads(this.query.forward(x), this.key.forward(x), this.value.forward(x), {
      heads: this.#heads,
      dropout: this.training ? this.#dropout : 0,
      ...(mask && { mask }),
    })
  }
}

class BertAttention extends Module {
  readonly self: BertSelfAttention
  readonly output: BertOutput

  constructor(config: BertConfig) {
    super()
    this.self = new BertSelfAttention(config)
    this.output = new BertOutput(config, config.hidden_size)
  }

  forward(x: Tensor, mask?: Tensor): ops.Attention {
    const { output, weights } = this.self.forward(x, mask)
    return { output: this.output.forward(output), weights }
  }
}

class BertIntermediate extends Module {
  readonly dense: Linear
  readonly #activation: ActivationName

  constructor(config: BertConfig) {
    super()
    this.dense = linear(config, config.hidden_size, config.intermediate_size ?? 4 * config.hidden_size)
    this.#activation = config.hidden_act ?? 'gelu'
  }

  forward(x: Tensor): Tensor {
    return activate(this.#activation, this.dense.forward(x))
  }
}

class BertLayer extends Module {
  readonly attention: BertAttention
  readonly intermediate: BertIntermediate
  readonly output: BertOutput

  constructor(config: BertConfig) {
    super()
    this.attention = new BertAttention(config)
    this.intermediate = new BertIntermediate(config)
    this.output = new BertOutput(config, config.intermediate_size ?? 4 * config.hidden_size)
  }

  /** x [N, L, H] -> output [N, L, H], weights [N, heads, L, L]. */
  forward(x: Tensor, mask?: Tensor): Mixed {
    return transformerLayer(x, {
      norm: 'post',
      mix: (tokens) => this.attention.forward(tokens, mask),
      norm1: this.attention.output.LayerNorm,
      feedForward: (tokens) => this.output.forward(this.intermediate.forward(tokens)),
      norm2: this.output.LayerNorm,
    })
  }
}

class BertEmbeddings extends Module {
  readonly word_embeddings: Embedding
  readonly position_embeddings: LearnedPositions
  readonly token_type_embeddings: Embedding
  readonly LayerNorm: LayerNorm
  readonly dropout: Dropout

  constructor(config: BertConfig) {
    super()
    const { vocab_size = 30_522, hidden_size, max_position_embeddings = 512, type_vocab_size = 2 } = config
    const start = { initWeight: matrixInit(config) }
    this.word_embeddings = new Embedding(vocab_size, hidden_size, {
      ...start,
      ...(config.pad_token_id !== undefined && { paddingIndex: config.pad_token_id }),
    })
    this.position_embeddings = new LearnedPositions(max_position_embeddings, hidden_size, start)
    this.token_type_embeddings = new Embedding(type_vocab_size, hidden_size, start)
    this.LayerNorm = norm(config)
    this.dropout = new Dropout(config.hidden_dropout_prob ?? 0.1)
  }

  /** ids [N, L], or embeddings of words, float32 [N, L, H]; types: integers [N, L], default 0 -> [N, L, H]. */
  forward(ids: Tensor, types?: Tensor): Tensor {
    const words = ids.dtype === 'float32' ? ids : this.word_embeddings.forward(ids)
    if (words.rank !== 3) {
      throw new ShapeError(
        `Bert: the input must be integers [N, L] or embeddings [N, L, H], found ${ids.dtype}${formatShape(ids.shape)}`,
      )
    }
    const kinds = types
      ? this.token_type_embeddings.forward(types)
      : ops.slice(this.token_type_embeddings.weight, [0, 1], 0)
    const sum = ops.add(ops.add(words, kinds), this.position_embeddings.first(sizeOf(words.shape, 1)))
    return this.dropout.forward(this.LayerNorm.forward(sum))
  }
}

class BertEncoder extends Module {
  readonly layer: readonly BertLayer[]

  constructor(config: BertConfig) {
    super()
    this.layer = Array.from({ length: config.num_hidden_layers }, () => new BertLayer(config))
  }

  /** x [N, L, H] -> the last hidden states, and the attention of each layer. */
  forward(x: Tensor, mask?: Tensor): BertOutputs {
    const attentions: Tensor[] = []
    let hidden = x
    for (const layer of this.layer) {
      const { output, weights } = layer.forward(hidden, mask)
      if (weights) attentions.push(weights)
      hidden = output
    }
    return { hidden, attentions }
  }
}

/** What the layers computed on the way. */
export interface BertOutputs {
  /** After the last layer, [N, L, H]. */
  readonly hidden: Tensor
  /** Attention weights of each layer, [N, heads, L, L]. */
  readonly attentions: readonly Tensor[]
}

/** What a BERT sees besides its tokens. */
export interface BertInputs {
  /** bool [N, L]: true for tokens, false for padding, which nothing attends to. */
  readonly mask?: Tensor
  /** Kinds of segments, integers [N, L]. Default: 0. */
  readonly types?: Tensor
}

/** The encoder without a head. */
export class BertModel extends Module {
  readonly embeddings: BertEmbeddings
  readonly encoder: BertEncoder

  constructor(config: BertConfig) {
    super()
    this.embeddings = new BertEmbeddings(config)
    this.encoder = new BertEncoder(config)
  }

  /** ids: integers [N, L], or embeddings of words in their place, float32 [N, L, H] -> [N, L, H]. */
  forward(ids: Tensor, inputs: BertInputs = {}): Tensor {
    return this.outputs(ids, inputs).hidden
  }

  /** The same, with the attention of each layer. */
  outputs(ids: Tensor, { mask, types }: BertInputs = {}): BertOutputs {
    const keys = mask && ops.unsqueeze(ops.unsqueeze(mask, 1), 1) // [N, 1, 1, L]
    return this.encoder.forward(this.embeddings.forward(ids, types), keys)
  }
}
