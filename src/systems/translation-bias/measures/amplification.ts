/** How far an output is from the data that it was learnt from, or from a balance of genders. */
import { UsageError } from '../../../util/errors.ts'
import { meanOf } from '../../../util/vectors.ts'

/** Counts of each gender with one occupation: (male, female). */
export type GenderCounts = readonly [male: number, female: number]

/** b(o, g) = c(o, g) / sum over g of c(o, g). */
function shares([male, female]: GenderCounts): [male: number, female: number] {
  return [male / (male + female), female / (male + female)]
}

function paired<T>(
  training: readonly GenderCounts[],
  output: readonly GenderCounts[],
  measure: (training: readonly [number, number], output: readonly [number, number]) => T,
): T[] {
  if (training.length !== output.length)
    throw new UsageError(
      `training and output must have the same occupations, found ${training.length} and ${output.length} of them`,
    )
  return training.map((counts, i) => measure(shares(counts), shares(output[i] ?? [0, 0])))
}

/**
 * Bias amplification (Zhao et al. 2017, equations 2 and 3): the mean over the occupations of b_output - b_training, summed over the genders
 * that b_training > 1/2 holds for.
 */
export function biasAmplification(training: readonly GenderCounts[], output: readonly GenderCounts[]): number {
  return meanOf(
    paired(training, output, (before, after) =>
      before.reduce((sum, share, g) => (share > 0.5 ? sum + (after[g] ?? 0) - share : sum), 0),
    ),
  )
}

/** sum of p log(p / q), natural logarithm; 0 log 0 = 0. */
function divergence(p: readonly number[], q: readonly number[]): number {
  return p.reduce((sum, share, g) => (share === 0 ? sum : sum + share * Math.log(share / (q[g] ?? 0))), 0)
}

/** The mean Kullback-Leibler divergence of the output's shares from the data's. */
export function meanDivergence(training: readonly GenderCounts[], output: readonly GenderCounts[]): number {
  return meanOf(paired(training, output, (before, after) => divergence(after, before)))
}

/** The mean Jensen-Shannon divergence of the shares: of each from the mean of both. */
export function meanSymmetricDivergence(training: readonly GenderCounts[], output: readonly GenderCounts[]): number {
  return meanOf(
    paired(training, output, (before, after) => {
      const middle = before.map((share, g) => (share + (after[g] ?? 0)) / 2)
      return (divergence(before, middle) + divergence(after, middle)) / 2
    }),
  )
}
