/** Trains a vocabulary from text: WordPiece, BPE or unigram, as a standard `tokenizer.json`. */
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
import { learnUnigram } from './unigram.ts'

export interface TrainTokenizerOptions {
  /** Default: wordpiece. */
  readonly kind?: TokenizerKind
  /** Tokens in all, the 7 special ones included. */
  readonly size: number
  /** Lower-case letters without accents only. Default: true. */
  readonly lowercase?: boolean
  /** Rarer characters beyond this number become <unk>. Default: 200. */
  readonly alphabet?: number
}

/** Learns a vocabulary from texts. Throws a UsageError if the size has no room for the characters. */
export function trainTokenizer(texts: Iterable<string>, options: TrainTokenizerOptions): TextTokenizer {
  const { kind = 'wordpiece', size, lowercase = true, alphabet = 200 } = options
  const empty = kind === 'unigram' ? unigramModel([[specialTokens[0], 0]]) : { ...wordPieceModel(specialTokens) }
  const splitter = new TextTokenizer(tokenizerFileOf(kind, lowercase, empty))
  const words = countWords(texts, splitter, kind)
  const characters = frequentCharacters(words, alphabet)
  const room = size - specialTokens.length
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
function countWords(texts: Iterable<string>, splitter: TextTokenizer, kind: TokenizerKind): Map<string, number> {
  const counts = new Map<string, number>()
  const runs = new RegExp(
    `${wordStart}?(?:[\\p{L}\\p{M}]+|\\p{N}+|[^\\p{L}\\p{M}\\p{N}${wordStart}]+|$)|${wordStart}`,
    'gu',
  )
  for (const text of texts) {
    const parts = splitter.parts(text)
    const words = kind === 'wordpiece' ? parts : parts.flatMap((part) => part.match(runs) ?? [])
    for (const word of words) if (word !== '') counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  // In alphabetical order, so that sums of floats do not depend on the order of the texts.
  return new Map([...counts].sort(([x], [y]) => (x < y ? -1 : 1)))
}

/** The most frequent characters, at most `limit`. */
function frequentCharacters(words: ReadonlyMap<string, number>, limit: number): string[] {
  const counts = new Map<string, number>()
  for (const [word, times] of words) for (const c of word) counts.set(c, (counts.get(c) ?? 0) + times)
  return [...counts]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, limit)
    .map(([character]) => character)
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
  const counted = [...words]
    .filter(([word]) => [...word].every((c) => known.has(c)))
    .map(([word, count]) => ({ tokens: cut(word), count }))
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
  const known = new Set(characters)
  const written = new Map([...words].filter(([word]) => [...word].every((c) => known.has(c))))
  const pieces = learnUnigram(written, { size: room })
  const special = specialTokens.map((token): readonly [string, number] => [token, 0])
  return unigramModel([...special, ...pieces])
}
