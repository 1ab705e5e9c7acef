/** Translators that are asked by HTTP: with patience where they are busy, and one line where they are not what they should be. */
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { FormatError, UsageError } from '../../../util/errors.ts'
import type { Direction, Engine } from './engine.ts'

/** A service: its requests and its answers. */
export interface Service {
  /** As it stands in messages. */
  readonly name: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Texts that it takes at once, at most. */
  readonly most: number
  readonly body: (texts: readonly string[], direction: Direction) => unknown
  /** The form of an answer. */
  readonly answer: z.ZodType<readonly string[]>
  /** The same for the n best translations of each text, where the service gives them. */
  readonly several?: {
    readonly body: (texts: readonly string[], direction: Direction, n: number) => unknown
    readonly answer: z.ZodType<readonly (readonly string[])[]>
  }
}

/** How patient an engine is. */
export interface HttpOptions {
  readonly batch: number
  /** Seconds that a request may take. */
  readonly timeout: number
  /** Further tries after a failed one. */
  readonly retries: number
  /** Seconds between two requests, and before the first further try; each one after that waits twice as long. */
  readonly pause: number
}

/** Answers after which asking again is of use: too many requests, and trouble of the service's own. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504])

const longestWait = 60

interface Failure {
  readonly reason: string
  /** What the service asks to wait, in seconds. */
  readonly after?: number
}

function firstLine(text: string): string {
  const line = text.trim().split('\n')[0] ?? ''
  return line.length > 200 ? `${line.slice(0, 200)}...` : line
}

/** One request: the text of the answer, or why it failed in a way that may pass. Throws for anything else. */
async function request(
  service: Service,
  body: string,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<string | Failure> {
  const late = AbortSignal.timeout(timeout * 1000)
  try {
    const response = await fetch(service.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...service.headers },
      body,
      signal: signal ? AbortSignal.any([signal, late]) : late,
    })
    const text = await response.text()
    if (response.ok) return text
    const reason = `${service.name} answered ${response.status} (${firstLine(text) || response.statusText})`
    if (!passing.has(response.status)) throw new UsageError(reason, { hint: service.url })
    const after = Number(response.headers.get('retry-after') ?? Number.NaN)
    return { reason, ...(Number.isFinite(after) && { after }) }
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof UsageError) throw error
    if (late.aborted) return { reason: `${service.name} did not answer within ${timeout} s` }
    // fetch names the cause in an error of its own.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    return { reason: `${service.name} cannot be reached (${cause})` }
  }
}

/** What some services answer in the place of translations, with a status of success. */
const refusal = z.object({ error: z.string() })

function parseAnswer<T>(service: Service, schema: z.ZodType<readonly T[]>, text: string, count: number): readonly T[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new FormatError(`${service.name} must answer with JSON, found ${JSON.stringify(firstLine(text))}`)
  }
  const found = schema.safeParse(json)
  if (!found.success) {
    const { data: complaint } = refusal.safeParse(json)
    if (complaint)
      throw new UsageError(`${service.name} answered with an error: ${firstLine(complaint.error)}`, {
        hint: service.url,
      })
    const [issue] = found.error.issues
    const place = issue?.path.join('.') || 'the whole'
    throw new FormatError(`${service.name} gave a malformed answer: ${place}: ${issue?.message ?? ''}`)
  }
  if (found.data.length !== count)
    throw new FormatError(`${service.name} must answer ${count} texts, found ${found.data.length} translations`)
  return found.data
}

/** An engine that asks a service. Failures that may pass are tried again, each time after twice the pause, or when the service says. */
export function httpEngine(service: Service, { batch, timeout, retries, pause }: HttpOptions): Engine {
  let isFirst = true
  const pauseFor = async (seconds: number, signal: AbortSignal | undefined): Promise<void> => {
    try {
      await wait(seconds * 1000, undefined, { ...(signal && { signal }) })
    } catch (error) {
      // A timer ends with an AbortError of its own; who waits for this work knows the signal's reason.
      signal?.throwIfAborted()
      throw error
    }
  }
  /** Asks until there is an answer, or it is of no use to ask again. */
  const exchange = async (content: unknown, signal: AbortSignal | undefined): Promise<string> => {
    const body = JSON.stringify(content)
    if (!isFirst) await pauseFor(pause, signal)
    isFirst = false
    for (let tries = 0; ; tries++) {
      const found = await request(service, body, timeout, signal)
      if (typeof found === 'string') return found
      if (tries >= retries)
        throw new UsageError(`${found.reason}, after ${tries + 1} tries`, {
          hint: 'what was translated is kept; run the same command to continue',
        })
      await pauseFor(Math.min(found.after ?? pause * 2 ** tries, longestWait), signal)
    }
  }
  const { several } = service
  return {
    identity: `${service.name}: ${service.url}`,
    batch: Math.min(batch, service.most),
    translate: async (texts, direction, signal) =>
      parseAnswer(service, service.answer, await exchange(service.body(texts, direction), signal), texts.length),
    ...(several && {
      alternatives: async (texts, direction, n, signal) =>
        parseAnswer(service, several.answer, await exchange(several.body(texts, direction, n), signal), texts.length),
    }),
  }
}
