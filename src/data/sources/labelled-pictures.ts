/** A folder of pictures opened for training: listed, checked, divided into training and test pictures. */
import { basename, isAbsolute, relative, sep } from 'node:path'
import { UsageError } from '../../util/errors.ts'
import { mapParallel } from '../../util/parallel.ts'
import { count, listSome } from '../counting.ts'
import { digestOf, readBytes } from '../files.ts'
import {
  checkLabels,
  describeClasses,
  describeSides,
  type OnError,
  type Opening,
  openingOf,
  passedOver,
  reasonOf,
  settleUnreadable,
  sharedContent,
} from '../opening.ts'
import { type DataRecord, divide, type NamedExample } from '../record.ts'
import { pick } from '../split.ts'
import { checkImage, type ImageOptions, type ImageTransform, imageTransform } from './image.ts'
import { foldersBelow, type Listing, listFolder, splitFolders, type Unreadable } from './listing.ts'
import {
  type FoundPictures,
  findLayout,
  findPictures,
  isPicture,
  type PictureFiles,
  type PictureLayout,
} from './picture-files.ts'

export interface LabelledPicturesOptions {
  /** A folder with the test pictures, with the same sub-folders. Empty: `test/` or `val/` in the folder, else a share of its pictures. */
  readonly test?: string
  /** Share of the pictures held out where there is no test set of their own. */
  readonly testShare: number
  readonly seed: number
  readonly onError: OnError
  /** Hint for pictures that can't be read. Default: the setting that leaves them out. */
  readonly hint?: string
  /** Hint for too few pictures. Default: the settings that give more. */
  readonly more?: string
  /** What a run that was started earlier knows: its classes, and which picture was on which side. */
  readonly known?: { readonly classes: readonly string[]; readonly record: DataRecord } | undefined
}

export interface LabelledPictures {
  readonly classes: readonly string[]
  readonly train: PictureFiles
  readonly test: PictureFiles
  readonly opening: Opening
}

/** Files read at once: enough for the threads that decode. */
const atOnce = 16
const largestFile = 2 ** 30

/**
 * Opens a folder of pictures with one sub-folder per class (see `findLayout`, `splitByName`). Every picture is decoded once to find
 * damaged ones; pictures that a run knows are only compared by digest. Throws a UsageError that names all damaged pictures, broken
 * links and empty classes, or if there is nothing to train on or test with.
 */
export async function openLabelledPictures(
  folder: string,
  images: ImageOptions,
  options: LabelledPicturesOptions,
): Promise<LabelledPictures> {
  const { testShare, seed, onError, known } = options
  const transform = imageTransform(images)
  const listing = await listFolder(folder)
  const layout = layoutFor(folder, listing, options)
  // For a known run all may be missing, which is reported with the other changes.
  const main = findPictures(folder, listing, layout.train, [...layout.held, ...layout.unused], known !== undefined)
  const own = options.test
    ? await openTestFolder(options.test, known !== undefined)
    : layout.test === undefined
      ? undefined
      : { pictures: findPictures(folder, listing, layout.test) }
  const mainDigests = await readAll(main, transform, known?.record.train, known?.record.test)
  const testDigests = own && (await readAll(own.pictures, transform, known?.record.test))
  const unreadable = [
    ...mainDigests.unreadable,
    ...(testDigests?.unreadable ?? []),
    // A class that a run knows, emptied since, has missing pictures.
    ...(known ? [] : main.empty),
  ]
  // For a known run they are missing, or new and not needed.
  const isOfTest = unreadable.length === testDigests?.unreadable.length
  const source = isOfTest && options.test ? options.test : folder
  const leftOut = settleUnreadable(source, unreadable, known ? 'skip' : onError, options.hint)
  const classes = known?.classes ?? classesWith(main, mainDigests)
  const [files, testFiles] = [
    readable(main, mainDigests, classes),
    own && testDigests && readable(own.pictures, testDigests, classes),
  ]
  if (!known && own) refuseOtherClasses(own.pictures, classes)
  const divided = divide(files.examples, testFiles?.examples, {
    unit: 'picture',
    share: testShare,
    seed,
    known: known?.record,
  })
  const train = choose(files.pictures, divided.sides.train)
  const test = choose((testFiles ?? files).pictures, divided.sides.test)
  const held = own
    ? `there are none in ${options.test || layout.test}`
    : `data.test_share of ${count(main.names.length, 'picture')} is ${testShare}`
  const warnings = checkLabels({
    source: folder,
    unit: 'picture',
    labels: classes,
    train: train.labels,
    test: test.labels,
    held,
    more: options.more,
    known: known && { changes: divided.changes },
  })
  const summary = [
    `${count(train.paths.length + test.paths.length, 'picture')} in ${describeClasses(classes, train.labels, test.labels)}`,
    ...leftOut,
    ...notUsed(listing, main, layout, own),
    describeSides('picture', train.paths.length, test.paths.length),
  ]
  return {
    classes,
    train,
    test,
    opening: openingOf(summary, [...(known ? [] : warnings), ...sharedContent(divided)], divided),
  }
}

/** The test pictures' folder; `listing`: of one that was named by itself. */
interface TestFolder {
  readonly listing?: Listing
  readonly pictures: FoundPictures
}

/** What is in the folders but not used, as parts of a line. */
function notUsed(listing: Listing, main: FoundPictures, layout: PictureLayout, own?: TestFolder): string[] {
  const folders = layout.unused.map((name) => `${name}/`)
  // In the folder around train/ and test/.
  const around = layout.train === '' ? [] : listing.files.filter((name) => !name.includes('/'))
  const inside = own && !own.listing ? own.pictures : undefined
  const unread = [...around.filter((name) => !isPicture(name)), ...main.unread, ...(inside?.unread ?? [])]
  const loose = [...around.filter(isPicture), ...main.loose, ...(inside?.loose ?? [])]
  const apart = own?.listing
    ? [...passedOver(own.listing, own.pictures.unread), ...describeLoose(own.pictures.loose)]
    : []
  const empty = (own?.pictures.empty ?? []).map(({ path }) => basename(path))
  return [
    ...passedOver(listing, unread),
    ...describeLoose(loose),
    ...apart.map((part) => `of the test folder ${part}`),
    ...(empty.length > 0 ? [`${count(empty.length, 'test class')} without a picture (${listSome(empty, 3)})`] : []),
    ...(folders.length > 0 ? [`${listSome(folders, 3)} not used`] : []),
  ]
}

function describeLoose(loose: readonly string[]): string[] {
  return loose.length > 0 ? [`${count(loose.length, 'picture')} in no class not used`] : []
}

/**
 * What of the folder is trained on, and what is not: a test folder of its own may lie inside, and so may one that came after a run was
 * started.
 */
function layoutFor(
  folder: string,
  listing: Listing,
  { test, known }: LabelledPicturesOptions,
): PictureLayout & { readonly held: readonly string[] } {
  const layout = findLayout(folder, listing, known?.record)
  const { train, test: found } = layout
  const given = test ? relative(folder, test).replaceAll(sep, '/') : ''
  const inside = given !== '' && !given.startsWith('..') && !isAbsolute(given) ? [given] : []
  const unused = layout.unused.filter((name) => !inside.includes(name))
  if (found === undefined) {
    if (!test && !known && train !== '') refuseEmptyTest(folder, listing)
    return { train, unused, held: inside }
  }
  const name = found.slice(0, -1)
  if (!test) return { ...layout, held: [name] }
  return { train, unused: inside.includes(name) ? unused : [name, ...unused], held: inside }
}

/** A test folder that has classes but no pictures is a mistake: no share of the training pictures is held out instead. */
function refuseEmptyTest(folder: string, listing: Listing): void {
  const { test, validation } = splitFolders(foldersBelow(listing, ''))
  const empty = [test, validation].find((name) => name !== undefined && foldersBelow(listing, `${name}/`).length > 0)
  if (empty === undefined) return
  throw new UsageError(`${folder}: ${empty}/ must have pictures in its sub-folders, found none in any`, {
    hint: `put test pictures there; without ${empty}/ a share of the training pictures is held out`,
  })
}

async function openTestFolder(folder: string, mayBeNone: boolean): Promise<TestFolder> {
  const listing = await listFolder(folder)
  return { listing, pictures: findPictures(folder, listing, '', [], mayBeNone) }
}

interface Digests {
  /** By name; damaged pictures have none. */
  readonly digests: ReadonlyMap<string, string>
  readonly unreadable: readonly Unreadable[]
}

/** Reads every picture; those whose digest is not known already are decoded too. */
async function readAll(
  { paths, names, unreadable }: FoundPictures,
  transform: ImageTransform,
  ...known: readonly (Readonly<Record<string, string>> | undefined)[]
): Promise<Digests> {
  const damaged: Unreadable[] = []
  const digests = new Map<string, string>()
  await mapParallel(paths, atOnce, async (path, i) => {
    try {
      const bytes = await readBytes(path, largestFile)
      const digest = digestOf(bytes)
      const name = names[i] ?? ''
      if (!known.some((side) => side?.[name] === digest)) await checkImage(bytes, transform, path)
      digests.set(name, digest)
    } catch (error) {
      damaged.push(reasonOf(path, error))
    }
  })
  const inOrder = damaged.sort((a, b) => (a.path < b.path ? -1 : 1))
  return { digests, unreadable: [...unreadable, ...inOrder] }
}

/** The classes that have a picture that can be read. */
function classesWith({ classes, names, labels }: FoundPictures, { digests }: Digests): string[] {
  const present = new Set(labels.filter((_, row) => digests.has(names[row] ?? '')))
  return classes.filter((_, label) => present.has(label))
}

/** The pictures that can be read, labelled by their index in `classes`; -1: a class that the run does not know. */
function readable(
  found: FoundPictures,
  { digests }: Digests,
  classes: readonly string[],
): { pictures: PictureFiles; examples: NamedExample[] } {
  const numbers = found.classes.map((name) => classes.indexOf(name))
  const rows = [...found.names.keys()].filter((row) => digests.has(found.names[row] ?? ''))
  const chosen = choose(found, rows)
  const pictures = { ...chosen, classes, labels: chosen.labels.map((label) => numbers[label] ?? -1) }
  return { pictures, examples: pictures.names.map((name) => ({ name, digest: digests.get(name) ?? '' })) }
}

function choose(files: PictureFiles, rows: readonly number[]): PictureFiles {
  const { folder, classes, paths, names, labels } = files
  return { folder, classes, paths: pick(paths, rows), names: pick(names, rows), labels: pick(labels, rows) }
}

function refuseOtherClasses(test: FoundPictures, classes: readonly string[]): void {
  const other = test.classes.filter((name) => !classes.includes(name))
  if (other.length === 0) return
  throw new UsageError(
    `${test.folder}: test pictures must be of the classes trained on, found also ${listSome(other, 5)}`,
    {
      hint: `trained on: ${listSome(classes, 10)}`,
    },
  )
}
