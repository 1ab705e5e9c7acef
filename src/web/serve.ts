/** The worker's side: a model that trains and answers at the page's request. */
import { configure } from '#runtime'
import { requireCount } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import { turn } from '../util/turn.ts'
import {
  errorText,
  type Message,
  type Port,
  type Progress,
  type Reply,
  type StepReport,
  type TrainingEnd,
} from './protocol.ts'

/** What a page may ask of a model, by name: one argument, and an answer, which both can be cloned (no functions, no tensors). */
export type Requests = Readonly<Record<string, (argument: never) => unknown>>

/** A model as a worker serves it. */
export interface ServedModel<Values, R extends Requests> {
  /** One training step; what it resolves to is reported to the page, undefined says that there is nothing more to learn. Default: it does not train. */
  readonly step?: () => Promise<Values | undefined>
  readonly requests: R
  /** Frees what the model holds, before another is made. */
  readonly release?: () => Promise<void>
}

/** What a program can tell the page while it opens. */
export interface Host {
  readonly progress: (progress: Progress) => void
}

/** Makes a model from the page's settings: opens data, draws weights, compiles. Its type is all that the page needs of it. */
export type WorkerProgram<Settings, Values, R extends Requests> = (
  settings: Settings,
  host: Host,
) => Promise<ServedModel<Values, R>>

/** Reports of steps that take less than this are sent together: a page cannot draw more often. */
const interval = 16

/**
 * Serves a program to the page that made this worker: `serve(program)` is all that a worker's module has to do. Requests are
 * answered between two steps. `port`: the worker's global unless given.
 */
export function serve<Settings, Values, R extends Requests>(
  program: WorkerProgram<Settings, Values, R>,
  port: Port = globalThis as unknown as Port,
): void {
  const server = new Server(program as WorkerProgram<unknown, unknown, Requests>, port)
  port.addEventListener('message', ({ data }) => server.receive(data as Message))
}

class Server {
  readonly #program: WorkerProgram<unknown, unknown, Requests>
  readonly #port: Port
  #model: ServedModel<unknown, Requests> | undefined
  /** The last start, which the next one waits for. */
  #starting: Promise<void> = Promise.resolve()
  #step = 0
  /** The training that runs, if one does. */
  #training: Promise<TrainingEnd> | undefined
  #isPausing = false
  /** Requests that are not answered. */
  readonly #open = new Set<Promise<void>>()
  #reports: StepReport<unknown>[] = []
  #reportedAt = 0

  constructor(program: WorkerProgram<unknown, unknown, Requests>, port: Port) {
    this.#program = program
    this.#port = port
  }

  receive(message: Message): void {
    const work = this.#handle(message).then(
      (value) => this.#send({ type: 'answer', id: message.id, value }),
      (error: unknown) => this.#send({ type: 'failure', id: message.id, error: errorText(error) }),
    )
    // Training waits for what was asked, but not for itself.
    if (message.type !== 'ask') return
    this.#open.add(work)
    work.finally(() => this.#open.delete(work))
  }

  #send(reply: Reply): void {
    try {
      this.#port.postMessage(reply, [])
    } catch (error) {
      // An answer that cannot be cloned: a function, a tensor.
      if (reply.type !== 'answer') throw error
      this.#send({ type: 'failure', id: reply.id, error: errorText(error) })
    }
  }

  #handle(message: Message): Promise<unknown> {
    if (message.type === 'start') return this.#start(message)
    if (message.type === 'train') return this.#train(message.steps)
    if (message.type === 'pause') return this.#pause()
    return this.#answer(message)
  }

  #start(message: Message & { type: 'start' }): Promise<void> {
    this.#starting = this.#starting.catch(() => undefined).then(() => this.#make(message))
    return this.#starting
  }

  async #make({ settings, runtime }: Message & { type: 'start' }): Promise<void> {
    // What it refuses leaves the model before as it is.
    configure(runtime)
    await this.#pause()
    const before = this.#model
    this.#model = undefined
    this.#step = 0
    // Nothing more is asked of it; what was asked is answered before it goes.
    await Promise.all(this.#open)
    await before?.release?.()
    this.#model = await this.#program(settings, {
      progress: (progress) => this.#send({ type: 'progress', progress }),
    })
  }

  get #started(): ServedModel<unknown, Requests> {
    if (this.#model) return this.#model
    throw new UsageError('the worker has no model', { hint: 'await start() first' })
  }

  async #answer({ name, argument }: Message & { type: 'ask' }): Promise<unknown> {
    const { requests } = this.#started
    const request = Object.hasOwn(requests, name) ? requests[name] : undefined
    if (request) return request(argument as never)
    throw new UsageError(`the model answers no "${name}", only ${Object.keys(requests).join(', ') || 'nothing'}`)
  }

  async #pause(): Promise<void> {
    if (!this.#training) return
    this.#isPausing = true
    await this.#training.catch(() => undefined)
  }

  async #train(steps: number | undefined): Promise<TrainingEnd> {
    const { step } = this.#started
    if (!step) throw new UsageError('the model does not train: it has no step')
    if (steps !== undefined) requireCount('train', 'steps', steps, 0, UsageError)
    if (this.#training) throw new UsageError('the model is training already', { hint: 'await pause() first' })
    this.#isPausing = false
    this.#training = this.#steps(step, steps ?? Number.POSITIVE_INFINITY)
    try {
      return await this.#training
    } finally {
      this.#training = undefined
      this.#report()
    }
  }

  async #steps(step: () => Promise<unknown>, count: number): Promise<TrainingEnd> {
    for (let done = 0; done < count; done++) {
      // What was asked during the last step is heard and answered first.
      await turn()
      while (this.#open.size > 0) await Promise.all(this.#open)
      if (this.#isPausing) return 'paused'
      const start = performance.now()
      const values = await step()
      if (values === undefined) return 'finished'
      this.#step++
      const now = performance.now()
      this.#reports.push({ step: this.#step, milliseconds: now - start, values })
      if (now - this.#reportedAt >= interval) this.#report()
    }
    return 'done'
  }

  #report(): void {
    if (this.#reports.length === 0) return
    this.#send({ type: 'steps', reports: this.#reports })
    this.#reports = []
    this.#reportedAt = performance.now()
  }
}
