/** Colour changes: the pointwise operations of RandAugment, and its filter (big_vision, pp/autoaugment.py). */
import { meanOf } from '../../util/vectors.ts'
import { lookUp, lookUpEach, type Picture, toByte } from './picture.ts'

function table(map: (value: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, value) => toByte(map(value)))
}

/** first + factor (second - first): 0 is the first, 1 the second, beyond 1 away from the first. */
function blend(first: Picture, second: Picture, factor: number): Picture {
  const pixels = second.pixels.map((value, i) => {
    const from = first.pixels[i] ?? 0
    return toByte(from + factor * (value - from))
  })
  return { ...second, pixels }
}

/** Each channel stretched, so that its least value becomes 0 and its greatest 255. */
export function autoContrast(picture: Picture): Picture {
  return lookUpEach(picture, (channel) => {
    let [low, high] = [255, 0]
    for (const value of channel) {
      if (value < low) low = value
      if (value > high) high = value
    }
    return high > low ? table((value) => ((value - low) * 255) / (high - low)) : undefined
  })
}

/** Each channel with its values spread so that all are about equally frequent (Pillow's ImageOps.equalize). */
export function equalize(picture: Picture): Picture {
  return lookUpEach(picture, (channel) => {
    const counts = new Uint32Array(256)
    for (const value of channel) counts[value] = (counts[value] ?? 0) + 1
    const last = counts.findLast((count) => count > 0) ?? 0
    const step = Math.floor((channel.length - last) / 255)
    if (step === 0) return undefined
    let below = 0
    return Uint8Array.from(counts, (count) => {
      const level = Math.floor((below + Math.floor(step / 2)) / step)
      below += count
      return Math.min(level, 255)
    })
  })
}

/** 255 - x. */
export function invert(picture: Picture): Picture {
  return lookUp(
    picture,
    table((value) => 255 - value),
  )
}

/** Keeps the upper `bits` bits: 0 is black, 8 and more change nothing. */
export function posterize(picture: Picture, bits: number): Picture {
  const mask = 0xff << Math.max(0, 8 - bits)
  return lookUp(
    picture,
    table((value) => value & mask & 0xff),
  )
}

/** Inverts what is not below the threshold. */
export function solarize(picture: Picture, threshold: number): Picture {
  return lookUp(
    picture,
    table((value) => (value < threshold ? value : 255 - value)),
  )
}

/** Adds to what is below the threshold. Default threshold: 128. */
export function solarizeAdd(picture: Picture, addition: number, threshold = 128): Picture {
  return lookUp(
    picture,
    table((value) => (value < threshold ? value + addition : value)),
  )
}

/** Brightness of each pixel, as TensorFlow's rgb_to_grayscale; a picture of one channel is its own. */
function luma({ pixels, channels, height, width }: Picture): Uint8Array {
  if (channels !== 3) return pixels.slice(0, height * width)
  const area = height * width
  return Uint8Array.from({ length: area }, (_, i) => {
    const [red = 0, green = 0, blue = 0] = [pixels[i], pixels[area + i], pixels[2 * area + i]]
    return toByte(((0.2989 * red + 0.587 * green + 0.114 * blue) / 255) * 255.5)
  })
}

/** Saturation: 0 is gray, 1 the picture. */
export function color(picture: Picture, factor: number): Picture {
  const gray = luma(picture)
  const pixels = new Uint8Array(picture.pixels.length)
  for (let c = 0; c < picture.channels; c++) pixels.set(gray, c * gray.length)
  return blend({ ...picture, pixels }, picture, factor)
}

/**
 * Distance from the mean brightness: 0 is one gray, 1 the picture. As Pillow has it; big_vision's code blends with a gray
 * of (pixels / 256) instead of the mean, by a slip in its use of the histogram.
 */
export function contrast(picture: Picture, factor: number): Picture {
  const gray = luma(picture)
  const mean = meanOf(gray)
  const level = Math.trunc(mean + 0.5)
  return lookUp(
    picture,
    table((value) => level + factor * (value - level)),
  )
}

/** 0 is black, 1 the picture. */
export function brightness(picture: Picture, factor: number): Picture {
  return lookUp(
    picture,
    table((value) => factor * value),
  )
}

/** 0 is smoothed by [1 1 1, 1 5 1, 1 1 1] / 13, 1 the picture; the outermost pixels stay. */
export function sharpness(picture: Picture, factor: number): Picture {
  const { pixels, channels, height, width } = picture
  const smooth = pixels.slice()
  for (let c = 0; c < channels; c++) {
    for (let y = 1; y < height - 1; y++) {
      for (let x = 1; x < width - 1; x++) {
        const center = (c * height + y) * width + x
        let sum = 4 * (pixels[center] ?? 0)
        for (const row of [center - width, center, center + width]) {
          sum += (pixels[row - 1] ?? 0) + (pixels[row] ?? 0) + (pixels[row + 1] ?? 0)
        }
        smooth[center] = toByte(sum / 13)
      }
    }
  }
  return blend({ ...picture, pixels: smooth }, picture, factor)
}
