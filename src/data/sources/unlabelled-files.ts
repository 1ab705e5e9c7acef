/** Folders whose files have no classes: what learns without labels takes them too. */
import type { DataRecord } from '../record.ts'
import { type ClassLayout, type FileKind, isOfKind } from './class-files.ts'
import { foldersBelow, type Listing, splitFolders } from './listing.ts'

/** The only class of files that have none. */
export const unlabelled = 'unlabelled'

/** `train/` of names that are all in a folder of that name. */
function prefixOf(names: readonly string[]): string {
  const [first = ''] = names
  return first.slice(0, first.indexOf('/') + 1)
}

/** Where a run has found files without classes: it keeps to that, whatever came to lie in the folder since. */
export function knownUnlabelled({ train, test }: Pick<DataRecord, 'train' | 'test'>): ClassLayout {
  const [own, held] = [train, test].map((side) => prefixOf(Object.keys(side)))
  return { train: own ?? '', ...(held !== own && held && { test: held }), unused: [] }
}

/**
 * Where files without classes are: in the folder itself, or in its `train/` and `test/` (or `val/`), with nothing of the kind further down;
 * undefined: the sub-folders with files are classes.
 */
export function findUnlabelled(kind: FileKind, listing: Listing): ClassLayout | undefined {
  const files = listing.files.filter((name) => isOfKind(kind, name))
  if (files.length === 0) return undefined
  if (files.every((name) => !name.includes('/'))) return { train: '', unused: [] }
  const top = foldersBelow(listing, '')
  const { train, test, validation } = splitFolders(top)
  const lieIn = (folder: string | undefined): folder is string =>
    folder !== undefined && files.some((name) => name.startsWith(`${folder}/`))
  const isDivided = files.every((name) => {
    const parts = name.split('/')
    return parts.length === 1 || (parts.length === 2 && [train, test, validation].includes(parts[0]))
  })
  if (!isDivided || !lieIn(train)) return undefined
  const held = [test, validation].find(lieIn)
  return {
    train: `${train}/`,
    ...(held !== undefined && { test: `${held}/` }),
    unused: top.filter((name) => name !== train && name !== held),
  }
}
