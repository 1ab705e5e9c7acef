/** Guesses the encoding of a text that is not UTF-8. */

/** An encoding and the characters that are typical of its texts. */
interface Candidate {
  /** Its name for `TextDecoder`, and for iconv. */
  readonly label: string
  readonly name: string
  /** Its letters: nearly all that is neither ASCII nor punctuation. */
  readonly letters: RegExp
  /** Its most frequent letters, and the share of a text that they are at least. */
  readonly common: RegExp
  readonly share: number
  /** With fewer letters there is no evidence. Default: 4, since most bytes are letters in single-byte encodings. */
  readonly fewest?: number
  /** Whether a letter is several bytes: few other texts can be read so. Default: false. */
  readonly isWide?: boolean
}

const han = /[\u3005\u4e00-\u9fff]/gu
const cyrillic = { letters: /[\u0400-\u045f]/gu, common: /[оеаинтсрвлкмдпу]/gu, share: 0.5 }
const central = { letters: /[\u00c0-\u017f]/gu, common: /[ąęłóśżźćńáíéčšžřěýůúőűöü]/gu, share: 0.8 }
const kana = {
  letters: /[\u3005\u3040-\u30ff\u4e00-\u9fff\uff10-\uff5a]/gu,
  common: /[\u3040-\u30ff]/gu,
  share: 0.3,
  fewest: 2,
  isWide: true,
}

const candidates: readonly Candidate[] = [
  { label: 'shift_jis', name: 'cp932', ...kana },
  { label: 'euc-jp', name: 'euc-jp', ...kana },
  {
    label: 'euc-kr',
    name: 'cp949',
    letters: /[\uac00-\ud7a3]/gu,
    common: /[이다는에을의가고한하지로기은도사리서나어를아인니자시정해대일부수그보라요있]/gu,
    share: 0.35,
    fewest: 2,
    isWide: true,
  },
  {
    label: 'gb18030',
    name: 'gb18030',
    letters: han,
    common:
      /[的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日]/gu,
    share: 0.3,
    fewest: 2,
    isWide: true,
  },
  {
    label: 'big5',
    name: 'big5',
    letters: han,
    common:
      /[的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心本前開但因只從想實日]/gu,
    share: 0.3,
    fewest: 2,
    isWide: true,
  },
  { label: 'windows-1251', name: 'cp1251', ...cyrillic },
  { label: 'koi8-r', name: 'koi8-r', ...cyrillic },
  { label: 'ibm866', name: 'cp866', ...cyrillic },
  { label: 'iso-8859-5', name: 'iso-8859-5', ...cyrillic },
  { label: 'windows-1253', name: 'cp1253', letters: /[\u0384-\u03ce]/gu, common: /[αοιετσνηυρπκμλς]/gu, share: 0.5 },
  { label: 'windows-1255', name: 'cp1255', letters: /[\u05b0-\u05ea]/gu, common: /[יוהלאםרבתשמ]/gu, share: 0.5 },
  { label: 'windows-1256', name: 'cp1256', letters: /[\u0621-\u06d2]/gu, common: /[اليمنوتربعدهةسف]/gu, share: 0.5 },
  { label: 'windows-874', name: 'cp874', letters: /[\u0e01-\u0e5b]/gu, common: /[านรอกเงมย่ลวดทส้ีิต]/gu, share: 0.5 },
  { label: 'windows-1250', name: 'cp1250', ...central },
  { label: 'iso-8859-2', name: 'iso-8859-2', ...central },
]

const occurrences = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0

/** Whether the bytes can be a text in the encoding, and how likely: 1 or more for a usual text. */
function likelihood(bytes: Uint8Array, candidate: Candidate): { readonly isPossible: boolean; readonly score: number } {
  const { label, letters, common, share, fewest = 4 } = candidate
  let words: string
  try {
    // As a stream, since the last character may be cut off.
    const text = new TextDecoder(label, { fatal: true }).decode(bytes, { stream: true })
    words = text.replace(/[\s\p{P}\p{ASCII}]/gu, '')
  } catch {
    return { isPossible: false, score: 0 }
  }
  const total = [...words].length
  if (total < fewest || occurrences(words, letters) < 0.85 * total) return { isPossible: false, score: 0 }
  return { isPossible: true, score: occurrences(words, common) / total / share }
}

/** Below this a text is in none of the encoding's languages. */
const leastLikely = 0.5

/** Western letters from 0xc0 on, in Latin-1; two of that range are signs of arithmetic. */
const isWesternLetter = (byte: number): boolean => byte >= 0xc0 && byte !== 0xd7 && byte !== 0xf7

/** The signs of western texts (quotes, dashes, marks, the euro), and the letters that Windows adds, by their bytes in its encoding. */
const westernSigns = new Set([
  ...[0x80, 0x82, 0x84, 0x85, 0x8a, 0x8c, 0x8e, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x99, 0x9a, 0x9c, 0x9e, 0x9f],
  ...[0xa0, 0xa1, 0xa3, 0xa7, 0xa9, 0xab, 0xae, 0xb0, 0xb4, 0xb7, 0xbb, 0xbf],
])

/** Letters that Windows adds: the accents of the old Mac encoding have such bytes. */
const windowsLetters = new Set([0x83, 0x8a, 0x8c, 0x8e, 0x9a, 0x9c, 0x9e, 0x9f])

/** Bytes that Windows' western encoding leaves open; in Latin-1 they are control characters too, but defined. */
const openInWindows = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d])

/**
 * Latin-1 or Windows' western encoding, if the bytes are a text in it: accents are few and stand alone. "unknown" if nearly all would be
 * letters that are rare.
 */
function westernEncoding(bytes: Uint8Array): string | undefined {
  const isHigh = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x80
  const high = bytes.filter((byte) => byte >= 0x80)
  const runs = bytes.filter((byte, i) => isHigh(byte) && !isHigh(bytes[i - 1])).length
  if (high.length > 1.6 * runs) return undefined
  const western = high.filter((byte) => isWesternLetter(byte) || westernSigns.has(byte))
  if (western.length < 0.9 * high.length) return undefined
  const rare = high.filter((byte) => windowsLetters.has(byte)).length
  if (rare > high.filter(isWesternLetter).length) return 'unknown'
  const isWindows = high.some((byte) => byte < 0xa0) && !high.some((byte) => openInWindows.has(byte))
  return isWindows ? 'cp1252' : 'latin1'
}

/** How much of a long text is examined. */
const sample = 2 ** 16

/** The likely encoding of the bytes, by iconv's name. */
export function likelyEncoding(bytes: Uint8Array): string | 'unknown' | 'no text' {
  const start = bytes.subarray(0, sample)
  const share = (accept: (byte: number, i: number) => boolean): number => start.filter(accept).length / start.length
  if (share((byte) => byte === 0) > 0) {
    // English in UTF-16 without a mark: every other byte is 0.
    if (share((byte, i) => byte === 0 && i % 2 === 1) > 0.3) return 'utf-16le'
    return share((byte, i) => byte === 0 && i % 2 === 0) > 0.3 ? 'utf-16be' : 'no text'
  }
  if (share((byte) => byte < 0x09 || (byte > 0x0d && byte < 0x20 && byte !== 0x1b)) > 0.05) return 'no text'
  const western = westernEncoding(start)
  if (western !== undefined) return western
  const scores = candidates.map((candidate) => ({ ...candidate, ...likelihood(start, candidate) }))
  const best = scores.reduce((a, b) => (b.score > a.score ? b : a))
  // Letters of one byte can be read out of any bytes: where wide ones fit too, an unusual text in them says nothing.
  const isWeak = !best.isWide && best.score < 1 && scores.some(({ isWide, isPossible }) => isWide && isPossible)
  return best.score >= leastLikely && !isWeak ? best.name : 'unknown'
}
