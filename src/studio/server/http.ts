/** Answers and bodies of node:http. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { z } from 'zod'
import { checkConfig } from '../../train/settings.ts'
import { errorLine, TenfoldError } from '../../util/errors.ts'
import { systemCode } from '../../util/system-errors.ts'

/** A request that cannot be answered as it was meant. */
export class HttpError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export const notFound = (): HttpError => new HttpError(404, 'there is nothing of that name')

/** On every answer: nothing is guessed, kept elsewhere, or shown inside of other sites. */
export const commonHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** The studio's own page: its files, and requests to itself. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; frame-src 'self'; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Files of runs: shown, but nothing in them runs, and they are of no site. */
const filePolicy =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.jsonl': 'text/plain; charset=utf-8',
  '.mp4': 'video/mp4',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wav': 'audio/wav',
}

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  const text = JSON.stringify(value)
  response.writeHead(status, { ...commonHeaders, 'content-type': 'application/json' })
  response.end(text)
}

/** A line for whoever opened an address that is not the page's. */
export function sendText(response: ServerResponse, text: string, status: number): void {
  response.writeHead(status, { ...commonHeaders, 'content-type': 'text/plain; charset=utf-8' })
  response.end(`${text}\n`)
}

async function sendFile(response: ServerResponse, path: string, headers: Readonly<Record<string, string>>) {
  const { size } = await stat(path)
  response.writeHead(200, { ...commonHeaders, ...headers, 'content-length': String(size) })
  // A reader that leaves early is no error.
  await pipeline(createReadStream(path), response).catch(() => response.destroy())
}

/** A file of the studio itself. */
export function sendOwnFile(response: ServerResponse, path: string): Promise<void> {
  const type = types[extname(path)] ?? 'application/octet-stream'
  return sendFile(response, path, { 'content-type': type, 'content-security-policy': pagePolicy })
}

/** A file of a run; what is not known to be harmless to look at is saved instead of shown. */
export function sendRunFile(response: ServerResponse, path: string): Promise<void> {
  const type = types[extname(path).toLowerCase()]
  return sendFile(response, path, {
    'content-type': type ?? 'application/octet-stream',
    'content-security-policy': filePolicy,
    ...(type === undefined && { 'content-disposition': 'attachment' }),
  })
}

/**
 * Gives a browser that came with the token its cookie, and sends it on, so that the token leaves the address. By a page and not by a
 * redirect: after a link from elsewhere, only a page of the studio's own is given the cookie of the studio.
 */
export function sendEntry(response: ServerResponse, cookie: string): void {
  response.writeHead(200, {
    ...commonHeaders,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': pagePolicy,
    'set-cookie': cookie,
  })
  response.end(
    '<!doctype html><meta http-equiv="refresh" content="0;url=/"><link rel="icon" href="/favicon.svg"><title>tenfold studio</title><a href="/">Open</a>',
  )
}

const largestJson = 2 ** 20

/** The body of a request, in the form of a schema. */
export async function readJson<T>(request: IncomingMessage, schema: z.ZodType<T>): Promise<T> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    throw new HttpError(415, 'the body must be application/json')
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > largestJson) throw new HttpError(413, 'the body is too large')
    pieces.push(piece)
  }
  let value: unknown
  try {
    value = JSON.parse(Buffer.concat(pieces).toString('utf8'))
  } catch {
    throw new HttpError(400, 'the body must be JSON')
  }
  return checkConfig(schema, value)
}

/** The status and the line for whatever went wrong; undefined: a bug. */
export function describeFailure(error: unknown): { readonly status: number; readonly message: string } | undefined {
  if (error instanceof HttpError) return { status: error.status, message: error.message }
  if (error instanceof TenfoldError) return { status: 422, message: errorLine(error) }
  return systemCode(error) === 'ENOENT' ? { status: 404, message: notFound().message } : undefined
}
