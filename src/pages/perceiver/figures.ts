/** The figures of the Perceiver's page. */
import type { Picture, PictureGrid } from '../../report/figures.ts'
import { side } from '../data/read-digits.ts'

/** The drawing as the network is asked about it the second time: all pixels in another order. */
export function shuffledPicture(pixels: Uint8Array, order: Int32Array): PictureGrid {
  const picture = (values: Uint8Array, caption: string): Picture => ({
    pixels: values.map((value) => 255 - value),
    width: side,
    height: side,
    channels: 1,
    caption,
  })
  return {
    kind: 'pictures',
    title: '',
    pictures: [
      picture(pixels, 'your drawing, centred'),
      picture(
        pixels.map((_, i) => pixels[order[i] ?? 0] ?? 0),
        'the same pixels, shuffled',
      ),
    ],
    size: 132,
  }
}
