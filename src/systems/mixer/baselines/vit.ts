/** A small Vision Transformer (Dosovitskiy et al. 2020, arXiv 2010.11929). */
import { Conv2d, init, LayerNorm, Linear, Module, MultiheadAttention } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { BaselineConfig } from './config.ts'

/** Channels of an attention head. */
export const headWidth = 8

/** Attention, then an MLP of twice the width (as Mixer's channel MLP in the studies); each after a norm, each added. */
class Block extends Module {
  readonly norm1: LayerNorm
  readonly attn: MultiheadAttention
  readonly norm2: LayerNorm
  readonly fc1: Linear
  readonly fc2: Linear

  constructor(width: number) {
    super()
    this.norm1 = new LayerNorm(width, { eps: 1e-6 })
    this.attn = new MultiheadAttention(width, width / headWidth)
    this.norm2 = new LayerNorm(width, { eps: 1e-6 })
    this.fc1 = new Linear(width, 2 * width)
    this.fc2 = new Linear(2 * width, width)
  }

  forward(x: Tensor): Tensor {
    const y = this.norm1.forward(x)
    const attended = ops.add(x, this.attn.forward(y, y, y).output)
    return ops.add(attended, this.fc2.forward(ops.gelu(this.fc1.forward(this.norm2.forward(attended)))))
  }
}

/**
 * Patches, learned positions (vectors of length about 1 at first), `depth` blocks, norm; the mean over tokens is classified, as in
 * Mixer. `width`: a multiple of `headWidth`.
 */
export class ViT extends Module {
  readonly proj: Conv2d
  readonly pos_embed
  readonly blocks: readonly Block[]
  readonly norm: LayerNorm
  readonly head: Linear

  constructor({
    image_size: [height, imageWidth],
    patch_size,
    in_channels,
    num_classes,
    width,
    depth,
  }: BaselineConfig) {
    super()
    const tokens = (height / patch_size) * (imageWidth / patch_size)
    this.proj = new Conv2d(in_channels, width, patch_size, { stride: patch_size, initWeight: init.lecunNormal })
    this.pos_embed = init.parameter([tokens, width], (shape) => init.normal(shape, { std: 1 / Math.sqrt(width) }))
    this.blocks = Array.from({ length: depth }, () => new Block(width))
    this.norm = new LayerNorm(width, { eps: 1e-6 })
    this.head = new Linear(width, num_classes, { initWeight: init.zeros, initBias: init.zeros })
  }

  /** images [N, in, H, W] -> logits [N, K]. */
  forward(images: Tensor): Tensor {
    const patches = this.proj.forward(images) // [N, C, h, w]
    let x = ops.add(ops.transpose(ops.flatten(patches, 2)), this.pos_embed) // [N, S, C]
    for (const block of this.blocks) x = block.forward(x)
    return this.head.forward(ops.mean(this.norm.forward(x), 1))
  }
}
