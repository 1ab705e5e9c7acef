import { CsvError, type Options, parse } from 'csv-parse/sync'
import { type DType, fromNumbers, type NDArray } from '../../tensor/dtype.ts'
import { FormatError, UsageError } from '../../util/errors.ts'
import { suggestion } from '../../util/names.ts'
import { readBytes } from '../files.ts'
import { decodeUtf8 } from '../text/encoding.ts'

/** How the cells of a column are read: as numbers of a dtype, as they are, or as class names (numbered in alphabetical order). */
export type ColumnType = DType | 'string' | 'category'

export interface CsvOptions {
  /** The columns to read, by their name in the header line; others are skipped. */
  readonly columns: Readonly<Record<string, ColumnType>>
  /** Between cells. Default: what the header line shows to be: comma, semicolon, tab or |. */
  readonly delimiter?: string
}

export interface CsvTable {
  /** Records, the header not counted. */
  readonly length: number
  /** Numeric and category columns, each [length] (categories int32): what `arrayDataset` takes. */
  readonly arrays: Record<string, NDArray>
  /** The line of each record in the file, from 1. */
  readonly lines: readonly number[]
  /** String columns. */
  readonly strings: Record<string, string[]>
  /** The class names of category columns, by number. */
  readonly categories: Record<string, string[]>
}

/** No record may be longer: an unclosed quote would otherwise swallow the file. */
const longestRecord = 2 ** 20

const common = { bom: true, max_record_size: longestRecord, skip_empty_lines: true } satisfies Options

/** What may stand between cells, the most usual first. */
const delimiters = [',', ';', '\t', '|'] as const

/** The delimiter with which most of the wanted columns are in the header line; of equals, the one that makes most cells of it. */
function detectDelimiter(text: string, wanted: readonly string[]): string {
  const scores = delimiters.map((delimiter) => {
    const [header = []] = parse(text.slice(0, longestRecord), { ...common, delimiter, to: 1, relax_quotes: true })
    const titles = header.map((title) => title.trim())
    return { delimiter, found: wanted.filter((title) => titles.includes(title)).length, cells: titles.length }
  })
  const best = scores.reduce((a, b) => (b.found > a.found || (b.found === a.found && b.cells > a.cells) ? b : a))
  return best.delimiter
}

/**
 * CSV text as RFC 4180 has it (quoted cells, "" for a quote, LF or CRLF), with a header line, in UTF-8; other delimiters are detected,
 * columns that are not asked for may have equal names. Throws a FormatError with `name` and line number: broken quotes, a record of
 * another length than the header, a cell that is not of its column's type.
 */
export function parseCsv(source: string | Uint8Array, options: CsvOptions, name = 'CSV'): CsvTable {
  const text = typeof source === 'string' ? source : decodeUtf8(source, name)
  const stated = /^\ufeff?sep=(.)\r?\n/.exec(text) // the first line of some of Excel's files
  let header: readonly string[] | undefined
  let columns: Column[] = []
  const lines: number[] = []
  try {
    parse(text, {
      ...common,
      delimiter: options.delimiter ?? stated?.[1] ?? detectDelimiter(text, Object.keys(options.columns)),
      from_line: stated ? 2 : 1,
      relax_column_count: true, // checked here, for the message
      on_record: (record: string[], { lines: line }) => {
        if (header === undefined) {
          header = record.map((title) => title.trim())
          columns = openColumns(header, options.columns, name)
        } else {
          addRecord(record, header.length, columns, `${name}:${line}`)
          lines.push(line)
        }
        return null // kept in the columns only
      },
    })
  } catch (error) {
    throw error instanceof CsvError ? retell(error, name) : error
  }
  if (header === undefined) throw new FormatError(`${name}: a CSV file must start with a header line, found nothing`)
  const table: CsvTable = { length: lines.length, lines, arrays: {}, strings: {}, categories: {} }
  for (const column of columns) column.close(table)
  return table
}

/** Reads a CSV file of at most `maxBytes` (default 2^28); see `parseCsv`. */
export async function readCsv(path: string, options: CsvOptions, maxBytes = 2 ** 28): Promise<CsvTable> {
  return parseCsv(await readBytes(path, maxBytes), options, path)
}

/** The parser's error in our words, with the line where there is one. */
function retell(error: CsvError, name: string): FormatError {
  const where = typeof error.lines === 'number' ? `${name}:${error.lines}` : name
  const told: Partial<Record<typeof error.code, string>> = {
    CSV_QUOTE_NOT_CLOSED: 'a quoted cell must be closed, found the end of the file',
    INVALID_OPENING_QUOTE: 'a cell with a quote in it must be quoted as a whole, found a quote in the middle',
    CSV_INVALID_CLOSING_QUOTE: 'a closing quote must be followed by a delimiter or the end of the line',
    CSV_MAX_RECORD_SIZE: `a record must have at most ${longestRecord} bytes`,
  }
  return new FormatError(`${where}: ${told[error.code] ?? error.message}`, { cause: error })
}

/** One column being read: takes a cell a record, then writes itself into the table. */
interface Column {
  readonly index: number
  add(cell: string, where: string): void
  close(table: CsvTable): void
}

function openColumns(header: readonly string[], wanted: CsvOptions['columns'], name: string): Column[] {
  return Object.entries(wanted).map(([title, type]) => {
    const index = header.indexOf(title)
    if (index < 0) throw new UsageError(`${name}: there is no column "${title}"`, { hint: suggestion(title, header) })
    if (header.includes(title, index + 1)) {
      throw new FormatError(`${name}:1: column "${title}" must be there once, found it twice`)
    }
    if (type === 'string') return stringColumn(title, index)
    if (type === 'category') return categoryColumn(title, index)
    return type === 'int64' ? bigColumn(title, index) : numberColumn(title, index, type)
  })
}

function addRecord(record: readonly string[], width: number, columns: readonly Column[], where: string): void {
  if (record.length !== width) {
    throw new FormatError(`${where}: a record must have ${width} cells like the header, found ${record.length}`)
  }
  for (const column of columns) column.add(record[column.index] ?? '', where)
}

function stringColumn(title: string, index: number): Column {
  const cells: string[] = []
  return {
    index,
    add: (cell) => cells.push(cell),
    close: (table) => {
      table.strings[title] = cells
    },
  }
}

function categoryColumn(title: string, index: number): Column {
  const cells: string[] = []
  return {
    index,
    add: (cell) => cells.push(cell),
    close: (table) => {
      const names = [...new Set(cells)].sort()
      const numbers = new Map(names.map((name, i) => [name, i]))
      const data = Int32Array.from(cells, (cell) => numbers.get(cell) ?? 0)
      table.categories[title] = names
      table.arrays[title] = { dtype: 'int32', shape: [cells.length], data }
    },
  }
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const wholeNumber = /^[+-]?\d+$/

function refuse(title: string, must: string, cell: string, where: string): FormatError {
  const hint =
    cell.trim() === '' ? 'fill the gap, write nan into a float32 column, or read the column as string' : undefined
  return new FormatError(
    `${where}: column "${title}" must be ${must}, found "${cell}"`,
    hint === undefined ? {} : { hint },
  )
}

function bigColumn(title: string, index: number): Column {
  const values: bigint[] = []
  return {
    index,
    add: (cell, where) => {
      const value = wholeNumber.test(cell.trim()) ? BigInt(cell.trim().replace(/^\+/, '')) : undefined
      if (value === undefined || BigInt.asIntN(64, value) !== value) throw refuse(title, 'int64', cell, where)
      values.push(value)
    },
    close: (table) => {
      table.arrays[title] = { dtype: 'int64', shape: [values.length], data: BigInt64Array.from(values) }
    },
  }
}

function numberColumn(title: string, index: number, dtype: Exclude<DType, 'int64'>): Column {
  const values: number[] = []
  return {
    index,
    add: (cell, where) => {
      const value = parseNumber(cell.trim().toLowerCase(), dtype)
      if (value === undefined) throw refuse(title, dtype, cell, where)
      values.push(value)
    },
    close: (table) => {
      table.arrays[title] = { dtype, shape: [values.length], data: fromNumbers(dtype, values) }
    },
  }
}

/** The number that a cell (in lower case) stands for; undefined if it has another form or does not fit the dtype. */
function parseNumber(cell: string, dtype: Exclude<DType, 'int64'>): number | undefined {
  if (dtype === 'float32') return decimal.test(cell) ? Number(cell) : specialNumbers.get(cell)
  if (dtype === 'bool') return truths.get(cell)
  const value = wholeNumber.test(cell) ? Number(cell) : Number.NaN
  const [low, high] = dtype === 'uint8' ? [0, 255] : [-(2 ** 31), 2 ** 31 - 1]
  return value >= low && value <= high ? value : undefined
}

const specialNumbers: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
])
const truths: ReadonlyMap<string, number> = new Map([
  ['0', 0],
  ['1', 1],
  ['false', 0],
  ['true', 1],
])
