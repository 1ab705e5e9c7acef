import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type FileHandle, open, readdir, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { UsageError } from '../util/errors.ts'
import { atExit } from './at-exit.ts'
import { cannotWrite, systemReason } from './errors.ts'

/** Content of a file: its bytes, or consecutive pieces, which together may be larger than any array. */
export type FileContent = Uint8Array | readonly Uint8Array[]

// File systems and platforms that cannot flush folders answer with one of these.
const cannotSync = new Set(['EACCES', 'EBADF', 'EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM'])

// One system call writes at most 2 GiB.
const largestWrite = 2 ** 28

/** Flushes a folder's entries to disk, where that can be done. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!cannotSync.has(systemReason(error))) throw error
  }
}

async function writeContent(handle: FileHandle, content: FileContent): Promise<void> {
  for (const piece of content instanceof Uint8Array ? [content] : content) {
    let written = 0
    while (written < piece.length) {
      const length = Math.min(piece.length - written, largestWrite)
      written += (await handle.write(piece, written, length)).bytesWritten
    }
  }
}

async function writeNewFile(path: string, content: FileContent): Promise<void> {
  const handle = await open(path, 'wx')
  try {
    await writeContent(handle, content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The file that a path means: links are followed, also one to a file that is not there yet. */
async function behindLinks(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    // Links in a cycle mean no file at all.
    if (systemReason(error) === 'ELOOP') throw error
    const target = systemReason(error) === 'ENOENT' ? await readlink(path).catch(() => undefined) : undefined
    return target === undefined ? path : behindLinks(resolve(dirname(path), target))
  }
}

/** Whether a path is a device or pipe, such as /dev/stdout: bytes pass through it, and no file may take its place. */
async function isStream(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && !found.isFile() && !found.isDirectory()
}

async function writeStream(path: string, content: FileContent): Promise<void> {
  const handle = await open(path, 'w')
  try {
    await writeContent(handle, content)
  } finally {
    await handle.close()
  }
}

/** Where a file is written before it takes its name. */
function temporaryBeside(path: string): string {
  // File names have at most 255 bytes.
  return join(dirname(path), `.${basename(path).slice(0, 50)}.${randomUUID()}.tmp`)
}

async function replaceFile(path: string, content: FileContent): Promise<void> {
  const temporary = temporaryBeside(path)
  const forget = atExit(() => rmSync(temporary, { force: true }))
  try {
    await writeNewFile(temporary, content)
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  } finally {
    forget()
  }
}

/**
 * Writes a file so that `path` holds either the old content or all of the new, whenever the process or the machine
 * stops: to a temporary file next to it, flushed, then renamed, and the folder flushed. Links stay links; devices and pipes
 * are written as they are. Throws a UsageError if that fails, and leaves nothing behind.
 */
export async function writeFileAtomic(path: string, content: FileContent): Promise<void> {
  try {
    if (await isStream(path)) await writeStream(path, content)
    else await replaceFile(await behindLinks(path), content)
  } catch (error) {
    throw cannotWrite(path, error)
  }
}

/**
 * Like `writeFileAtomic`, for a small file that need not outlive the machine: at once, so that a process that exits has either
 * written it or never will.
 */
export function writeFileAtOnce(path: string, content: Uint8Array): void {
  const temporary = temporaryBeside(path)
  try {
    writeFileSync(temporary, content, { flag: 'wx' })
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw cannotWrite(path, error)
  }
}

const temporaryName = /^\..*\.[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\.tmp$/

/** Removes what killed writers left in a folder. No other process may be writing there. */
export async function removeUnfinished(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter((each) => temporaryName.test(each))) await rm(join(folder, name), { force: true })
}

/** Makes a folder, and those above it; returns whether it is new. Throws a UsageError if that is not possible. */
export async function makeFolder(path: string): Promise<boolean> {
  try {
    // At once: a folder that a process is still waiting for when it exits would be there after it had cleaned up.
    mkdirSync(path)
    return true
  } catch (error) {
    const code = systemReason(error)
    const parent = dirname(path)
    // Node's own recursion never ends where the system says ENOENT of what cannot be made, as it does in /proc.
    if (code === 'ENOENT' && parent !== path && (await makeFolder(parent))) return makeFolder(path)
    if (code !== 'EEXIST') throw cannotWrite(path, error)
    const found = await stat(path).catch(() => undefined)
    if (found?.isDirectory()) return false
    throw new UsageError(`${path}: must be a folder, found a file or a broken link`, {
      cause: error,
      hint: 'choose another name',
    })
  }
}

/** Throws a UsageError unless a file can be made there: before the work, not after it. */
export async function requireWritable(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) throw cannotWrite(path, Object.assign(new Error('is a folder'), { code: 'EISDIR' }))
  // Only an attempt tells: in /proc the rights are there, and no file can be made.
  const attempt = join(dirname(path), `.${basename(path)}.${randomUUID()}`)
  await writeFile(attempt, '', { flag: 'wx' }).catch((error: unknown) => {
    throw cannotWrite(path, error)
  })
  await rm(attempt, { force: true })
}

/**
 * Throws a UsageError if a file to write is one of those that are read, also by way of links or by another spelling of its path. Inputs that
 * are no files are passed over. `hint`: how another file is named.
 */
export async function requireNotInput(path: string, inputs: readonly string[], hint: string): Promise<void> {
  const own = await stat(path, { bigint: true }).catch(() => undefined)
  if (!own?.isFile()) return
  for (const input of inputs) {
    const found = await stat(input, { bigint: true }).catch(() => undefined)
    if (found && found.dev === own.dev && found.ino === own.ino)
      throw new UsageError(`${path} is an input, and would be overwritten`, { hint })
  }
}
