/** Text as bytes, as the Long Range Arena reads it: id = byte + 1, 0 is padding, 257 ids. */

/** Ids of byte-level text. */
export const byteVocabularySize = 257

/** The first `maxLength` bytes of the UTF-8 text, plus 1; cut within a character if need be. Not padded. */
export function byteIds(text: string, maxLength: number): number[] {
  return Array.from(new TextEncoder().encode(text).subarray(0, maxLength), (byte) => byte + 1)
}
