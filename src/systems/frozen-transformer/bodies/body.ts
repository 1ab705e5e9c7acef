/** The networks between input and output layer, each under its official names. */
import { BertModel } from '../../../models/bert.ts'
import { GPT2Model } from '../../../models/gpt2.ts'
import { ViT } from '../../../models/vit.ts'
import type { Module } from '../../../nn/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { BodyConfig } from '../config.ts'
import { LayerNormLSTM, type LSTMState } from './lstm.ts'

/** What a body computed on the way. */
export interface BodyOutputs {
  /** [B, T, E] */
  readonly hidden: Tensor
  /** Who attended to whom, layer by layer, [B, heads, T, T] each; empty where it is not known. */
  readonly attentions: readonly Tensor[]
  /** What goes into the first layer and comes out of each, [B, T, E] each; undefined where it is not known. */
  readonly layers?: readonly Tensor[]
}

/** A network over embedded tokens. */
export interface Body {
  readonly model: Module
  readonly width: number
  /** How many tokens it has positions for; undefined: it needs none. */
  readonly positions?: number
  /** embedded [B, T, E]; state: of an LSTM. */
  encode(embedded: Tensor, state?: LSTMState): BodyOutputs
}

/** Makes the body of a configuration; `dropout`: of an LSTM. */
export function makeBody(config: BodyConfig, dropout: number): Body {
  switch (config.kind) {
    case 'gpt2': {
      const model = new GPT2Model(config)
      const { n_embd: width, n_positions: positions = 1024, causal = true } = config
      return { model, width, positions, encode: (embedded) => model.outputs(embedded, { causal }) }
    }
    case 'bert': {
      const model = new BertModel(config)
      const { hidden_size: width, max_position_embeddings: positions = 512 } = config
      return { model, width, positions, encode: (embedded) => model.outputs(embedded) }
    }
    case 'vit': {
      const { embed_dim: width, depth, num_heads: heads, mlp_ratio = 4, qkv_bias = true } = config
      const model = new ViT({
        width,
        depth,
        heads,
        mlpWidth: Math.trunc(width * mlp_ratio),
        qkvBias: qkv_bias,
        imageSize: config.img_size ?? 224,
        patchSize: config.patch_size ?? 16,
        inChannels: config.in_chans ?? 3,
        numClasses: config.num_classes ?? 1000,
      })
      return { model, width, encode: (embedded) => ({ hidden: model.encode(embedded), attentions: [] }) }
    }
    case 'lstm': {
      const { hidden_size: width, num_layers } = config
      const model = new LayerNormLSTM(width, num_layers, dropout)
      return { model, width, encode: (embedded, state) => ({ hidden: model.forward(embedded, state), attentions: [] }) }
    }
  }
}
