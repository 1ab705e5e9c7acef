/** What a translator says of people whose proportions in the corpus are known: shares, amplification, calibration, quality. */
import { meanOf } from '../../../util/vectors.ts'
import { bleu } from '../measures/bleu.ts'
import { chrf } from '../measures/chrf.ts'

/** An answer to a sentence without gender: what is shown, one translation or several. */
export type Shown = readonly string[]

/** The share of "he" among the pronouns of what is shown: 1/2 where both are; undefined without any. */
export function shownShare(shown: Shown): number | undefined {
  const words = shown.flatMap((text) => text.split(' '))
  const [he, she] = ['he', 'she'].map((pronoun) => words.filter((word) => word === pronoun).length)
  return he === undefined || she === undefined || he + she === 0 ? undefined : he / (he + she)
}

/** One occupation: shares of "he". */
export interface NeuralShares {
  readonly occupation: string
  readonly count: number
  /** In the corpus. */
  readonly data: number
  /** Of the translator's probability of the two pronouns. */
  readonly learnt: number
  /** In what is shown; undefined where no pronoun is. */
  readonly shown: number | undefined
}

/** Means over the occupations. */
export interface NeuralSummary {
  /** Moved towards the pronoun that the data have more often. */
  readonly amplification: number
  /** Moved towards "he". */
  readonly maleShift: number
  /** Distance of the shares from those of the data, and from one half. */
  readonly distance: number
  readonly imbalance: number
  /** Share of the occupations that are shown with a pronoun. */
  readonly gendered: number
}

/** Means of `share` against the data; occupations without a share are left out, but of `gendered`. */
export function summarizeShares(
  shares: readonly NeuralShares[],
  share: (each: NeuralShares) => number | undefined,
): NeuralSummary {
  const found = shares.flatMap((each) => {
    const value = share(each)
    return value === undefined ? [] : [{ data: each.data, value }]
  })
  const over = (measure: (data: number, value: number) => number): number =>
    found.length === 0 ? 0 : meanOf(found.map(({ data, value }) => measure(data, value)))
  return {
    amplification: over((data, value) => (value - data) * Math.sign(data - 0.5)),
    maleShift: over((data, value) => value - data),
    distance: over((data, value) => Math.abs(value - data)),
    imbalance: over((_, value) => Math.abs(value - 0.5)),
    gendered: found.length / shares.length,
  }
}

/** p^(1/t) / (p^(1/t) + (1-p)^(1/t)): a share of two at another temperature. */
export function tempered(share: number, temperature: number): number {
  const odds = (share / (1 - share)) ** (1 / temperature)
  return Number.isFinite(odds) ? odds / (1 + odds) : 1
}

/** The mean -log probability of pronouns drawn as the data have them, weighted by how often the occupations occur. */
function pronounLoss(shares: readonly NeuralShares[], temperature = 1): number {
  const total = shares.reduce((sum, { count }) => sum + count, 0)
  const tiny = 1e-12
  const log = (p: number): number => Math.log(Math.max(p, tiny))
  return shares.reduce((sum, { count, data, learnt }) => {
    const p = tempered(learnt, temperature)
    return sum - (count / total) * (data * log(p) + (1 - data) * log(1 - p))
  }, 0)
}

/** The temperature at which the pronouns' loss is least, between 1/8 and 8, by golden section on its logarithm. */
export function calibratedTemperature(shares: readonly NeuralShares[]): number {
  const ratio = (Math.sqrt(5) - 1) / 2
  let [low, high] = [Math.log(1 / 8), Math.log(8)]
  for (let i = 0; i < 60; i++) {
    const [left, right] = [high - ratio * (high - low), low + ratio * (high - low)]
    if (pronounLoss(shares, Math.exp(left)) < pronounLoss(shares, Math.exp(right))) high = right
    else low = left
  }
  return Math.exp((low + high) / 2)
}

/** The expected calibration error: how far learnt shares are from the data's, weighted by how often the occupations occur. */
export function calibrationError(shares: readonly NeuralShares[], temperature = 1): number {
  const total = shares.reduce((sum, { count }) => sum + count, 0)
  return shares.reduce(
    (sum, { count, data, learnt }) => sum + (count / total) * Math.abs(tempered(learnt, temperature) - data),
    0,
  )
}

/** Quality of translations against the corpus's own: BLEU, chrF, and the share that is right but for the pronoun. */
export interface Quality {
  readonly bleu: number
  readonly chrf: number
  readonly withoutPronoun: number
}

const neutralized = (text: string): string =>
  text
    .replace(/\b(?:he|she|they)\b/g, 'P')
    .replace(/\bare\b/g, 'is')
    .replace(/\bwere\b/g, 'was')

/** Of the first translation that is shown. */
export function qualityOf(shown: readonly Shown[], references: readonly string[]): Quality {
  const first = shown.map(([text = '']) => text)
  const each = references.map((reference) => [reference])
  const same = first.filter((text, i) => neutralized(text) === neutralized(references[i] ?? '')).length
  return { bleu: bleu(first, each), chrf: chrf(first, each), withoutPronoun: same / references.length }
}
