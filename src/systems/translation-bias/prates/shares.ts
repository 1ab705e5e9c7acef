/** How often each pronoun stands in the translations: tables 4 to 13 of study A, with the study's own weighting and slips. */
import { roundHalfEven } from '../../../util/rounding.ts'
import type { PronounClass } from './pronoun.ts'
import type { PronounRow } from './table.ts'
import { columnsOf, templates } from './templates.ts'

/** Counts by class. */
export interface PronounCounts {
  readonly female: number
  readonly male: number
  readonly neutral: number
  readonly unknown: number
}

/** Percentages of all cells, those included that could not be read: they need not add up to 100. */
export type PronounPercentages = readonly [female: number, male: number, neutral: number]

const gendered = ['Female', 'Male', 'Neutral'] as const

/** Counts in some columns, Bengali's six pooled. */
function countPronouns(rows: readonly PronounRow[], columns: readonly string[]): PronounCounts {
  const count = (gender: PronounClass): number => countCells(rows, columns, gender)
  return { female: count('Female'), male: count('Male'), neutral: count('Neutral'), unknown: count('?') }
}

function countCells(rows: readonly PronounRow[], columns: readonly string[], gender?: PronounClass): number {
  let count = 0
  for (const { cells } of rows)
    for (const column of columns) if (gender === undefined || cells[column] === gender) count++
  return count
}

/** Counts of one language. */
export function languageCounts(rows: readonly PronounRow[], language: string): PronounCounts {
  return countPronouns(rows, columnsOf(language))
}

/** Percentages of counts. */
export function percentages({ female, male, neutral, unknown }: PronounCounts): PronounPercentages {
  const total = female + male + neutral + unknown
  return [(100 * female) / total, (100 * male) / total, (100 * neutral) / total]
}

/** Columns that count in full, and those that count together as one. */
interface Weighting {
  readonly full: readonly string[]
  readonly pooled: readonly string[]
}

const allColumns = templates.map(({ column }) => column)
const bengali = columnsOf('Bengali')

/** Twelve languages, each of the same weight. */
const perLanguage: Weighting = { full: allColumns.filter((column) => !bengali.includes(column)), pooled: bengali }

/**
 * The official columns of the adjectives: the numbers of the occupations' table, which has one column more in front. Malay is left out,
 * Bengali-HF counts in full, and Japanese is pooled with what remains of Bengali.
 */
const shifted: Weighting = {
  full: [...allColumns.slice(1, 6), ...allColumns.slice(12)],
  pooled: allColumns.slice(6, 12),
}

/** n(full) + round(n(pooled) / 6), halves to even and once for all rows together. Without a gender: of all cells. */
function weightedCount(rows: readonly PronounRow[], { full, pooled }: Weighting, gender?: PronounClass): number {
  return countCells(rows, full, gender) + roundHalfEven(countCells(rows, pooled, gender) / pooled.length)
}

/** Percentages over the twelve languages of a set of occupations: a category, a group, or all. */
export function weightedPercentages(rows: readonly PronounRow[]): PronounPercentages {
  const total = weightedCount(rows, perLanguage)
  const [female = 0, male = 0, neutral = 0] = gendered.map(
    (gender) => (100 * weightedCount(rows, perLanguage, gender)) / total,
  )
  return [female, male, neutral]
}

/** The official counts of an adjective, with their shifted columns, and the total that its percentages divide by. */
export function officialAdjectiveCounts(
  rows: readonly PronounRow[],
): readonly [female: number, male: number, neutral: number, total: number] {
  const [female = 0, male = 0, neutral = 0] = gendered.map((gender) => weightedCount(rows, shifted, gender))
  return [female, male, neutral, weightedCount(rows, shifted)]
}

/** What the official counts should be: twelve languages, Bengali's six as their mean. */
export function adjectiveCounts(rows: readonly PronounRow[]): PronounPercentages {
  const [female = 0, male = 0, neutral = 0] = gendered.map(
    (gender) =>
      countCells(rows, perLanguage.full, gender) + countCells(rows, perLanguage.pooled, gender) / bengali.length,
  )
  return [female, male, neutral]
}
