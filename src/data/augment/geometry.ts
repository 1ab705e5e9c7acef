/** Geometric operations of RandAugment (big_vision, pp/autoaugment.py), and the mirror. */
import type { Picture } from './picture.ts'

/** The colour of pixels that come from outside the picture. */
const fill = 128

/** Pixel (x, y) of the result is the one nearest to (a x + b y + c, d x + e y + f), or gray beyond the border. */
export function affine(
  { pixels, channels, height, width }: Picture,
  [a, b, c, d, e, f]: readonly [number, number, number, number, number, number],
): Picture {
  const area = height * width
  const moved = new Uint8Array(pixels.length).fill(fill)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [column, row] = [Math.round(a * x + b * y + c), Math.round(d * x + e * y + f)]
      if (column < 0 || column >= width || row < 0 || row >= height) continue
      const [to, from] = [y * width + x, row * width + column]
      for (let channel = 0; channel < channels; channel++) {
        moved[channel * area + to] = pixels[channel * area + from] ?? 0
      }
    }
  }
  return { pixels: moved, channels, height, width }
}

/** Rotated about the centre. */
export function rotate(picture: Picture, degrees: number): Picture {
  const angle = (degrees * Math.PI) / 180
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const [centerX, centerY] = [(picture.width - 1) / 2, (picture.height - 1) / 2]
  return affine(picture, [
    cos,
    -sin,
    centerX - cos * centerX + sin * centerY,
    sin,
    cos,
    centerY - sin * centerX - cos * centerY,
  ])
}

/** Row y moves by `level` y pixels. */
export const shearX = (picture: Picture, level: number): Picture => affine(picture, [1, level, 0, 0, 1, 0])
/** Column x moves by `level` x pixels. */
export const shearY = (picture: Picture, level: number): Picture => affine(picture, [1, 0, 0, level, 1, 0])
/** Moves left by this many pixels. */
export const translateX = (picture: Picture, pixels: number): Picture => affine(picture, [1, 0, pixels, 0, 1, 0])
/** Moves up by this many pixels. */
export const translateY = (picture: Picture, pixels: number): Picture => affine(picture, [1, 0, 0, 0, 1, pixels])

/** A gray square of half size `half` about (x, y), cut off at the border. */
export function cutout({ pixels, channels, height, width }: Picture, half: number, x: number, y: number): Picture {
  const cut = pixels.slice()
  for (let row = Math.max(0, y - half); row < Math.min(height, y + half); row++) {
    for (let channel = 0; channel < channels; channel++) {
      const start = (channel * height + row) * width
      cut.fill(fill, start + Math.max(0, x - half), start + Math.min(width, x + half))
    }
  }
  return { pixels: cut, channels, height, width }
}

/** Left and right exchanged. */
export function flipLeftRight(picture: Picture): Picture {
  const { pixels, width } = picture
  const mirrored = pixels.slice()
  for (let start = 0; start < mirrored.length; start += width) mirrored.subarray(start, start + width).reverse()
  return { ...picture, pixels: mirrored }
}
