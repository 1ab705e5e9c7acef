/** chrF and chrF++ (Popović 2015, 2017) as sacrebleu computes them: `case:mixed|eff:yes|nc:6|nw:0 or 2|space:no`. */
import { pythonWords } from '../../../util/python-text.ts'
import { checkReferences } from './bleu.ts'
import { ngramCounts, sharedCount, totalCount } from './ngrams.ts'

const characterOrder = 6
/** Recall counts beta times as much as precision. */
const beta = 2

/** Of one order: n-grams of the translation, of the reference, and of both. */
type Matches = readonly [translation: number, reference: number, shared: number]

const isPunctuation = (character: string | undefined): boolean =>
  character !== undefined && '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'.includes(character)

/** One mark at an end of a word is a word of its own, at its end rather than at its start. */
function wordsAndMarks(text: string): string[] {
  return pythonWords(text).flatMap((word) => {
    const characters = [...word]
    if (characters.length === 1) return [word]
    if (isPunctuation(characters.at(-1))) return [characters.slice(0, -1).join(''), characters.at(-1) ?? '']
    return isPunctuation(characters[0]) ? [characters[0] ?? '', characters.slice(1).join('')] : [word]
  })
}

function ngramsOf(text: string, wordOrder: number): ReadonlyMap<string, number>[] {
  const characters = [...pythonWords(text).join('')]
  const words = wordsAndMarks(text)
  const orders = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)
  return [
    ...orders(characterOrder).map((n) => ngramCounts(characters, n, '')),
    ...orders(wordOrder).map((n) => ngramCounts(words, n, ' ')),
  ]
}

/** F_beta of the mean precision and the mean recall over the orders that both texts have. */
function fScore(matches: readonly Matches[]): number {
  const present = matches.filter(([translation, reference]) => translation > 0 && reference > 0)
  const sum = (part: (each: Matches) => number): number => present.reduce((total, each) => total + part(each), 0)
  const precision = sum(([translation, , shared]) => shared / translation) / present.length
  const recall = sum(([, reference, shared]) => shared / reference) / present.length
  if (present.length === 0 || precision + recall === 0) return 0
  return (100 * (1 + beta ** 2) * precision * recall) / (beta ** 2 * precision + recall)
}

function matchesOf(text: readonly ReadonlyMap<string, number>[], reference: readonly ReadonlyMap<string, number>[]) {
  return text.map((counts, i): Matches => {
    const others = reference[i] ?? new Map()
    // Of an order that the reference is too short for, nothing counts.
    return [others.size === 0 ? 0 : totalCount(counts), totalCount(others), sharedCount(counts, others)]
  })
}

/**
 * chrF of a set of translations, from 0 to 100: translations [N], references [N][any number of each], of which each sentence's best counts.
 * `wordOrder`: 2 for chrF++. Default: 0. Throws a UsageError without references.
 */
export function chrf(
  translations: readonly string[],
  references: readonly (readonly string[])[],
  { wordOrder = 0 } = {},
): number {
  checkReferences('chrF', translations, references)
  const sums: [number, number, number][] = Array.from({ length: characterOrder + wordOrder }, () => [0, 0, 0])
  for (const [i, text] of translations.entries()) {
    const own = ngramsOf(text, wordOrder)
    let best: readonly Matches[] = []
    let most = -1
    for (const reference of references[i] ?? []) {
      const matches = matchesOf(own, ngramsOf(reference, wordOrder))
      const score = fScore(matches)
      if (score > most) [best, most] = [matches, score]
    }
    for (const [order, [translation, reference, shared]] of best.entries()) {
      const sum = sums[order]
      if (!sum) continue
      sum[0] += translation
      sum[1] += reference
      sum[2] += shared
    }
  }
  return fScore(sums)
}
