/** The text files of a folder, and a summary of what was read. */
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { FormatError, UsageError } from '../../util/errors.ts'
import { counted } from '../../util/words.ts'
import { cannotRead, readBytes } from '../files.ts'
import { type OnError, passedOver, settleUnreadable, unreadableOf } from '../opening.ts'
import { decodeUtf8 } from '../text/encoding.ts'
import { listFolder, type Unreadable } from './listing.ts'
import { readText } from './text.ts'

export interface TextFolderOptions {
  /** Endings of the files that are read, in any case. Default: .txt */
  readonly extensions?: readonly string[]
  /** Limit for all files together; default 2^28. */
  readonly maxBytes?: number
  /** Default: stop. */
  readonly onError?: OnError
  /** Hint for files that can't be read. */
  readonly hint?: string
}

export interface TextFile {
  readonly path: string
  /** Relative to the folder, with `/` between. */
  readonly name: string
  readonly text: string
}

/** Texts that were read, and what was not. */
export interface TextFiles {
  readonly texts: readonly TextFile[]
  /** One line: `3 texts; 1 .md not read; 2 hidden`. */
  readonly summary: string
  /** Names of the sub-folders. */
  readonly folders: readonly string[]
}

/**
 * Reads a text file, or all text files below a folder, sorted by path; hidden ones are left out. Throws a UsageError that names all
 * files which are not UTF-8 or can't be read, or if there are no text files.
 */
export async function openTexts(path: string, options: TextFolderOptions = {}): Promise<TextFiles> {
  const info = await stat(path).catch((error: unknown) => Promise.reject(cannotRead(path, error)))
  if (info.isDirectory()) return openTextFolder(path, options)
  const text = await readText(path, options.maxBytes)
  return { texts: [{ path, name: basename(path), text }], summary: '1 text', folders: [] }
}

async function openTextFolder(folder: string, options: TextFolderOptions): Promise<TextFiles> {
  const { extensions = ['.txt'], maxBytes = 2 ** 28, onError = 'stop', hint = 'convert or remove them' } = options
  const listing = await listFolder(folder)
  const isText = (name: string): boolean =>
    extensions.some((ending) => name.toLowerCase().endsWith(ending.toLowerCase()))
  const unreadable: Unreadable[] = [...listing.unreadable]
  const texts: TextFile[] = []
  let left = maxBytes
  for (const name of listing.files.filter(isText)) {
    const path = join(folder, name)
    const bytes = await readBytes(path, left).catch((error: unknown) => {
      if (error instanceof FormatError) throw error // too large, all together
      unreadable.push(unreadableOf(path, error))
    })
    if (!bytes) continue
    left -= bytes.length
    try {
      texts.push({ path, name, text: decodeUtf8(bytes, path) })
    } catch (error) {
      unreadable.push(unreadableOf(path, error))
    }
  }
  const leftOut = settleUnreadable(folder, unreadable, onError, hint)
  const passed = passedOver(
    listing,
    listing.files.filter((name) => !isText(name)),
  )
  if (texts.length === 0) {
    const found = passed.length > 0 ? `; ${passed.join('; ')}` : ''
    throw new UsageError(`${folder}: must have files ending in ${extensions.join(', ')}, found none${found}`)
  }
  return { texts, summary: [counted(texts.length, 'text'), ...leftOut, ...passed].join('; '), folders: listing.folders }
}

/** A text file, or all texts below a folder; see `openTexts`. */
export async function readTexts(path: string): Promise<{ path: string; text: string }[]> {
  return (await openTexts(path)).texts.map(({ path, text }) => ({ path, text }))
}

/** All text files below a folder; see `openTexts`. */
export async function readTextFolder(
  folder: string,
  options: TextFolderOptions = {},
): Promise<{ path: string; text: string }[]> {
  return (await openTextFolder(folder, options)).texts.map(({ path, text }) => ({ path, text }))
}
