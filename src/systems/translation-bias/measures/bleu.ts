/** BLEU (Papineni et al. 2002) as sacrebleu computes it: `nrefs:N|case:mixed|eff:no|tok:13a|smooth:exp`. */
import { UsageError } from '../../../util/errors.ts'
import { pythonWords } from '../../../util/python-text.ts'
import { ngramCounts, sharedCount, totalCount } from './ngrams.ts'

/** Longest n-grams. */
const maxOrder = 4

const entities: readonly (readonly [string, string])[] = [
  ['&quot;', '"'],
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
]

const separations: readonly (readonly [RegExp, string])[] = [
  // All ASCII punctuation but the apostrophe, the comma, the hyphen and the full stop.
  [/([{-~[-` -&(-+:-@/])/gu, ' $1 '],
  [/([^0-9])([.,])/gu, '$1 $2 '],
  [/([.,])([^0-9])/gu, ' $1 $2'],
  [/([0-9])(-)/gu, '$1 $2 '],
]

/** The words of a sentence as mteval-v13a separates them. */
export function tokenize13a(text: string): string[] {
  let line = text.trimEnd().replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ')
  for (const [entity, character] of entities) line = line.replaceAll(entity, character)
  line = ` ${line} `
  for (const [pattern, replacement] of separations) line = line.replace(pattern, replacement)
  return pythonWords(line)
}

/** What BLEU is made of, by the order of the n-grams. */
interface BleuStatistics {
  length: number
  referenceLength: number
  readonly correct: number[]
  readonly total: number[]
}

/** The length nearest to that of the translation; of two the shorter. */
function closestLength(length: number, references: readonly number[]): number {
  return references.reduce((best, each) => {
    const difference = Math.abs(length - each) - Math.abs(length - best)
    return difference < 0 || (difference === 0 && each < best) ? each : best
  })
}

/** Of several references each n-gram counts as often as in the one that has it most. */
function mostCounts(references: readonly (readonly string[])[], n: number): Map<string, number> {
  const most = new Map<string, number>()
  for (const words of references)
    for (const [ngram, count] of ngramCounts(words, n, ' ')) most.set(ngram, Math.max(most.get(ngram) ?? 0, count))
  return most
}

function addSentence(statistics: BleuStatistics, text: string, references: readonly string[]): void {
  const words = tokenize13a(text)
  const others = references.map(tokenize13a)
  statistics.length += words.length
  statistics.referenceLength += closestLength(
    words.length,
    others.map(({ length }) => length),
  )
  for (let n = 1; n <= maxOrder; n++) {
    const counts = ngramCounts(words, n, ' ')
    statistics.correct[n - 1] = (statistics.correct[n - 1] ?? 0) + sharedCount(counts, mostCounts(others, n))
    statistics.total[n - 1] = (statistics.total[n - 1] ?? 0) + totalCount(counts)
  }
}

/** brevity penalty * exp(mean log precision). An order without matches counts half of one, the next such a quarter, and so on. */
function scoreOf({ length, referenceLength, correct, total }: BleuStatistics, effectiveOrder: boolean): number {
  if (length === 0 || correct.every((count) => count === 0)) return 0
  const penalty = length < referenceLength ? Math.exp(1 - referenceLength / length) : 1
  let [smoothing, logs, orders] = [1, 0, 0]
  for (const [i, count] of total.entries()) {
    if (count === 0) break
    const matches = correct[i] ?? 0
    if (matches === 0) smoothing *= 2
    logs += Math.log(matches === 0 ? 1 / (smoothing * count) : matches / count)
    orders++
  }
  // Without n-grams of an order there is nothing to average, unless only the orders that exist count.
  if (!effectiveOrder && orders < maxOrder) return 0
  return 100 * penalty * Math.exp(logs / orders)
}

/** Throws a UsageError unless each translation has a reference. */
export function checkReferences(
  measure: string,
  translations: readonly string[],
  references: readonly (readonly string[])[],
): void {
  if (translations.length !== references.length)
    throw new UsageError(
      `${measure}: each of ${translations.length} translations must have references, found those of ${references.length}`,
    )
  const without = references.findIndex((own) => own.length === 0)
  if (without >= 0) throw new UsageError(`${measure}: translation ${without + 1} must have a reference, found none`)
}

/**
 * BLEU of a set of translations, from 0 to 100: translations [N], references [N][any number of each]. `effectiveOrder`: for single
 * sentences, which may be too short for 4-grams (sacrebleu's `sentence_bleu`). Default: false. Throws a UsageError without references.
 */
export function bleu(
  translations: readonly string[],
  references: readonly (readonly string[])[],
  { effectiveOrder = false } = {},
): number {
  checkReferences('BLEU', translations, references)
  const statistics: BleuStatistics = { length: 0, referenceLength: 0, correct: [0, 0, 0, 0], total: [0, 0, 0, 0] }
  for (const [i, text] of translations.entries()) addSentence(statistics, text, references[i] ?? [])
  return scoreOf(statistics, effectiveOrder)
}
