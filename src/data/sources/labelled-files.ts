/** A folder of files by class opened for training: listed, checked, divided into training and test files. */
import { basename, isAbsolute, relative, sep } from 'node:path'
import { UsageError } from '../../util/errors.ts'
import { mapParallel } from '../../util/parallel.ts'
import { counted } from '../../util/words.ts'
import { listSome } from '../counting.ts'
import { digestOf, readBytes } from '../files.ts'
import {
  checkLabels,
  describeClasses,
  describeSides,
  type OnError,
  type Opening,
  openingOf,
  passedOver,
  settleUnreadable,
  sharedContent,
  unreadableOf,
} from '../opening.ts'
import { type DataRecord, divide, type NamedExample } from '../record.ts'
import { pick } from '../split.ts'
import {
  type ClassFiles,
  type ClassLayout,
  type FileKind,
  type FindOptions,
  type FoundFiles,
  findFiles,
  findLayout,
  isOfKind,
} from './class-files.ts'
import { foldersBelow, type Listing, listFolder, splitFolders, type Unreadable } from './listing.ts'
import { findUnlabelled, knownUnlabelled, unlabelled } from './unlabelled-files.ts'

/** A kind of files of which damaged ones are found before training. */
export interface CheckedKind extends FileKind {
  /** Decodes a file as far as it takes to know that it can be read; throws a FormatError (naming `path`) if not. */
  readonly check: (bytes: Uint8Array, path: string) => Promise<void>
}

export interface LabelledFilesOptions {
  /** A folder with the test files, with the same sub-folders. Empty: `test/` or `val/` in the folder, else a share of its files. */
  readonly test?: string
  /** Share of the files held out where there is no test set of their own. */
  readonly testShare: number
  readonly seed: number
  readonly onError: OnError
  /** Hint for files that can't be read. Default: the setting that leaves them out. */
  readonly hint?: string
  /** Hint for too few files. Default: the settings that give more. */
  readonly more?: string
  /** Whether a folder may have files and no classes: all are of the class `unlabelled` then, and one class is enough. Default: false. */
  readonly mayLackClasses?: boolean
  /** What a run that was started earlier knows: its classes, and which file was on which side. */
  readonly known?: { readonly classes: readonly string[]; readonly record: DataRecord } | undefined
}

export interface LabelledFiles {
  readonly classes: readonly string[]
  readonly train: ClassFiles
  readonly test: ClassFiles
  readonly opening: Opening
}

/** Files read at once: enough for the threads that decode. */
const atOnce = 16
const largestFile = 2 ** 30

/**
 * Opens a folder of files with one sub-folder per class (see `findLayout`, `splitByName`). Every file is decoded once to find
 * damaged ones; files that a run knows are only compared by digest. Throws a UsageError that names all damaged files, broken
 * links and empty classes, or if there is nothing to train on or test with.
 */
export async function openLabelledFiles(
  folder: string,
  kind: CheckedKind,
  options: LabelledFilesOptions,
): Promise<LabelledFiles> {
  const { testShare, seed, onError, known } = options
  const { unit } = kind
  const listing = await listFolder(folder)
  const layout = layoutFor(kind, folder, listing, options)
  // For a known run all may be missing, which is reported with the other changes.
  const { looseClass } = layout
  const main = findFiles(kind, folder, listing, {
    prefix: layout.train,
    others: [...layout.held, ...layout.unused],
    mayBeNone: known !== undefined,
    looseClass,
  })
  const own = options.test
    ? await openTestFolder(kind, options.test, { mayBeNone: known !== undefined, looseClass })
    : layout.test === undefined
      ? undefined
      : { found: findFiles(kind, folder, listing, { prefix: layout.test, looseClass }) }
  const mainDigests = await readAll(main, kind, known?.record.train, known?.record.test)
  const testDigests = own && (await readAll(own.found, kind, known?.record.test))
  const unreadable = [
    ...mainDigests.unreadable,
    ...(testDigests?.unreadable ?? []),
    // A class that a run knows, emptied since, has missing files.
    ...(known ? [] : main.empty),
  ]
  // For a known run they are missing, or new and not needed.
  const isOfTest = unreadable.length === testDigests?.unreadable.length
  const source = isOfTest && options.test ? options.test : folder
  const leftOut = settleUnreadable(source, unreadable, known ? 'skip' : onError, options.hint)
  const classes = known?.classes ?? classesWith(main, mainDigests)
  const [files, testFiles] = [
    readable(main, mainDigests, classes),
    own && testDigests && readable(own.found, testDigests, classes),
  ]
  if (!known && own) refuseOtherClasses(unit, own.found, classes)
  const divided = divide(files.examples, testFiles?.examples, {
    unit,
    share: testShare,
    seed,
    known: known?.record,
  })
  const train = choose(files.files, divided.sides.train)
  const test = choose((testFiles ?? files).files, divided.sides.test)
  const held = own
    ? `there are none in ${options.test || layout.test}`
    : `data.test_share of ${counted(main.names.length, unit)} is ${testShare}`
  const warnings = checkLabels({
    source: folder,
    unit,
    labels: classes,
    train: train.labels,
    test: test.labels,
    held,
    more: options.more,
    ...(options.mayLackClasses && { leastClasses: 1 }),
    known: known && { changes: divided.changes },
  })
  const summary = [
    `${counted(train.paths.length + test.paths.length, unit)} ${looseClass === undefined ? `in ${describeClasses(classes, train.labels, test.labels)}` : 'without classes'}`,
    ...leftOut,
    ...notUsed(kind, listing, main, layout, own),
    describeSides(unit, train.paths.length, test.paths.length),
  ]
  return {
    classes,
    train,
    test,
    opening: openingOf(summary, [...(known ? [] : warnings), ...sharedContent(divided)], divided),
  }
}

/** The test files' folder; `listing`: of one that was named by itself. */
interface TestFolder {
  readonly listing?: Listing
  readonly found: FoundFiles
}

/** What is in the folders but not used, as parts of a line. */
function notUsed(kind: FileKind, listing: Listing, main: FoundFiles, layout: ClassLayout, own?: TestFolder): string[] {
  const { unit } = kind
  const folders = layout.unused.map((name) => `${name}/`)
  // In the folder around train/ and test/.
  const around = layout.train === '' ? [] : listing.files.filter((name) => !name.includes('/'))
  const inside = own && !own.listing ? own.found : undefined
  const unread = [...around.filter((name) => !isOfKind(kind, name)), ...main.unread, ...(inside?.unread ?? [])]
  const loose = [...around.filter((name) => isOfKind(kind, name)), ...main.loose, ...(inside?.loose ?? [])]
  const apart = own?.listing
    ? [...passedOver(own.listing, own.found.unread), ...describeLoose(unit, own.found.loose)]
    : []
  const empty = (own?.found.empty ?? []).map(({ path }) => basename(path))
  return [
    ...passedOver(listing, unread),
    ...describeLoose(unit, loose),
    ...apart.map((part) => `of the test folder ${part}`),
    ...(empty.length > 0 ? [`${counted(empty.length, 'test class')} without a ${unit} (${listSome(empty, 3)})`] : []),
    ...(folders.length > 0 ? [`${listSome(folders, 3)} not used`] : []),
  ]
}

function describeLoose(unit: string, loose: readonly string[]): string[] {
  return loose.length > 0 ? [`${counted(loose.length, unit)} in no class not used`] : []
}

/**
 * What of the folder is trained on, and what is not: a test folder of its own may lie inside, and so may one that came after a run was
 * started.
 */
function layoutFor(
  kind: FileKind,
  folder: string,
  listing: Listing,
  { test, known, mayLackClasses = false }: LabelledFilesOptions,
): ClassLayout & { readonly held: readonly string[]; readonly looseClass?: string } {
  const wereLoose = known?.classes.every((name) => name === unlabelled)
  const loose = known ? wereLoose && knownUnlabelled(known.record) : mayLackClasses && findUnlabelled(kind, listing)
  const layout = loose || findLayout(kind, folder, listing, known?.record)
  const { train, test: found } = layout
  const given = test ? relative(folder, test).replaceAll(sep, '/') : ''
  const inside = given !== '' && !given.startsWith('..') && !isAbsolute(given) ? [given] : []
  const unused = layout.unused.filter((name) => !inside.includes(name))
  const common = { train, ...(loose && { looseClass: unlabelled }) }
  if (found === undefined) {
    if (!loose && !test && !known && train !== '') refuseEmptyTest(kind, folder, listing)
    return { ...common, unused, held: inside }
  }
  const name = found.slice(0, -1)
  if (!test) return { ...common, test: found, unused: layout.unused, held: [name] }
  return { ...common, unused: inside.includes(name) ? unused : [name, ...unused], held: inside }
}

/** A test folder that has classes but no files is a mistake: no share of the training files is held out instead. */
function refuseEmptyTest(kind: FileKind, folder: string, listing: Listing): void {
  const { test, validation } = splitFolders(foldersBelow(listing, ''))
  const empty = [test, validation].find((name) => name !== undefined && foldersBelow(listing, `${name}/`).length > 0)
  if (empty === undefined) return
  throw new UsageError(`${folder}: ${empty}/ must have ${kind.unit}s in its sub-folders, found none in any`, {
    hint: `put test ${kind.unit}s there; without ${empty}/ a share of the training ${kind.unit}s is held out`,
  })
}

async function openTestFolder(kind: FileKind, folder: string, options: FindOptions): Promise<TestFolder> {
  const listing = await listFolder(folder)
  return { listing, found: findFiles(kind, folder, listing, options) }
}

interface Digests {
  /** By name; damaged files have none. */
  readonly digests: ReadonlyMap<string, string>
  readonly unreadable: readonly Unreadable[]
}

/** Reads every file; those whose digest is not known already are decoded too. */
async function readAll(
  { paths, names, unreadable }: FoundFiles,
  { check }: CheckedKind,
  ...known: readonly (Readonly<Record<string, string>> | undefined)[]
): Promise<Digests> {
  const damaged: Unreadable[] = []
  const digests = new Map<string, string>()
  await mapParallel(paths, atOnce, async (path, i) => {
    try {
      const bytes = await readBytes(path, largestFile)
      const digest = digestOf(bytes)
      const name = names[i] ?? ''
      if (!known.some((side) => side?.[name] === digest)) await check(bytes, path)
      digests.set(name, digest)
    } catch (error) {
      damaged.push(unreadableOf(path, error))
    }
  })
  const inOrder = damaged.sort((a, b) => (a.path < b.path ? -1 : 1))
  return { digests, unreadable: [...unreadable, ...inOrder] }
}

/** The classes that have a file that can be read. */
function classesWith({ classes, names, labels }: FoundFiles, { digests }: Digests): string[] {
  const present = new Set(labels.filter((_, row) => digests.has(names[row] ?? '')))
  return classes.filter((_, label) => present.has(label))
}

/** The files that can be read, labelled by their index in `classes`; -1: a class that the run does not know. */
function readable(
  found: FoundFiles,
  { digests }: Digests,
  classes: readonly string[],
): { files: ClassFiles; examples: NamedExample[] } {
  const numbers = found.classes.map((name) => classes.indexOf(name))
  const rows = [...found.names.keys()].filter((row) => digests.has(found.names[row] ?? ''))
  const chosen = choose(found, rows)
  const files = { ...chosen, classes, labels: chosen.labels.map((label) => numbers[label] ?? -1) }
  return { files, examples: files.names.map((name) => ({ name, digest: digests.get(name) ?? '' })) }
}

function choose(files: ClassFiles, rows: readonly number[]): ClassFiles {
  const { folder, classes, paths, names, labels } = files
  return { folder, classes, paths: pick(paths, rows), names: pick(names, rows), labels: pick(labels, rows) }
}

function refuseOtherClasses(unit: string, test: FoundFiles, classes: readonly string[]): void {
  const other = test.classes.filter((name) => !classes.includes(name))
  if (other.length === 0) return
  throw new UsageError(
    `${test.folder}: test ${unit}s must be of the classes trained on, found also ${listSome(other, 5)}`,
    {
      hint: `trained on: ${listSome(classes, 10)}`,
    },
  )
}
