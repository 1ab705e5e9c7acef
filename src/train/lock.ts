/**
 * A lock on a folder that one process at a time may write: a file in it names the holder. The lock of a killed holder
 * is taken over.
 */
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { atExit } from '../io/at-exit.ts'
import { makeFolder, writeFileAtOnce } from '../io/atomic.ts'
import { cannotWrite } from '../io/errors.ts'
import { UsageError } from '../util/errors.ts'
import { systemCode } from '../util/system-errors.ts'

const holderSchema = z.object({
  pid: z.number().int().positive(),
  host: z.string(),
  /** The start of the machine that the process belongs to; empty where the system does not say. */
  boot: z.string(),
  /** The container, as far as process numbers go; empty where the system does not say. */
  space: z.string(),
  /** When the process began, in the system's own count: another process may have been given its number since. */
  begun: z.string(),
  since: z.string(),
})

type Holder = z.infer<typeof holderSchema>

/** A lock that is held. */
export interface Lock {
  readonly release: () => void
}

function systemText(read: () => string): string {
  try {
    return read().trim()
  } catch {
    return ''
  }
}

/** State and start of a process as reported by Linux; undefined elsewhere, or if there is none. */
function processStatus(pid: number): { readonly state: string; readonly begun: string } | undefined {
  const text = systemText(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  // The fields follow the program's name in parentheses, which may have any characters.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, begun] = [fields[0], fields[19]]
  return state && begun ? { state, begun } : undefined
}

function thisProcess(): Holder {
  return {
    pid: process.pid,
    host: hostname(),
    boot: systemText(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    space: systemText(() => readlinkSync('/proc/self/ns/pid')),
    begun: processStatus(process.pid)?.begun ?? '',
    since: new Date().toISOString(),
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}

/** Whether a holder may still be running; nothing is known of other machines and containers, so theirs may. */
function mayLive(holder: Holder, self: Holder): boolean {
  if (holder.host !== self.host) return true
  if (holder.boot !== self.boot) return false
  if (holder.space !== self.space) return true
  if (!processExists(holder.pid)) return false
  const status = processStatus(holder.pid)
  // Killed, but not yet collected by its parent.
  return status === undefined || (status.begun === holder.begun && status.state !== 'Z')
}

function readHolder(path: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return undefined
  }
}

/** Whether a holder is a process of this machine and container. */
function isHere({ host, space }: Holder, self: Holder): boolean {
  return host === self.host && space === self.space
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

/** Another process's lock on the folder; locks of dead processes are removed. */
function otherLock(folder: string, own: string, self: Holder): { file: string; holder: Holder } | undefined {
  for (const file of lockFiles(folder)) {
    if (file === own) continue
    const holder = readHolder(join(folder, file))
    if (holder && mayLive(holder, self)) return { file, holder }
    rmSync(join(folder, file), { force: true })
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
 * moment see each other, step back, and try again after different times.
 */
export async function lockFolder(folder: string, isNew = !existsSync(folder)): Promise<Lock> {
  const self = thisProcess()
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
