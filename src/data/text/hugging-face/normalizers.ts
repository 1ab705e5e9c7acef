/** The normalizers of `tokenizer.json`, each by the rules of the Python library `tokenizers`. */
import { z } from 'zod'
import { byteCharacters } from './byte-characters.ts'
import { charsmapNormalizer } from './charsmap.ts'
import { type Makers, type Part, partOf, partsOf, patternOf, patternSetting, settingsOf } from './settings.ts'

/** A text as it is before it is cut. */
export type Normalizer = (text: string) => string

/** Each character by itself: JavaScript alone writes a sigma at the end of a word in another way. */
const lowercase: Normalizer = (text) => text.replaceAll('Σ', 'σ').toLowerCase()

/** Chinese characters by BERT's ranges, as the Python library has them. */
const chinese =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu

const cleanText: Normalizer = (text) =>
  text.replace(/(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\ufffd]/gu, '').replace(/\p{White_Space}/gu, ' ')

const bertSettings = z.object({
  clean_text: z.boolean(),
  handle_chinese_chars: z.boolean(),
  strip_accents: z.boolean().nullish(),
  lowercase: z.boolean(),
})

function bertNormalizer(settings: Part): Normalizer {
  const bert = settingsOf(bertSettings, settings, 'normalizer BertNormalizer:')
  return inTurn([
    ...(bert.clean_text ? [cleanText] : []),
    ...(bert.handle_chinese_chars ? [(text: string) => text.replace(chinese, ' $& ')] : []),
    ...((bert.strip_accents ?? bert.lowercase)
      ? [(text: string) => text.normalize('NFD').replace(/\p{Mn}/gu, '')]
      : []),
    ...(bert.lowercase ? [lowercase] : []),
  ])
}

/** The normalisation of machine translation: control characters go, other white space and invisible signs become spaces. */
const nmt: Normalizer = (text) =>
  text
    .replace(/(?![\0\t\n\f\r\u0080-\u008e\u0090-\u009e])\p{Cc}/gu, '')
    .replace(/[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g, ' ')

const replaceSettings = z.object({ pattern: patternSetting, content: z.string() })

function replace(settings: Part): Normalizer {
  const { pattern, content } = settingsOf(replaceSettings, settings, 'normalizer Replace:')
  const found = patternOf(pattern)
  // A function, since `$` means nothing in the content.
  return (text) => text.replace(found, () => content)
}

function strip(settings: Part): Normalizer {
  const sides = z.object({ strip_left: z.boolean(), strip_right: z.boolean() })
  const { strip_left, strip_right } = settingsOf(sides, settings, 'normalizer Strip:')
  return (text) => {
    const left = strip_left ? text.replace(/^\p{White_Space}+/u, '') : text
    return strip_right ? trimEnd(left) : left
  }
}

/** Without the white space at its end. A regular expression would look at each run of white space up to its end. */
function trimEnd(text: string): string {
  let end = text.length
  while (end > 0 && /\p{White_Space}/u.test(text.charAt(end - 1))) end--
  return text.slice(0, end)
}

function prepend(settings: Part): Normalizer {
  const { prepend: start } = settingsOf(z.object({ prepend: z.string() }), settings, 'normalizer Prepend:')
  return (text) => (text === '' ? '' : start + text)
}

/** `match`: our own mark of a table that came from a SentencePiece model; the Python library passes it over. */
const precompiledSettings = z.object({
  precompiled_charsmap: z.string().nullish(),
  match: z.literal('longest').optional(),
})

function precompiled(settings: Part): Normalizer {
  const { precompiled_charsmap: table, match } = settingsOf(precompiledSettings, settings, 'normalizer Precompiled:')
  return table ? charsmapNormalizer(table, match ?? 'graphemes') : (text) => text
}

const inTurn =
  (steps: readonly Normalizer[]): Normalizer =>
  (text) =>
    steps.reduce((result, step) => step(result), text)

const form = (name: 'NFC' | 'NFD' | 'NFKC' | 'NFKD') => (): Normalizer => (text) => text.normalize(name)

const makers: Makers<Normalizer> = new Map<string, (settings: Part) => Normalizer>([
  ['BertNormalizer', bertNormalizer],
  ['ByteLevel', () => byteCharacters],
  ['Lowercase', () => lowercase],
  ['NFC', form('NFC')],
  ['NFD', form('NFD')],
  ['NFKC', form('NFKC')],
  ['NFKD', form('NFKD')],
  ['Nmt', () => nmt],
  ['Precompiled', precompiled],
  ['Prepend', prepend],
  ['Replace', replace],
  ['Sequence', (settings) => inTurn(partsOf(makers, settings, 'normalizers', 'normalizer'))],
  ['Strip', strip],
  ['StripAccents', () => (text) => text.replace(/\p{M}/gu, '')],
])

/** The normalizer that the settings ask for. null: texts stay as they are. Throws a FormatError for wrong settings. */
export function normalizerOf(settings: unknown): Normalizer {
  return partOf(makers, settings, 'normalizer') ?? ((text) => text)
}
