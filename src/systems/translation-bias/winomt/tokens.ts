/** Words and punctuation apart, as the tokenizers of spaCy (explosion/spaCy, version 3.8) do it for the gender rules. */
import { pythonRuns } from '../../../util/python-text.ts'
import { address, type TokenizedLanguage, type TokenRules, tokenRules } from './token-rules.ts'

/** A token, and whether it begins a chunk: what stands between white space. */
interface Piece {
  readonly text: string
  readonly begins: boolean
}

interface Tokenizer {
  readonly rules: TokenRules
  /** The exceptions that the other rules take apart, by what they make of them. */
  readonly broken: ReadonlyMap<string, string>
  /** The most tokens that an exception is broken into. */
  readonly longest: number
}

const tokenizers = new Map<TokenizedLanguage, Tokenizer>()

/**
 * Splits a text. White space is a token too, but for the first space of those behind a word: only what is more than the
 * one space between words counts.
 */
export function spacyTokens(text: string, language: TokenizedLanguage): string[] {
  const tokenizer = tokenizers.get(language) ?? tokenizerOf(language)
  tokenizers.set(language, tokenizer)
  const pieces = pythonRuns(text)
    .map((run, i) => (i > 0 && run.startsWith(' ') ? run.slice(1) : run))
    .flatMap((chunk) => chunkTokens(chunk, tokenizer.rules).map((token, i) => ({ text: token, begins: i === 0 })))
  return mend(pieces, tokenizer)
}

const keyOf = (tokens: readonly string[]): string => tokens.join(' ')

function tokenizerOf(language: TokenizedLanguage): Tokenizer {
  const rules = tokenRules(language)
  const without = { ...rules, exceptions: new Map() }
  const broken = [...rules.exceptions.keys()]
    .filter((text) => [rules.prefix, rules.suffix, rules.infix].some((rule) => text.search(rule) >= 0))
    .map((text) => [chunkTokens(text, without), text] as const)
  return {
    rules,
    broken: new Map(broken.map(([tokens, text]) => [keyOf(tokens), text])),
    longest: Math.max(...broken.map(([tokens]) => tokens.length)),
  }
}

/** Takes affixes off both ends of a chunk until there are none or an exception is left. */
function chunkTokens(chunk: string, rules: TokenRules): string[] {
  const { exceptions } = rules
  const [before, after]: [string[], string[]] = [[], []]
  let rest = chunk
  while (!exceptions.has(rest)) {
    const [prefix = ''] = rules.prefix.exec(rest) ?? []
    const unprefixed = rest.slice(prefix.length)
    const [suffix = ''] = rules.suffix.exec(unprefixed) ?? []
    const unsuffixed = rest.slice(0, rest.length - suffix.length)
    if (prefix === '' && suffix === '') break
    // Where one affix less is an exception, the other one is a part of it.
    const [front, back] = exceptions.has(unprefixed)
      ? [prefix, '']
      : exceptions.has(unsuffixed)
        ? ['', suffix]
        : [prefix, suffix]
    before.push(front)
    after.unshift(back)
    rest = rest.slice(front.length, rest.length - back.length)
  }
  return [...before, ...(exceptions.get(rest) ?? stemTokens(rest, rules)), ...after].filter((token) => token !== '')
}

/** Splits what has no affixes. */
function stemTokens(stem: string, { infix }: TokenRules): string[] {
  // Only for speed: most words have no full stop, which every address has, and matchAll compiles its pattern anew.
  if ((stem.includes('.') && address.test(stem)) || stem.search(infix) < 0) return [stem]
  const tokens: string[] = []
  let start = 0
  for (const { 0: text, index } of stem.matchAll(infix)) {
    if (index === 0) continue
    tokens.push(stem.slice(start, index), text)
    start = index + text.length
  }
  return [...tokens, stem.slice(start)]
}

/**
 * Puts exceptions together that were taken apart, such as a smiley behind a word. The longest come first. An exception
 * with white space inside is none, and still keeps others from its tokens.
 */
function mend(pieces: readonly Piece[], { rules, broken, longest }: Tokenizer): string[] {
  const texts = pieces.map(({ text }) => text)
  const mended: (readonly string[])[] = texts.map((text) => [text])
  const seen = new Set<number>()
  for (let length = longest; length >= 1; length--)
    for (let start = 0; start + length <= texts.length; start++) {
      const exception = broken.get(keyOf(texts.slice(start, start + length)))
      if (exception === undefined) continue
      const span = Array.from({ length }, (_, i) => start + i)
      const free = !seen.has(start) && !seen.has(start + length - 1)
      if (free && span.every((i) => i === start || !pieces[i]?.begins))
        for (const i of span) mended[i] = i === start ? (rules.exceptions.get(exception) ?? []) : []
      for (const i of span) seen.add(i)
    }
  return mended.flat()
}
