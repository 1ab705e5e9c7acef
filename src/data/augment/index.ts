/** Random changes of training pictures: pure functions of seed, epoch and example, so that resumed runs repeat them. */
import { sizes } from '../../tensor/shape.ts'
import type { Generator } from '../../util/random.ts'
import { type Dataset, mapDataset, withLabelsOf } from '../dataset.ts'
import { cropResized, exampleGenerator, inceptionBox } from './crop.ts'
import { flipLeftRight } from './geometry.ts'
import type { Picture } from './picture.ts'
import { randAugment } from './randaugment.ts'

export { type CropOptions, cropResized, exampleGenerator, inceptionBox } from './crop.ts'
export type { Picture } from './picture.ts'
export { operations, randAugment } from './randaugment.ts'
export { shiftPictures } from './shift.ts'

/** Which changes are made, in this order; those that are left out are not made. */
export interface AugmentOptions {
  /** Cut a random box of at least this share of the area and resize it back (Inception crop); 1: no crop. Default: 1. */
  readonly cropArea?: number
  /** Mirror half of the pictures. Default: false. */
  readonly flip?: boolean
  /** Operations of RandAugment on each picture. Default: 0. */
  readonly layers?: number
  /** Strength of these operations: 10 is full strength. Default: 10. */
  readonly magnitude?: number
}

/** Changes one picture as asked; draws from `random`. */
export function augmentPicture(picture: Picture, options: AugmentOptions, random: Generator): Picture {
  const { cropArea = 1, flip = false, layers = 0, magnitude = 10 } = options
  const { height, width } = picture
  const box = cropArea < 1 ? inceptionBox(height, width, random, { area: [cropArea, 1] }) : undefined
  const cut = box ? cropResized(picture, box, height, width) : picture
  const turned = flip && random.integers(0, 2, 1)[0] === 1 ? flipLeftRight(cut) : cut
  return randAugment(turned, layers, magnitude, random)
}

/** A dataset whose field `image` (uint8 [N, C, H, W]) is changed at random, differently in each epoch. */
export function augmentPictures<Name extends string>(
  dataset: Dataset<Name | 'image'>,
  options: AugmentOptions,
): Dataset<Name | 'image'> {
  const { cropArea = 1, flip = false, layers = 0 } = options
  if (cropArea >= 1 && !flip && layers === 0) return dataset
  const augmented = mapDataset(dataset, (batch, indices, context) => {
    const { dtype, shape, data } = batch.image
    const [, channels, height, width] = sizes(shape, 4)
    const size = channels * height * width
    const changed = new Uint8Array(data.length)
    for (let n = 0; n < indices.length; n++) {
      const pixels = (data as Uint8Array).subarray(n * size, (n + 1) * size)
      const random = exampleGenerator(context, 'augment', indices[n] ?? 0)
      changed.set(augmentPicture({ pixels, channels, height, width }, options, random).pixels, n * size)
    }
    return { ...batch, image: { dtype, shape, data: changed } }
  })
  return withLabelsOf(dataset, augmented)
}
