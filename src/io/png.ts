import { decode, encode } from 'fast-png'
import { toBase64 } from '../util/base64.ts'
import { FormatError, ShapeError } from '../util/errors.ts'

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

/** The pixels of a PNG file as `encodePng` writes them, gray or RGB. Throws a FormatError (naming `name`) for any other. */
export function decodePng(
  bytes: Uint8Array,
  name: string,
): { readonly pixels: Uint8Array; readonly width: number; readonly height: number; readonly channels: 1 | 3 } {
  let found: ReturnType<typeof decode>
  try {
    found = decode(bytes, { checkCrc: true })
  } catch (error) {
    throw new FormatError(`${name}: must be a PNG file`, { cause: error })
  }
  const { data, width, height, channels, depth } = found
  if (depth !== 8 || (channels !== 1 && channels !== 3) || !(data instanceof Uint8Array)) {
    throw new FormatError(`${name}: must have 1 or 3 channels of 8 bits, found ${channels} of ${depth}`)
  }
  return { pixels: data, width, height, channels }
}

/** Bytes as a URI that a page can hold inside itself; `mime` is their type, as `image/png`. */
export function dataUri(bytes: Uint8Array, mime: string): string {
  return `data:${mime};base64,${toBase64(bytes)}`
}
