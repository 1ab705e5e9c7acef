/** Settings of a frozen pretrained transformer, under the names of the official code. */
import { type BertConfig, bertVariants } from '../../models/bert.ts'
import { type GPT2Config, gpt2Variants } from '../../models/gpt2.ts'

/** A GPT-2; it reads with its own position embeddings, causally as published. */
export interface GPT2BodyConfig extends GPT2Config {
  readonly kind: 'gpt2'
  /** Whether a token sees only itself and those before. Default: true. */
  readonly causal?: boolean
}

/** A BERT, every token of which sees all others (paper, Section 3.4; not in the official code). */
export interface BertBodyConfig extends BertConfig {
  readonly kind: 'bert'
}

/** The blocks of a timm ViT; its own patches, class token, positions and head are kept, but nothing reads them. */
export interface ViTBodyConfig {
  readonly kind: 'vit'
  readonly embed_dim: number
  readonly depth: number
  readonly num_heads: number
  /** Hidden width of the MLPs as a multiple of embed_dim. Default: 4. */
  readonly mlp_ratio?: number
  /** Default: true. */
  readonly qkv_bias?: boolean
  /** Defaults: 224, 16, 3, 1000, those of ViT-B/16. */
  readonly img_size?: number
  readonly patch_size?: number
  readonly in_chans?: number
  readonly num_classes?: number
}

/** A layer-norm LSTM. */
export interface LSTMBodyConfig {
  readonly kind: 'lstm'
  readonly hidden_size: number
  readonly num_layers: number
}

/** The network between input and output layer. */
export type BodyConfig = GPT2BodyConfig | BertBodyConfig | ViTBodyConfig | LSTMBodyConfig

/** The bodies of the official code by their `model_name`, and the BERT of the paper. */
export const bodies = {
  gpt2: { kind: 'gpt2', ...gpt2Variants.gpt2 },
  'gpt2-medium': { kind: 'gpt2', ...gpt2Variants['gpt2-medium'] },
  'gpt2-large': { kind: 'gpt2', ...gpt2Variants['gpt2-large'] },
  'gpt2-xl': { kind: 'gpt2', ...gpt2Variants['gpt2-xl'] },
  bert: { kind: 'bert', ...bertVariants['bert-base'] },
  vit: { kind: 'vit', embed_dim: 768, depth: 12, num_heads: 12 },
  lstm: { kind: 'lstm', hidden_size: 768, num_layers: 3 },
} as const satisfies Readonly<Record<string, BodyConfig>>

/** Which parts do not learn. */
export interface FreezeConfig {
  /** The body, but for what the switches below leave free; false: all of it learns, whatever they say. Default: true. */
  readonly freeze_trans?: boolean
  /** Norms of the body. Default: false. */
  readonly freeze_ln?: boolean
  /** Position embeddings. Default: false. */
  readonly freeze_pos?: boolean
  /** Attention. Default: true. */
  readonly freeze_attn?: boolean
  /** Feed-forward layers. Default: true. */
  readonly freeze_ff?: boolean
  /** The input layer. Default: false. */
  readonly freeze_in?: boolean
  /** The output layer. Default: false. */
  readonly freeze_out?: boolean
}

/** The model: an input layer, a body, an output layer. */
export interface FrozenTransformerConfig extends FreezeConfig {
  readonly body: BodyConfig
  /** Numbers of a token; with embeddings the number of different tokens. */
  readonly input_dim: number
  /** Numbers computed of a token. */
  readonly output_dim: number
  /** Whether only the tokens of the last row are read out. Default: true. */
  readonly return_last_only?: boolean
  /** Whether the input layer is a table of embeddings for integers. Default: false. */
  readonly use_embeddings_for_in?: boolean
  /** Hidden widths of the input layer. Default: none, it is linear. */
  readonly in_layer_sizes?: readonly number[]
  /** Hidden widths of the output layer. Default: none, it is linear. */
  readonly out_layer_sizes?: readonly number[]
  /** Dropout of the input and output layers, and of the LSTM; that of a GPT-2 is its own. Default: 0.1. */
  readonly dropout?: number
  /** Gain of the orthogonal matrices with which the input layer begins; null: uniform, as PyTorch's linear layers. Default: 1.41. */
  readonly orth_gain?: number | null
}
