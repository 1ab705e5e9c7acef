/** What the studio notes of the processes it starts: in `.studio` of the runs folder, so that a studio started later knows it too. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '../../io/atomic.ts'

const count = z.number().int()

/** The form of what a training or job is started with. */
export const startSchema = z.strictObject({
  name: z.string(),
  settings: z.array(z.string()),
  seed: count.min(0).optional(),
  steps: count.positive().optional(),
  epochs: count.positive().optional(),
  threads: count.positive().optional(),
  folder: z.string().optional(),
})

export type Start = z.infer<typeof startSchema>

/** The end of what a process has printed. */
export interface LogEnd {
  readonly text: string
  /** When it was last written, in milliseconds. */
  readonly time: number
}

/** Bytes of a log that are shown. */
const shownBytes = 16_384

/** An id as the name of a file: no longer than it must be, since systems have limits. */
function encoded(id: string): string {
  return id.replace(/[%/\\:]/g, encodeURIComponent)
}

/** The id that a file is named by; undefined if the studio has not named it. */
function idOf(file: string): string | undefined {
  const [, name] = /^(.+)\.(?:json|log)$/.exec(file) ?? []
  try {
    return name && decodeURIComponent(name)
  } catch {
    return undefined
  }
}

/** The notes of one runs folder. */
export class Records {
  readonly #folder: string

  constructor(runs: string) {
    this.#folder = join(runs, '.studio')
  }

  #file(id: string, ending: string): string {
    return join(this.#folder, `${encoded(id)}.${ending}`)
  }

  /** Notes what was started. */
  async save(id: string, start: Start): Promise<void> {
    mkdirSync(this.#folder, { recursive: true })
    await writeFileAtomic(this.#file(id, 'json'), Buffer.from(`${JSON.stringify(start)}\n`))
  }

  /** What was started in a folder; undefined if it was not the studio that did. */
  async read(id: string): Promise<Start | undefined> {
    try {
      return startSchema.parse(JSON.parse(await readFile(this.#file(id, 'json'), 'utf8')))
    } catch {
      return undefined
    }
  }

  /** Opens the log of a process, with its command as the first line. */
  openLog(id: string, command: string): { readonly file: number; readonly close: () => void } {
    mkdirSync(this.#folder, { recursive: true })
    const file = openSync(this.#file(id, 'log'), 'a')
    writeSync(file, `$ ${command}\n`)
    return { file, close: () => closeSync(file) }
  }

  /** When the log was last written; 0 without one. */
  async logTime(id: string): Promise<number> {
    return (await stat(this.#file(id, 'log')).catch(() => undefined))?.mtimeMs ?? 0
  }

  async readLog(id: string): Promise<LogEnd> {
    const file = await open(this.#file(id, 'log'), 'r').catch(() => undefined)
    if (!file) return { text: '', time: 0 }
    try {
      const { size, mtimeMs } = await file.stat()
      const start = Math.max(0, size - shownBytes)
      const { buffer, bytesRead } = await file.read(Buffer.alloc(shownBytes), 0, shownBytes, start)
      const text = buffer.toString('utf8', 0, bytesRead)
      return { text: start === 0 ? text : text.slice(text.indexOf('\n') + 1), time: mtimeMs }
    } finally {
      await file.close()
    }
  }

  /** The folders in which something was started. */
  async ids(): Promise<string[]> {
    const names: string[] = await readdir(this.#folder).catch(() => [])
    return names.filter((name) => name.endsWith('.json')).flatMap((name) => idOf(name) ?? [])
  }

  /** Forgets what was started in folders that are gone. */
  async forget(isThere: (id: string) => Promise<boolean>): Promise<void> {
    const names: string[] = await readdir(this.#folder).catch(() => [])
    for (const name of names) {
      const id = idOf(name)
      if (id === undefined || (await isThere(id))) continue
      await rm(join(this.#folder, name), { force: true })
    }
  }
}

/** Why a process failed, as its log ends; empty if it does not say. */
export function problemOf({ text }: LogEnd): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const last = lines.findLastIndex((line) => line.startsWith('$ '))
  const said = lines.slice(last + 1).findLast((line) => /^(error: |the loss became )/.test(line))
  const bug = lines.slice(last + 1).includes('tenfold has a bug:')
    ? 'tenfold has a bug: the log has its stack trace'
    : ''
  return (said ?? bug).replace(/^error: /, '')
}
