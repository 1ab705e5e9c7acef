/** GPT-2's writing of bytes as visible characters, and its words (Radford et al. 2019, section 2.2). */

/** GPT-2's words: a contraction's end, letters, digits or other signs with the space before them, or white space. */
export const byteLevelWords =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu

/** A visible character for each byte: itself where it is one, else one from 256 on, in the order of the bytes. */
export const characterOfByte: readonly string[] = (() => {
  const isVisible = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255)
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isVisible(byte) ? byte : next++))
})()

/** The byte that a character stands for. */
export const byteOfCharacter: ReadonlyMap<string, number> = new Map(
  characterOfByte.map((character, byte) => [character, byte]),
)

const encoder = new TextEncoder()
const [space] = characterOfByte.slice(0x20)

/** A text as the characters of its UTF-8 bytes. */
export function byteCharacters(text: string): string {
  // Nearly all words are visible ASCII with a space in front.
  return text.replace(/[^!-~]+/g, (part) =>
    part === ' ' && space ? space : Array.from(encoder.encode(part), (byte) => characterOfByte[byte]).join(''),
  )
}

/** The bytes that characters stand for; undefined if one of them stands for none. */
export function bytesOfCharacters(text: string): number[] | undefined {
  const bytes: number[] = []
  for (const character of text) {
    const byte = byteOfCharacter.get(character)
    if (byte === undefined) return undefined
    bytes.push(byte)
  }
  return bytes
}
