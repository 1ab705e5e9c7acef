/** Encodings of one byte a character, for text that was read in the wrong one. */

/** The characters of the 256 bytes. Bytes that the encoding leaves open are the controls of that number. */
function charactersOf(label: string): readonly string[] {
  const decoded = [...new TextDecoder(label).decode(Uint8Array.from({ length: 256 }, (_, byte) => byte))]
  return decoded.map((character, byte) => (character === '\ufffd' ? String.fromCharCode(byte) : character))
}

const latin1 = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))

/** Windows' Western European encoding, which differs from Latin-1 in these 32. (Some versions of Node decode it as Latin-1.) */
const differing = [...'€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ']
export const windows1252: readonly string[] = [...latin1.slice(0, 0x80), ...differing, ...latin1.slice(0xa0)]

/** An encoding: each byte's character, and each character's byte. */
export interface SingleByte {
  readonly characters: readonly string[]
  readonly bytes: ReadonlyMap<string, number>
}

function encoding(characters: readonly string[]): SingleByte {
  return { characters, bytes: new Map(characters.map((character, byte) => [character, byte])) }
}

/** Those in which UTF-8 is most often misread, in the order in which they are tried. */
export const misreadings: readonly SingleByte[] = [
  encoding(latin1),
  encoding(windows1252),
  ...['windows-1251', 'windows-1250', 'windows-1253', 'windows-1254', 'windows-1257', 'iso-8859-2', 'macintosh'].map(
    (label) => encoding(charactersOf(label)),
  ),
]

/** The bytes of a text; undefined if it has other characters. */
export function encodeSingleByte(text: string, { bytes }: SingleByte): Uint8Array | undefined {
  const codes: number[] = []
  for (const character of text) {
    const byte = bytes.get(character)
    if (byte === undefined) return undefined
    codes.push(byte)
  }
  return Uint8Array.from(codes)
}
