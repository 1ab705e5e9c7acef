/**
 * Perceiver IO (Jaegle et al. 2021, arXiv 2107.14795) as DeepMind released it: the inputs are read once, a latent transformer is applied
 * again and again, a decoder asks the latents. Names of parameters are those of transformers' port (PerceiverModel).
 *
 * Shapes: B batch, M inputs of C channels, N latents of D channels, K classes.
 */

import { LearnedPositions } from '../../models/positions.ts'
import type { ActivationName } from '../../nn/activation-names.ts'
import { Embedding, init, Linear, Module } from '../../nn/index.ts'
import { parameter } from '../../nn/init.ts'
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { type AttentionMaps, type LayerOutput, PerceiverLayer } from './attention.ts'
import { latentArray, type NamedMaps, repeated } from './model.ts'

/** The encoder, by DeepMind's names. */
export interface EncoderConfig {
  /** C */
  readonly input_channels: number
  /** N and D. */
  readonly z_index_dim: number
  readonly num_z_channels: number
  readonly num_self_attends_per_block: number
  /** How often the same block is applied. */
  readonly num_blocks: number
  readonly num_cross_attend_heads: number
  readonly num_self_attend_heads: number
  readonly cross_attend_widening_factor?: number
  readonly self_attend_widening_factor?: number
  readonly qk_channels?: number
  readonly v_channels?: number
  /** Whose channels queries and keys of the cross attention have: the inputs' (`kv`) or the latents' (`q`). Default: kv. */
  readonly cross_attention_shape_for_attn?: 'kv' | 'q'
  /** Whether what is read is added to the latents. Default: true. */
  readonly use_query_residual?: boolean
  readonly z_pos_enc_init_scale?: number
  readonly act?: ActivationName
  readonly allMasked?: 'nothing' | 'mean'
}

/** Latents that have read the inputs. */
export interface Encoded {
  /** [B, N, D] */
  readonly latents: Tensor
  readonly attentions: readonly NamedMaps[]
}

/** Latents, one cross attention, and a block of self attentions that is applied num_blocks times. */
class PerceiverEncoder extends Module {
  readonly cross_attention: PerceiverLayer
  readonly self_attends: readonly PerceiverLayer[]
  readonly #blocks: number

  constructor(config: EncoderConfig) {
    super()
    const { num_z_channels: width, input_channels: contextWidth, cross_attention_shape_for_attn: shape = 'kv' } = config
    const shared = {
      width,
      ...(config.act && { act: config.act }),
      ...(config.allMasked && { allMasked: config.allMasked }),
      ...(config.v_channels !== undefined && { vChannels: config.v_channels }),
    }
    this.#blocks = config.num_blocks
    this.cross_attention = new PerceiverLayer({
      ...shared,
      contextWidth,
      qkChannels: config.qk_channels ?? (shape === 'q' ? width : contextWidth),
      heads: config.num_cross_attend_heads,
      wideningFactor: config.cross_attend_widening_factor ?? 1,
      useQueryResidual: config.use_query_residual ?? true,
    })
    this.self_attends = Array.from(
      { length: config.num_self_attends_per_block },
      () =>
        new PerceiverLayer({
          ...shared,
          qkChannels: config.qk_channels ?? width,
          heads: config.num_self_attend_heads,
          wideningFactor: config.self_attend_widening_factor ?? 1,
        }),
    )
  }

  /** latents [B, N, D], inputs [B, M, C], mask bool [B, M] (true: may be read). */
  forward(latents: Tensor, inputs: Tensor, mask?: Tensor): Encoded {
    const first = this.cross_attention.forward(latents, inputs, mask)
    const attentions: NamedMaps[] = [mapsOf('cross', first)]
    let x = first.output
    for (let block = 0; block < this.#blocks; block++) {
      for (const layer of this.self_attends) {
        const result = layer.forward(x)
        attentions.push(mapsOf('self', result))
        x = result.output
      }
    }
    return { latents: x, attentions }
  }
}

const mapsOf = (kind: 'cross' | 'self', { scores, weights }: LayerOutput): NamedMaps => ({ kind, scores, weights })

/** What a decoder gives, and what it read of the latents if it attends. */
export interface Decoded {
  /** [B, K] */
  readonly logits: Tensor
  readonly attention?: AttentionMaps
}

/** How latents become logits. */
export type Decoder = Module & { forward(latents: Tensor): Decoded }

export interface ClassificationDecoderConfig {
  readonly num_classes: number
  /** D, channels of the latents. */
  readonly num_latent_channels: number
  /** Channels of the learned query. Default: D. */
  readonly num_channels?: number
  readonly num_heads?: number
  readonly widening_factor?: number
  readonly use_query_residual?: boolean
  readonly qk_channels?: number
  readonly v_channels?: number
  readonly act?: ActivationName
  readonly init_scale?: number
}

/** A learned query reads the latents; a linear layer makes classes of what it found. */
export class ClassificationDecoder extends Module {
  readonly decoder: {
    readonly output_position_encodings: { readonly position_embeddings: Variable }
    readonly decoding_cross_attention: PerceiverLayer
    readonly final_layer: Linear
  }

  constructor(config: ClassificationDecoderConfig) {
    super()
    const { num_latent_channels, num_channels: width = num_latent_channels } = config
    this.decoder = {
      output_position_encodings: {
        position_embeddings: parameter([1, width], (shape) =>
          init.truncNormal(shape, { std: config.init_scale ?? 0.02 }),
        ),
      },
      decoding_cross_attention: new PerceiverLayer({
        width,
        contextWidth: num_latent_channels,
        heads: config.num_heads ?? 1,
        wideningFactor: config.widening_factor ?? 1,
        useQueryResidual: config.use_query_residual ?? true,
        ...(config.qk_channels !== undefined && { qkChannels: config.qk_channels }),
        ...(config.v_channels !== undefined && { vChannels: config.v_channels }),
        ...(config.act && { act: config.act }),
      }),
      final_layer: new Linear(width, config.num_classes),
    }
  }

  forward(latents: Tensor): Decoded {
    const { output_position_encodings, decoding_cross_attention, final_layer } = this.decoder
    const query = repeated(output_position_encodings.position_embeddings, sizeOf(latents.shape, 0)) // [B, 1, D]
    const { output, scores, weights } = decoding_cross_attention.forward(query, latents)
    return { logits: ops.squeeze(final_layer.forward(output), 1), attention: { scores, weights } }
  }
}

/** The 2021 paper's head: the mean of the latents, then a linear layer that begins at zero. */
export class ProjectionDecoder extends Module {
  readonly classifier: Linear

  constructor(width: number, classes: number) {
    super()
    this.classifier = new Linear(width, classes, { initWeight: init.zeros, initBias: init.zeros })
  }

  forward(latents: Tensor): Decoded {
    return { logits: this.classifier.forward(ops.mean(latents, 1)) }
  }
}

/** Rows for a text: a vector of each byte and one of each position. ids [B, M] -> [B, M, C]. */
export class TextPreprocessor extends Module {
  readonly embeddings: Embedding
  readonly position_embeddings: LearnedPositions
  readonly outputChannels: number

  constructor(vocabulary: number, positions: number, width: number) {
    super()
    this.embeddings = new Embedding(vocabulary, width)
    this.position_embeddings = new LearnedPositions(positions, width)
    this.outputChannels = width
  }

  forward(ids: Tensor): Tensor {
    return ops.add(this.embeddings.forward(ids), this.position_embeddings.first(sizeOf(ids.shape, 1)))
  }
}

/** What PerceiverIO computed on the way. */
export interface PerceiverIOOutputs extends Encoded {
  readonly logits: Tensor
  /** What the decoder read of the latents, where it attends. */
  readonly decoderAttention?: AttentionMaps
}

/** Encoder and decoder around whatever makes the rows. */
export class PerceiverIO<P extends Module> extends Module {
  readonly embeddings: { readonly latents: Variable }
  readonly encoder: PerceiverEncoder
  readonly decoder: Decoder
  readonly input_preprocessor: P

  constructor(config: EncoderConfig, preprocessor: P, decoder: Decoder) {
    super()
    const { z_index_dim, num_z_channels, z_pos_enc_init_scale } = config
    this.embeddings = { latents: latentArray(z_index_dim, num_z_channels, z_pos_enc_init_scale) }
    this.encoder = new PerceiverEncoder(config)
    this.decoder = decoder
    this.input_preprocessor = preprocessor
  }

  /** rows [B, M, C], as `input_preprocessor` makes them; mask bool [B, M] -> logits [B, K]. */
  forward(rows: Tensor, mask?: Tensor): PerceiverIOOutputs {
    const latents = repeated(this.embeddings.latents, sizeOf(rows.shape, 0)) // [B, N, D]
    const encoded = this.encoder.forward(latents, rows, mask)
    const { logits, attention } = this.decoder.forward(encoded.latents)
    return { ...encoded, logits, ...(attention && { decoderAttention: attention }) }
  }
}
