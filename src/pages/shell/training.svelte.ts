/** A model in a worker as the components of a page see it: what it does now, its curve, its answers. */
import { TenfoldError } from '../../util/errors.ts'
import type { Progress, StepReport } from '../../web/protocol.ts'
import { TrainingWorker, type ValuesOf } from '../../web/training-worker.ts'
import type { Run } from './curve.ts'

/** A program of a page: its steps report a loss among others, if it trains at all. */
export type PageProgram = (...args: never[]) => Promise<unknown>

/** `off`: nothing was asked for yet. `ready`: the model is there, and can begin or go on. `finished`: it has nothing more to learn. */
export type Status = 'off' | 'opening' | 'training' | 'ready' | 'finished'

/** Trainings that a curve keeps beside the present one. */
const keptRuns = 3

function textOf(error: unknown): string {
  if (error instanceof TenfoldError) return error.hint ? `${error.message} (${error.hint})` : error.message
  return error instanceof Error ? error.message : String(error)
}

/** Trains the model of a page's worker (`worker.js` beside the page) and keeps what the page shows of it. */
export class Training<P extends PageProgram> {
  status = $state<Status>('off')
  /** What opening does, while it does. */
  what = $state('')
  step = $state(0)
  /** Of the last steps, a mean. */
  milliseconds = $state(0)
  latest = $state.raw<ValuesOf<P>>()
  error = $state('')
  /** Grows with every report and with every model: what a curve follows, and a seed that no training before has had. */
  reports = $state(0)
  /** Earlier trainings, and the present one last. */
  readonly runs: Run[] = []
  readonly worker: TrainingWorker<P>
  readonly #lossOf: (values: ValuesOf<P>) => number
  /** Stands for the model that is there or is being made, another one for each; resolves to whether it could be made. */
  model: Promise<boolean> | undefined
  /** Makes the model that is to come next. */
  #next: (() => Promise<boolean>) | undefined
  #beginning: Promise<void> | undefined

  /** `lossOf`: the number of a step that the curve shows. */
  constructor(lossOf: (values: ValuesOf<P>) => number) {
    this.#lossOf = lossOf
    this.worker = new TrainingWorker<P>(() => new Worker(new URL('worker.js', document.baseURI), { type: 'module' }), {
      onSteps: (reports) => this.#hear(reports),
      onProgress: ({ what }: Progress) => {
        this.what = what
      },
      onBreak: (error) => this.#fail(error),
    })
  }

  get isOpen(): boolean {
    return this.status !== 'off' && this.status !== 'opening'
  }

  /** Makes a new model. `name`: of its training in the curve. Resolves to whether it is there. */
  open(name: string, ...[settings]: Parameters<TrainingWorker<P>['start']>): Promise<boolean> {
    this.model = this.#open(name, settings)
    return this.model
  }

  async #open(name: string, settings: Parameters<TrainingWorker<P>['start']>[0]): Promise<boolean> {
    this.error = ''
    this.status = 'opening'
    this.what = 'loading the engine'
    const own = new URL('../runtime/', document.baseURI).href
    try {
      await this.worker.start(settings, { files: own })
    } catch (error) {
      this.#giveUp(error)
      return false
    }
    if (this.runs.at(-1)?.losses.length === 0) this.runs.pop()
    this.runs.push({ name, losses: [] })
    this.runs.splice(0, this.runs.length - 1 - keptRuns)
    this.step = 0
    this.reports++
    this.status = 'ready'
    return true
  }

  /** A new model, which trains at once; `open` makes it. Of several that are asked for before it is there, the last one comes. */
  begin(open: () => Promise<boolean>): Promise<void> {
    this.#next = open
    this.#beginning ??= this.#begin().finally(() => {
      this.#beginning = undefined
    })
    return this.#beginning
  }

  async #begin(): Promise<void> {
    let isThere = false
    while (this.#next) {
      await this.model
      await this.pause()
      const open = this.#next
      this.#next = undefined
      isThere = await open()
    }
    if (isThere) void this.train()
  }

  /** After a change of settings: `begin`, if there was a model, or one is being made. */
  async restart(open: () => Promise<boolean>): Promise<void> {
    if (this.status !== 'off') await this.begin(open)
  }

  /** Trains for so many steps, or until it is paused or finished. */
  async train(steps?: number): Promise<void> {
    if (this.status !== 'ready') return
    this.status = 'training'
    try {
      const end = await this.worker.train(steps === undefined ? {} : { steps })
      if (this.status === 'training') this.status = end === 'finished' ? 'finished' : 'ready'
    } catch (error) {
      if (this.status === 'training') this.#giveUp(error)
    }
  }

  /** Resolves when the present step has ended. */
  async pause(): Promise<void> {
    if (this.status === 'training') await this.worker.pause().catch((error: unknown) => this.#fail(error))
  }

  /**
   * The model's answer; nothing if there is no model, if another took its place before it answered, or if it failed, which `error` then says.
   * `model`: the one that is meant, where several questions belong together; the present one unless given.
   */
  async ask<R>(
    question: (worker: TrainingWorker<P>) => Promise<R>,
    model: Promise<boolean> | undefined = this.model,
  ): Promise<R | undefined> {
    if (!(await model) || model !== this.model) return undefined
    try {
      const answer = await question(this.worker)
      return model === this.model ? answer : undefined
    } catch (error) {
      if (this.isOpen) this.error = textOf(error)
      return undefined
    }
  }

  #hear(reports: readonly StepReport<ValuesOf<P>>[]): void {
    const losses = this.runs.at(-1)?.losses
    for (const { step, milliseconds, values } of reports) {
      losses?.push(this.#lossOf(values))
      this.step = step
      this.latest = values
      this.milliseconds = step <= 3 ? milliseconds : 0.9 * this.milliseconds + 0.1 * milliseconds
    }
    this.reports++
  }

  /** Another worker can load what this one could not. */
  #giveUp(error: unknown): void {
    this.worker.stop()
    this.#fail(error)
  }

  #fail(error: unknown): void {
    this.error = textOf(error)
    this.status = this.worker.isRunning ? 'ready' : 'off'
  }
}

/**
 * Calls `update` as soon as there is a model, after every so many `steps` of its training, when that begins and ends, and when state changes that it
 * reads at once. `update` gets how often so many steps are done. To be called where a component begins.
 */
export function follow<P extends PageProgram>(
  training: Training<P>,
  steps: number,
  update: (times: number) => void,
): void {
  // Derived, so that the effect does not run again at every step.
  const times = $derived(Math.floor(training.step / steps))
  $effect(() => {
    const done = times
    if (training.isOpen) update(done)
  })
}

/**
 * Runs an async function, never twice at once: what is asked for meanwhile is done once more at the end, with what then holds. For
 * pictures that follow a training.
 */
export function latestOf(work: () => Promise<void>): () => void {
  let [isRunning, isAsked] = [false, false]
  const run = async (): Promise<void> => {
    isRunning = true
    while (isAsked) {
      isAsked = false
      await work()
    }
    isRunning = false
  }
  return () => {
    isAsked = true
    if (!isRunning) void run()
  }
}
