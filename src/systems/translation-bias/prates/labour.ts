/** Translations beside labour statistics: the share of women in an occupation, and of "she" in its translations. */
import { pairedTest } from '../../../util/significance.ts'
import { meanOf } from '../../../util/vectors.ts'
import { histogram, pearsonCorrelation, variance } from '../measures/numbers.ts'

/** Shares of one occupation, from 0 to 1. */
export interface LabourShares {
  /** Female pronouns of all translations. */
  readonly translated: number
  /** Female pronouns of those with a male or female one. */
  readonly translatedOfGendered: number
  /** Women among the workers. */
  readonly workers: number
}

/** Means, spreads, correlation and histograms of the study's section 5. */
export function compareWithLabour(occupations: readonly LabourShares[], bins = 12) {
  const translated = occupations.map((shares) => shares.translated)
  const workers = occupations.map((shares) => shares.workers)
  const differences = translated.map((share, i) => share - (workers[i] ?? 0))
  const sum = differences.reduce((total, difference) => total + difference, 0)
  const squares = differences.reduce((total, difference) => total + difference ** 2, 0)
  return {
    mean: {
      translated: meanOf(translated),
      translatedOfGendered: meanOf(occupations.map((shares) => shares.translatedOfGendered)),
      workers: meanOf(workers),
    },
    variance: { translated: variance(translated), workers: variance(workers) },
    correlation: pearsonCorrelation(translated, workers),
    /** Student's t of the paired differences. */
    t: pairedTest(differences.length, sum, squares).t,
    histogram: { translated: histogram(translated, bins), workers: histogram(workers, bins) },
  }
}
