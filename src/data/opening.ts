/** What opening the data reports: what was used, what was not, what looks wrong. */
import { FormatError, UsageError } from '../util/errors.ts'
import { counted } from '../util/words.ts'
import { countEndings, listSome } from './counting.ts'
import { type DataRecord, type Divided, hasNames } from './record.ts'
import type { Listing, Unreadable } from './sources/listing.ts'

/** What to do about files that can't be read: refuse the data, or leave them out. */
export type OnError = 'stop' | 'skip'

/** A description of the data that were found. */
export interface Opening {
  /** One line: `42 pictures in 3 classes; 5 .HEIC not read; 2 hidden`. */
  readonly summary: string
  /** What looks like a mistake but is not refused. */
  readonly warnings: readonly string[]
  /** Stored with the run. */
  readonly record: DataRecord
  /** How the data differ from those that the run remembers; undefined if they do not. */
  readonly changes?: string
}

/** The opening of divided data. */
export function openingOf(
  parts: readonly string[],
  warnings: readonly string[],
  { record, changes }: Divided,
): Opening {
  return { summary: parts.join('; '), warnings, record, ...(changes !== undefined && { changes }) }
}

/** `34 pictures to train on, 8 to test with` */
export function describeSides(unit: string, train: number, test: number): string {
  return `${counted(train, unit)} to train on, ${test.toLocaleString('en')} to test with`
}

/** `3 classes`; of a run, some may have no example any more: `2 of 3 classes`. */
export function describeClasses(labels: readonly string[], train: readonly number[], test: readonly number[]): string {
  const present = new Set([...train, ...test]).size
  return present < labels.length ? `${present} of ${counted(labels.length, 'class')}` : counted(labels.length, 'class')
}

/** What was ignored in a folder, as parts of a line. `unread`: files that are of no known kind. */
export function passedOver(listing: Listing, unread: readonly string[]): string[] {
  const { hidden, repeated } = listing
  return [
    ...(unread.length > 0 ? [`${countEndings(unread)} not read`] : []),
    ...(hidden.length > 0 ? [`${hidden.length.toLocaleString('en')} hidden`] : []),
    ...(repeated.length > 0
      ? [`${counted(repeated.length, 'link')} to what is read already (${listSome(repeated, 3)})`]
      : []),
  ]
}

/** Most damaged files named in one message. */
const mostNamed = 50

/**
 * Refuses data of which something can't be read, naming all of it, or (`skip`) says how much is left out. `source` is the folder or
 * file, `total` the number of things in it.
 */
export function settleUnreadable(
  source: string,
  unreadable: readonly Unreadable[],
  onError: OnError,
  hint = '--set data.on_error=skip leaves them out',
): string[] {
  if (unreadable.length === 0) return []
  const named = unreadable.map(({ path, reason }) => `${within(source, path)}: ${reason}`)
  if (onError === 'skip') return [`${unreadable.length.toLocaleString('en')} left out (${listSome(named, 3)})`]
  throw new UsageError(
    `${source}: ${counted(unreadable.length, 'entry')} cannot be used: ${listSome(named, mostNamed)}`,
    { hint },
  )
}

/** The path relative to its folder. */
function within(folder: string, path: string): string {
  const start = folder.endsWith('/') ? folder : `${folder}/`
  return path.startsWith(start) ? path.slice(start.length) : path
}

/** The error of one file as the reason why it can't be read; other errors are thrown again. */
export function unreadableOf(path: string, error: unknown): Unreadable {
  if (!(error instanceof FormatError || error instanceof UsageError)) throw error
  const { message, hint } = error
  const reason = message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message
  return { path, reason: hint === undefined ? reason : `${reason} (${hint})` }
}

/** Invisible characters in names; joiners belong to the spelling of some languages and to emoji. */
function unseenCharacters(name: string): string[] {
  const unseen = (name.match(/\p{Cf}/gu) ?? []).filter((character) => !/[\u200c\u200d]/.test(character))
  return [...new Set(unseen)].map((it) => `U+${(it.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`)
}

/** Names that only differ in space, case, Unicode form or invisible characters, in groups. */
function similarNames(names: readonly string[]): string[][] {
  const groups = new Map<string, string[]>()
  for (const name of names) {
    const key = name
      .normalize('NFKC')
      .replace(/\p{Cf}/gu, '')
      .trim()
      .replace(/\s+/g, ' ')
      .toLowerCase()
    groups.set(key, [...(groups.get(key) ?? []), name])
  }
  return [...groups.values()].filter((group) => group.length > 1)
}

/** Labelled examples on two sides, to be checked before training. */
export interface LabelledSides {
  /** Names the data in messages. */
  readonly source: string
  readonly unit: string
  readonly labels: readonly string[]
  /** Class numbers of the examples. */
  readonly train: readonly number[]
  readonly test: readonly number[]
  /** Why the test set may be empty, in the words of the settings. */
  readonly held: string
  /** What one can do about too few examples, where there are no training settings to change. */
  readonly more?: string | undefined
  /** Default: 2, as classifiers need. */
  readonly leastClasses?: number
  /** For a run that was started earlier: how the data differ from those that it knows. */
  readonly known?: { readonly changes: string | undefined } | undefined
}

/** What to do if too little is left of a run's data. */
export const restoreData = 'put the data back as they were, or train a new run on them'

/** Refuses what cannot be trained on or tested with, unless told otherwise by a classifier; returns warnings. */
export function checkLabels({
  source,
  unit,
  labels,
  train,
  test,
  held,
  more,
  leastClasses = 2,
  known,
}: LabelledSides): string[] {
  const total = train.length + test.length
  const hint = known ? restoreData : undefined
  // For a run that exists already, what has changed explains it best.
  const changes = known?.changes ?? (known && 'the run has none')
  const refuse = (problem: string, why = changes, cure = hint): UsageError =>
    new UsageError(
      `${source}: ${problem}${why === undefined ? '' : `: ${why}`}`,
      cure === undefined ? {} : { hint: cure },
    )
  if (total === 0) throw refuse(`there are no ${unit}s${known ? ' that the run knows' : ''}`)
  const inTrain = new Set(train)
  const inTest = new Set(test)
  const present = labels.filter((_, label) => inTrain.has(label) || inTest.has(label))
  if (present.length < leastClasses) {
    const found = `found only "${present[0] ?? ''}" (${counted(total, unit)})`
    throw refuse(`there must be at least two classes, ${found}`)
  }
  const cure = hint ?? more ?? `give more ${unit}s, or a test set of their own: --set data.test=PATH`
  if (test.length === 0) throw refuse(`no ${unit} is left to test with`, changes ?? held, cure)
  if (inTrain.size < leastClasses) {
    const only = train.length === 0 ? 'none' : `only "${labels[train[0] ?? 0]}"`
    throw refuse(`there must be two classes to train on, found ${only}`, changes ?? held, cure)
  }
  const without = (side: ReadonlySet<number>): string[] =>
    labels.flatMap((label, i) => (side.has(i) || !(inTrain.has(i) || inTest.has(i)) ? [] : [`"${label}"`]))
  const [untrained, untested] = [without(inTrain), without(inTest)]
  return [
    ...similarNames(labels).map(
      (group) =>
        `the classes ${group.map((name) => `"${name}"`).join(' and ')} only differ in ${group.some((name) => unseenCharacters(name).length > 0) ? 'invisible characters' : 'space or case'}`,
    ),
    ...labels.flatMap((label) => {
      const unseen = unseenCharacters(label)
      return unseen.length > 0 ? [`the class "${label}" has invisible characters: ${unseen.join(', ')}`] : []
    }),
    ...(untrained.length > 0 ? [`no ${unit} of ${listSome(untrained, 5)} is in the training set`] : []),
    ...(untested.length > 0
      ? [
          `no ${unit} of ${listSome(untested, 5)} is in the test set${more === undefined ? ': another data.split_seed, more of them or data.test gives some' : ''}`,
        ]
      : []),
  ]
}

/** Says if examples to test with are, by their content, also trained on. */
export function sharedContent({ record: { unit }, shared }: Divided): string[] {
  if (shared.length === 0) return []
  const shown = hasNames(unit) ? `: ${listSome(shared, 3)}` : ''
  return [`${counted(shared.length, `test ${unit}`)} with the same content as one to train on${shown}`]
}

/** The classes of each example on both sides: any number of them. */
export interface ClassSets {
  /** The file or folder, for messages. */
  readonly source: string
  /** What an example is called: "clip". */
  readonly unit: string
  /** Names of the classes. */
  readonly labels: readonly string[]
  readonly train: readonly (readonly number[])[]
  readonly test: readonly (readonly number[])[]
}

/** Refuses a side on which no example has any class, of which nothing could be learned or measured; returns warnings of single classes. */
export function checkClassSets({ source, unit, labels, train, test }: ClassSets): string[] {
  for (const [side, use] of [
    [train, 'train on'],
    [test, 'test with'],
  ] as const) {
    if (side.some((own) => own.length > 0)) continue
    throw new UsageError(
      `${source}: at least one ${unit} to ${use} must have a class, found none in ${counted(side.length, unit)}`,
    )
  }
  const missing = (side: ClassSets['train'], where: string): string[] => {
    const present = new Set(side.flat())
    const without = labels.filter((_, c) => !present.has(c))
    return without.length > 0 ? [`no ${unit} of class ${listSome(without, 5)} is in the ${where} set`] : []
  }
  return [...missing(train, 'training'), ...missing(test, 'test')]
}
