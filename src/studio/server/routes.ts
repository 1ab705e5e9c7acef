/** What the studio answers to: one function for each address. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { z } from 'zod'
import type { System } from '../../systems/define.ts'
import { errorLine, TenfoldError } from '../../util/errors.ts'
import { mostBuckets, roundedCurve } from '../curves.ts'
import type { Curves, RunSummary, StartCheck } from '../protocol.ts'
import { detailOf } from './detail.ts'
import { entriesOf, formOf } from './forms.ts'
import { HttpError, notFound, readJson, sendJson, sendRunFile } from './http.ts'
import type { Launcher } from './launcher.ts'
import type { Live } from './live.ts'
import type { MetricsLog } from './metrics-log.ts'
import type { RunsFolder } from './places.ts'
import { type Records, startSchema } from './records.ts'
import type { RunList } from './run-list.ts'
import { runUse, type Uploads } from './uses.ts'

/** The parts of a studio. */
export interface Parts {
  readonly folder: RunsFolder
  readonly systems: readonly System[]
  readonly records: Records
  readonly list: RunList
  readonly launcher: Launcher
  readonly live: Live
  readonly uploads: Uploads
  readonly readLog: (id: string) => Promise<MetricsLog | undefined>
  /** Aborted when the studio ends. */
  readonly signal: AbortSignal
}

/** A request with what its address says. */
interface Call extends Parts {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly query: URLSearchParams
  /** The parts of the path that the route leaves open, decoded. */
  readonly names: readonly string[]
}

type Handler = (call: Call) => Promise<void>

function summaryOf({ list, names: [id = ''] }: Call): RunSummary {
  const summary = list.get(id)
  if (!summary) throw notFound()
  return summary
}

/** The folder of the run in the address, which must be there. */
async function pathOf(call: Call): Promise<string> {
  const { id } = summaryOf(call)
  const path = await call.folder.run(id)
  if (path === undefined) throw notFound()
  return path
}

async function getCurves(call: Call): Promise<void> {
  const { query, response, readLog } = call
  const log = await readLog(summaryOf(call).id)
  const number = (name: string, usual: number): number => {
    const value = Number(query.get(name) ?? usual)
    if (Number.isNaN(value)) throw new HttpError(400, `${name} must be a number`)
    return value
  }
  const [from, to] = [number('from', 0), number('to', Number.POSITIVE_INFINITY)]
  const buckets = Math.min(mostBuckets, Math.max(2, Math.round(number('buckets', mostBuckets))))
  const empty = { every: 1, rows: 0, x: [], series: {} }
  const [step, evaluation] = (['step', 'evaluation'] as const).map((kind) =>
    log ? roundedCurve(log.lines[kind].curve(from, to, buckets)) : empty,
  )
  sendJson(response, { step: step ?? empty, evaluation: evaluation ?? empty } satisfies Curves)
}

async function getFile({ response, folder, names: [id = '', name = ''] }: Call): Promise<void> {
  const path = await folder.file(id, name)
  if (path === undefined) throw notFound()
  await sendRunFile(response, path)
}

async function start({ request, response, launcher }: Call): Promise<void> {
  sendJson(response, { id: await launcher.start(await readJson(request, startSchema)) })
}

/** What would be wrong with a start, as one types: no mistake of the request. */
async function check({ request, response, launcher }: Call): Promise<void> {
  try {
    const command = await launcher.commandOf(await readJson(request, startSchema))
    sendJson(response, { error: '', command } satisfies StartCheck)
  } catch (error) {
    if (!(error instanceof TenfoldError)) throw error
    sendJson(response, { error: errorLine(error), command: '' } satisfies StartCheck)
  }
}

const endSchema = z.strictObject({
  epochs: z.number().int().positive().optional(),
  steps: z.number().int().positive().optional(),
})

async function resume(call: Call): Promise<void> {
  const { epochs, steps } = await readJson(call.request, endSchema)
  const end = { ...(epochs !== undefined && { epochs }), ...(steps !== undefined && { steps }) }
  await call.launcher.resume(summaryOf(call).id, end)
  sendJson(call.response, {})
}

const stopSchema = z.strictObject({ atOnce: z.boolean().default(false) })

async function stop(call: Call): Promise<void> {
  const { atOnce } = await readJson<{ readonly atOnce: boolean }>(call.request, stopSchema)
  call.launcher.stop(summaryOf(call).id, atOnce)
  sendJson(call.response, {})
}

const useSchema = z.strictObject({
  use: z.string().regex(/^[a-z][a-z-]*$/, 'must be the name of a use'),
  inputs: z.array(z.string()),
  options: z.record(z.string().regex(/^[a-z][\w.]*$/i), z.string()),
  checkpoint: z.string().optional(),
  seed: z.number().int().min(0).optional(),
})

/** Answers with one event a line, as the use gives them; a page that leaves ends it. */
async function use(call: Call): Promise<void> {
  const { request, response, uploads, systems } = call
  const run = await pathOf(call)
  const wanted = await readJson(request, useSchema)
  const [system, name] = summaryOf(call).recipe.split('/')
  const recipe = systems.find((each) => each.name === system)?.recipes?.find((each) => each.name === name)
  const known = recipe?.uses?.[wanted.use]
  // Only what is declared as a use: other commands are none.
  if (!known) throw new HttpError(422, `a run of ${system}/${name} has no use "${wanted.use}"`)
  const takesFiles = known.inputs.startsWith('FILE')
  const inputs = wanted.inputs.map((input) => (takesFiles ? uploads.resolve(input) : input))
  const options = Object.fromEntries(Object.entries(wanted.options).map(([key, text]) => [key, uploads.resolve(text)]))
  const leaving = new AbortController()
  response.once('close', () => leaving.abort())
  const signal = AbortSignal.any([leaving.signal, call.signal])
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
  response.flushHeaders()
  for await (const event of runUse({ ...wanted, run, inputs, options }, signal)) {
    if (response.destroyed) return
    response.write(`${JSON.stringify(event)}\n`)
  }
  response.end()
}

async function upload({ request, response, query, uploads }: Call): Promise<void> {
  if (request.headers['content-type'] !== 'application/octet-stream')
    throw new HttpError(415, 'the body must be application/octet-stream')
  sendJson(response, { upload: await uploads.add(query.get('name') ?? '', request) })
}

/** Parts of an address between slashes; `*` stands for any one, which may have encoded slashes. */
const routes: readonly { readonly method: 'GET' | 'POST'; readonly path: string; readonly handler: Handler }[] = [
  { method: 'GET', path: 'runs', handler: async ({ response, list }) => sendJson(response, list.summaries) },
  {
    method: 'GET',
    path: 'runs/*',
    handler: async (call) => {
      const summary = summaryOf(call)
      sendJson(call.response, await detailOf(await call.folder.run(summary.id), summary, call))
    },
  },
  { method: 'GET', path: 'runs/*/metrics', handler: getCurves },
  { method: 'GET', path: 'runs/*/files/*', handler: getFile },
  { method: 'POST', path: 'runs/*/stop', handler: stop },
  { method: 'POST', path: 'runs/*/resume', handler: resume },
  { method: 'POST', path: 'runs/*/use', handler: use },
  { method: 'GET', path: 'entries', handler: async ({ response, systems }) => sendJson(response, entriesOf(systems)) },
  {
    method: 'GET',
    path: 'entries/*',
    handler: async ({ response, names: [name = ''] }) => sendJson(response, await formOf(name)),
  },
  { method: 'POST', path: 'check', handler: check },
  { method: 'POST', path: 'start', handler: start },
  { method: 'POST', path: 'uploads', handler: upload },
  {
    method: 'GET',
    path: 'events',
    handler: ({ response, live, query }) => live.open(response, query.getAll('watch').slice(0, 50)),
  },
]

/** What is open in a route and stands in a path; undefined if they differ. */
function matched(route: string, parts: readonly string[]): string[] | undefined {
  const wanted = route.split('/')
  if (wanted.length !== parts.length) return undefined
  const fits = wanted.every((part, i) => part === '*' || part === parts[i])
  if (!fits) return undefined
  try {
    return parts.filter((_, i) => wanted[i] === '*').map(decodeURIComponent)
  } catch {
    throw new HttpError(400, 'the address is not well encoded')
  }
}

/** Answers a request to `/api/...`. Throws an HttpError or a TenfoldError if it cannot be answered. */
export async function answer(
  parts: Parts,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const path = url.pathname.slice('/api/'.length).split('/')
  const found = routes.flatMap(({ path: route, ...rest }) => {
    const names = matched(route, path)
    return names ? [{ names, ...rest }] : []
  })
  if (found.length === 0) throw notFound()
  // Node leaves the body out of the answer to HEAD.
  const wanted = request.method === 'HEAD' ? 'GET' : request.method
  const route = found.find(({ method }) => method === wanted)
  if (!route) throw new HttpError(405, `${request.method} is not for this address`)
  await route.handler({ ...parts, request, response, query: url.searchParams, names: route.names })
}

/** The metrics file of a run; undefined if the run is gone or the file would lie elsewhere. */
export async function metricsPath(folder: RunsFolder, id: string): Promise<string | undefined> {
  const run = await folder.run(id)
  if (run === undefined) return undefined
  return (await folder.file(id, 'metrics.jsonl')) ?? join(run, 'metrics.jsonl')
}
