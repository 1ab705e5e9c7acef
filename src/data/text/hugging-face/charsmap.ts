/**
 * SentencePiece's table of a normalisation (`precompiled_charsmap`): texts and what stands for each. It is a double array (Darts-clone)
 * of the texts' UTF-8 bytes, behind its size, whose values are places in the null-terminated texts that follow it.
 */
import { fromBase64 } from '../../../util/base64.ts'
import { FormatError } from '../../../util/errors.ts'
import { remembered } from '../remembered.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** A text of the table that stands somewhere: its bytes, and the place of its replacement. */
interface Rule {
  readonly length: number
  readonly value: number
}

/** The fields of a unit, by Darts-clone's layout of its bits. */
const hasLeaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1
const leafOf = (unit: number): number => unit & 0x7fffffff
const labelOf = (unit: number): number => (unit & 0x800000ff) >>> 0
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6)

/** Bytes of the character that a byte begins. */
const characterLength = (byte = 0): number => (byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4)

class Charsmap {
  readonly #units: Uint32Array
  readonly #texts: Uint8Array
  readonly #known = new Map<number, string>()

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const size = bytes.length < 4 ? 0 : view.getUint32(0, true)
    if (size === 0 || size % 4 > 0 || 4 + size > bytes.length) {
      throw new FormatError('precompiled_charsmap must be a table of SentencePiece, found damaged bytes')
    }
    this.#units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true))
    this.#texts = bytes.subarray(4 + size)
  }

  /** The longest text of the table (or the shortest) at a place of UTF-8 bytes. */
  find(bytes: Uint8Array, start: number, shortest = false): Rule | undefined {
    let place = offsetOf(this.#units[0] ?? 0)
    let found: Rule | undefined
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      place ^= byte
      const unit = this.#units[place]
      if (unit === undefined || byte === 0 || labelOf(unit) !== byte) break
      place ^= offsetOf(unit)
      if (!hasLeaf(unit)) continue
      found = { length: at + 1 - start, value: leafOf(this.#units[place] ?? 0) }
      if (shortest) break
    }
    return found
  }

  /** What stands for the text of a rule. */
  replacement({ value }: Rule): string {
    let text = this.#known.get(value)
    if (text === undefined) {
      const end = this.#texts.indexOf(0, value)
      text = decoder.decode(this.#texts.subarray(value, end < 0 ? undefined : end))
      this.#known.set(value, text)
    }
    return text
  }
}

/** SentencePiece's way: at each place the longest text of the table. */
function byLongest(table: Charsmap): (text: string) => string {
  return (text) => {
    const bytes = encoder.encode(text)
    let [result, kept, at] = ['', 0, 0]
    while (at < bytes.length) {
      const rule = table.find(bytes, at)
      if (rule) {
        result += decoder.decode(bytes.subarray(kept, at)) + table.replacement(rule)
        at += rule.length
        kept = at
      } else at += characterLength(bytes[at])
    }
    return kept === 0 ? text : result + decoder.decode(bytes.subarray(kept))
  }
}

/** Graphemes of more bytes are not looked up as one. */
const longestGrapheme = 5

/**
 * The way of the Python library `tokenizers`: what users see as one character, if it has at most 5 bytes, becomes what stands for the
 * shortest text of the table that it begins with, and the rest of it goes; else each of its characters by itself.
 */
function byGraphemes(table: Charsmap): (text: string) => string {
  const lookUp = (text: string): string | undefined => {
    const rule = table.find(encoder.encode(text), 0, true)
    return rule && table.replacement(rule)
  }
  const normal = remembered((grapheme: string): string => {
    const whole = encoder.encode(grapheme).length <= longestGrapheme ? lookUp(grapheme) : undefined
    return whole ?? [...grapheme].map((character) => lookUp(character) ?? character).join('')
  })
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
  return (text) =>
    text.replace(stretches, (part) =>
      part.length === 1 || part === '\r\n'
        ? normal(part)
        : Array.from(segmenter.segment(part), ({ segment }) => normal(segment)).join(''),
    )
}

/** Among ASCII characters only a line's end has two; a neighbour of other characters may be one with them. */
const stretches = /(?:[ -~]?\P{ASCII}+)+[ -~]?|\r\n|\p{ASCII}/gu

/**
 * The normalisation of a table in base64. `way`: how texts are looked up, by SentencePiece's longest match or by graphemes as the Python
 * library `tokenizers` does. Throws a FormatError for a damaged table.
 */
export function charsmapNormalizer(table: string, way: 'longest' | 'graphemes'): (text: string) => string {
  const charsmap = new Charsmap(bytesOf(table))
  return way === 'longest' ? byLongest(charsmap) : byGraphemes(charsmap)
}

function bytesOf(table: string): Uint8Array {
  try {
    return fromBase64(table)
  } catch (error) {
    throw new FormatError('precompiled_charsmap must be in base64', { cause: error })
  }
}
