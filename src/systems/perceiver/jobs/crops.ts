/** Random crops as training data, with the positions of the crop or of the whole picture (paper, section 4.1: those of the picture overfit). */
import { fourierFeatures, gridPositions } from '../../../models/positions.ts'
import { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { PictureFacts } from '../../../tasks/pictures/facts.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import type { RowModel } from './row-models.ts'

export interface CropOptions {
  readonly facts: PictureFacts
  /** Side of a crop, in pixels. */
  readonly crop: number
  /** Whose places pixels carry. */
  readonly positions: 'crop' | 'picture'
  readonly bands: number
  /** The model of rows of so many channels. */
  readonly net: (channels: number) => RowModel
}

/** Reads a random crop of each picture while training, the middle one in evaluation. */
export class CropClassifier extends Module {
  readonly net: RowModel
  readonly #options: CropOptions
  /** Pixels of the crop at the top left, counted in the picture: [crop crop]. */
  readonly #first: Tensor

  constructor(options: CropOptions) {
    super()
    const { facts, crop, bands, net } = options
    const [, width] = facts.image_size
    this.#options = options
    const places = Int32Array.from({ length: crop * crop }, (_, i) => Math.floor(i / crop) * width + (i % crop))
    this.#first = constant(places, [crop * crop], 'int32')
    this.net = net(facts.in_channels + 2 * (2 * bands + 1))
  }

  /** images [B, C, H, W] in -1..1 -> logits [B, K]. */
  forward(images: Tensor): Tensor {
    const [batch, channels] = images.sizes(4)
    const pixels = ops.transpose(ops.flatten(images, 2)) // [B, H W, C]
    const places = ops.add(this.#first, this.#corners(batch)) // [B, crop crop]
    const count = this.#options.crop ** 2
    const index = ops.broadcastTo(ops.unsqueeze(places, -1), [batch, count, channels])
    return this.net.forward(ops.concat([ops.gather(pixels, index, 1), this.#positions(places)], -1))
  }

  /** The place of each crop's first pixel in its picture: int32 [B, 1]. */
  #corners(batch: number): Tensor {
    const { facts, crop } = this.#options
    const [height, width] = facts.image_size
    const along = (size: number): Tensor => {
      const choices = size - crop + 1
      if (!this.training) return ops.full([batch, 1], Math.floor((choices - 1) / 2), 'int32')
      return ops.cast(ops.floor(ops.mul(ops.randomUniform([batch, 1]), choices)), 'int32')
    }
    return ops.add(ops.mul(along(height), width), along(width))
  }

  /** Features of each pixel's place: [B, crop crop, P]. */
  #positions(places: Tensor): Tensor {
    const { facts, crop, bands, positions } = this.#options
    const sizes = positions === 'crop' ? [crop, crop] : facts.image_size
    const features = fourierFeatures(gridPositions(sizes), { bands, maxResolution: sizes }) // [places, P]
    if (positions === 'picture') return ops.embedding(places, features)
    const [batch, count] = places.sizes(2)
    return ops.broadcastTo(features, [batch, count, features.sizes(2)[1]])
  }
}
