/** The tables of batch norm statistics of the released BigGANs: a row for each of some truncations. */
import { UsageError } from '../../../util/errors.ts'

/** Which rows of the table hold for a truncation. */
export interface StatisticsPlace {
  readonly index: number
  /** 0: row `index` alone; else its share, the rest is of the row after it. */
  readonly coefficient: number
}

/**
 * Whole and fractional part of truncation / step, step = 1 / (rows - 1), in double precision as the official code has it. Two quirks are
 * kept, because the released weights were always used with them: the fraction is the share of the LOWER row (a linear interpolation would
 * have it the other way round), and rounding puts some exact multiples one row off. Throws a UsageError outside (0, 1].
 */
export function statisticsPlace(truncation: number, rows: number): StatisticsPlace {
  if (!(truncation > 0 && truncation <= 1))
    throw new UsageError(`BigGAN: truncation must be above 0 and at most 1, found ${truncation}`)
  if (!Number.isInteger(rows) || rows < 2)
    throw new UsageError(`BigGAN: n_stats must be a whole number of at least 2, found ${rows}`)
  const position = truncation / (1 / (rows - 1))
  const index = Math.trunc(position)
  return { index, coefficient: position - index }
}

/** Whether the rows are in the table: rounding can lead behind its end, as for 50 rows at truncation 1. */
export function isWithin({ index, coefficient }: StatisticsPlace, rows: number): boolean {
  return (coefficient === 0 ? index : index + 1) < rows
}
