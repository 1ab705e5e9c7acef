/** Bytes to text: UTF-8 and nothing else, with help for what is in another encoding. */
import { FormatError } from '../../util/errors.ts'
import { pathArgument } from '../../util/shell.ts'
import { likelyEncoding } from './likely-encoding.ts'

/** UTF-8 to a string, a byte order mark left out. Throws a FormatError (naming `name`) with the place of the first wrong byte. */
export function decodeUtf8(bytes: Uint8Array, name: string): string {
  const mark = markOf(bytes)
  if (mark !== undefined) throw refuse(name, `the byte order mark of ${mark}`, mark)
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (!text.includes('\0')) return text
  } catch (error) {
    const place = firstInvalid(bytes)
    const [first = 0, ...rest] = bytes.subarray(place, place + 4)
    const isCutOff = first >= 0xc2 && first <= 0xf4 && place + characterLength(first) > bytes.length
    const found = `byte 0x${first.toString(16).padStart(2, '0')} at ${place}`
    // More than one byte of a character, or characters of several bytes before it: the text was cut off. One byte alone may be an accent.
    const isUtf8 = rest.length > 0 || bytes.subarray(0, place).some((byte) => byte >= 0x80)
    if (isCutOff && isUtf8 && rest.every((byte) => byte >= 0x80 && byte < 0xc0)) {
      throw new FormatError(`${name}: must be UTF-8, found ${found}, where it ends in the middle of a character`, {
        hint: 'it seems to be cut off',
        cause: error,
      })
    }
    throw refuse(name, found, likelyEncoding(bytes), error)
  }
  throw refuse(name, `byte 0x00 at ${bytes.indexOf(0)}`, likelyEncoding(bytes))
}

function refuse(name: string, found: string, encoding: string, cause?: unknown): FormatError {
  const command = (from: string): string => `iconv -f ${from} -t utf-8 ${pathArgument(name)} > NEW`
  const hints: Readonly<Record<string, string>> = {
    'no text': 'it does not seem to be text',
    unknown: `its encoding is not recognised; if you know it: ${command('ENCODING')}`,
  }
  return new FormatError(`${name}: must be UTF-8, found ${found}`, {
    hint: hints[encoding] ?? command(encoding),
    cause,
  })
}

/** The encodings whose mark differs from UTF-8's. */
function markOf(bytes: Uint8Array): 'utf-32' | 'utf-16' | undefined {
  const [a, b, c, d] = bytes
  if ((a === 0xff && b === 0xfe && c === 0 && d === 0) || (a === 0 && b === 0 && c === 0xfe && d === 0xff)) {
    return 'utf-32'
  }
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) ? 'utf-16' : undefined
}

/** Bytes that the first byte of a character announces. */
function characterLength(byte = 0): number {
  if (byte < 0x80) return 1
  if (byte < 0xe0) return 2
  return byte < 0xf0 ? 3 : 4
}

/** Where the first character starts that is not well formed (Unicode, table 3-7); the length if all are. */
function firstInvalid(bytes: Uint8Array): number {
  let place = 0
  while (place < bytes.length) {
    const first = bytes[place] ?? 0
    const length = characterLength(first)
    const second = bytes[place + 1] ?? 0
    const [low, high] = secondByte[first] ?? [0x80, 0xbf]
    const isWrongStart = length > 1 && (first < 0xc2 || first > 0xf4 || second < low || second > high)
    if (isWrongStart || place + length > bytes.length) return place
    for (let i = 2; i < length; i++) if (((bytes[place + i] ?? 0) & 0xc0) !== 0x80) return place
    place += length
  }
  return place
}

/** First bytes after which the second one has less room: no overlong forms, no surrogates, nothing above U+10FFFF. */
const secondByte: Readonly<Record<number, readonly [number, number]>> = {
  224: [0xa0, 0xbf],
  237: [0x80, 0x9f],
  240: [0x90, 0xbf],
  244: [0x80, 0x8f],
}
