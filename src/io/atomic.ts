import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { UsageError } from '../util/errors.ts'
import { systemReason } from './errors.ts'

// File systems and platforms that cannot flush folders answer with one of these.
const cannotSync = new Set(['EACCES', 'EBADF', 'EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM'])

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

async function writeNewFile(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx')
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Writes a file so that `path` holds either the old content or all of the new, whenever the process or the machine
 * stops: to a temporary file beside it, flushed, then renamed, and the folder flushed. Throws a UsageError if that
 * fails, and leaves nothing behind.
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`)
  try {
    await writeNewFile(temporary, bytes)
    await rename(temporary, path)
    await syncFolder(folder)
  } catch (error) {
    await rm(temporary, { force: true })
    throw new UsageError(`${path}: cannot be written (${systemReason(error)})`, {
      cause: error,
      hint: 'is the folder there, writable, and its disk not full?',
    })
  }
}
