/** The few bytes that formats begin with, as texts of one character a byte (ISO 8859-1). */

/** Bytes as a text. For a few: each is an argument of one call. */
export function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

/** Whether the bytes begin with a text. */
export function startsWith(bytes: Uint8Array, text: string): boolean {
  return latin1(bytes.subarray(0, text.length)) === text
}

/** Any number of bytes as a text of one character a byte: of formats that are ASCII but for names and comments. */
export function latin1Text(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes)
}

/** The bytes of a text of one character a byte. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
