/** Inception's random crop: a box of random size, shape and place, resized to the size that is trained on. */
import { UsageError } from '../../util/errors.ts'
import { deriveSeed, Generator } from '../../util/random.ts'
import type { BatchContext } from '../dataset.ts'
import type { Picture } from './picture.ts'

/** A part of a picture, in pixels. */
export interface Box {
  readonly top: number
  readonly left: number
  readonly height: number
  readonly width: number
}

export interface CropOptions {
  /** Least and greatest share of the picture's area. Default: 0.05 to 1, as in big_vision. */
  readonly area?: readonly [least: number, greatest: number]
  /** Least and greatest width / height. Default: 0.75 to 1.33. */
  readonly ratio?: readonly [least: number, greatest: number]
}

const attempts = 100

/** The random numbers of one use for one example: the same whenever it is drawn in that epoch of that run. */
export function exampleGenerator({ seed, epoch }: BatchContext, use: string, index: number): Generator {
  return new Generator(deriveSeed(seed, use, epoch, index))
}

/**
 * A random box as TensorFlow's sample_distorted_bounding_box draws it: ratio uniform, height uniform among those whose
 * area fits; the whole picture if 100 attempts find none.
 */
export function inceptionBox(height: number, width: number, random: Generator, options: CropOptions = {}): Box {
  const { area = [0.05, 1], ratio = [0.75, 1.33] } = options
  if (!(area[0] > 0 && area[0] <= area[1] && area[1] <= 1)) {
    throw new UsageError(`crop: shares of the area must be above 0, at most 1 and rising, found ${area.join(', ')}`)
  }
  const [least, most] = [area[0] * height * width, area[1] * height * width]
  for (let attempt = 0; attempt < attempts; attempt++) {
    const aspect = ratio[0] + (ratio[1] - ratio[0]) * (random.uniform(1)[0] ?? 0)
    const tallest = Math.min(height, Math.floor((width + 0.5) / aspect), Math.round(Math.sqrt(most / aspect)))
    const shortest = Math.max(1, Math.min(tallest, Math.round(Math.sqrt(least / aspect))))
    if (tallest < shortest) continue
    const tall = random.integers(shortest, tallest + 1, 1)[0] ?? 1
    const wide = Math.round(tall * aspect)
    const fits = wide >= 1 && wide <= width && tall * wide >= least && tall * wide <= most
    if (!fits) continue
    const top = random.integers(0, height - tall + 1, 1)[0] ?? 0
    return { top, left: random.integers(0, width - wide + 1, 1)[0] ?? 0, height: tall, width: wide }
  }
  return { top: 0, left: 0, height, width }
}

/** For each pixel of `size`, its two neighbours in a line of `length` pixels from `start` on, and the second's share. */
function neighbours(start: number, length: number, size: number): { low: number; high: number; share: number }[] {
  return Array.from({ length: size }, (_, i) => {
    const place = Math.min(Math.max(((i + 0.5) * length) / size - 0.5, 0), length - 1)
    const low = Math.floor(place)
    return { low: start + low, high: start + Math.min(low + 1, length - 1), share: place - low }
  })
}

/** The box of the picture as a picture of height x width: bilinear between pixel centres, without antialiasing. */
export function cropResized({ pixels, channels, ...from }: Picture, box: Box, height: number, width: number): Picture {
  const out = new Uint8Array(channels * height * width)
  const rows = neighbours(box.top, box.height, height)
  const columns = neighbours(box.left, box.width, width)
  let to = 0
  for (let channel = 0; channel < channels; channel++) {
    const plane = channel * from.height * from.width
    for (const row of rows) {
      const [upper, lower] = [plane + row.low * from.width, plane + row.high * from.width]
      for (const { low, high, share } of columns) {
        const top = (pixels[upper + low] ?? 0) * (1 - share) + (pixels[upper + high] ?? 0) * share
        const bottom = (pixels[lower + low] ?? 0) * (1 - share) + (pixels[lower + high] ?? 0) * share
        out[to++] = Math.round(top + (bottom - top) * row.share)
      }
    }
  }
  return { pixels: out, channels, height, width }
}
