/**
 * Resizing as Pillow does it, byte for byte: bicubic with antialiasing in whole numbers, rounded to bytes after each of the two passes
 * (horizontal first, as up to Pillow 12). Models that were trained on such pictures see a difference.
 */
import { UsageError } from '../util/errors.ts'

/** Kinds of pictures: black and white, grey, with transparency, colour, with transparency, four inks, numbers of a palette's colours. */
export type PillowMode = '1' | 'L' | 'LA' | 'RGB' | 'RGBA' | 'CMYK' | 'P'

/** A picture as Pillow holds it. */
export interface PillowImage {
  readonly mode: PillowMode
  readonly height: number
  readonly width: number
  /** [height, width, channels], row by row. Of mode 1, anything but 0 is white. */
  readonly data: Uint8Array
  /** Of mode P: red, green and blue of each colour. */
  readonly palette?: Uint8Array
}

const channelsOf: Readonly<Record<PillowMode, number>> = { 1: 1, L: 1, LA: 2, RGB: 3, RGBA: 4, CMYK: 4, P: 1 }

/** Weights are whole multiples of 2^-22. */
const precision = 2 ** 22

/** Keys' cubic with a = -1/2. */
function cubic(distance: number): number {
  const x = Math.abs(distance)
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1
  return x < 2 ? -0.5 * (((x - 5) * x + 8) * x - 4) : 0
}

/** What each pixel of a line of `to` pixels takes from one of `from`: the first place and the weights from there on. */
function taps(from: number, to: number): { readonly start: number; readonly weights: readonly number[] }[] {
  const scale = from / to
  const stretch = Math.max(1, scale)
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale
    const start = Math.max(0, Math.trunc(centre - 2 * stretch + 0.5))
    const end = Math.min(from, Math.trunc(centre + 2 * stretch + 0.5))
    const exact = Array.from({ length: end - start }, (_, j) => cubic((start + j - centre + 0.5) * (1 / stretch)))
    const total = exact.reduce((sum, weight) => sum + weight, 0)
    const weights = exact.map((weight) => {
      const scaled = (total === 0 ? weight : weight / total) * precision
      return Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5)
    })
    return { start, weights }
  })
}

/** Steps between neighbours of a line, and of all lines: data of `lines` lines of `from` places become lines of `to` places. */
interface Pass {
  readonly from: number
  readonly to: number
  readonly lines: number
  /** Whether places of a line are rows (a vertical pass) or columns. */
  readonly vertical: boolean
  readonly channels: number
}

function resampled(data: Uint8Array, { from, to, lines, vertical, channels }: Pass): Uint8Array {
  const out = new Uint8Array(to * lines * channels)
  const [step, lineStep] = vertical ? [lines * channels, channels] : [channels, from * channels]
  const [outStep, outLineStep] = vertical ? [lines * channels, channels] : [channels, to * channels]
  for (const [i, { start, weights }] of taps(from, to).entries()) {
    for (let line = 0; line < lines; line++) {
      for (let channel = 0; channel < channels; channel++) {
        let [sum, place] = [precision / 2, start * step + line * lineStep + channel]
        for (const weight of weights) {
          sum += weight * (data[place] ?? 0)
          place += step
        }
        const value = Math.floor(sum / precision)
        out[i * outStep + line * outLineStep + channel] = value < 0 ? 0 : value > 255 ? 255 : value
      }
    }
  }
  return out
}

/** The product of two bytes, 255 counting as 1. */
function byteProduct(a: number, b: number): number {
  const product = a * b + 128
  return (product + (product >> 8)) >> 8
}

/** Colours times transparency, in bytes; the last channel is the transparency. */
function premultiplied(data: Uint8Array, channels: number): Uint8Array {
  return data.map((value, i) => {
    const last = i % channels === channels - 1
    if (last) return value
    return byteProduct(value, data[i - (i % channels) + channels - 1] ?? 0)
  })
}

function unpremultiplied(data: Uint8Array, channels: number): Uint8Array {
  return data.map((value, i) => {
    const alpha = data[i - (i % channels) + channels - 1] ?? 0
    if (i % channels === channels - 1 || alpha === 0 || alpha === 255) return value
    return Math.min(255, Math.trunc((255 * value) / alpha))
  })
}

/**
 * `image.resize((width, height), BICUBIC)`: palettes and black and white by the nearest neighbour, transparency multiplied in and taken
 * out again.
 */
export function pillowResize(image: PillowImage, height: number, width: number): PillowImage {
  checkImage(image)
  if (height === image.height && width === image.width) return image
  if (image.mode === 'P' || image.mode === '1') return { ...image, height, width, data: nearest(image, height, width) }
  const channels = channelsOf[image.mode]
  const isTransparent = image.mode === 'LA' || image.mode === 'RGBA'
  const before = isTransparent ? premultiplied(image.data, channels) : image.data
  const wide =
    width === image.width
      ? before
      : resampled(before, { from: image.width, to: width, lines: image.height, vertical: false, channels })
  const both =
    height === image.height
      ? wide
      : resampled(wide, { from: image.height, to: height, lines: width, vertical: true, channels })
  return { ...image, height, width, data: isTransparent ? unpremultiplied(both, channels) : both }
}

/** The places of the nearest neighbours: Pillow adds the step up, so that rounding decides where a centre falls on an edge. */
function nearestPlaces(from: number, to: number): readonly number[] {
  const step = from / to
  let centre = step / 2
  return Array.from({ length: to }, () => {
    const place = Math.trunc(centre)
    centre += step
    return place
  })
}

function nearest({ data, ...from }: PillowImage, height: number, width: number): Uint8Array {
  const [rows, columns] = [nearestPlaces(from.height, height), nearestPlaces(from.width, width)]
  return Uint8Array.from(rows.flatMap((y) => columns.map((x) => data[y * from.width + x] ?? 0)))
}

/** `image.crop((left, top, left + width, top + height))`, within the picture. */
export function pillowCrop(image: PillowImage, top: number, left: number, height: number, width: number): PillowImage {
  const channels = channelsOf[image.mode]
  const data = new Uint8Array(height * width * channels)
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * image.width + left) * channels
    data.set(image.data.subarray(start, start + width * channels), y * width * channels)
  }
  return { ...image, height, width, data }
}

/** Red, green or blue (`c`) of a pixel with these channels. */
function colourOf({ mode, palette }: PillowImage, pixel: Uint8Array, c: number): number {
  const [first = 0, , , last = 0] = pixel
  if (mode === '1') return first === 0 ? 0 : 255
  if (mode === 'P') return palette?.[3 * first + c] ?? 0
  if (mode === 'L' || mode === 'LA') return first
  const value = pixel[c] ?? 0
  if (mode !== 'CMYK') return value
  // What black leaves of the light, without what the ink takes of that.
  const light = 255 - last
  return light - byteProduct(value, light)
}

/** `image.convert('RGB')`: transparency is dropped. */
export function pillowRgb(image: PillowImage): PillowImage {
  const { mode, height, width, data } = image
  const channels = channelsOf[mode]
  const out = new Uint8Array(height * width * 3)
  for (let i = 0; i < height * width; i++) {
    const pixel = data.subarray(i * channels, (i + 1) * channels)
    for (let c = 0; c < 3; c++) out[3 * i + c] = colourOf(image, pixel, c)
  }
  return { mode: 'RGB', height, width, data: out }
}

function checkImage({ mode, height, width, data, palette }: PillowImage): void {
  const count = height * width * channelsOf[mode]
  if (count === 0 || data.length !== count)
    throw new UsageError(`picture: ${mode} of ${height} x ${width} must have ${count} bytes, found ${data.length}`)
  if (mode === 'P' && !palette) throw new UsageError('picture: mode P needs a palette')
}
