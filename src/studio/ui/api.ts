/** Requests to the studio's server. */
import type {
  Curves,
  Entry,
  EntryForm,
  Refusal,
  RunDetail,
  RunSummary,
  StartCheck,
  StartRequest,
  UseRequest,
} from '../protocol.ts'

/** What the server refused, in its words. */
class Refused extends Error {}

/** A failure in one line: the server's, or what went wrong before it. */
export function lineOf(failure: unknown): string {
  return failure instanceof Refused ? failure.message : String(failure)
}

async function checked(response: Response): Promise<Response> {
  if (response.ok) return response
  const refusal = (await response.json().catch(() => undefined)) as Refusal | undefined
  throw new Refused(refusal?.error ?? `the studio answers with ${response.status}`)
}

async function request(path: string, options?: RequestInit): Promise<Response> {
  const response = await fetch(`/api/${path}`, options).catch(() => {
    throw new Refused('the studio does not answer: is it still running?')
  })
  return checked(response)
}

async function get<T>(path: string): Promise<T> {
  return (await request(path)).json() as Promise<T>
}

function posting(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

async function post<T>(path: string, body: unknown): Promise<T> {
  return (await request(path, posting(body))).json() as Promise<T>
}

const part = encodeURIComponent

/** The part of a curve that is looked at. */
export interface StepRange {
  readonly from: number
  readonly to: number
}

export const getRuns = (): Promise<RunSummary[]> => get('runs')

export const getRun = (id: string): Promise<RunDetail> => get(`runs/${part(id)}`)

export const getEntries = (): Promise<Entry[]> => get('entries')

export const getForm = (name: string): Promise<EntryForm> => get(`entries/${part(name)}`)

export function getCurves(id: string, range?: StepRange): Promise<Curves> {
  return get(`runs/${part(id)}/metrics${range ? `?from=${range.from}&to=${range.to}` : ''}`)
}

/** The address of a file of a run. */
export function fileUrl(id: string, file: string): string {
  return `/api/runs/${part(id)}/files/${part(file)}`
}

/** What the command line would say of it. */
export const checkStart = (start: StartRequest): Promise<StartCheck> => post('check', start)

export const startRun = (start: StartRequest): Promise<{ id: string }> => post('start', start)

export const stopRun = (id: string, atOnce: boolean): Promise<unknown> => post(`runs/${part(id)}/stop`, { atOnce })

export function resumeRun(id: string, end: { readonly epochs?: number; readonly steps?: number }): Promise<unknown> {
  return post(`runs/${part(id)}/resume`, end)
}

/** Gives a file to the server; returns its name for inputs. */
export async function upload(file: File): Promise<string> {
  const response = await request(`uploads?name=${part(file.name)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: file,
  })
  return ((await response.json()) as { upload: string }).upload
}

/** Runs a use and gives its events as they come. */
export async function* runUse(
  id: string,
  use: UseRequest,
  signal: AbortSignal,
): AsyncGenerator<Record<string, unknown>> {
  const response = await request(`runs/${part(id)}/use`, { ...posting(use), signal })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const piece = await reader?.read()
    if (!piece || piece.done) return
    const lines = `${rest}${piece.value}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line) as Record<string, unknown>
  }
}
