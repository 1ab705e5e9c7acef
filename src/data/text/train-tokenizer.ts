/** Trains a vocabulary from text: WordPiece, BPE or unigram, as a standard `tokenizer.json`. */
import { optionsOf, requireCount, requireFlag, requireOneOf } from '../../util/check.ts'
import { UsageError } from '../../util/errors.ts'
import { learnMerges } from './pair-merging.ts'
import { specialTokens } from './special-tokens.ts'
import { TextTokenizer } from './tokenizer.ts'
import {
  bpeModel,
  continuation,
  type TokenizerKind,
  tokenizerFileOf,
  unigramModel,
  wordPieceModel,
  wordStart,
} from './tokenizer-file.ts'
import { eachText, type Texts } from './training-texts.ts'
import { learnUnigram } from './unigram.ts'

export interface TrainTokenizerOptions {
  /** Default: wordpiece. */
  readonly kind?: TokenizerKind
  /** Tokens in all, the 7 special ones included. */
  readonly size: number
  /** Lower-case letters without accents only. Default: true. */
  readonly lowercase?: boolean
  /**
   * Rarer characters beyond this number become <unk>. Default: 200, or as many as make up 99.95 % of the text (Chinese has thousands) while
   * a quarter of the vocabulary is left for longer tokens.
   */
  readonly alphabet?: number
}

const kinds: readonly TokenizerKind[] = ['wordpiece', 'bpe', 'unigram']

/** The options with what they are by default. Throws a UsageError for wrong ones. */
function checkedOptions(options: TrainTokenizerOptions) {
  const owner = 'trainTokenizer'
  optionsOf(owner, options, { kind: true, size: true, lowercase: true, alphabet: true }, UsageError)
  const { kind = 'wordpiece', size, lowercase = true, alphabet } = options ?? {}
  requireOneOf(owner, 'kind', kind, kinds, UsageError)
  requireCount(owner, 'size', size, specialTokens.length + 1, UsageError)
  requireFlag(owner, 'lowercase', lowercase, UsageError)
  if (alphabet !== undefined) requireCount(owner, 'alphabet', alphabet, 1, UsageError)
  return { kind, size, lowercase, alphabet }
}

/** Learns a vocabulary from texts. Throws a UsageError for wrong options, and if the size has no room for the characters. */
export function trainTokenizer(texts: Texts, options: TrainTokenizerOptions): TextTokenizer {
  const { kind, size, lowercase, alphabet } = checkedOptions(options)
  const empty = kind === 'unigram' ? unigramModel([[specialTokens[0], 0]]) : { ...wordPieceModel(specialTokens) }
  const splitter = new TextTokenizer(tokenizerFileOf(kind, lowercase, empty))
  const words = countWords(texts, splitter, kind)
  const room = size - specialTokens.length
  const counts = countCharacters(words)
  const characters = [...counts.keys()].slice(0, alphabet ?? alphabetSize(counts, words, kind, room))
  if (characters.length === 0) throw new UsageError('a tokenizer needs text to be trained on, found none')
  const model = kind === 'unigram' ? unigram(words, characters, room) : merging(kind, words, characters, room)
  const known = Object.keys(model.vocab as object).length
  if (known > size) {
    throw new UsageError(`a vocabulary of ${size} tokens has no room for the ${known} that the text needs at least`, {
      hint: 'take a larger size, or a smaller alphabet',
    })
  }
  return new TextTokenizer(tokenizerFileOf(kind, lowercase, model))
}

/**
 * The words of the texts and how often each occurs. Except for WordPiece a word is a run of letters, of digits or of other
 * characters, with the mark of the space before it: no token will reach from one into the other.
 */
function countWords(texts: Texts, splitter: TextTokenizer, kind: TokenizerKind): Map<string, number> {
  const counts = new Map<string, number>()
  const runs = new RegExp(
    `${wordStart}?(?:[\\p{L}\\p{M}]+|\\p{N}+|[^\\p{L}\\p{M}\\p{N}${wordStart}]+|$)|${wordStart}`,
    'gu',
  )
  for (const text of eachText('trainTokenizer', texts)) {
    const parts = splitter.parts(text)
    const words = kind === 'wordpiece' ? parts : parts.flatMap((part) => part.match(runs) ?? [])
    for (const word of words) if (word !== '') counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  // In alphabetical order, so that sums of floats do not depend on the order of the texts.
  return new Map([...counts].sort(([x], [y]) => (x < y ? -1 : 1)))
}

/** How often each character occurs, most frequent first. */
function countCharacters(words: ReadonlyMap<string, number>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const [word, times] of words) for (const c of word) counts.set(c, (counts.get(c) ?? 0) + times)
  return new Map([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)))
}

const leastAlphabet = 200
/** Share of a text that its alphabet makes up, as SentencePiece has it for Chinese and Japanese. */
const coverage = 0.9995

/** How many characters the alphabet has by default. */
function alphabetSize(
  counts: ReadonlyMap<string, number>,
  words: ReadonlyMap<string, number>,
  kind: TokenizerKind,
  room: number,
): number {
  const total = [...counts.values()].reduce((sum, times) => sum + times, 0)
  // In WordPiece a character that can also continue a word is two tokens.
  const inner = new Set(kind === 'wordpiece' ? [...words.keys()].flatMap((word) => [...word].slice(1)) : [])
  let [size, tokens, covered] = [0, 0, 0]
  for (const [character, times] of counts) {
    tokens += inner.has(character) ? 2 : 1
    if (covered >= coverage * total || tokens > (3 / 4) * room) break
    covered += times
    size++
  }
  return Math.max(leastAlphabet, size)
}

/** Words cut where a character is unknown: what is left of them is learned from. */
function knownParts(words: ReadonlyMap<string, number>, known: ReadonlySet<string>): Map<string, number> {
  const parts = new Map<string, number>()
  for (const [word, times] of words) {
    const marked = [...word].map((c) => (known.has(c) ? c : '\0')).join('')
    for (const part of marked.split('\0')) if (part !== '') parts.set(part, (parts.get(part) ?? 0) + times)
  }
  return new Map([...parts].sort(([x], [y]) => (x < y ? -1 : 1)))
}

/** BPE, and WordPiece by the same merges (as the library `tokenizers` trains it): characters, then what the merges make. */
function merging(
  kind: 'wordpiece' | 'bpe',
  words: ReadonlyMap<string, number>,
  characters: readonly string[],
  room: number,
): Record<string, unknown> {
  const known = new Set(characters)
  const wordPiece = kind === 'wordpiece'
  const cut = (word: string): string[] => [...word].map((c, i) => (wordPiece && i > 0 ? continuation + c : c))
  // A word of WordPiece with an unknown character is <unk> as a whole.
  const written = wordPiece
    ? [...words].filter(([word]) => [...word].every((c) => known.has(c)))
    : knownParts(words, known)
  const counted = [...written].map(([word, count]) => ({ tokens: cut(word), count }))
  const first = [...new Set([...characters, ...counted.flatMap(({ tokens }) => tokens)])].sort()
  const merges = learnMerges(counted, room - first.length, {
    join: (left, right) => left + (wordPiece ? right.slice(continuation.length) : right),
  })
  const tokens = [...new Set([...specialTokens, ...first, ...merges.map(({ merged }) => merged)])]
  return wordPiece
    ? wordPieceModel(tokens)
    : bpeModel(
        tokens,
        merges.map(({ left, right }) => [left, right]),
      )
}

function unigram(
  words: ReadonlyMap<string, number>,
  characters: readonly string[],
  room: number,
): Record<string, unknown> {
  const pieces = learnUnigram(knownParts(words, new Set(characters)), { size: room })
  const special = specialTokens.map((token): readonly [string, number] => [token, 0])
  return unigramModel([...special, ...pieces])
}
