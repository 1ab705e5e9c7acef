/** Server-sent events: what has changed goes to every page, and new metrics to those that show the run. */
import type { ServerResponse } from 'node:http'
import type { Events, LineKind } from '../protocol.ts'
import { commonHeaders } from './http.ts'
import type { MetricsLog } from './metrics-log.ts'

/** Lines sent at once; of more, the page asks for the curve instead. */
const mostLines = 500

/** Bytes that a page may be behind: one that reads no longer is cut off, and comes back by itself. */
const mostWaiting = 2 ** 22

const heartbeat = 15_000
const kinds: readonly LineKind[] = ['step', 'evaluation']

/** How far a page has been told the metrics of a run. */
interface Told {
  generation: number
  readonly rows: Record<LineKind, number>
}

interface Client {
  readonly response: ServerResponse
  readonly told: Map<string, Told>
}

/** Gives the metrics of a run, up to date; undefined if it is gone. */
export type ReadLog = (id: string) => Promise<MetricsLog | undefined>

export class Live {
  readonly #clients = new Set<Client>()
  readonly #read: ReadLog
  #timer: NodeJS.Timeout | undefined

  constructor(read: ReadLog) {
    this.#read = read
  }

  /** Whether any page shows this run. */
  isWatched(id: string): boolean {
    return [...this.#clients].some(({ told }) => told.has(id))
  }

  /** Keeps an answer open and tells it what changes; of the watched runs also their new metrics. */
  async open(response: ServerResponse, watched: readonly string[]): Promise<void> {
    const client: Client = { response, told: new Map() }
    for (const id of watched) {
      // One that has just been started has no folder yet.
      const log = await this.#read(id)
      client.told.set(id, log ? toldOf(log) : { generation: 0, rows: { step: 0, evaluation: 0 } })
    }
    response.writeHead(200, { ...commonHeaders, 'content-type': 'text/event-stream' })
    response.write('retry: 1000\n\n')
    this.#clients.add(client)
    this.#timer ??= setInterval(() => this.#beat(), heartbeat).unref()
    response.once('close', () => this.#clients.delete(client))
    // What a page has read before may be older: it compares.
    for (const id of client.told.keys()) this.#tellLines(client, id, await this.#read(id), true)
  }

  /** Tells all pages. */
  tell<Name extends keyof Events>(name: Name, data: Events[Name]): void {
    for (const client of this.#clients) send(client, name, data)
  }

  /** Something was written in the folder of a run. */
  async onWrite(id: string): Promise<void> {
    if (!this.isWatched(id)) return
    const log = await this.#read(id)
    for (const client of this.#clients) this.#tellLines(client, id, log)
  }

  close(): void {
    clearInterval(this.#timer)
    for (const { response } of this.#clients) response.end()
    this.#clients.clear()
  }

  #beat(): void {
    for (const { response } of this.#clients) response.write(': \n\n')
  }

  /** `always`: also if there is nothing new, so that the page learns how many lines there are. */
  #tellLines(client: Client, id: string, log: MetricsLog | undefined, always = false): void {
    const told = client.told.get(id)
    if (!told || !log) return
    const isOther = told.generation !== log.generation
    const isMany = kinds.some((kind) => {
      const added = log.lines[kind].rows - told.rows[kind]
      return added > mostLines || added < 0
    })
    if (isOther || isMany) {
      client.told.set(id, toldOf(log))
      send(client, 'reset', { id })
      return
    }
    for (const kind of kinds) {
      const from = told.rows[kind]
      if (log.lines[kind].rows === from && !always) continue
      send(client, 'lines', { id, kind, from, ...log.lines[kind].since(from) })
      told.rows[kind] = log.lines[kind].rows
    }
  }
}

function toldOf({ generation, lines }: MetricsLog): Told {
  return { generation, rows: { step: lines.step.rows, evaluation: lines.evaluation.rows } }
}

function send<Name extends keyof Events>({ response }: Client, name: Name, data: Events[Name]): void {
  if (response.writableLength > mostWaiting) response.destroy()
  else response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
}
