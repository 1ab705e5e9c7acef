/** The list of runs as the server tells it, and the metrics of the runs that are looked at. */
import type { Events, NewLines, RunSummary } from '../protocol.ts'
import { getRuns, lineOf } from './api.ts'
import { updated } from './runs/list.ts'

/** Told what happens to the runs that a page looks at. */
export interface WatchListener {
  readonly onLines: (lines: NewLines) => void
  /** The curves are other ones now, or lines may have been missed. */
  readonly onReset: (id: string) => void
}

class LiveRuns {
  runs = $state.raw<readonly RunSummary[]>([])
  isLoaded = $state(false)
  isConnected = $state(true)
  /** Why there is no connection, as the studio says it. */
  problem = $state('')
  #source: EventSource | undefined
  #watched: readonly string[] = []
  #listener: WatchListener | undefined

  /** Connects, from now on also to the metrics of these runs. */
  watch(ids: readonly string[], listener?: WatchListener): void {
    const isSame = this.#source !== undefined && ids.join('\n') === this.#watched.join('\n')
    this.#listener = listener
    if (isSame) return
    this.#watched = ids
    this.#source?.close()
    const query = ids.map((id) => `watch=${encodeURIComponent(id)}`).join('&')
    const source = new EventSource(`/api/events?${query}`)
    this.#source = source
    const on = <Name extends keyof Events>(name: Name, act: (data: Events[Name]) => void): void => {
      source.addEventListener(name, ({ data }) => act(JSON.parse(data) as Events[Name]))
    }
    on('runs', ({ changed, removed }) => {
      this.runs = updated(this.runs, changed, removed)
    })
    on('lines', (lines) => this.#listener?.onLines(lines))
    on('reset', ({ id }) => this.#listener?.onReset(id))
    source.addEventListener('open', () => void this.#opened())
    source.addEventListener('error', () => void this.#lost(source))
  }

  /** A browser tries again by itself, unless it was refused: then the studio's answer to another request says why. */
  async #lost(source: EventSource): Promise<void> {
    this.isConnected = false
    if (source.readyState !== EventSource.CLOSED) return
    await getRuns().catch((failure: unknown) => {
      this.problem = lineOf(failure)
    })
  }

  get(id: string): RunSummary | undefined {
    return this.runs.find((run) => run.id === id)
  }

  /** What happened before the connection was there is asked for. */
  async #opened(): Promise<void> {
    this.isConnected = true
    this.problem = ''
    this.runs = await getRuns()
    this.isLoaded = true
    for (const id of this.#watched) this.#listener?.onReset(id)
  }
}

export const live = new LiveRuns()
