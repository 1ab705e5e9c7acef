/** Labelled texts opened for training: the rows of CSV files, divided into training and test texts. */
import { UsageError } from '../../util/errors.ts'
import { counted } from '../../util/words.ts'
import { listSome } from '../counting.ts'
import { digestOf } from '../files.ts'
import {
  checkLabels,
  describeClasses,
  describeSides,
  type OnError,
  type Opening,
  openingOf,
  sharedContent,
} from '../opening.ts'
import { type DataRecord, type Divided, type DivideOptions, divide, type NamedExample } from '../record.ts'
import { pick } from '../split.ts'
import { readCsv } from './csv.ts'

/** A text with its class, as a record knows it. */
export interface LabelledText extends NamedExample {
  readonly text: string
  readonly label: string
}

export interface LabelledRowsOptions {
  readonly textColumn: string
  readonly labelColumn: string
  readonly onError: OnError
}

/** Labelled texts, and what was left out of them. */
export interface LabelledRows {
  readonly rows: readonly LabelledText[]
  readonly leftOut: readonly string[]
}

const leaveRows = 'leave these rows out with --set data.on_error=skip'

/**
 * The labelled texts of a CSV file. A row is known by its text, so that the order of the rows does not matter. Rows without a text are
 * left out. Throws a UsageError that names the lines of broken rows and of those without a label (onError `skip`: these are left out
 * too), or if there are no rows.
 */
export async function readLabelledRows(
  file: string,
  { textColumn, labelColumn, onError }: LabelledRowsOptions,
): Promise<LabelledRows> {
  const table = await readCsv(file, {
    columns: { [textColumn]: 'string', [labelColumn]: 'string' },
    onError: 'skip',
  })
  const { broken } = table
  if (table.length + broken.length === 0)
    throw new UsageError(`${file}: there must be rows below the header line, found none`)
  const [texts, labels] = [table.strings[textColumn] ?? [], table.strings[labelColumn] ?? []]
  const isBlank = (cell: string | undefined): boolean => cell === undefined || cell.trim() === ''
  const all = [...texts.keys()]
  const unlabelled = all.filter((row) => isBlank(labels[row]) && !isBlank(texts[row]))
  if (broken.length > 0 && onError === 'stop') {
    const bad = [...broken, ...unlabelled.map((row) => ({ line: table.lines[row] ?? 0, reason: 'has no label' }))]
    const named = bad.sort((a, b) => a.line - b.line).map(({ line, reason }) => `line ${line}: ${reason}`)
    throw new UsageError(`${file}: ${counted(bad.length, 'row')} cannot be used: ${listSome(named, 20)}`, {
      hint: leaveRows,
    })
  }
  if (unlabelled.length > 0 && onError === 'stop') {
    const lines = unlabelled.map((row) => String(table.lines[row]))
    throw new UsageError(
      `${file}: ${counted(unlabelled.length, 'row')} without a label in column "${labelColumn}": line ${listSome(lines, 10)}`,
      { hint: `fill the gaps, or ${leaveRows}` },
    )
  }
  const used = all.filter((row) => !isBlank(labels[row]) && !isBlank(texts[row]))
  const textless = all.length - used.length - unlabelled.length
  const rows = used.map((row): LabelledText => {
    const [text, label] = [texts[row] ?? '', labels[row] ?? '']
    return { text, label, name: digestOf(text), digest: digestOf(`${label}\0${text}`) }
  })
  const brokenLines = broken.map(({ line }) => String(line))
  const leftOut = [
    ...(broken.length > 0
      ? [`${counted(broken.length, 'broken row')} left out (line ${listSome(brokenLines, 3)})`]
      : []),
    ...(unlabelled.length > 0 ? [`${counted(unlabelled.length, 'row')} without a label left out`] : []),
    ...(textless > 0 ? [`${counted(textless, 'row')} without a text left out`] : []),
  ]
  return { rows, leftOut }
}

export interface LabelledTextsOptions extends Omit<DivideOptions, 'known' | 'unit'> {
  /** Names the data in messages. */
  readonly source: string
  /** What an earlier run knows. */
  readonly known?: { readonly labels: readonly string[]; readonly record: DataRecord } | undefined
}

/** A text with the number of its class. */
export interface NumberedText {
  readonly text: string
  readonly label: number
}

export interface LabelledTexts {
  /** The names of the classes, sorted. */
  readonly labels: readonly string[]
  readonly train: readonly NumberedText[]
  readonly test: readonly NumberedText[]
  readonly opening: Opening
}

/** Divides labelled texts; `test`: a test set of its own. Throws a UsageError if there is nothing to train on or test with. */
export function openLabelledTexts(
  { rows, leftOut }: LabelledRows,
  test: LabelledRows | undefined,
  options: LabelledTextsOptions,
): LabelledTexts {
  const { source, known } = options
  const labels = known?.labels ?? [...new Set(rows.map(({ label }) => label))].sort()
  const numbers = new Map(labels.map((label, i) => [label, i]))
  if (!known && test) refuseOtherLabels(test.rows, numbers, labels)
  const divided = tellOtherLabels(
    divide(rows, test?.rows, { ...options, unit: 'row', known: known?.record }),
    [rows, test?.rows ?? rows],
    numbers,
  )
  // A row that the run knows may since have been given a label that the run does not know.
  const choose = (list: readonly LabelledText[], chosen: readonly number[]): NumberedText[] =>
    pick(list, chosen).flatMap(({ text, label }) => {
      const number = numbers.get(label)
      return number === undefined ? [] : [{ text, label: number }]
    })
  const sides = {
    train: choose(rows, divided.sides.train),
    test: choose(test?.rows ?? rows, divided.sides.test),
  }
  const held = test ? 'the test file has none' : `data.test_share of ${counted(rows.length, 'row')} is ${options.share}`
  const warnings = checkLabels({
    source,
    unit: 'row',
    labels,
    train: sides.train.map(({ label }) => label),
    test: sides.test.map(({ label }) => label),
    held,
    known: known && { changes: divided.changes },
  })
  const summary = [
    `${counted(sides.train.length + sides.test.length, 'row')} in ${describeClasses(
      labels,
      sides.train.map(({ label }) => label),
      sides.test.map(({ label }) => label),
    )}`,
    ...leftOut,
    ...(test?.leftOut ?? []).map((part) => `of the test file ${part}`),
    describeSides('row', sides.train.length, sides.test.length),
  ]
  const all = [...(known ? [] : [...warnings, ...contradictions(rows, test?.rows)]), ...sharedContent(divided)]
  return { labels, ...sides, opening: openingOf(summary, all, divided) }
}

/** Rows that the run knows but that now have a label it does not know are left out, with a warning. */
function tellOtherLabels(
  divided: Divided,
  [train, test]: readonly [readonly LabelledText[], readonly LabelledText[]],
  numbers: ReadonlyMap<string, number>,
): Divided {
  const { sides, changes } = divided
  const used = [...pick(train, sides.train), ...pick(test, sides.test)]
  const other = used.flatMap(({ label }) => (numbers.has(label) ? [] : [`"${label}"`]))
  if (other.length === 0) return divided
  const told = `${counted(other.length, 'row')} of a class that the run does not know: left out (${listSome([...new Set(other)], 3)})`
  return { ...divided, changes: changes === undefined ? told : `${changes}; ${told}` }
}

/** Warns if equal texts have different classes. */
function contradictions(...sides: readonly (readonly LabelledText[] | undefined)[]): string[] {
  const classes = new Map<string, Set<string>>()
  for (const { text, label } of sides.flatMap((rows) => rows ?? [])) {
    const found = classes.get(text)
    if (found) found.add(label)
    else classes.set(text, new Set([label]))
  }
  const several = [...classes].filter(([, labels]) => labels.size > 1)
  const [first] = several
  if (!first) return []
  const [text, labels] = first
  const shown = text.length > 40 ? `${text.slice(0, 40)}...` : text
  const such = `such as ${JSON.stringify(shown)}: ${listSome([...labels].sort(), 5)}`
  return [`${counted(several.length, 'text')} with rows of different classes, ${such}`]
}

function refuseOtherLabels(
  rows: readonly LabelledText[],
  numbers: ReadonlyMap<string, number>,
  labels: readonly string[],
): void {
  const other = [...new Set(rows.flatMap(({ label }) => (numbers.has(label) ? [] : [`"${label}"`])))]
  if (other.length === 0) return
  throw new UsageError(`data.test: test rows must be of the classes trained on, found also ${listSome(other, 5)}`, {
    hint: `trained on: ${listSome(labels, 10)}`,
  })
}
