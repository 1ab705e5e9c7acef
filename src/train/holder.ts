/** Who holds a file that stands for work in progress: a process, written down so that others can tell whether it may still be running. */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { z } from 'zod'
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
  /** Whether others of the same kind may hold it too. */
  shared: z.boolean().default(false),
})

export type Holder = z.infer<typeof holderSchema>

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

/** This process as a holder. `shared`: together with others that say so. Default: alone. */
export function thisProcess(shared = false): Holder {
  return {
    pid: process.pid,
    host: hostname(),
    boot: systemText(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    space: systemText(() => readlinkSync('/proc/self/ns/pid')),
    begun: processStatus(process.pid)?.begun ?? '',
    since: new Date().toISOString(),
    shared,
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

/** Whether processes of that holder can be looked up from here. */
export function isHere(holder: Holder, self: Holder): boolean {
  return holder.host === self.host && holder.space === self.space
}

/** Whether a holder may still be running; nothing is known of other machines and containers, so theirs may. */
export function mayLive(holder: Holder, self: Holder): boolean {
  if (holder.host !== self.host) return true
  if (holder.boot !== self.boot) return false
  if (holder.space !== self.space) return true
  if (!processExists(holder.pid)) return false
  const status = processStatus(holder.pid)
  // Killed, but not yet collected by its parent.
  return status === undefined || (status.begun === holder.begun && status.state !== 'Z')
}

/** The holder in a file; undefined if there is none, or it is not readable (yet). */
export function readHolder(path: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return undefined
  }
}
