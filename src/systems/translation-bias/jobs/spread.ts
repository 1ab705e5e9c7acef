/** Several seeds in one cell: the mean, and from the least to the greatest. */
import { largest, smallest } from '../../../util/lists.ts'
import { meanOf } from '../../../util/vectors.ts'

/** "26.5 (25.9 to 27.0) %"; of one value alone "26.5 %". */
export function spreadText(values: readonly number[], unit: string, digits = 1): string {
  const text = (value: number): string => value.toFixed(digits)
  const end = unit === '' ? '' : ` ${unit}`
  if (values.length < 2) return `${text(values[0] ?? Number.NaN)}${end}`
  return `${text(meanOf(values))} (${text(smallest(values))} to ${text(largest(values))})${end}`
}

/** "1 seed", "3 seeds". */
export const seedsText = (count: number): string => (count === 1 ? '1 seed' : `${count} seeds`)
