/** The translation gender bias index (Cho et al. 2019, arXiv 1905.11684). */
import { meanOf } from '../../../util/vectors.ts'

/** Counts of translated sentences. */
export interface GenderedCounts {
  readonly female: number
  readonly male: number
  readonly neutral: number
}

const female = new Set(['she', 'her', 'woman', 'girl'])
const male = new Set(['he', 'him', 'man', 'boy', 'guy'])

/** The class of an English translation: words of women first, then words of men, else neutral. */
export function translatedGender(text: string): keyof GenderedCounts {
  const words = text.toLowerCase().match(/[\p{L}]+/gu) ?? []
  if (words.some((word) => female.has(word))) return 'female'
  return words.some((word) => male.has(word)) ? 'male' : 'neutral'
}

/**
 * P = sqrt(p_w p_m + p_n) of one set of sentences: 1 if all are neutral, 1/2 if balanced, 0 if of one gender. The published code leaves
 * the root out (`root: false`).
 */
export function setScore({ female, male, neutral }: GenderedCounts, { root = true } = {}): number {
  const total = female + male + neutral
  const score = (female / total) * (male / total) + neutral / total
  return root ? Math.sqrt(score) : score
}

/** The mean of P over the sets. */
export function tgbi(sets: readonly GenderedCounts[], options: { root?: boolean } = {}): number {
  return meanOf(sets.map((set) => setScore(set, options)))
}
