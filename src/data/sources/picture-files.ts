/** The pictures in a listed folder, by class. */
import { extname, join } from 'node:path'
import { UsageError } from '../../util/errors.ts'
import { countEndings } from '../counting.ts'
import { foldersBelow, type Listing, splitFolders, type Unreadable } from './listing.ts'

const endings = new Set(['.png', '.jpg', '.jpeg', '.webp', '.avif', '.gif'])

/** Whether the ending (in any case) is that of a picture that can be read. */
export function isPicture(name: string): boolean {
  return endings.has(extname(name).toLowerCase())
}

/** Pictures with their classes: by class, then by path. */
export interface PictureFiles {
  /** Where they lie, for messages. */
  readonly folder: string
  /** Sorted. */
  readonly classes: readonly string[]
  /** Path, name (the path relative to the folder, with `/`) and class number of each picture. */
  readonly paths: readonly string[]
  readonly names: readonly string[]
  readonly labels: readonly number[]
}

export interface FoundPictures extends PictureFiles {
  /** Broken links, folders without permission. */
  readonly unreadable: readonly Unreadable[]
  /** Classes without a picture. */
  readonly empty: readonly Unreadable[]
  /** Names of the files in the classes that are no pictures. */
  readonly unread: readonly string[]
  /** Names of pictures that lie in no class. */
  readonly loose: readonly string[]
}

/**
 * The pictures below `prefix` of a listed folder; each folder there is a class, except those of `others`. Throws a UsageError if there
 * are none.
 */
export function findPictures(
  folder: string,
  listing: Listing,
  prefix = '',
  others: readonly string[] = [],
): FoundPictures {
  const own = (name: string): boolean =>
    name.startsWith(prefix) && !others.some((other) => name.startsWith(`${other}/`))
  const candidates = foldersBelow(listing, prefix).filter((name) => !others.includes(prefix + name))
  const files = listing.files.filter(own)
  const unread = files.filter((name) => !isPicture(name))
  const byClass = new Map(candidates.map((name) => [name, [] as string[]]))
  const loose: string[] = []
  for (const name of files.filter(isPicture)) {
    const inner = name.slice(prefix.length)
    const list = inner.includes('/') ? byClass.get(inner.slice(0, inner.indexOf('/'))) : loose
    list?.push(name)
  }
  const classes = candidates.filter((name) => (byClass.get(name) ?? []).length > 0)
  const names = classes.flatMap((name) => byClass.get(name) ?? [])
  const place = join(folder, prefix)
  if (names.length === 0) {
    const found = unread.length > 0 ? ` (${countEndings(unread)} ${unread.length === 1 ? 'is' : 'are'} not read)` : ''
    throw new UsageError(
      `${place}: must have sub-folders with pictures, found no ${[...endings].join(', ')} in any${found}`,
      {
        hint: 'one sub-folder a class, named as the class: folder/cat/1.jpg, folder/dog/1.jpg',
      },
    )
  }
  const empty = candidates
    .filter((name) => !classes.includes(name))
    .map((name): Unreadable => {
      const inside = unread.filter((file) => file.startsWith(`${prefix}${name}/`))
      const found = inside.length > 0 ? `, ${countEndings(inside)} ${inside.length === 1 ? 'is' : 'are'} not read` : ''
      return { path: join(place, name), reason: `a class without a picture${found}` }
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
    loose,
  }
}

/** Where in a folder the training and the test pictures lie. */
export interface PictureLayout {
  /** Prefix of the classes' folders: empty or `train/`. */
  readonly train: string
  /** Prefix of the test pictures' classes; undefined: there are none of their own. */
  readonly test?: string
  /** Folders that are neither classes nor used. */
  readonly unused: readonly string[]
}

/**
 * Understands `train/`, `val/` and `test/` (also training, valid, validation, testing) with one sub-folder a class in each: `test/` is
 * the test set, or `val/` where there is no `test/`. A `train` that has pictures and no sub-folders is a class like others.
 */
export function findLayout(folder: string, listing: Listing): PictureLayout {
  const top = foldersBelow(listing, '')
  const { train, test, validation } = splitFolders(top)
  const withPictures = new Set(listing.files.filter(isPicture).map((name) => name.split('/', 2).join('/')))
  const classesIn = (name: string | undefined): string[] =>
    name === undefined ? [] : foldersBelow(listing, `${name}/`).filter((inner) => withPictures.has(`${name}/${inner}`))
  const held = [test, validation].find((name) => classesIn(name).length > 0)
  if (train !== undefined && classesIn(train).length > 0) {
    const unused = top.filter((name) => name !== train && name !== held)
    return { train: `${train}/`, ...(held !== undefined && { test: `${held}/` }), unused }
  }
  if (train !== undefined && top.every((name) => [train, test, validation].includes(name))) {
    throw new UsageError(`${folder}: ${train}/ must have one sub-folder a class, found no pictures in any`)
  }
  const heldClasses = classesIn(held)
  const classes = top.filter((name) => name !== held)
  if (held !== undefined && heldClasses.every((name) => classes.includes(name))) {
    return { train: '', test: `${held}/`, unused: [] }
  }
  return { train: '', unused: [] }
}
