/** A frozen transformer that reads pictures patch by patch, or pixel by pixel (paper, Section 2.1). */
import { patchGrid, patchify } from '../../../models/patches.ts'
import * as ops from '../../../ops/index.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { FrozenTransformerConfig } from '../config.ts'
import { FrozenTransformer } from '../model.ts'
import { normalizeFor } from '../tasks.ts'

/** How pictures become tokens. */
export interface PatchConfig {
  /** Side of a patch in pixels; 1: every pixel is a token. */
  readonly patch_size: number
  /** Whether colours are made grey. */
  readonly grey: boolean
}

/** Pictures of a kind. */
export interface PictureSize {
  readonly image_size: readonly [height: number, width: number]
  readonly in_channels: number
}

/** How many tokens a picture has, and how many numbers a token. Throws a ShapeError where patches do not fill it. */
export function tokensOf({ patch_size, grey }: PatchConfig, { image_size, in_channels }: PictureSize) {
  const [h, w] = patchGrid('frozen-transformer', image_size, patch_size)
  return { tokens: h * w, input_dim: patch_size ** 2 * (grey ? 1 : in_channels) }
}

/** Classifies pictures by the last of their patches. */
export class PictureTransformer extends FrozenTransformer {
  readonly patches: PatchConfig

  constructor(config: FrozenTransformerConfig, patches: PatchConfig) {
    super(config)
    this.patches = patches
  }

  /** images [B, C, H, W] in [-1, 1] -> logits [B, K]. */
  override forward(images: Tensor): Tensor {
    return ops.select(this.outputs(this.tokens(images)).out, 0, 1)
  }

  /** What the last token has become before the output layer: [B, E]. */
  features(images: Tensor): Tensor {
    return ops.select(this.outputs(this.tokens(images)).hidden, -1, 1)
  }

  /** The patches, normalised as officially: [B, tokens, numbers]. */
  tokens(images: Tensor): Tensor {
    const { patch_size, grey } = this.patches
    const task = sizeOf(images.shape, 1) === 1 ? 'mnist' : grey ? 'cifar10-gray' : 'cifar10'
    return patchify(normalizeFor(task, ops.mul(ops.add(images, 1), 127.5)), patch_size)
  }
}
