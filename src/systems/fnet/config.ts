/** FNet's configuration under the official names (f_net/configs/base.py), and which layers attend. */
import type { ActivationName } from '../../nn/activation-names.ts'
import { UsageError } from '../../util/errors.ts'

/** How tokens are mixed: Fourier transform, attention, learned or fixed random matrices, not at all. */
export const architectures = ['f_net', 'bert', 'linear', 'random', 'ff_only'] as const

/** Where a hybrid's attention layers lie. */
export const attentionLayouts = ['bottom', 'middle', 'mixed', 'top'] as const

export interface FNetConfig {
  readonly model_arch: (typeof architectures)[number]
  readonly vocab_size: number
  /** Tokens in a sequence, at most; `linear` and `random` take exactly this many. */
  readonly max_seq_length: number
  readonly type_vocab_size: number
  /** The id that fills sequences up. Official: 3. */
  readonly pad_token_id: number
  /** Width of the embeddings. */
  readonly d_emb: number
  /** Width of the encoder. */
  readonly d_model: number
  readonly d_ff: number
  readonly num_layers: number
  readonly num_heads: number
  /** Layers that attend instead of mixing as `model_arch` says (FNet-Hybrid). */
  readonly num_attention_layers: number
  readonly attention_layout: (typeof attentionLayouts)[number]
  readonly dropout_rate: number
  /** Of attention weights. */
  readonly mixing_dropout_rate: number
  /** Seed of the matrices of `random`, which are the official code's, made by JAX's generator. Default: 0. */
  readonly random_seed?: number
  /** What the Hugging Face ports of FNet and BERT do differently. Default: the official code. */
  readonly port?: PortConfig
}

/** Where the encoders of transformers may differ from the official code; the defaults are the official code's. */
export interface PortConfig {
  /** transformers' name of the activation. Default: `gelu_new`, the tanh approximation of GELU. */
  readonly hidden_act?: ActivationName
  /** Default: 1e-12. */
  readonly layer_norm_eps?: number
  /** Whether a dense layer follows the norm of the embeddings; BERT has none. Default: true. */
  readonly embedding_projection?: boolean
  /** `pairs`: query and key must be real tokens; `keys`: the key must be. Default: `pairs`. */
  readonly attention_mask?: 'pairs' | 'keys'
  /** Whether the embedding of the padding token is trained; PyTorch's is not. Default: true. */
  readonly trains_padding?: boolean
  /** Whether the last matrix of pre-training is that of the word embeddings. Default: true. */
  readonly tie_word_embeddings?: boolean
}

/** Which of the layers attend (f_net/models.py, `_init_mixing_sublayer`); `mixed` may give more than were asked for. */
export function attentionLayers(
  config: Pick<FNetConfig, 'model_arch' | 'num_layers' | 'num_attention_layers' | 'attention_layout'>,
): boolean[] {
  const { model_arch, num_layers: layers, num_attention_layers: wanted, attention_layout } = config
  if (wanted > layers) {
    throw new UsageError(`model.num_attention_layers must be at most the ${layers} layers, found ${wanted}`)
  }
  const attends = (layer: number): boolean => {
    if (model_arch === 'bert') return true
    if (wanted === 0) return false
    if (attention_layout === 'bottom') return layer < wanted
    if (attention_layout === 'top') return layer >= layers - wanted
    if (attention_layout === 'middle') return layers - wanted <= 2 * layer && 2 * layer < layers + wanted
    return layer % Math.floor(layers / wanted) === 0
  }
  return Array.from({ length: layers }, (_, layer) => attends(layer))
}
