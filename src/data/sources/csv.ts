import { CsvError, type Options, parse } from 'csv-parse/sync'
import { type DType, dtypes, fromNumbers, type NDArray } from '../../tensor/dtype.ts'
import { optionsOf, requireOneOf, shown } from '../../util/check.ts'
import { FormatError, UsageError } from '../../util/errors.ts'
import { suggestion } from '../../util/words.ts'
import { readBytes } from '../files.ts'
import { decodeUtf8 } from '../text/encoding.ts'

/** How the cells of a column are read: as numbers of a dtype, as they are, or as class names (numbered in alphabetical order). */
export type ColumnType = DType | 'string' | 'category'

export interface CsvOptions {
  /** The columns to read, by their name in the header line; others are skipped. */
  readonly columns: Readonly<Record<string, ColumnType>>
  /** The character between cells. Default: detected from the header line: comma, semicolon, tab or |. */
  readonly delimiter?: string
  /** What to do about records that are broken (quotes, number of cells, size): refuse the first, or leave all out. Default: stop. */
  readonly onError?: 'stop' | 'skip'
}

/** A record that can't be used. */
export interface BrokenRecord {
  /** The line that it begins in, from 1. */
  readonly line: number
  readonly reason: string
}

export interface CsvTable {
  /** Records, the header not counted. */
  readonly length: number
  /** Numeric and category columns, each [length] (categories int32): what `arrayDataset` takes. */
  readonly arrays: Record<string, NDArray>
  /** The line that each record begins in, from 1. */
  readonly lines: readonly number[]
  /** Records that were left out. */
  readonly broken: readonly BrokenRecord[]
  /** String columns. */
  readonly strings: Record<string, string[]>
  /** The class names of category columns, by number. */
  readonly categories: Record<string, string[]>
}

const optionNames = { columns: true, delimiter: true, onError: true } as const

const columnTypes: readonly ColumnType[] = [...dtypes, 'string', 'category']

function checkColumns(columns: CsvOptions['columns'] | undefined): asserts columns is CsvOptions['columns'] {
  if (typeof columns !== 'object' || columns === null || Array.isArray(columns))
    throw new UsageError(`parseCsv: columns must be the types of columns by name, found ${shown(columns)}`, {
      hint: "parseCsv(text, { columns: { age: 'float32', name: 'string' } })",
    })
  for (const [title, type] of Object.entries(columns))
    requireOneOf('parseCsv', `the type of column "${title}"`, type, columnTypes, UsageError)
}

/** No record may be longer: an unclosed quote would otherwise swallow the file. */
const longestRecord = 2 ** 20

const common = {
  max_record_size: longestRecord,
  // Files that were put together, or edited on several systems, have several kinds.
  record_delimiter: ['\r\n', '\n', '\r'],
  skip_empty_lines: true,
} satisfies Options

/** Possible delimiters, the most common first. */
const delimiters = [',', ';', '\t', '|'] as const

/** The delimiter with which most of the wanted columns are in the header line; of equals, the one that makes most cells of it. */
function detectDelimiter(text: string, wanted: readonly string[], name: string): string {
  const start = text.slice(0, longestRecord)
  const titlesBy = (delimiter: string): string[] => {
    try {
      const [header = []] = parse(start, { ...common, delimiter, to: 1, relax_quotes: true })
      return header.map((title) => title.trim())
    } catch (error) {
      if (error instanceof CsvError) throw new FormatError(`${name}:1: ${reasonFor(error)}`, { cause: error })
      throw error
    }
  }
  const scores = delimiters.map((delimiter) => {
    const titles = titlesBy(delimiter)
    return { delimiter, found: wanted.filter((title) => titles.includes(title)).length, cells: titles.length }
  })
  const best = scores.reduce((a, b) => (b.found > a.found || (b.found === a.found && b.cells > a.cells) ? b : a))
  return best.delimiter
}

/**
 * CSV text as RFC 4180 has it (quoted cells, "" for a quote), with a header line, in UTF-8; lines end with LF, CRLF or CR, also mixed;
 * other delimiters are detected, columns that are not asked for may have equal names. Throws a FormatError with `name` and line number:
 * a broken header or (unless onError is `skip`) record, a cell that is not of its column's type.
 */
export function parseCsv(source: string | Uint8Array, options: CsvOptions, name = 'CSV'): CsvTable {
  const {
    columns: wanted,
    delimiter: given,
    onError = 'stop',
  } = optionsOf('parseCsv', options, optionNames, UsageError)
  checkColumns(wanted)
  requireOneOf('parseCsv', 'onError', onError, ['stop', 'skip'], UsageError)
  const text = (typeof source === 'string' ? source : decodeUtf8(source, name)).replace(/^\ufeff/, '')
  const stated = /^sep=(.)(\r\n|\n|\r)/.exec(text) // the first line of some of Excel's files
  const delimiter = given ?? stated?.[1] ?? detectDelimiter(text, Object.keys(wanted), name)
  let header: readonly string[] | undefined
  let columns: Column[] = []
  const lines: number[] = []
  const broken: BrokenRecord[] = []
  const leaveOut = (record: BrokenRecord, cause?: CsvError): void => {
    if (header === undefined || onError === 'stop') {
      throw new FormatError(`${name}:${record.line}: ${record.reason}`, cause && { cause })
    }
    broken.push(record)
  }
  readRecords(Buffer.from(text), delimiter, stated?.[0].length ?? 0, {
    take(record, line) {
      if (header === undefined) {
        header = record.map((title) => title.trim())
        columns = openColumns(header, wanted, name)
      } else if (record.length !== header.length) {
        const reason = `a record must have ${header.length} cells like the header, found ${record.length}`
        leaveOut({ line, reason })
      } else {
        for (const column of columns) column.add(record[column.index] ?? '', `${name}:${line}`)
        lines.push(line)
      }
    },
    refuse: (line, error) => leaveOut({ line, reason: reasonFor(error) }, error),
  })
  if (header === undefined) throw new FormatError(`${name}: a CSV file must start with a header line, found nothing`)
  const table: CsvTable = { length: lines.length, lines, broken, arrays: {}, strings: {}, categories: {} }
  for (const column of columns) column.close(table)
  return table
}

const [lf, cr] = [0x0a, 0x0d]

/** Ends of lines between two places; CRLF is one. */
function countLineEnds(bytes: Uint8Array, from: number, to: number): number {
  let ends = 0
  for (let i = from; i < to; i++) if (bytes[i] === lf || (bytes[i] === cr && bytes[i + 1] !== lf)) ends++
  return ends
}

/** Receives the records: each with the line that it begins in, and each that can't be parsed. */
interface RecordSink {
  take(record: string[], line: number): void
  refuse(line: number, error: CsvError): void
}

/** Reads the records from `start` on. After one that can't be parsed it continues at the line after its first one. */
function readRecords(bytes: Buffer, delimiter: string, start: number, sink: RecordSink): void {
  let place = start
  let line = 1 + countLineEnds(bytes, 0, start)
  const isEnd = (at: number): boolean => bytes[at] === lf || bytes[at] === cr
  const skip = (isSkipped: (at: number) => boolean): void => {
    const from = place
    while (place < bytes.length && isSkipped(place)) place++
    line += countLineEnds(bytes, from, place)
  }
  while (place < bytes.length) {
    const base = place
    try {
      parse(bytes.subarray(base), {
        ...common,
        delimiter,
        relax_column_count: true, // checked by the sink, for the message
        on_record: (record: string[], { bytes: read }) => {
          skip(isEnd)
          const first = line
          const end = base + read
          line += countLineEnds(bytes, place, end)
          place = end
          sink.take(record, first)
          return null // kept by the sink only
        },
      })
      return
    } catch (error) {
      if (!(error instanceof CsvError)) throw error
      skip(isEnd)
      sink.refuse(line, error)
      skip((at) => !isEnd(at))
      skip(isEnd)
    }
  }
}

/** Reads a CSV file of at most `maxBytes` (default 2^28); see `parseCsv`. */
export async function readCsv(path: string, options: CsvOptions, maxBytes = 2 ** 28): Promise<CsvTable> {
  return parseCsv(await readBytes(path, maxBytes), options, path)
}

/** The parser's error in our words. */
function reasonFor(error: CsvError): string {
  const told: Partial<Record<typeof error.code, string>> = {
    CSV_QUOTE_NOT_CLOSED: 'a quoted cell of this record must be closed, found the end of the file',
    INVALID_OPENING_QUOTE: 'a cell with a quote in it must be quoted as a whole, found a quote in the middle',
    CSV_INVALID_CLOSING_QUOTE: 'a closing quote must be followed by a delimiter or the end of the line',
    CSV_MAX_RECORD_SIZE: `a record must have at most ${longestRecord} bytes`,
  }
  return told[error.code] ?? error.message
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
  if (dtype === 'float32') {
    const value = decimal.test(cell) ? Number(cell) : undefined
    // A number beyond float32's range would become infinite.
    return value !== undefined && Number.isFinite(Math.fround(value)) ? value : specialNumbers.get(cell)
  }
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
