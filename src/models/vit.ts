/** Vision Transformer (Dosovitskiy et al. 2020, arXiv 2010.11929), with timm's names of parameters. */
import { init, LayerNorm, Linear, Module } from '../nn/index.ts'
import * as ops from '../ops/index.ts'
import { formatShape, sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { ShapeError } from '../util/errors.ts'
import { heightAndWidth, PatchEmbed, type PictureSize, patchGrid } from './patches.ts'
import { TransformerBlock } from './transformer.ts'

/** Sizes of a ViT. */
export interface ViTSizes {
  readonly patchSize: PictureSize
  /** Width of a token. */
  readonly width: number
  readonly depth: number
  readonly heads: number
}

/** The published sizes; the MLP is four times as wide as a token. */
export const vitVariants = {
  'Ti/16': { patchSize: 16, width: 192, depth: 12, heads: 3 },
  'S/32': { patchSize: 32, width: 384, depth: 12, heads: 6 },
  'S/16': { patchSize: 16, width: 384, depth: 12, heads: 6 },
  'B/32': { patchSize: 32, width: 768, depth: 12, heads: 12 },
  'B/16': { patchSize: 16, width: 768, depth: 12, heads: 12 },
  'L/16': { patchSize: 16, width: 1024, depth: 24, heads: 16 },
  'H/14': { patchSize: 14, width: 1280, depth: 32, heads: 16 },
} as const satisfies Readonly<Record<string, ViTSizes>>

/** Options of a ViT. The defaults give the one for ImageNet. */
export interface ViTOptions extends ViTSizes {
  /** Default: 224. */
  readonly imageSize?: PictureSize
  /** Default: 3. */
  readonly inChannels?: number
  /** Classes of the head; 0: no head. Default: 1000. */
  readonly numClasses?: number
  /** Hidden width of the MLPs. Default: 4 times the width. */
  readonly mlpWidth?: number
  /** Whether the maps to queries, keys and values have biases. Default: true. */
  readonly qkvBias?: boolean
  /** What is classified: a class token in front of the patches, or the mean of the patches. Default: token. */
  readonly pool?: 'token' | 'avg'
  /** Initial values of the positions. Default: normal, with a standard deviation of 0.02. */
  readonly initPositions?: init.Initializer
}

// The official models' epsilon; PyTorch's default of 1e-5 gives visibly other numbers.
const eps = 1e-6

/**
 * Patches with learned positions, pre-norm blocks, a last norm, then a linear head on the class token or on the mean of the patches.
 * The head begins at zero.
 */
export class ViT extends Module {
  readonly patch_embed: PatchEmbed
  readonly cls_token: Variable | undefined
  readonly pos_embed: Variable
  readonly blocks: readonly TransformerBlock[]
  readonly norm: LayerNorm
  readonly head: Linear | undefined
  readonly #imageSize: readonly [number, number]

  constructor(options: ViTOptions) {
    super()
    const { patchSize, width, depth, heads, imageSize = 224, inChannels = 3, numClasses = 1000 } = options
    const { mlpWidth = 4 * width, qkvBias = true, pool = 'token', initPositions } = options
    const [h, w] = patchGrid('ViT', imageSize, patchSize)
    this.#imageSize = heightAndWidth(imageSize)
    this.patch_embed = new PatchEmbed(inChannels, width, patchSize)
    this.cls_token = pool === 'token' ? init.parameter([1, 1, width], init.zeros) : undefined
    this.pos_embed = init.parameter(
      [1, h * w + (this.cls_token ? 1 : 0), width],
      initPositions ?? ((shape) => init.normal(shape, { std: 0.02 })),
    )
    this.blocks = Array.from({ length: depth }, () => new TransformerBlock(width, { heads, mlpWidth, qkvBias, eps }))
    this.norm = new LayerNorm(width, { eps })
    this.head =
      numClasses > 0 ? new Linear(width, numClasses, { initWeight: init.zeros, initBias: init.zeros }) : undefined
  }

  /** images [N, in, H, W] -> logits [N, K]; without a head the representation. */
  forward(images: Tensor): Tensor {
    const features = this.features(images)
    return this.head?.forward(features) ?? features
  }

  /** The representation before the head: [N, C]. */
  features(images: Tensor): Tensor {
    const tokens = this.tokens(images)
    return this.cls_token ? ops.select(tokens, 0, 1) : ops.mean(tokens, 1)
  }

  /** All tokens after the last norm: [N, 1 + S, C], the class token first; without a class token [N, S, C]. */
  tokens(images: Tensor): Tensor {
    const size = images.shape.slice(2)
    const [height, width] = this.#imageSize
    if (size[0] !== height || size[1] !== width) {
      throw new ShapeError(`ViT: pictures must have ${height}x${width} pixels, found ${formatShape(images.shape)}`, {
        hint: 'there is one learned position for each patch: make the model with the imageSize of the pictures',
      })
    }
    const patches = this.patch_embed.forward(images) // [N, S, C]
    const [n, c] = [sizeOf(patches.shape, 0), sizeOf(patches.shape, 2)]
    const withClass = this.cls_token
      ? ops.concat([ops.expand(this.cls_token, [n, 1, c]), patches], 1) // [N, 1 + S, C]
      : patches
    return this.encode(ops.add(withClass, this.pos_embed))
  }

  /** Applies the blocks and the last norm to any tokens, positions already added: [N, L, C] -> [N, L, C]. */
  encode(tokens: Tensor): Tensor {
    let x = tokens
    for (const block of this.blocks) x = block.forward(x)
    return this.norm.forward(x)
  }
}
