/** IBM Models 1 and 2 (Brown et al. 1993): word translation probabilities t(f|e) from sentence pairs, by expectation maximisation. */
import { requireCount } from '../../../util/check.ts'

/** The empty word, position 0 of every sentence e: what nothing in e explains comes from it. */
export const nullWord = '<NULL>'

/** A sentence f and its translation e, as the channel model has it: f is explained word by word by e. */
export interface SentencePair {
  readonly f: readonly string[]
  readonly e: readonly string[]
  /** How often the pair is in the corpus. Default 1. */
  readonly count?: number
}

/** t(f|e). A pair that never met in a sentence keeps its initial probability, as in NLTK. */
export class TranslationTable {
  readonly #rows: Map<string, Map<string, number>>
  readonly #unseen: number

  constructor(unseen: number, rows = new Map<string, Map<string, number>>()) {
    this.#unseen = unseen
    this.#rows = rows
  }

  /** The same table with another probability for pairs that never met. */
  withUnseen(probability: number): TranslationTable {
    return new TranslationTable(probability, this.#rows)
  }

  get(f: string, e: string): number {
    return this.#rows.get(f)?.get(e) ?? this.#unseen
  }

  set(f: string, e: string, probability: number): void {
    const row = this.#rows.get(f) ?? new Map<string, number>()
    row.set(e, probability)
    this.#rows.set(f, row)
  }

  /** The pairs that were trained, by f. */
  *entries(): Generator<readonly [f: string, e: string, probability: number]> {
    for (const [f, row] of this.#rows) for (const [e, probability] of row) yield [f, e, probability]
  }
}

/** a(i|j, l, m): of position i = 0..l in e (0 = NULL) given position j = 1..m in f, by "l m j". */
export type AlignmentTable = Map<string, Float64Array>

/** How Models 1 and 2 are trained. */
export interface IbmOptions {
  readonly iterations: number
  /** No probability falls below it. NLTK: 1e-12. Default 0. */
  readonly floor?: number
  /**
   * A word that is several times in f shares one normalisation, so that its occurrences count as one together, as in NLTK.
   * Default false: each position is normalised by itself, as the paper says.
   */
  readonly poolRepeats?: boolean
}

/** A trained model: Model 1 has no alignment table (all positions are equally probable). */
export interface IbmModel {
  readonly t: TranslationTable
  readonly a?: AlignmentTable
}

const positionKey = (l: number, m: number, j: number): string => `${l} ${m} ${j}`

/** t(f_j|e_i) a(i|j, l, m) for i = 0..l; Model 1 leaves a out, which is the same everywhere. */
function linkWeights({ t, a }: IbmModel, f: readonly string[], e: readonly string[], j: number): number[] {
  const position = a?.get(positionKey(e.length, f.length, j))
  return [nullWord, ...e].map((word, i) => t.get(f[j - 1] ?? '', word) * (position?.[i] ?? 1))
}

/** One step: expected counts of all links under the model, and the model that makes them most probable. */
function emStep(pairs: readonly SentencePair[], model: IbmModel, options: IbmOptions): IbmModel {
  const { floor = 0, poolRepeats = false } = options
  const counts = new Map<string, Map<string, number>>() // e -> f
  const places: AlignmentTable = new Map()
  // Added up link by link, as in NLTK: sums in another order round differently, and equal probabilities would not be equal.
  const [countsOf, placesOf] = [new Map<string, number>(), new Map<string, number>()]
  for (const { f, e, count = 1 } of pairs) {
    const weights = f.map((_, j) => linkWeights(model, f, e, j + 1))
    const totals = new Map<string | number, number>()
    const owner = (j: number): string | number => (poolRepeats ? (f[j] ?? '') : j)
    for (const [j, row] of weights.entries())
      totals.set(
        owner(j),
        row.reduce((sum, weight) => sum + weight, totals.get(owner(j)) ?? 0),
      )
    for (const [j, row] of weights.entries()) {
      const key = positionKey(e.length, f.length, j + 1)
      const place = places.get(key) ?? new Float64Array(e.length + 1)
      places.set(key, place)
      for (const [i, weight] of row.entries()) {
        const expected = (count * weight) / (totals.get(owner(j)) ?? 1)
        const word = i === 0 ? nullWord : (e[i - 1] ?? '')
        const column = counts.get(word) ?? new Map<string, number>()
        counts.set(word, column.set(f[j] ?? '', (column.get(f[j] ?? '') ?? 0) + expected))
        countsOf.set(word, (countsOf.get(word) ?? 0) + expected)
        place[i] = (place[i] ?? 0) + expected
        placesOf.set(key, (placesOf.get(key) ?? 0) + expected)
      }
    }
  }
  for (const [e, column] of counts) {
    const total = countsOf.get(e) ?? 1
    for (const [f, expected] of column) model.t.set(f, e, Math.max(expected / total, floor))
  }
  if (!model.a) return model
  for (const [key, place] of places) {
    const total = placesOf.get(key) ?? 1
    for (const [i, expected] of place.entries()) place[i] = Math.max(expected / total, floor)
  }
  return { t: model.t, a: places }
}

/** Model 1: every alignment is equally probable. Starts from t = 1 / |vocabulary of f|, with which no iterations leave it. */
export function trainModel1(pairs: readonly SentencePair[], options: IbmOptions): IbmModel {
  requireCount('trainModel1', 'iterations', options.iterations)
  const vocabulary = new Set(pairs.flatMap(({ f }) => f))
  const start = 1 / vocabulary.size
  let model: IbmModel = { t: new TranslationTable(start) }
  for (const { f, e } of pairs)
    for (const word of f) for (const from of [nullWord, ...e]) model.t.set(word, from, start)
  for (let n = 0; n < options.iterations; n++) model = emStep(pairs, model, options)
  return model
}

/** Model 2: the position counts too. Starts from Model 1 after `model1Iterations` (NLTK: twice as many) and uniform positions. */
export function trainModel2(
  pairs: readonly SentencePair[],
  options: IbmOptions & { readonly model1Iterations?: number },
): IbmModel {
  const { iterations, model1Iterations = 2 * iterations } = options
  const { t } = trainModel1(pairs, { ...options, iterations: model1Iterations })
  const a: AlignmentTable = new Map()
  for (const { f, e } of pairs)
    for (const [j] of f.entries())
      a.set(positionKey(e.length, f.length, j + 1), new Float64Array(e.length + 1).fill(1 / (e.length + 1)))
  let model: IbmModel = { t, a }
  for (let n = 0; n < iterations; n++) model = emStep(pairs, model, options)
  return model
}

/** a(i|j, l, m) as rows j = 1..m of columns i = 0..l, by "l m"; none for Model 1. */
export function positionRows({ a = new Map() }: IbmModel, l: number, m: number): number[][] {
  return Array.from({ length: m }, (_, j) => [...(a.get(positionKey(l, m, j + 1)) ?? [])])
}

/** The best link of each word of f: a position in e from 0, or undefined for NULL. Of equal ones the last, as in NLTK. */
export function bestLinks(model: IbmModel, { f, e }: SentencePair, floor = 0): (number | undefined)[] {
  return f.map((_, j) => {
    const [nothing = 0, ...weights] = linkWeights(model, f, e, j + 1)
    let [best, link] = [Math.max(nothing, floor), undefined as number | undefined]
    for (const [i, weight] of weights.entries()) if (weight >= best) [best, link] = [weight, i]
    return link
  })
}

/** log p(f|e) of Model 1: log of (l + 1)^-m prod_j sum_i t(f_j|e_i); -Infinity where a word of f cannot come from e. */
export function logProbability1(t: TranslationTable, { f, e }: SentencePair): number {
  let sum = -f.length * Math.log(e.length + 1)
  for (const [j] of f.entries())
    sum += Math.log(linkWeights({ t }, f, e, j + 1).reduce((total, weight) => total + weight, 0))
  return sum
}
