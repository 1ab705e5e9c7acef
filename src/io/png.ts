import { encode } from 'fast-png'

/** A PNG file of 8-bit pixels, row by row: gray (1 channel), RGB (3) or RGBA (4). */
export function encodePng(pixels: Uint8Array, width: number, height: number, channels: 1 | 3 | 4): Uint8Array {
  return encode({ data: pixels, width, height, channels, depth: 8 })
}

/** Bytes as a URI that a page can hold inside itself. */
export function dataUri(bytes: Uint8Array, mime: string): string {
  return `data:${mime};base64,${Buffer.from(bytes).toString('base64')}`
}
