/** The files of one kind (pictures, recordings, ...) in a listed folder, by class. */
import { extname, join } from 'node:path'
import { UsageError } from '../../util/errors.ts'
import { countEndings, listSome } from '../counting.ts'
import { foldersBelow, type Listing, splitFolders, type Unreadable } from './listing.ts'

/** A kind of files: one file is one example. */
export interface FileKind {
  /** What an example is, in messages and records: `picture`. */
  readonly unit: string
  /** Endings of the files that can be read, in small letters, with the dot. */
  readonly endings: readonly string[]
  /** Two files of two classes, for hints: `folder/cat/1.jpg, folder/dog/1.jpg`. */
  readonly sample: string
}

/** Whether the ending (in any case) is that of a file that can be read. */
export function isOfKind({ endings }: FileKind, name: string): boolean {
  return endings.includes(extname(name).toLowerCase())
}

/** Files with their classes: by class, then by path. */
export interface ClassFiles {
  /** Their folder, for messages. */
  readonly folder: string
  /** Sorted. */
  readonly classes: readonly string[]
  /** Path, name (the path relative to the folder, with `/`) and class number of each file. */
  readonly paths: readonly string[]
  readonly names: readonly string[]
  readonly labels: readonly number[]
}

export interface FoundFiles extends ClassFiles {
  /** Broken links, folders without permission. */
  readonly unreadable: readonly Unreadable[]
  /** Classes without a file of the kind. */
  readonly empty: readonly Unreadable[]
  /** Names of the files in the classes that are of another kind. */
  readonly unread: readonly string[]
  /** Names of files of the kind outside of all classes. */
  readonly loose: readonly string[]
}

/** Which files of a listed folder are looked for, and what they may lack. */
export interface FindOptions {
  /** Where the classes' folders are: `train/`. Default: in the folder itself. */
  readonly prefix?: string
  /** Folders that are no classes. Default: none. */
  readonly others?: readonly string[]
  /** Whether there may be no files of the kind. Default: false. */
  readonly mayBeNone?: boolean
  /** The class of files that lie at the prefix itself, where folders are no classes. Default: those files are left out. */
  readonly looseClass?: string | undefined
}

/**
 * The files of a kind in a listed folder; each folder at the prefix is a class, except `others`. Throws a UsageError if there are none, unless
 * `mayBeNone`.
 */
export function findFiles(
  kind: FileKind,
  folder: string,
  listing: Listing,
  { prefix = '', others = [], mayBeNone = false, looseClass }: FindOptions = {},
): FoundFiles {
  const { unit, endings, sample } = kind
  const own = (name: string): boolean =>
    name.startsWith(prefix) && !others.some((other) => name.startsWith(`${other}/`))
  const candidates =
    looseClass === undefined ? foldersBelow(listing, prefix).filter((name) => !others.includes(prefix + name)) : []
  const files = listing.files.filter(own)
  const unread = files.filter((name) => !isOfKind(kind, name))
  const byClass = new Map(candidates.map((name) => [name, [] as string[]]))
  if (looseClass !== undefined) byClass.set(looseClass, [])
  const loose = (looseClass === undefined ? undefined : byClass.get(looseClass)) ?? []
  for (const name of files.filter((name) => isOfKind(kind, name))) {
    const inner = name.slice(prefix.length)
    const list = inner.includes('/') ? byClass.get(inner.slice(0, inner.indexOf('/'))) : loose
    list?.push(name)
  }
  const classes = [...byClass.keys()].filter((name) => (byClass.get(name) ?? []).length > 0)
  const names = classes.flatMap((name) => byClass.get(name) ?? [])
  const place = join(folder, prefix)
  if (names.length === 0 && !mayBeNone) {
    const found = unread.length > 0 ? ` (${countEndings(unread)} ${unread.length === 1 ? 'is' : 'are'} not read)` : ''
    throw new UsageError(
      `${place}: must have sub-folders with ${unit}s, found no ${endings.join(', ')} in any${found}`,
      {
        hint: `one sub-folder per class, named as the class: ${sample}`,
      },
    )
  }
  const empty = candidates
    .filter((name) => !classes.includes(name))
    .map((name): Unreadable => {
      const inside = unread.filter((file) => file.startsWith(`${prefix}${name}/`))
      const found = inside.length > 0 ? `, ${countEndings(inside)} ${inside.length === 1 ? 'is' : 'are'} not read` : ''
      return { path: join(place, name), reason: `a class without a ${unit}${found}` }
    })
  const broken = listing.unreadable.filter(({ path }) => own(path.slice(join(folder, '/').length)))
  return {
    folder,
    classes,
    paths: names.map((name) => join(folder, name)),
    names,
    labels: classes.flatMap((name, label) => (byClass.get(name) ?? []).map(() => label)),
    unreadable: broken,
    empty,
    unread,
    loose: looseClass === undefined ? loose : [],
  }
}

/** Where in a folder the training and the test files are. */
export interface ClassLayout {
  /** Prefix of the classes' folders: empty or `train/`. */
  readonly train: string
  /** Prefix of the test files' classes; undefined: there are none of their own. */
  readonly test?: string
  /** Folders that are neither classes nor used. */
  readonly unused: readonly string[]
}

/**
 * Understands `train/`, `val/` and `test/` (also training, valid, validation, testing) with one sub-folder per class in each: `test/` is
 * the test set, or `val/` where there is no `test/`. A `train` that has files and no sub-folders is an ordinary class. In a folder
 * that a run knows, only the parts that it has used count; others came later. Throws a UsageError if there are parts but none to
 * train on, or if the classes lie further down.
 */
export function findLayout(
  kind: FileKind,
  folder: string,
  listing: Listing,
  known?: Readonly<Record<'train' | 'test', Readonly<Record<string, string>>>>,
): ClassLayout {
  const top = foldersBelow(listing, '')
  const { train, test, validation } = splitFolders(top)
  const withFiles = new Set(
    listing.files.filter((name) => isOfKind(kind, name)).map((name) => name.split('/', 2).join('/')),
  )
  const classesIn = (name: string): string[] =>
    foldersBelow(listing, `${name}/`).filter((inner) => withFiles.has(`${name}/${inner}`))
  const hasClasses = (name: string | undefined): name is string => name !== undefined && classesIn(name).length > 0
  const isPart = (name: string | undefined, side: 'train' | 'test'): name is string =>
    hasClasses(name) && (!known || Object.keys(known[side]).every((file) => file.startsWith(`${name}/`)))
  const held = [test, validation].find((name) => isPart(name, 'test'))
  if (isPart(train, 'train')) {
    const unused = top.filter((name) => name !== train && name !== held)
    return { train: `${train}/`, ...(held !== undefined && { test: `${held}/` }), unused }
  }
  if (!known) refuseParts(kind, folder, listing, train !== undefined && top.every((name) => roleOf(name)?.stem === ''))
  const classes = top.filter((name) => name !== held)
  const isDivided = held !== undefined && classesIn(held).every((name) => classes.includes(name))
  const knownNames = known && Object.keys({ ...known.train, ...known.test })
  // If nothing of the run is left, the error should say what is there instead.
  const isThere = knownNames && listing.files.some((name) => Object.hasOwn(known.train, name))
  const unused = [train, test, validation].filter(hasClasses).filter((name) => {
    if (isDivided && name === held) return false
    if (knownNames) return isThere && !knownNames.some((file) => file.startsWith(`${name}/`))
    return isDivided && name !== train && classesIn(name).every((inner) => classes.includes(inner))
  })
  return { train: '', ...(isDivided && { test: `${held}/` }), unused }
}

/** The part of a data set that a folder's name says: `images_train` is the part `train` of what is called `images_`. */
function roleOf(name: string): { readonly stem: string; readonly role: string } | undefined {
  for (const word of name.split(/[-_. ]/)) {
    const [role] = Object.entries(splitFolders([word])).flatMap(([key, found]) => (found === undefined ? [] : [key]))
    if (role !== undefined) return { stem: name.replace(word, ''), role }
  }
  return undefined
}

/** Refuses folders that would wrongly be taken for classes: the parts of a divided set, a folder around the classes. */
function refuseParts(kind: FileKind, folder: string, listing: Listing, isFlat: boolean): void {
  const files = listing.files.filter((name) => isOfKind(kind, name))
  const top = [...new Set(files.flatMap((name) => name.split('/').slice(0, -1).slice(0, 1)))].sort()
  if (isFlat) {
    const train = splitFolders(foldersBelow(listing, '')).train
    throw new UsageError(`${folder}: ${train}/ must have one sub-folder per class, found no ${kind.unit}s in any`)
  }
  const parts = top.map(roleOf)
  const [first] = parts
  const isOneSet = first !== undefined && parts.every((part) => part?.stem === first.stem)
  if (isOneSet && new Set(parts.map((part) => part?.role)).size > 1) {
    throw new UsageError(
      `${folder}: ${top.map((name) => `${name}/`).join(' and ')} are parts of a divided set, not classes, and there is no train/`,
      { hint: 'call them train/ and test/ (or val/), with one sub-folder per class in each' },
    )
  }
  // As from an archive that was unpacked into a folder of its own name.
  const [outer] = top
  if (top.length !== 1 || outer === undefined) return
  const paths = files.filter((name) => name.includes('/')).map((name) => name.split('/').slice(0, -1))
  const [shortest = []] = paths.toSorted((a, b) => a.length - b.length)
  const shared = shortest.findIndex((name, level) => paths.some((path) => path[level] !== name))
  if (shared < 1) return
  const below = [...new Set(paths.flatMap((path) => path.slice(shared, shared + 1)))]
  const place = join(folder, ...shortest.slice(0, shared))
  throw new UsageError(`${folder}: there must be at least two classes, found only "${outer}"`, {
    hint: `the sub-folders ${listSome(below.sort(), 3)} lie in ${place}: give that folder`,
  })
}
