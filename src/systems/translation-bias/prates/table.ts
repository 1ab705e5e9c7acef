/** The tables of study A: a row for each occupation or adjective, a column for each template, in the cells the pronoun's class. */
import { FormatError } from '../../../util/errors.ts'
import type { PronounClass } from './pronoun.ts'
import { templates } from './templates.ts'

/** A row: `category` is empty for adjectives. */
export interface PronounRow {
  readonly category: string
  readonly word: string
  readonly cells: Readonly<Record<string, PronounClass>>
}

/** Rows of a file of tab-separated values by the names of its first line. Throws a FormatError for a row of another length. */
export function parseTable(text: string, name: string): Record<string, string>[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => line !== '')
  const cells = lines.map((line) => line.split('\t').map((cell) => cell.replace(/^"(.*)"$/, '$1')))
  const [header = [], ...rows] = cells
  if (header.length === 1 && /[,;]/.test(header[0] ?? ''))
    throw new FormatError(`${name}: columns must be separated by tabs, found "${header[0]}"`)
  return rows.map((row, i) => {
    if (row.length !== header.length)
      throw new FormatError(`${name}: line ${i + 2} must have ${header.length} cells, found ${row.length}`)
    return Object.fromEntries(header.map((column, j) => [column, row[j] ?? '']))
  })
}

/** A column of a parsed row that must be there. */
export function cellOf(row: Readonly<Record<string, string>>, column: string, name: string): string {
  const cell = row[column]
  if (cell === undefined) throw new FormatError(`${name} has no column "${column}"`)
  return cell
}

const classes: readonly string[] = ['Female', 'Male', 'Neutral', '?'] satisfies PronounClass[]

/** Reads a table of classes. The category is its name without " occupations". */
export function parsePronounTable(text: string, name: string): PronounRow[] {
  return parseTable(text, name).map((row, i) => {
    const word = row.Occupation ?? cellOf(row, 'Adjective', name)
    const cells = templates.map(({ column }) => {
      const cell = cellOf(row, column, name)
      if (!classes.includes(cell))
        throw new FormatError(`${name}: line ${i + 2}: ${column} must be ${classes.join(', ')}, found "${cell}"`)
      return [column, cell as PronounClass]
    })
    return { category: (row.Category ?? '').replace(' occupations', ''), word, cells: Object.fromEntries(cells) }
  })
}
