/** Model files of networks of pictures: what goes in, what a consumer must know. */
import type { Exportable } from '../../../tasks/define.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import type { PictureFacts } from '../../../tasks/pictures/facts.ts'
import type { Tensor } from '../../../tensor/tensor.ts'

/** Height, width and channels of pictures. */
export type PictureSizes = Omit<PictureFacts, 'labels'>

/** `image` uint8 [batch, channels, height, width] -> outputs by name, of pixels in [-1, 1]. */
export function exportOfPictures(
  { image_size, in_channels }: PictureSizes,
  forward: (pictures: Tensor) => Readonly<Record<string, Tensor>>,
): Exportable<'image'> {
  return {
    inputs: { image: { dtype: 'uint8', shape: [1, in_channels, ...image_size] } },
    forward: ({ image }) => forward(normalizePixels(image)),
    metadata: {
      preprocessing: JSON.stringify({
        input: 'image',
        layout: 'NCHW',
        dtype: 'uint8',
        range: [0, 255],
        size: image_size,
        channels: in_channels,
        normalization: 'inside the model: x / 127.5 - 1',
      }),
    },
  }
}

/** `z` float32 [batch, width], standard normal -> `picture` [batch, channels, height, width] from -1 to 1. */
export function exportOfLatents(width: number, decode: (z: Tensor) => Tensor): Exportable<'z'> {
  return {
    inputs: { z: { dtype: 'float32', shape: [1, width] } },
    forward: ({ z }) => ({ picture: decode(z) }),
    metadata: { preprocessing: 'z: standard normal numbers; picture: pixels from -1 (black) to 1 (white), NCHW' },
  }
}
