/** Texts of one byte a character among bytes: what formats begin with. */

/** Whether the bytes begin with a text. */
export function startsWith(bytes: Uint8Array, text: string): boolean {
  return indexOfText(bytes.subarray(0, text.length), text) === 0
}

/** Where a text stands first; -1 if nowhere. */
export function indexOfText(bytes: Uint8Array, text: string): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(text, 0, 'latin1')
}
