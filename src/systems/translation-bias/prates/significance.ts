/** The tests of study A: is one pronoun more frequent than another? */
import { pairedTest } from '../../../util/significance.ts'
import type { PronounClass } from './pronoun.ts'
import type { PronounRow } from './table.ts'
import { columnsOf, templates } from './templates.ts'

/** The comparisons that the study makes, one-sided. */
export const comparisons = {
  male_gt_female: ['Male', 'Female'],
  male_gt_neutral: ['Male', 'Neutral'],
  neutral_gt_female: ['Neutral', 'Female'],
} as const satisfies Readonly<Record<string, readonly [PronounClass, PronounClass]>>

/** Whether "more" is more frequent than "less". */
export type Comparison = readonly [more: PronounClass, less: PronounClass]

/** p of the paired t-test over the cells of some columns; NaN where all differences are 0. `zeros`: cells that are never a gender. */
function cellTest(
  rows: readonly PronounRow[],
  columns: readonly string[],
  [more, less]: Comparison,
  zeros = 0,
): number {
  let [sum, squares] = [0, 0]
  for (const { cells } of rows) {
    for (const column of columns) {
      const difference = Number(cells[column] === more) - Number(cells[column] === less)
      sum += difference
      squares += difference ** 2
    }
  }
  const n = rows.length * columns.length + zeros
  return n < 2 || squares === 0 ? Number.NaN : pairedTest(n, sum, squares).p
}

/** p in one language; the six columns of Bengali count as one sample. */
export function languageTest(rows: readonly PronounRow[], language: string, comparison: Comparison): number {
  return cellTest(rows, columnsOf(language), comparison)
}

/**
 * p over all languages, Bengali with all six columns. `official`: the study's script takes the two columns of text into the sample, as two
 * zeros a row.
 */
export function totalTest(rows: readonly PronounRow[], comparison: Comparison, { official = false } = {}): number {
  const columns = templates.map(({ column }) => column)
  return cellTest(rows, columns, comparison, official ? 2 * rows.length : 0)
}
