import { encode } from 'fast-png'
import { toBase64 } from '../util/base64.ts'
import { ShapeError } from '../util/errors.ts'

/**
 * A PNG file of 8-bit pixels, `[height, width, channels]` row-major: gray (1 channel), RGB (3) or RGBA (4). Throws a
 * ShapeError unless the sizes are whole, positive, and those of the pixels.
 */
export function encodePng(pixels: Uint8Array, width: number, height: number, channels: 1 | 3 | 4): Uint8Array {
  const needed = width * height * channels
  if (![width, height].every((size) => Number.isSafeInteger(size) && size > 0) || pixels.length !== needed) {
    throw new ShapeError(
      `encodePng: ${width} x ${height} pixels of ${channels} bytes take ${needed}, found ${pixels.length} bytes`,
      { hint: 'pixels are [height, width, channels], one byte each' },
    )
  }
  return encode({ data: pixels, width, height, channels, depth: 8 })
}

/** Bytes as a URI that a page can hold inside itself; `mime` is their type, as `image/png`. */
export function dataUri(bytes: Uint8Array, mime: string): string {
  return `data:${mime};base64,${toBase64(bytes)}`
}
