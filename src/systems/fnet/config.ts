/** FNet's settings under the official names (f_net/configs/base.py), and which layers attend. */
import { z } from 'zod'
import type { ActivationName } from '../../nn/activation-names.ts'
import { pathSetting } from '../../train/settings.ts'
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
  /** What the Hugging Face ports of FNet and BERT do otherwise. Default: the official code. */
  readonly port?: PortConfig
}

/** Where the encoders of transformers may differ from the official code; each default is the official code's. */
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

const whole = z.number().int().positive()
const probability = z.number().min(0).lt(1)

/** Settings of the encoder that a recipe may change; vocabulary and length follow from its data. */
export function encoderSettings(defaults: {
  readonly num_layers: number
  readonly d_model: number
  readonly d_ff: number
  readonly num_heads: number
  readonly dropout_rate: number
}) {
  return z.strictObject({
    model_arch: z
      .enum(architectures)
      .default('f_net')
      .describe(`how tokens are mixed: ${architectures.join(', ')}`),
    num_layers: whole.default(defaults.num_layers).describe('blocks of mixing and feed-forward layer'),
    d_emb: whole.default(defaults.d_model).describe('width of the embeddings'),
    d_model: whole.default(defaults.d_model).describe('width of the encoder'),
    d_ff: whole.default(defaults.d_ff).describe('width of the feed-forward layers'),
    num_heads: whole.default(defaults.num_heads).describe('heads of layers that attend'),
    type_vocab_size: whole.default(4).describe('kinds of segments'),
    num_attention_layers: z.number().int().min(0).default(0).describe('layers that attend instead (FNet-Hybrid: 2)'),
    attention_layout: z.enum(attentionLayouts).default('top').describe('where these lie'),
    dropout_rate: probability
      .default(defaults.dropout_rate)
      .describe('dropout after embeddings and feed-forward layers'),
    mixing_dropout_rate: probability.default(0).describe('dropout of attention weights'),
    random_seed: z.number().int().min(0).max(0xffffffff).default(0).describe('seed of the matrices of random mixing'),
  })
}

type EncoderDefaults = Parameters<typeof encoderSettings>[0]

/** The same for recipes that can start from a checkpoint. */
export function checkpointedSettings(defaults: EncoderDefaults) {
  return encoderSettings(defaults).extend({
    checkpoint: pathSetting(
      'start from these weights: official .npz, transformers .safetensors or .bin; they decide the sizes above; needs tokenizer.file',
    ),
  })
}

export type EncoderSettings = z.infer<ReturnType<typeof encoderSettings>>
export type CheckpointedSettings = z.infer<ReturnType<typeof checkpointedSettings>>
