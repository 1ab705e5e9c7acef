/** Tensors as pictures: what a sampler or an autoencoder gives, as a report and the files of a run show it. */
import { type NDArray, toNumbers } from '../tensor/dtype.ts'
import { sizes } from '../tensor/shape.ts'
import { ShapeError } from '../util/errors.ts'
import type { Picture } from './figures.ts'

/**
 * The pictures of [N, C, H, W], C 1 or 3. uint8 is taken as it is; of floats `range` is what black and white are (default: -1 and 1),
 * and what lies beyond is cut off.
 */
export function picturesOf(array: NDArray, range: readonly [black: number, white: number] = [-1, 1]): Picture[] {
  const [count, channels, height, width] = sizes(array.shape, 4)
  if (channels !== 1 && channels !== 3) {
    throw new ShapeError(`a picture must have 1 or 3 channels, found ${channels} in [${array.shape.join(', ')}]`)
  }
  const [black, white] = array.dtype === 'uint8' ? [0, 255] : range
  const values = toNumbers(array.data)
  const area = height * width
  return Array.from({ length: count }, (_, n) => {
    const pixels = Uint8ClampedArray.from({ length: channels * area }, (_, i) => {
      const value = values[(n * channels + (i % channels)) * area + Math.floor(i / channels)] ?? 0
      return (255 * (value - black)) / (white - black)
    })
    return { pixels: new Uint8Array(pixels.buffer), width, height, channels }
  })
}

/**
 * Pictures of one size in one, row by row, with white lines of 2 pixels between. Default columns: as many as make it most nearly
 * square.
 */
export function pictureSheet(pictures: readonly Picture[], columns = Math.ceil(Math.sqrt(pictures.length))): Picture {
  const [first] = pictures
  if (!first) throw new ShapeError('pictureSheet: at least one picture is needed, found none')
  const { width, height, channels } = first
  const other = pictures.find((each) => each.width !== width || each.height !== height || each.channels !== channels)
  if (other) {
    const described = ({ width: w, height: h, channels: c }: Picture): string => `${w} x ${h} in ${c}`
    throw new ShapeError(
      `pictureSheet: all pictures must have the same width, height and channels, found ${described(first)} and ${described(other)}`,
    )
  }
  const gap = 2
  const rows = Math.ceil(pictures.length / columns)
  const [sheetWidth, sheetHeight] = [columns * (width + gap) - gap, rows * (height + gap) - gap]
  const pixels = new Uint8Array(sheetWidth * sheetHeight * channels).fill(255)
  for (const [i, picture] of pictures.entries()) {
    const [top, left] = [Math.floor(i / columns) * (height + gap), (i % columns) * (width + gap)]
    for (let y = 0; y < height; y++) {
      const line = picture.pixels.subarray(y * width * channels, (y + 1) * width * channels)
      pixels.set(line, ((top + y) * sheetWidth + left) * channels)
    }
  }
  return { pixels, width: sheetWidth, height: sheetHeight, channels }
}
