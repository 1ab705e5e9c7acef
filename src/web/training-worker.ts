/** The page's side of a worker: the page stays free to draw while the model computes. */
import type { RuntimeOptions } from '../runtime/session.ts'
import { TenfoldError, UsageError } from '../util/errors.ts'
import {
  errorFrom,
  type Message,
  type Port,
  type Progress,
  type Reply,
  type StepReport,
  type TrainingEnd,
} from './protocol.ts'

type Settings<P> = P extends (settings: infer S, ...rest: never[]) => unknown ? S : never
type ModelOf<P> = P extends (...args: never[]) => Promise<infer M> ? M : never
/** What a step of a program's model reports. */
export type ValuesOf<P> =
  ModelOf<P> extends { readonly step?: (() => Promise<infer V>) | undefined } ? Exclude<V, undefined> : never
type RequestsOf<P> = ModelOf<P> extends { readonly requests: infer R } ? R : never
/** Nothing for a request that takes nothing. */
type Arguments<F> = F extends () => unknown
  ? []
  : F extends (argument: infer A) => unknown
    ? [argument: A, transfer?: Transferable[]]
    : never
type Answer<F> = F extends (argument: never) => infer A ? Awaited<A> : never

/** A Worker, as far as it is used. */
export interface WorkerLike extends Port {
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'error' | 'messageerror', listener: (event: Event) => void): void
  terminate(): void
}

/** What a page hears while a model opens and trains. All optional. */
export interface TrainingListener<Values> {
  /** One or more steps are done; short ones are reported together. */
  readonly onSteps?: (reports: readonly StepReport<Values>[]) => void
  readonly onProgress?: (progress: Progress) => void
  /** The worker broke: nothing that was asked will be answered. `start` makes another. */
  readonly onBreak?: (error: TenfoldError) => void
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: TenfoldError) => void
}

/** An address as the page means it: in the worker it would be relative to the worker's script. */
function fromPage(address: string | undefined): string | undefined {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href
  return address === undefined || base === undefined ? address : new URL(address, base).href
}

/**
 * Trains and asks a model that lives in a worker:
 *
 *     const worker = new TrainingWorker<typeof program>(
 *       () => new Worker(new URL('./program.worker.js', import.meta.url), { type: 'module' }),
 *       { onSteps: (reports) => curve.add(reports) })
 *     await worker.start({ width: 64 }, { threads: 2 })
 *     const end = worker.train({ steps: 500 })             // 'done', 'paused' or 'finished'
 *     const classes = await worker.ask('predict', pixels)  // answered between two steps
 *
 * Every error is a TenfoldError of one line. `P` is the type of the worker's program, of which the page has nothing else.
 */
export class TrainingWorker<P extends (...args: never[]) => Promise<unknown>> {
  readonly #make: () => WorkerLike
  readonly #listener: TrainingListener<ValuesOf<P>>
  #worker: WorkerLike | undefined
  #isHeard = false
  #id = 0
  readonly #waiting = new Map<number, Waiting>()

  /** `make` is called when a worker is needed: at the first `start`, and after `stop` or a break. */
  constructor(make: () => WorkerLike, listener: TrainingListener<ValuesOf<P>> = {}) {
    this.#make = make
    this.#listener = listener
  }

  /** Whether a worker runs. */
  get isRunning(): boolean {
    return this.#worker !== undefined
  }

  /**
   * Makes the model from settings, in place of the one before, once that has answered what it was asked; one after the other if several are
   * asked for. `runtime`: what computes, with how many threads, and where its files are, seen from the page; a worker keeps what it was first
   * given (`stop` to change it).
   */
  start(settings: Settings<P>, runtime: RuntimeOptions = {}): Promise<void> {
    this.#worker ??= this.#connect()
    const files = fromPage(runtime.files)
    const message = { settings, runtime: files === undefined ? runtime : { ...runtime, files } }
    return this.#send({ type: 'start', id: ++this.#id, ...message }) as Promise<void>
  }

  /** Trains for a number of steps, until it is paused unless given. Resolves when it ends. */
  train({ steps }: { readonly steps?: number } = {}): Promise<TrainingEnd> {
    return this.#send({ type: 'train', id: ++this.#id, steps }) as Promise<TrainingEnd>
  }

  /** Resolves when the step that runs has ended, at once if none does. `train` goes on from there. */
  pause(): Promise<void> {
    return this.#send({ type: 'pause', id: ++this.#id }) as Promise<void>
  }

  /** Asks the model; while it trains the answer comes after the present step. Buffers in `transfer` move to the worker, and are empty here. */
  ask<Name extends keyof RequestsOf<P> & string>(
    name: Name,
    ...given: Arguments<RequestsOf<P>[Name]>
  ): Promise<Answer<RequestsOf<P>[Name]>> {
    const [argument, transfer] = given as [unknown?, Transferable[]?]
    const answer = this.#send({ type: 'ask', id: ++this.#id, name, argument }, transfer)
    return answer as Promise<Answer<RequestsOf<P>[Name]>>
  }

  /** Ends the worker at once, in the middle of a step, too. What is not answered is rejected. */
  stop(): void {
    this.#end(new TenfoldError('the worker was stopped'))
  }

  #connect(): WorkerLike {
    const worker = this.#make()
    this.#isHeard = false
    // An event of a worker that was stopped says nothing of its successor.
    worker.addEventListener('message', ({ data }) => {
      if (worker === this.#worker) this.#receive(data as Reply)
    })
    const onBreak = (event: Event): void => {
      if (worker === this.#worker) this.#break(event)
    }
    worker.addEventListener('error', onBreak)
    worker.addEventListener('messageerror', onBreak)
    return worker
  }

  async #send(message: Message, transfer: Transferable[] = []): Promise<unknown> {
    const worker = this.#worker
    if (!worker) throw new UsageError('no worker runs', { hint: 'await start() first' })
    return new Promise((resolve, reject) => {
      try {
        worker.postMessage(message, transfer)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        reject(new UsageError(`what is sent to a worker must be plain data: ${reason.split('\n', 1)[0]}`))
        return
      }
      this.#waiting.set(message.id, { resolve, reject })
    })
  }

  #receive(reply: Reply): void {
    this.#isHeard = true
    if (reply.type === 'steps') {
      this.#listener.onSteps?.(reply.reports as readonly StepReport<ValuesOf<P>>[])
      return
    }
    if (reply.type === 'progress') {
      this.#listener.onProgress?.(reply.progress)
      return
    }
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if (reply.type === 'answer') waiting?.resolve(reply.value)
    else waiting?.reject(errorFrom(reply.error))
  }

  #break(event: Event): void {
    // The browser reports this one here, and not on its console, too.
    event.preventDefault()
    const message = 'message' in event && typeof event.message === 'string' ? event.message.split('\n', 1)[0] : ''
    const what = this.#isHeard ? 'the worker failed' : 'the worker could not be started'
    const error = new TenfoldError(message ? `${what}: ${message}` : what, {
      hint: this.#isHeard ? 'start it again' : 'its script must be served beside the page, as JavaScript',
    })
    this.#end(error)
    this.#listener.onBreak?.(error)
  }

  #end(error: TenfoldError): void {
    this.#worker?.terminate()
    this.#worker = undefined
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(error)
  }
}
