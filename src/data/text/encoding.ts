/** Bytes to text: UTF-8 and nothing else, with help for what is in another encoding. */
import { FormatError } from '../../util/errors.ts'
import { shellQuoted } from '../../util/shell.ts'

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
    // More than a first byte is no accident.
    if (isCutOff && rest.length > 0 && rest.every((byte) => byte >= 0x80 && byte < 0xc0)) {
      throw new FormatError(`${name}: must be UTF-8, found ${found}, where it ends within a character`, {
        hint: 'it seems to be cut off',
        cause: error,
      })
    }
    throw refuse(name, found, encodingOf(bytes), error)
  }
  throw refuse(name, `byte 0x00 at ${bytes.indexOf(0)}`, encodingOf(bytes))
}

function refuse(name: string, found: string, encoding: string | undefined, cause?: unknown): FormatError {
  const hint =
    encoding === undefined ? 'it seems to be no text' : `iconv -f ${encoding} -t utf-8 ${shellQuoted(name)} > NEW`
  return new FormatError(`${name}: must be UTF-8, found ${found}`, { hint, cause })
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

/** Bytes that Windows' western encoding leaves open; in Latin-1 they are control characters too, but defined. */
const openInWindows = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d])

/** What the bytes are likely to be, in iconv's words; undefined if they are no text. */
function encodingOf(bytes: Uint8Array): string | undefined {
  const start = bytes.subarray(0, 2 ** 16)
  const share = (accept: (byte: number, i: number) => boolean): number => start.filter(accept).length / start.length
  if (share((byte) => byte === 0) > 0) {
    // English in UTF-16 without a mark: every other byte is 0.
    if (share((byte, i) => byte === 0 && i % 2 === 1) > 0.3) return 'utf-16le'
    return share((byte, i) => byte === 0 && i % 2 === 0) > 0.3 ? 'utf-16be' : undefined
  }
  // Of Latin letters fewer have accents.
  const isLetter = (byte: number): boolean => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a
  if (share((byte) => byte >= 0x80) > share((byte) => byte < 0x80 && isLetter(byte))) return distantEncoding(bytes)
  const isWindows = bytes.some((byte) => byte >= 0x80 && byte < 0xa0) && !bytes.some((byte) => openInWindows.has(byte))
  return isWindows ? 'cp1252' : 'latin1'
}

/** Encodings of scripts other than Latin, by iconv's name for each, with letters that are `share` of a text at least. */
const distant = [
  { label: 'shift_jis', name: 'cp932', letters: /[\u3040-\u30ff]/g, share: 0.3 },
  { label: 'euc-kr', name: 'cp949', letters: /[\uac00-\ud7a3]/g, share: 1 },
  { label: 'gb18030', name: 'gb18030', letters: /[\u4e00-\u9fff]/g, share: 1 },
  { label: 'big5', name: 'big5', letters: /[\u4e00-\u9fff]/g, share: 1 },
  { label: 'windows-1251', name: 'cp1251', letters: /[\u0430-\u044f]/g, share: 1 },
] as const

/** The encoding in which the bytes are valid and have most of its own letters; of equals, the one that fewer texts are valid in. */
function distantEncoding(bytes: Uint8Array): string {
  const scores = distant.map(({ label, name, letters, share }) => {
    try {
      const words = new TextDecoder(label, { fatal: true }).decode(bytes).replace(/[\s\p{P}\w]/gu, '')
      return { name, score: Math.min(1, (words.match(letters)?.length ?? 0) / words.length / share) }
    } catch {
      return { name, score: -1 }
    }
  })
  const best = scores.reduce((a, b) => (b.score > a.score ? b : a))
  return best.score > 0 ? best.name : 'latin1'
}
