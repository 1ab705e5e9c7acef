/** BERT with its head for masked words (Devlin et al. 2018), with the names of transformers' BertForMaskedLM. */
import { type BertConfig, type BertInputs, BertModel, bertVariants } from '../../models/bert.ts'
import { activate } from '../../nn/activation-names.ts'
import { type Embedding, init, LayerNorm, Linear, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'

/** The model's sizes, and what the head adds. */
export interface MaskedLMConfig extends BertConfig {
  /** Whether the last matrix is that of the word embeddings. Default: true. */
  readonly tie_word_embeddings?: boolean
}

/** The published sizes. */
export const maskedLMVariants = {
  'bert-base-uncased': { ...bertVariants['bert-base'], pad_token_id: 0 },
  'bert-large-uncased': { ...bertVariants['bert-large'], pad_token_id: 0 },
} as const satisfies Readonly<Record<string, MaskedLMConfig>>

/**
 * From hidden states to logits. Tied, the decoder has the matrix of the word embeddings and `bias`; otherwise it has its own, and `bias` is not
 * used (as in transformers).
 */
class BertPredictions extends Module {
  readonly transform: { readonly dense: Linear; readonly LayerNorm: LayerNorm }
  readonly bias: Variable
  readonly decoder: { readonly weight: Variable; readonly bias: Variable }
  readonly #config: MaskedLMConfig

  constructor(config: MaskedLMConfig, words: Embedding) {
    super()
    const { hidden_size: width, vocab_size = 30_522, initializer_range: std = 0.02 } = config
    const { layer_norm_eps: eps = 1e-12, tie_word_embeddings = true } = config
    const matrix: init.Initializer = (shape) => init.normal(shape, { std })
    const dense = new Linear(width, width, { initWeight: matrix, initBias: init.zeros })
    this.transform = { dense, LayerNorm: new LayerNorm(width, { eps }) }
    this.bias = init.parameter([vocab_size], init.zeros)
    this.decoder = tie_word_embeddings
      ? { weight: words.weight, bias: this.bias }
      : { weight: init.parameter([vocab_size, width], matrix), bias: init.parameter([vocab_size], init.zeros) }
    this.#config = config
  }

  /** [N, L, H] -> [N, L, V] */
  forward(hidden: Tensor): Tensor {
    const activated = activate(this.#config.hidden_act ?? 'gelu', this.transform.dense.forward(hidden))
    return ops.linear(this.transform.LayerNorm.forward(activated), this.decoder.weight, this.decoder.bias)
  }
}

/** BERT's encoder and its head for masked words. */
export class BertForMaskedLM extends Module {
  readonly bert: BertModel
  readonly cls: { readonly predictions: BertPredictions }

  constructor(config: MaskedLMConfig) {
    super()
    this.bert = new BertModel(config)
    this.cls = { predictions: new BertPredictions(config, this.bert.embeddings.word_embeddings) }
  }

  /** ids: integers [N, L] -> logits [N, L, V]. */
  forward(ids: Tensor, inputs: BertInputs = {}): Tensor {
    return this.cls.predictions.forward(this.bert.forward(ids, inputs))
  }
}
