/** The studio: a server on this machine only, over the runs of one folder. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { makeFolder } from '../../io/atomic.ts'
import { systems } from '../../systems/index.ts'
import { UsageError } from '../../util/errors.ts'
import { systemCode } from '../../util/system-errors.ts'
import type { RunSummary } from '../protocol.ts'
import { Access, newToken } from './access.ts'
import { describeFailure, HttpError, notFound, sendEntry, sendJson, sendOwnFile, sendText } from './http.ts'
import { Launcher } from './launcher.ts'
import { Live } from './live.ts'
import { MetricsEnds } from './metrics-end.ts'
import { MetricsLogs } from './metrics-log.ts'
import { RunsFolder } from './places.ts'
import { Records } from './records.ts'
import { answer, metricsPath, type Parts } from './routes.ts'
import { RunList } from './run-list.ts'
import { nothingKnown } from './summary.ts'
import { Uploads } from './uses.ts'

export interface StudioOptions {
  /** The folder of runs; made if it is missing. */
  readonly runs: string
  /** The folder of the built page. */
  readonly page: string
  /** 0: any that is free. */
  readonly port: number
  /** Default: a random one. */
  readonly token?: string
  /** Told of a bug: a request failed in a way that nobody foresaw. */
  readonly onBug?: (error: unknown) => void
}

/** A studio that answers. */
export interface Studio {
  /** Opens it, with the token. */
  readonly url: string
  readonly port: number
  /** Folders of trainings that it has started and that are going on. */
  readonly running: () => readonly string[]
  /** Ends it; trainings go on. */
  readonly close: () => Promise<void>
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // Loopback only: nothing else reaches it.
    server.listen(port, '127.0.0.1', resolve)
  }).catch((error: unknown) => {
    if (systemCode(error) !== 'EADDRINUSE' && systemCode(error) !== 'EACCES') throw error
    throw new UsageError(`port ${port} cannot be used (${systemCode(error)})`, {
      hint: 'give another --port, or 0 for any that is free',
    })
  })
  return (server.address() as AddressInfo).port
}

function startedNow(id: string, name: string): RunSummary {
  const [isStartable, started] = [name !== '', new Date().toISOString()]
  return { ...nothingKnown, id, kind: 'run', recipe: name, isStartable, state: 'running', started }
}

async function openParts(folder: RunsFolder, signal: AbortSignal): Promise<Parts> {
  const records = new Records(folder.path)
  await records.forget(async (id) => (await folder.run(id)) !== undefined)
  const logs = new MetricsLogs()
  const readLog = async (id: string) => {
    const path = await metricsPath(folder, id)
    return path === undefined ? undefined : logs.get(path)
  }
  const live = new Live(readLog)
  const list = new RunList(
    folder,
    { systems, records, ends: new MetricsEnds() },
    {
      onChange: (change) => live.tell('runs', change),
      onWrite: (id) => void live.onWrite(id).catch(() => {}),
    },
  )
  const launcher = new Launcher(folder, records, {
    onStart: (id, { name }) => {
      list.promise(id, startedNow(id, name))
      list.poke(id)
    },
    onEnd: async (id, { name }, problem) => {
      await list.scan()
      // It ended before it had begun, and has removed its folder: what it said is all there is.
      list.promise(id, { ...startedNow(id, name), state: problem ? 'failed' : 'stopped', problem })
    },
  })
  await list.open()
  return { folder, systems, records, list, launcher, live, uploads: new Uploads(), readLog, signal }
}

/** The file of the page at an address; other addresses are not the page's. */
function pageFile(path: string): string | undefined {
  if (path === '/') return 'index.html'
  const [, name] = /^\/(assets\/[\w-]+\.(?:js|css)|favicon\.svg)$/.exec(path) ?? []
  return name
}

/** Opens a studio. Throws a UsageError if the folder cannot be read or made, or the port is taken. */
export async function openStudio(options: StudioOptions): Promise<Studio> {
  await makeFolder(options.runs)
  const ending = new AbortController()
  const parts = await openParts(await RunsFolder.open(options.runs), ending.signal)
  const server = createServer()
  const port = await listen(server, options.port).catch((error: unknown) => {
    parts.list.close()
    throw error
  })
  const access = new Access(options.token ?? newToken(), port)

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const isEntering = request.method === 'GET' && url.pathname === '/' && access.isToken(url.searchParams.get('token'))
    const denial = isEntering ? access.checkEntry(request) : access.check(request)
    if (denial) throw new HttpError(denial.status, denial.error)
    if (isEntering) {
      return sendEntry(response, access.setCookie)
    }
    if (url.pathname.startsWith('/api/')) return answer(parts, request, response, url)
    const file = pageFile(url.pathname)
    if (file === undefined) throw notFound()
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new HttpError(405, `${request.method} is not for this address`)
    await sendOwnFile(response, join(options.page, file))
  }

  server.on('request', (request, response) => {
    respond(request, response).catch((error: unknown) => {
      const failure = describeFailure(error)
      if (!failure) options.onBug?.(error)
      if (response.headersSent) return response.destroy()
      // A body that nobody has read is not waited for.
      response.setHeader('connection', 'close')
      const line = failure?.message ?? 'the studio has a bug: its terminal says more'
      const status = failure?.status ?? 500
      if (request.url?.startsWith('/api/')) sendJson(response, { error: line }, status)
      else sendText(response, line, status)
    })
  })

  return {
    url: access.url,
    port,
    running: () => parts.launcher.running,
    close: async () => {
      ending.abort()
      parts.list.close()
      parts.live.close()
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      await parts.uploads.close()
    },
  }
}
