/**
 * CLIP: Learning Transferable Visual Models From Natural Language Supervision (Radford et al., 2021, arXiv 2103.00020).
 *
 * Shapes: B pictures (and texts), R pixels a side, L tokens, W width of the text tower, E width of the shared space.
 */
import { Embedding, init, LayerNorm, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { ShapeError, UsageError } from '../../util/errors.ts'
import { ModifiedResNet } from './clip/modified-resnet.ts'
import { Transformer } from './clip/transformer.ts'
import { VisionTransformer } from './clip/vision-transformer.ts'
import type { CLIPConfig } from './config.ts'

/** How well each picture fits each text: exp(logit_scale) times the cosine. */
export interface CLIPLogits {
  /** [B pictures, B texts] */
  readonly logits_per_image: Tensor
  /** Its transpose. */
  readonly logits_per_text: Tensor
}

/** Width of a head in both kinds of vision towers. */
const headWidth = 64

/** A picture tower and a text tower that end in the same space. */
export class CLIP extends Module {
  readonly config: CLIPConfig
  readonly visual: VisionTransformer | ModifiedResNet
  readonly transformer: Transformer
  readonly token_embedding: Embedding
  readonly positional_embedding: Variable
  readonly ln_final: LayerNorm
  readonly text_projection: Variable
  readonly logit_scale: Variable

  constructor(config: CLIPConfig) {
    super()
    const { embed_dim, transformer_width: width, transformer_layers, transformer_heads, context_length } = config
    this.config = config
    this.visual = visionTower(config)
    this.transformer = new Transformer({
      width,
      layers: transformer_layers,
      heads: transformer_heads,
      causal: true,
      textInit: true,
    })
    const normal =
      (std: number): init.Initializer =>
      (shape) =>
        init.normal(shape, { std })
    this.token_embedding = new Embedding(config.vocab_size, width, { initWeight: normal(0.02) })
    this.positional_embedding = init.parameter([context_length, width], normal(0.01))
    this.ln_final = new LayerNorm(width)
    this.text_projection = init.parameter([width, embed_dim], normal(width ** -0.5))
    this.logit_scale = init.parameter([], init.constant(Math.log(1 / 0.07)))
    this.variables() // gives the variables their names: the encoders are called without `forward`, which would do it
  }

  /** images [B, 3, R, R] -> [B, E]. */
  encodeImage(images: Tensor): Tensor {
    return this.visual.forward(images)
  }

  /** Token ids [B, L], the end token (the largest id) in each row -> [B, E]. */
  encodeText(tokens: Tensor): Tensor {
    const [, length] = tokens.sizes(2)
    const { context_length } = this.config
    if (length !== context_length)
      throw new ShapeError(`CLIP: texts must have ${context_length} tokens, found ${tokens}`, {
        hint: 'pad with 0 after the end token; tokenize does',
      })
    const embedded = ops.add(this.token_embedding.forward(tokens), this.positional_embedding) // [B, L, W]
    const x = this.ln_final.forward(this.transformer.forward(embedded)) // [B, L, W]
    // The state at the end token has read the whole text; the first one if there are several end tokens.
    const isEnd = ops.oneHot(ops.argmax(tokens, 1), context_length, 'float32') // [B, L]
    const atEnd = ops.sum(ops.mul(x, ops.unsqueeze(isEnd, 2)), 1) // [B, W]
    return ops.matmul(atEnd, this.text_projection) // [B, E]
  }

  forward(images: Tensor, tokens: Tensor): CLIPLogits {
    return this.logits(this.encodeImage(images), this.encodeText(tokens))
  }

  /** Features of pictures [B, E] and texts [T, E], of any length -> logits [B, T] and [T, B]. */
  logits(imageFeatures: Tensor, textFeatures: Tensor): CLIPLogits {
    const cosines = ops.matmul(unit(imageFeatures), ops.transpose(unit(textFeatures))) // [B, T]
    const logits_per_image = ops.mul(cosines, ops.exp(this.logit_scale))
    return { logits_per_image, logits_per_text: ops.transpose(logits_per_image) }
  }
}

/** Vectors [..., E] of length 1. */
export function unit(features: Tensor): Tensor {
  return ops.div(features, ops.vectorNorm(features, 2, -1, { keepDims: true }))
}

/**
 * The mean of two cross-entropies: each picture must find its text among all texts of the batch, and each text its picture (Figure 3
 * of the paper).
 */
export function contrastiveLoss({ logits_per_image, logits_per_text }: CLIPLogits): Tensor {
  const [batch] = logits_per_image.sizes(2)
  const own = ops.arange(batch) // [B]
  return ops.mul(ops.add(ops.crossEntropy(logits_per_image, own), ops.crossEntropy(logits_per_text, own)), 0.5)
}

function visionTower(config: CLIPConfig): VisionTransformer | ModifiedResNet {
  const { vision_layers, vision_width, vision_patch_size, image_resolution, embed_dim } = config
  if (typeof vision_layers !== 'number') {
    return new ModifiedResNet({
      layers: vision_layers,
      output_dim: embed_dim,
      heads: Math.floor((vision_width * 32) / headWidth),
      input_resolution: image_resolution,
      width: vision_width,
    })
  }
  if (vision_patch_size === null)
    throw new UsageError('CLIP: a ViT (one number of vision_layers) needs a vision_patch_size')
  if (vision_width < headWidth)
    throw new UsageError(`CLIP: vision_width of a ViT must be at least ${headWidth}, found ${vision_width}`)
  return new VisionTransformer({
    input_resolution: image_resolution,
    patch_size: vision_patch_size,
    width: vision_width,
    layers: vision_layers,
    heads: Math.floor(vision_width / headWidth),
    output_dim: embed_dim,
  })
}
