/** Bytes as base64 and back, without the platform's own: Node has Buffer, browsers only recently `toBase64`. */

// `btoa` takes a text, whose characters are arguments of one call here: a multiple of 3, so that pieces can be joined.
const piece = 3 * 2 ** 12

/** Bytes as base64 (RFC 4648, with padding). */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += piece) {
    text += btoa(String.fromCharCode(...bytes.subarray(start, start + piece)))
  }
  return text
}

/** The bytes of a base64 text. Throws the platform's error for other texts. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
