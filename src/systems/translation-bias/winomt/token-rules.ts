/** What spaCy's German and Hebrew tokenizers split off and what they leave whole (explosion/spaCy, MIT licence). */
import { baseWhole, degrees } from './base-exceptions.ts'
import { germanAbbreviations, germanContractions, germanShortened } from './german-exceptions.ts'
import {
  currencies,
  icons,
  letter,
  lower,
  punctuation,
  quotes,
  quotesButApostrophe,
  units,
  upper,
} from './token-characters.ts'

export type TokenizedLanguage = 'de' | 'he'

export interface TokenRules {
  /** Finds what is split off in front of a chunk. */
  readonly prefix: RegExp
  /** Finds what is split off at the end of a chunk. */
  readonly suffix: RegExp
  /** Finds what is a token of its own inside a chunk. */
  readonly infix: RegExp
  /** Texts that no other rule splits, with their tokens. */
  readonly exceptions: ReadonlyMap<string, readonly string[]>
}

const ellipsis = '\\.\\.+|…'

const prefixes = `[§%=—–]|\\+(?![0-9])|${punctuation}|${ellipsis}|${quotes}|${currencies}|${icons}`

/** `beforeStop`: characters that a full stop is split from, besides those that both languages have. */
const suffixes = (beforeStop: string): string =>
  [
    `……|${punctuation}|${ellipsis}|${quotes}|${icons}`,
    `(?<=[0-9])(?:\\+|${currencies}|${units})`,
    // The "|" is a slip of spaCy's list.
    `(?<=°[FfCcKk]|[${beforeStop}${lower}%²\\-+\\|${punctuation}${quotes}]|${upper}{2})\\.`,
  ].join('|')

/** A pattern between two others, which are not part of what it finds. */
const between = (before: string, pattern: string, after: string): string => `(?<=${before})${pattern}(?=${after})`

const patterns: Readonly<Record<TokenizedLanguage, { prefix: string; suffix: string; infixes: readonly string[] }>> = {
  de: {
    prefix: `\`\`|${prefixes}`,
    suffix: `''|/|${suffixes('')}`,
    infixes: [
      between(lower, '\\.', upper),
      between(letter, '[,!?:<>=]', letter),
      between(`[0-9${letter}]`, '/', `[0-9${letter}]`),
      between(letter, `[${quotesButApostrophe}\\(\\)\\[\\]]`, letter),
      between(letter, '--', letter),
      between('[0-9]', '-', '[0-9]'),
    ],
  },
  he: {
    prefix: prefixes,
    suffix: `['’][sS]|[—–]|${suffixes('0-9')}`,
    infixes: [
      between('[0-9]', '[+\\-*^]', '[0-9\\-]'),
      between(`[${lower}${quotes}]`, '\\.', `[${upper}${quotes}]`),
      between(letter, '(?:,|-{1,3}|–|—|——|~)', letter),
      between(`[0-9${letter}]`, '[:<>=\\/]', letter),
    ],
  },
}

type Exception = readonly [text: string, tokens: readonly string[]]

const words = (texts: string): string[] => texts.trim().split(/\s+/)

/** Each text with its tokens, which begin where `start` matches. */
const parted = (texts: string, start: RegExp): Exception[] => words(texts).map((text) => [text, text.split(start)])

const whole = (texts: string): Exception[] => words(texts).map((text) => [text, [text]])

function exceptionsOf(language: TokenizedLanguage): TokenRules['exceptions'] {
  const base = [...whole(baseWhole), ...parted(degrees, /(?=[a-z.])/i)]
  if (language === 'he') return new Map(base)
  const german = [
    ...base,
    ...whole(`${germanAbbreviations} ${germanShortened}`),
    ...parted(germanContractions, /(?=')/),
  ]
  const curly = (text: string): string => text.replaceAll("'", '’')
  // Only German takes both apostrophes.
  return new Map([...german, ...german.map(([text, tokens]): Exception => [curly(text), tokens.map(curly)])])
}

/** The rules of a language. */
export function tokenRules(language: TokenizedLanguage): TokenRules {
  const { prefix, suffix, infixes } = patterns[language]
  return {
    prefix: new RegExp(`^(?:${prefix})`, 'v'),
    suffix: new RegExp(`(?:${suffix})$`, 'v'),
    infix: new RegExp([ellipsis, icons, ...infixes].join('|'), 'gv'),
    exceptions: exceptionsOf(language),
  }
}

const digit = '\\p{Nd}'
const numbers = (count: number): string => `(?:\\.${digit}{1,3}){${count}}`
const nameCharacter = 'A-Za-z0-9\u00a1-\uffff'

/**
 * Addresses of pages and mail, which stay whole. Words without a space behind the full stop are one too if the
 * last has small letters only: "er.sie".
 */
export const address = new RegExp(
  [
    `^(?:[\\p{L}\\p{N}_+\\-.]{2,}://)?(?:.+@)?(?:`,
    // Four numbers, but for those of private networks.
    `(?!(?:10|127)${numbers(3)}|(?:169\\.254|192\\.168)${numbers(2)}|172\\.(?:1[6-9]|2${digit}|3[01])${numbers(2)})`,
    `(?:[1-9]${digit}?|1${digit}{2}|2[01]${digit}|22[0-3])`,
    `(?:\\.(?:1?${digit}{1,2}|2[0-4]${digit}|25[0-5])){2}`,
    `\\.(?:[1-9]${digit}?|1${digit}{2}|2[0-4]${digit}|25[0-4])`,
    // Names.
    `|(?:(?:[${nameCharacter}][${nameCharacter}_\\-]{0,62})?[${nameCharacter}]\\.)+${lower}{2,63}`,
    `)(?::${digit}{2,5})?(?:[\\/?#].*)?$`,
  ].join(''),
  'sv',
)
