/** The runs and jobs below a folder, kept up to date: what changes is noticed at once by watching, or seconds later by looking. */
import { type FSWatcher, watch } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunSummary } from '../protocol.ts'
import { deepest, type RunsFolder } from './places.ts'
import { kindOf, type SummaryContext, summarize, tracesOf } from './summary.ts'

/** Milliseconds between two looks at a run that changes all the time, and at everything. */
const [pokeEvery, scanEvery] = [100, 2000]

/** Milliseconds in which the writes of one moment come together. */
const moment = 10

/** Runs watched at once: systems have limits, and more are looked at every two seconds. */
const mostWatched = 1000

export interface ListChange {
  readonly changed: readonly RunSummary[]
  readonly removed: readonly string[]
}

/** Told what has changed in the list, and of any write in the folder of a run. */
export interface ListListener {
  readonly onChange: (change: ListChange) => void
  readonly onWrite: (id: string) => void
}

interface Known {
  readonly summary: RunSummary
  readonly stamp: string
}

export class RunList {
  readonly #folder: RunsFolder
  readonly #context: SummaryContext
  readonly #listener: ListListener
  readonly #known = new Map<string, Known>()
  readonly #watchers = new Map<string, FSWatcher>()
  readonly #waiting = new Map<string, NodeJS.Timeout>()
  readonly #lastLooks = new Map<string, number>()
  /** Started by the studio, and not in the folder yet, or never. */
  readonly #promised = new Map<string, RunSummary>()
  #timer: NodeJS.Timeout | undefined
  #scanning: Promise<void> | undefined
  #isClosed = false

  constructor(folder: RunsFolder, context: SummaryContext, listener: ListListener) {
    this.#folder = folder
    this.#context = context
    this.#listener = listener
  }

  /** All of them, the newest first. */
  get summaries(): RunSummary[] {
    const found = [...this.#known.values()].map(({ summary }) => summary)
    const promised = [...this.#promised.values()].filter(({ id }) => !this.#known.has(id))
    return [...found, ...promised].sort((a, b) => b.started.localeCompare(a.started) || a.id.localeCompare(b.id))
  }

  get(id: string): RunSummary | undefined {
    return this.#known.get(id)?.summary ?? this.#promised.get(id)
  }

  /** Begins to look and to watch. */
  async open(): Promise<void> {
    this.#watch('', this.#folder.path, () => this.#later('', () => this.scan()))
    await this.scan()
    this.#timer = setInterval(() => void this.scan(), scanEvery)
    this.#timer.unref()
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
    for (const timer of this.#waiting.values()) clearTimeout(timer)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#waiting.clear()
    this.#watchers.clear()
  }

  /** Shows a run whose process has just been started, or has ended before it had a folder, until there is one. */
  promise(id: string, summary: RunSummary): void {
    if (this.#known.has(id)) return
    this.#promised.set(id, summary)
    this.#listener.onChange({ changed: [summary], removed: [] })
  }

  /** Looks at everything. */
  scan(): Promise<void> {
    this.#scanning ??= this.#scan().finally(() => {
      this.#scanning = undefined
    })
    return this.#scanning
  }

  async #scan(): Promise<void> {
    const recorded = new Set(await this.#context.records.ids())
    const found = await this.#find('', this.#folder.path, 1, recorded)
    const changed = (await Promise.all(found.map((id) => this.#look(id)))).filter((summary) => summary !== undefined)
    const there = new Set(found)
    const removed = [...this.#known.keys()].filter((id) => !there.has(id))
    for (const id of removed) this.#forget(id)
    if (!this.#isClosed && (changed.length > 0 || removed.length > 0)) this.#listener.onChange({ changed, removed })
  }

  /** The ids of the runs and jobs in a folder, or in its folder `only`; links are not followed. */
  async #find(
    prefix: string,
    path: string,
    depth: number,
    recorded: ReadonlySet<string>,
    only?: string,
  ): Promise<string[]> {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
    const folders = entries.filter(
      (entry) => entry.isDirectory() && !entry.name.startsWith('.') && (only ?? entry.name) === entry.name,
    )
    const found = await Promise.all(
      folders.map(async ({ name }) => {
        const id = `${prefix}${name}`
        const known = this.#known.get(id)
        if (known?.summary.kind === 'run') return [id]
        const names: string[] = await readdir(join(path, name)).catch(() => [])
        const kind = kindOf(names)
        if (kind === 'run') return [id]
        const isJob = known !== undefined || kind !== undefined || (recorded.has(id) && names.length > 0)
        // Of a job, such as a sweep, the trainings.
        const inside = isJob ? 'runs' : undefined
        const inner = depth < deepest ? await this.#find(`${id}/`, join(path, name), depth + 1, recorded, inside) : []
        return isJob ? [id, ...inner] : inner
      }),
    )
    return found.flat()
  }

  /** Looks at one run again; its summary if that has changed. */
  async #look(id: string): Promise<RunSummary | undefined> {
    const path = join(this.#folder.path, ...id.split('/'))
    try {
      const traces = await tracesOf(path, id, this.#context.records)
      this.#watch(id, path, () => this.poke(id))
      if (traces.names.includes('snapshots'))
        this.#watch(`${id}/snapshots`, join(path, 'snapshots'), () => this.poke(id))
      if (this.#known.get(id)?.stamp === traces.stamp) return undefined
      const summary = await summarize(path, id, traces, this.#context)
      this.#known.set(id, { summary, stamp: traces.stamp })
      this.#promised.delete(id)
      return summary
    } catch {
      // Removed while it was looked at: the next look at everything notices.
      return undefined
    }
  }

  /** Something was written in a run: looks at it, soon. */
  poke(id: string): void {
    this.#later(id, async () => {
      this.#listener.onWrite(id)
      const summary = await this.#look(id)
      if (summary && !this.#isClosed) this.#listener.onChange({ changed: [summary], removed: [] })
    })
  }

  /** Does it soon, and once, however often it is asked for meanwhile. */
  #later(id: string, work: () => unknown): void {
    if (this.#isClosed || this.#waiting.has(id)) return
    const now = performance.now()
    const wait = Math.max(moment, (this.#lastLooks.get(id) ?? 0) + pokeEvery - now)
    this.#lastLooks.set(id, now + wait)
    const timer = setTimeout(() => {
      this.#waiting.delete(id)
      void work()
    }, wait)
    this.#waiting.set(id, timer)
  }

  #forget(id: string): void {
    this.#known.delete(id)
    this.#lastLooks.delete(id)
    for (const name of [id, `${id}/snapshots`]) {
      this.#watchers.get(name)?.close()
      this.#watchers.delete(name)
    }
  }

  #watch(name: string, path: string, onEvent: () => void): void {
    if (this.#isClosed || this.#watchers.has(name) || this.#watchers.size >= mostWatched) return
    try {
      const watcher = watch(path, { persistent: false }, onEvent)
      watcher.on('error', () => watcher.close())
      this.#watchers.set(name, watcher)
    } catch {
      // No more watchers to be had: changes are seen by looking.
    }
  }
}
