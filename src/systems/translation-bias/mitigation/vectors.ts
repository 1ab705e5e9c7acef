/** Word vectors without a gender direction (Bolukbasi et al. 2016), and the association test that measures it (Caliskan et al. 2017). */
import { symmetricEigen } from '../../../linalg/eigen.ts'
import { UsageError } from '../../../util/errors.ts'
import { dot, meanOf } from '../../../util/vectors.ts'
import { variance } from '../measures/numbers.ts'

export type WordVectors = ReadonlyMap<string, Float64Array>
export type WordPair = readonly [string, string]

const combined = (x: Float64Array, y: Float64Array, weight: number): Float64Array =>
  x.map((value, i) => value + weight * (y[i] ?? 0))
const unit = (x: Float64Array): Float64Array => {
  const length = Math.sqrt(dot(x, x))
  return x.map((value) => value / length)
}

/** x without its part along `direction`. */
const dropped = (x: Float64Array, direction: Float64Array): Float64Array =>
  combined(x, direction, -dot(x, direction) / dot(direction, direction))

function vectorOf(vectors: WordVectors, word: string): Float64Array {
  const vector = vectors.get(word)
  if (!vector) throw new UsageError(`there is no vector of "${word}"`)
  return vector
}

/** Vectors of length 1. */
export function normalized(vectors: WordVectors): Map<string, Float64Array> {
  return new Map([...vectors].map(([word, vector]) => [word, unit(vector)]))
}

/**
 * The gender direction: the first principal component of the words of the pairs, each without its pair's centre. Its sign: positive for
 * "he"; where "he" has no vector, for the first word of the first pair.
 */
export function genderDirection(vectors: WordVectors, pairs: readonly WordPair[]): Float64Array {
  const [first] = pairs
  if (!first) throw new UsageError('a gender direction needs a pair of words, found none')
  const width = vectorOf(vectors, first[0]).length
  // Both words of a pair are equally far from its centre, on opposite sides: one of them gives the same component.
  const halves = pairs.map(([a, b]) => combined(vectorOf(vectors, a), vectorOf(vectors, b), -1).map((x) => x / 2))
  const covariance = new Float64Array(width * width)
  for (const half of halves)
    for (let i = 0; i < width; i++)
      for (let j = 0; j < width; j++)
        covariance[i * width + j] = (covariance[i * width + j] ?? 0) + (half[i] ?? 0) * (half[j] ?? 0)
  const columns = symmetricEigen(covariance, width, true).vectors
  const direction = Float64Array.from({ length: width }, (_, i) => columns[i * width + width - 1] ?? 0)
  const positive = vectors.get('he') ?? vectorOf(vectors, first[0])
  return dot(positive, direction) < 0 ? direction.map((x) => -x) : direction
}

/** What hard debiasing needs to know of the words. */
export interface DebiasWords {
  readonly definitionalPairs: readonly WordPair[]
  /** Words that keep their gender. */
  readonly genderSpecific: readonly string[]
  /** Words that are to differ in gender only. */
  readonly equalizePairs: readonly WordPair[]
}

/**
 * Hard debiasing: neutralise every word that is not gender-specific, then equalise the pairs, so that both words have the same distance
 * from every neutral word. Pairs are looked for in lower case, with a capital and in capitals, as in the official code.
 */
export function hardDebias(vectors: WordVectors, words: DebiasWords): Map<string, Float64Array> {
  const start = normalized(vectors)
  const direction = genderDirection(start, words.definitionalPairs)
  const specific = new Set(words.genderSpecific)
  const neutral = normalized(
    new Map([...start].map(([word, vector]) => [word, specific.has(word) ? vector : dropped(vector, direction)])),
  )
  for (const pair of words.equalizePairs.flatMap(spellings)) {
    const [a, b] = pair.map((word) => neutral.get(word))
    if (!a || !b) continue
    const middle = dropped(
      combined(a, b, 1).map((x) => x / 2),
      direction,
    )
    const height = Math.sqrt(Math.max(0, 1 - dot(middle, middle)))
    const side = dot(combined(a, b, -1), direction) < 0 ? -height : height
    neutral.set(pair[0], combined(middle, direction, side))
    neutral.set(pair[1], combined(middle, direction, -side))
  }
  return normalized(neutral)
}

const spellings = ([a, b]: WordPair): WordPair[] => {
  const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase()
  const forms: WordPair[] = [
    [a.toLowerCase(), b.toLowerCase()],
    [capital(a), capital(b)],
    [a.toUpperCase(), b.toUpperCase()],
  ]
  const distinct = new Map(forms.map((form) => [form.join(' '), form]))
  return [...distinct.values()]
}

/** Words of the association test: targets x and y, attributes a and b. */
export interface AssociationWords {
  readonly x: readonly string[]
  readonly y: readonly string[]
  readonly a: readonly string[]
  readonly b: readonly string[]
}

/**
 * WEAT: s(w) = mean cos(w, a) - mean cos(w, b); the statistic is the sum of s over x minus that over y, the effect size the difference of
 * their means by the standard deviation (n - 1) of s over both.
 */
export function associationTest(
  vectors: WordVectors,
  words: AssociationWords,
): { statistic: number; effectSize: number } {
  const units = normalized(vectors)
  const cosines = (word: string, others: readonly string[]): number =>
    meanOf(others.map((other) => dot(vectorOf(units, word), vectorOf(units, other))))
  const association = (word: string): number => cosines(word, words.a) - cosines(word, words.b)
  const [x, y] = [words.x.map(association), words.y.map(association)]
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  return { statistic: sum(x) - sum(y), effectSize: (meanOf(x) - meanOf(y)) / Math.sqrt(variance([...x, ...y])) }
}
