/** CLIP's ViT: a norm before the first layer, a class token that is read at the end, and a projection into the shared space. */
import { Conv2d, init, LayerNorm, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'
import { ShapeError, UsageError } from '../../../util/errors.ts'
import { Transformer } from './transformer.ts'

/** Sizes of the tower, under the official names. */
export interface VisionTransformerConfig {
  readonly input_resolution: number
  readonly patch_size: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  readonly output_dim: number
}

/** Pictures [N, 3, R, R] as vectors of the shared space. Pixels beyond the last whole patch are not read. */
export class VisionTransformer extends Module {
  readonly input_resolution: number
  readonly output_dim: number
  readonly conv1: Conv2d
  readonly class_embedding: Variable
  readonly positional_embedding: Variable
  readonly ln_pre: LayerNorm
  readonly transformer: Transformer
  readonly ln_post: LayerNorm
  readonly proj: Variable

  constructor({ input_resolution, patch_size, width, layers, heads, output_dim }: VisionTransformerConfig) {
    super()
    const side = Math.floor(input_resolution / patch_size)
    if (side < 1) {
      throw new UsageError(
        `VisionTransformer: a picture must hold at least one patch, found ${input_resolution} pixels and patches of ${patch_size}`,
      )
    }
    const scaled = (shape: readonly number[]): Float32Array => init.normal(shape, { std: width ** -0.5 })
    this.input_resolution = input_resolution
    this.output_dim = output_dim
    this.conv1 = new Conv2d(3, width, patch_size, { stride: patch_size, bias: false })
    this.class_embedding = init.parameter([width], scaled)
    this.positional_embedding = init.parameter([side ** 2 + 1, width], scaled)
    this.ln_pre = new LayerNorm(width)
    this.transformer = new Transformer({ width, layers, heads })
    this.ln_post = new LayerNorm(width)
    this.proj = init.parameter([width, output_dim], scaled)
  }

  /** images [N, 3, R, R] -> [N, output_dim]. */
  forward(images: Tensor): Tensor {
    requireSquare('VisionTransformer', images, this.input_resolution)
    const patches = ops.transpose(ops.flatten(this.conv1.forward(images), 2)) // [N, S, C]
    const [n, , c] = patches.sizes(3)
    const tokens = ops.concat([ops.broadcastTo(this.class_embedding, [n, 1, c]), patches], 1) // [N, 1 + S, C]
    const x = this.transformer.forward(this.ln_pre.forward(ops.add(tokens, this.positional_embedding)))
    return ops.matmul(this.ln_post.forward(ops.select(x, 0, 1)), this.proj) // [N, output_dim]
  }
}

/** Learned positions are for one size of pictures. */
export function requireSquare(owner: string, images: Tensor, side: number): void {
  const [, channels, height, width] = images.sizes(4)
  if (channels === 3 && height === side && width === side) return
  throw new ShapeError(`${owner}: pictures must be [N, 3, ${side}, ${side}], found ${images}`, {
    hint: 'there is one learned position for each part of a picture: make the model for the size of the pictures',
  })
}
