/**
 * The smallest statistical translator that can be biased: a noisy channel (Brown et al. 1993) on sentences "ő egy orvos" -> "he|she is a
 * doctor" with known proportions, so that what the data, the learning and the output add can be told apart.
 */
import { requirePositive } from '../../../util/check.ts'
import { UsageError } from '../../../util/errors.ts'
import { logProbability1, type TranslationTable, trainModel1 } from './ibm.ts'
import { NgramModel } from './ngram.ts'

/** An occupation of the corpus: its word in both languages and how often each pronoun stands with it. */
export interface OccupationCounts {
  readonly occupation: string
  readonly foreign: string
  readonly he: number
  readonly she: number
}

/** How the translator is trained and weighted. */
export interface ChannelOptions {
  /** Words that the language model sees at once: 2 never sees pronoun and occupation together, 5 sees the whole sentence. */
  readonly order: number
  /** What is added to every count of the language model. */
  readonly addK: number
  readonly iterations: number
  /** Log-linear weights of the language model and of the translation model. Default 1. */
  readonly languageWeight?: number
  readonly translationWeight?: number
}

/** A translation with its score. */
export interface Candidate {
  readonly pronoun: 'he' | 'she'
  readonly occupation: string
  readonly text: string
  readonly score: number
}

const english = (pronoun: string, occupation: string): string[] => [pronoun, 'is', 'a', ...occupation.split(' ')]
const foreignSentence = (foreign: string): string[] => ['ő', 'egy', ...foreign.split(' ')]

/** A trained translator. */
export class ChannelTranslator {
  readonly table: TranslationTable
  readonly language: NgramModel
  readonly #words: ReadonlySet<string>
  readonly #corpus: readonly OccupationCounts[]
  readonly #options: ChannelOptions

  /** Throws a UsageError for an empty corpus, or an occupation that does not occur. */
  constructor(corpus: readonly OccupationCounts[], options: ChannelOptions) {
    if (corpus.length === 0) throw new UsageError('the corpus must have an occupation, found none')
    requirePositive('ChannelTranslator', 'addK', options.addK, UsageError)
    const silent = corpus.find(({ he, she }) => !(he >= 0 && she >= 0 && he + she > 0))
    if (silent)
      throw new UsageError(
        `${silent.occupation} must occur in the corpus, found ${silent.he} times "he" and ${silent.she} times "she"`,
      )
    this.#corpus = corpus
    this.#options = options
    this.language = new NgramModel(options.order, { endMarks: 1, open: false })
    const pairs = corpus.flatMap(({ occupation, foreign, he, she }) =>
      Object.entries({ he, she })
        .filter(([, count]) => count > 0)
        .map(([pronoun, count]) => ({ f: foreignSentence(foreign), e: english(pronoun, occupation), count })),
    )
    for (const { e, count } of pairs) this.language.add(e, count)
    // What never met is impossible here: candidates are compared by what the corpus says.
    this.table = trainModel1(pairs, { iterations: options.iterations }).t.withUnseen(0)
    this.#words = new Set(pairs.flatMap(({ f }) => f))
  }

  /**
   * All translations of "ő egy FOREIGN" that are possible, best first: every pronoun with every occupation, scored by
   * weight log P(e) + weight log P(f|e). Throws a UsageError for an unknown word.
   */
  candidates(foreign: string): Candidate[] {
    const f = foreignSentence(foreign)
    const unknown = f.find((word) => !this.#words.has(word))
    if (unknown !== undefined) throw new UsageError(`the corpus has no word "${unknown}"`)
    const { languageWeight = 1, translationWeight = 1, addK } = this.#options
    const found = this.#corpus.flatMap(({ occupation }) =>
      (['he', 'she'] as const).map((pronoun) => {
        const e = english(pronoun, occupation)
        const channel = logProbability1(this.table, { f, e })
        const language = this.language.logProbability(e, { kind: 'lidstone', gamma: addK })
        // 0 times -Infinity would be NaN: what the channel excludes stays excluded.
        const score =
          channel === Number.NEGATIVE_INFINITY ? channel : languageWeight * language + translationWeight * channel
        return { pronoun, occupation, text: e.join(' '), score }
      }),
    )
    return found.filter(({ score }) => score > Number.NEGATIVE_INFINITY).sort((a, b) => b.score - a.score)
  }
}

/** The share of probability of the candidates that `counts` selects, when each is drawn by exp(score / temperature). */
export function posteriorShare(
  candidates: readonly Candidate[],
  counts: (candidate: Candidate) => boolean,
  temperature = 1,
): number {
  requirePositive('posteriorShare', 'temperature', temperature, UsageError)
  const most = candidates[0]?.score ?? 0
  let [selected, total] = [0, 0]
  for (const candidate of candidates) {
    const weight = Math.exp((candidate.score - most) / temperature)
    total += weight
    if (counts(candidate)) selected += weight
  }
  return selected / total
}

/** The most probable candidates: more than one only where they are equal but for roundings. */
export function bestCandidates(candidates: readonly Candidate[]): Candidate[] {
  const most = candidates[0]?.score ?? 0
  return candidates.filter(({ score }) => most - score <= 1e-12 * Math.abs(most))
}
