/** The three causes apart: what the data say, what the translator has learnt, and what its output shows. */
import { meanOf } from '../../../util/vectors.ts'
import {
  bestCandidates,
  type ChannelOptions,
  ChannelTranslator,
  type OccupationCounts,
  posteriorShare,
} from './channel.ts'

/** One occupation: shares of "he". */
export interface OccupationShares {
  readonly occupation: string
  /** In the corpus. */
  readonly data: number
  /** Of the translator's probability: what sampling would reproduce. */
  readonly posterior: number
  /** In the most probable output: 0 or 1, or between for exact ties. */
  readonly argmax: number
  readonly best: string
  readonly ties: number
  readonly twoBest: readonly string[]
  /** Of the probability at other temperatures, by temperature. */
  readonly tempered: ReadonlyMap<number, number>
  /** The probability of the right occupation. */
  readonly occupationCorrect: number
}

/** The same over all occupations. `posterior`: learning alone; `argmax`: learning and output. */
export interface CauseSummary {
  readonly corpusShare: number
  /** Weighted by the occupations' counts. */
  readonly outputShare: Causes
  /** Mean share moved towards the pronoun that the data have more often: positive is amplified. */
  readonly amplification: Causes
  /** Mean of output share - data share of "he": positive is a male default. */
  readonly maleShift: Causes
  /** Mean distance of output share and data share. */
  readonly distance: Causes
}

/** A number without and with the choice of the most probable output. */
export interface Causes {
  readonly posterior: number
  readonly argmax: number
}

/** Trains the translator on the corpus, translates every occupation and measures each step. */
export function separateCauses(
  corpus: readonly OccupationCounts[],
  options: ChannelOptions & { readonly temperatures?: readonly number[] },
): {
  readonly translator: ChannelTranslator
  readonly shares: readonly OccupationShares[]
  readonly summary: CauseSummary
} {
  const translator = new ChannelTranslator(corpus, options)
  const shares = corpus.map(({ occupation, foreign, he, she }): OccupationShares => {
    const candidates = translator.candidates(foreign)
    const isHe = ({ pronoun }: { pronoun: string }): boolean => pronoun === 'he'
    const best = bestCandidates(candidates)
    return {
      occupation,
      data: he / (he + she),
      posterior: posteriorShare(candidates, isHe),
      argmax: best.filter(isHe).length / best.length,
      best: best[0]?.text ?? '',
      ties: best.length,
      twoBest: candidates.slice(0, 2).map(({ text }) => text),
      tempered: new Map((options.temperatures ?? []).map((t) => [t, posteriorShare(candidates, isHe, t)])),
      occupationCorrect: posteriorShare(candidates, (candidate) => candidate.occupation === occupation),
    }
  })
  return { translator, shares, summary: summarize(corpus, shares) }
}

function summarize(corpus: readonly OccupationCounts[], shares: readonly OccupationShares[]): CauseSummary {
  const sizes = corpus.map(({ he, she }) => he + she)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const weighted = (values: readonly number[]): number =>
    values.reduce((sum, value, i) => sum + value * (sizes[i] ?? 0), 0) / total
  const both = (measure: (output: readonly number[]) => number): Causes => ({
    posterior: measure(shares.map(({ posterior }) => posterior)),
    argmax: measure(shares.map(({ argmax }) => argmax)),
  })
  const data = shares.map((share) => share.data)
  const shifts = (output: readonly number[]): number[] => output.map((share, i) => share - (data[i] ?? 0))
  return {
    corpusShare: weighted(data),
    outputShare: both(weighted),
    // Where both pronouns are equally frequent there is no majority to move towards.
    amplification: both((output) => meanOf(shifts(output).map((shift, i) => shift * Math.sign((data[i] ?? 0) - 0.5)))),
    maleShift: both((output) => meanOf(shifts(output))),
    distance: both((output) => meanOf(shifts(output).map(Math.abs))),
  }
}
