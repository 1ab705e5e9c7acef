/** The pre-tokenizers of `tokenizer.json`, each by the rules of the Python library `tokenizers`. */
import { z } from 'zod'
import { byteCharacters, byteLevelWords } from './byte-characters.ts'
import { type Makers, type Part, partOf, partsOf, patternOf, patternSetting, settingsOf } from './settings.ts'
import { type Behavior, behaviors, splitBy } from './split.ts'

/** The parts of a normalised text that are tokens on their own. `isFirst`: whether it is the beginning of the whole text. */
export type PreTokenizer = (text: string, isFirst: boolean) => string[]

/** All that a pattern finds. */
const matches =
  (pattern: RegExp): PreTokenizer =>
  (text) =>
    text.match(pattern) ?? []

/** Rust's `\w` and punctuation. */
const word = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}'
const punctuation = '\\p{P}!-\\/:-@\\[-`\\{-~'

function byteLevel(settings: Part): PreTokenizer {
  const flags = z.object({ add_prefix_space: z.boolean().default(false), use_regex: z.boolean().default(true) })
  const { add_prefix_space, use_regex } = settingsOf(flags, settings, 'pre_tokenizer ByteLevel:')
  return (text) => {
    const started = add_prefix_space && !text.startsWith(' ') ? ` ${text}` : text
    return (use_regex ? (started.match(byteLevelWords) ?? []) : [started]).map(byteCharacters)
  }
}

const metaspaceSettings = z.object({
  replacement: z.string().min(1),
  prepend_scheme: z.enum(['always', 'first', 'never']).default('always'),
  add_prefix_space: z.boolean().optional(),
  split: z.boolean().default(true),
})

/** How spaces are written; the older `add_prefix_space: false` is the newer `never`. */
export function metaspaceOf(settings: Part, owner: string): { mark: string; prepend: string; split: boolean } {
  const { replacement, prepend_scheme, add_prefix_space, split } = settingsOf(metaspaceSettings, settings, owner)
  return { mark: replacement, prepend: add_prefix_space === false ? 'never' : prepend_scheme, split }
}

function metaspace(settings: Part): PreTokenizer {
  const { mark, prepend, split } = metaspaceOf(settings, 'pre_tokenizer Metaspace:')
  const words = (all: string): string[] =>
    all.split(mark).flatMap((word, i) => (i > 0 ? [mark + word] : word === '' ? [] : [word]))
  return (text, isFirst) => {
    const marked = text.replaceAll(' ', () => mark)
    const isPrepended = !marked.startsWith(mark) && (prepend === 'always' || (prepend === 'first' && isFirst))
    const all = isPrepended ? mark + marked : marked
    return split ? words(all) : [all]
  }
}

const behavior = z.enum(behaviors)
const splitSettings = z.object({ pattern: patternSetting, behavior, invert: z.boolean().default(false) })

function split(settings: Part): PreTokenizer {
  const { pattern, behavior, invert } = settingsOf(splitSettings, settings, 'pre_tokenizer Split:')
  return splitBy(patternOf(pattern), behavior, invert)
}

function punctuationApart(settings: Part): PreTokenizer {
  const checked = settingsOf(
    z.object({ behavior: behavior.default('Isolated') }),
    settings,
    'pre_tokenizer Punctuation:',
  )
  return splitBy(new RegExp(`[${punctuation}]`, 'gu'), checked.behavior)
}

function digits(settings: Part): PreTokenizer {
  const checked = settingsOf(z.object({ individual_digits: z.boolean() }), settings, 'pre_tokenizer Digits:')
  const behavior: Behavior = checked.individual_digits ? 'Isolated' : 'Contiguous'
  return splitBy(/\p{N}/gu, behavior)
}

function charDelimiterSplit(settings: Part): PreTokenizer {
  const checked = settingsOf(z.object({ delimiter: z.string() }), settings, 'pre_tokenizer CharDelimiterSplit:')
  return splitBy(patternOf({ String: checked.delimiter }), 'Removed')
}

function fixedLength(settings: Part): PreTokenizer {
  const whole = z.object({ length: z.int().min(1) })
  const { length } = settingsOf(whole, settings, 'pre_tokenizer FixedLength:')
  return matches(new RegExp(`[\\s\\S]{1,${length}}`, 'gu'))
}

function sequence(settings: Part): PreTokenizer {
  const steps = partsOf(makers, settings, 'pretokenizers', 'pre_tokenizer')
  return (text, isFirst) => {
    let [parts, isStart] = [[text], isFirst]
    for (const step of steps) {
      const [before = ''] = parts
      parts = parts.flatMap((part, i) => step(part, isStart && i === 0))
      // A step that takes the white space in front away leaves words that do not begin the text.
      isStart &&= parts[0] !== undefined && !isCutFrom(parts[0], before)
    }
    return parts
  }
}

/** Whether a part is a later part of the text that it was taken from. */
const isCutFrom = (part: string, text: string): boolean => !text.startsWith(part) && text.includes(part)

const makers: Makers<PreTokenizer> = new Map<string, (settings: Part) => PreTokenizer>([
  ['BertPreTokenizer', () => matches(new RegExp(`[^\\p{White_Space}${punctuation}]+|[${punctuation}]`, 'gu'))],
  ['ByteLevel', byteLevel],
  ['CharDelimiterSplit', charDelimiterSplit],
  ['Digits', digits],
  ['FixedLength', fixedLength],
  ['Metaspace', metaspace],
  ['Punctuation', punctuationApart],
  ['Sequence', sequence],
  ['Split', split],
  ['Whitespace', () => matches(new RegExp(`[${word}]+|[^${word}\\p{White_Space}]+`, 'gu'))],
  ['WhitespaceSplit', () => matches(/\P{White_Space}+/gu)],
])

/** The pre-tokenizer that the settings ask for. null: a text is one part. Throws a FormatError for wrong settings. */
export function preTokenizerOf(settings: unknown): PreTokenizer {
  return partOf(makers, settings, 'pre_tokenizer') ?? ((text) => [text])
}
