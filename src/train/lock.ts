/**
 * A lock on a folder that one process at a time may write: a file in it names the holder. The lock of a killed holder
 * is taken over.
 */
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { atExit } from '../io/at-exit.ts'
import { makeFolder, writeFileAtOnce } from '../io/atomic.ts'
import { cannotWrite, systemReason } from '../io/errors.ts'
import { UsageError } from '../util/errors.ts'
import { type Holder, isHere, mayLive, readHolder, thisProcess } from './holder.ts'

/** A lock that is held. */
export interface Lock {
  readonly release: () => void
}

export interface LockOptions {
  /** Whether the folder is new. Default: it is if it does not exist. */
  readonly isNew?: boolean
  /** Together with other processes that lock it as shared. Default: alone. */
  readonly shared?: boolean
}

function heldBy(folder: string, file: string, holder: Holder, self: Holder): UsageError {
  const { pid, host, since } = holder
  const here = isHere(holder, self)
  const where = here ? '' : host === self.host ? ' of another container' : ` on ${host}`
  const time = `${since.slice(0, 19).replace('T', ' ')} UTC`
  return new UsageError(`${folder} is in use by process ${pid}${where} since ${time}`, {
    hint: here ? 'wait until it has ended, or stop it' : `if that process has ended, delete ${join(folder, file)}`,
  })
}

const prefix = 'lock-'
const attempts = 10

function lockFiles(folder: string): string[] {
  return readdirSync(folder).filter((file) => file.startsWith(prefix) && file.endsWith('.json'))
}

/** Removes what is no lock of a process that lives. Throws a UsageError where it cannot be, such as a folder of that name. */
function removeLock(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch (error) {
    throw new UsageError(`${path}: is no lock of a process, and cannot be removed (${systemReason(error)})`, {
      cause: error,
      hint: 'delete it, or choose another folder',
    })
  }
}

/** Another process's lock that excludes this one; locks of dead processes are removed. */
function otherLock(folder: string, own: string, self: Holder): { file: string; holder: Holder } | undefined {
  for (const file of lockFiles(folder)) {
    if (file === own) continue
    const holder = readHolder(join(folder, file))
    if (holder && mayLive(holder, self)) {
      if (holder.shared && self.shared) continue
      return { file, holder }
    }
    removeLock(join(folder, file))
  }
  return undefined
}

/** The process that holds the lock of a folder. */
export interface FolderHolder {
  readonly pid: number
  /** When it took the lock, as ISO 8601 text. */
  readonly since: string
  /** Whether it runs where this process does, so that its number means the same here. */
  readonly isHere: boolean
}

/** Who holds the lock of a folder, as far as can be known; undefined if nobody does. Changes nothing. */
export function folderHolder(folder: string): FolderHolder | undefined {
  const self = thisProcess()
  for (const file of lockFiles(folder)) {
    const holder = readHolder(join(folder, file))
    if (!holder || !mayLive(holder, self)) continue
    return { pid: holder.pid, since: holder.since, isHere: isHere(holder, self) }
  }
  return undefined
}

/**
 * Locks a folder, which is made if it is missing. Throws a UsageError that names the holder if another process has it. The lock
 * is released at the latest when the process exits; a folder that is new, and still empty then, is removed with it.
 *
 * Every process writes a file of its own and then looks for others: one that sees none has the lock. Two that arrive at the same
 * moment see each other, step back, and try again after different times. Those that share do not mind each other.
 */
export async function lockFolder(
  folder: string,
  { isNew = !existsSync(folder), shared = false }: LockOptions = {},
): Promise<Lock> {
  const self = thisProcess(shared)
  const own = `${prefix}${randomUUID()}.json`
  const path = join(folder, own)
  const remove = (): void => {
    try {
      rmSync(path, { force: true })
      if (isNew) rmdirSync(folder)
    } catch {
      // Something is in the folder, or it could not be made. A lock that stays belongs to a dead process and is ignored.
    }
  }
  const forget = atExit(remove)
  const release = (): void => {
    forget()
    remove()
  }
  try {
    await makeFolder(folder)
    await obtain(folder, own, self)
  } catch (error) {
    release()
    throw error
  }
  return { release }
}

/** Writes the lock file and waits until it is the only one. */
async function obtain(folder: string, own: string, self: Holder): Promise<void> {
  const path = join(folder, own)
  for (let attempt = 1; ; attempt++) {
    try {
      // An exit in the middle of a write that goes on elsewhere would leave the file behind.
      writeFileAtOnce(path, Buffer.from(`${JSON.stringify(self)}\n`))
    } catch (error) {
      throw cannotWrite(folder, error instanceof Error ? error.cause : error)
    }
    const other = otherLock(folder, own, self)
    if (!other) return
    rmSync(path, { force: true })
    if (attempt === attempts) throw heldBy(folder, other.file, other.holder, self)
    await setTimeout(10 + 40 * Math.random())
  }
}
