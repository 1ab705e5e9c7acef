/** The training loop: steps, evaluation, checkpoints, early stop, and an orderly end in every case. */

import type { Compiled } from '../compile/compile.ts'
import { type Batch, type BatchTensors, batchRows } from '../data/dataset.ts'
import type { BatchSource } from '../data/loader.ts'
import { randomState } from '../tensor/random-state.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { fetchVariables, type Variable } from '../tensor/variable.ts'
import type { Communicator } from '../util/communicator.ts'
import { UsageError } from '../util/errors.ts'
import {
  type ChangingState,
  hasOnlyFinite,
  type MetricsLine,
  restoreVariables,
  type Snapshots,
  type TrainingState,
  type TrainingStore,
} from './store.ts'

/** Scalars by name; `loss` is always among a step's. */
export type Metrics = Readonly<Record<string, number>>

/** What a training step returns: scalars, the loss among them. */
export interface StepResult {
  readonly [name: string]: Tensor
  readonly loss: Tensor
}

/** What is trained, on batches of tensors with these names. */
export interface TrainingTask<Name extends string = string> {
  /** Everything a checkpoint holds: parameters, statistics, optimizer state, random counters; by name. */
  readonly variables: ReadonlyMap<string, Variable>
  /** Gives the batches; its position is part of every checkpoint. */
  readonly loader: BatchSource<Name>
  /** One training step. */
  readonly step: Compiled<[BatchTensors<Name>], StepResult>
  /**
   * Variables that carry information from one batch to the next, such as the memory of a stream. They are among `variables`;
   * `evaluate` may use and overwrite them, training continues with its own values. Default: none.
   */
  readonly memory?: readonly Variable[]
  /** What checkpoints hold besides variables, in arrays whose shapes change. `evaluate` must leave it as it is. */
  readonly state?: ChangingState
  /** Metrics on held-out data; none: no step is better than another, and none is kept as the best one. */
  readonly evaluate: () => Promise<Metrics>
  /** Pictures that are kept at each evaluation. Random functions draw the same numbers in each, and training draws on as if there were none. */
  readonly snapshot?: () => Promise<Snapshots>
  /** The learning rate of the next step. */
  readonly learningRate?: () => number
  /** The same task for one of several processes, which computes its part of every batch. Undefined: the loss has no such parts. */
  readonly distributed?: (communicator: Communicator) => TrainingTask<Name>
}

/** A task with its batch names erased: its step takes what its loader gives. */
export function defineTask<Name extends string>(task: TrainingTask<Name>): TrainingTask {
  return task as unknown as TrainingTask
}

/** Milliseconds after which a step is in the log, before its checkpoint: whoever watches a run sees its curve grow. */
const logEvery = 200

export interface LoopOptions {
  readonly epochs: number
  /** Stop after this many steps, if sooner than the epochs. */
  readonly steps?: number
  /** Steps between evaluations, besides the one at the end of each epoch. Default: none. */
  readonly evaluateEvery?: number
  /** Steps between checkpoints. One is also written at the end of each epoch and of training. */
  readonly checkpointEvery: number
  /** Numbered checkpoints kept. */
  readonly keepCheckpoints: number
  /** The metric of `evaluate` that decides what is best; between equals, the lower `loss` does. */
  readonly monitor: { readonly metric: string; readonly goal: 'max' | 'min' }
  /** Stop when this many evaluations in a row brought no improvement. Default: never. */
  readonly patience?: number
  /** Write a checkpoint before the first step too: the initial weights may not be available later. */
  readonly saveStart?: boolean
  /** Save and stop as soon as this is aborted. */
  readonly signal?: AbortSignal
}

/** Throws a UsageError where an evaluation does not give the metric that decides. */
export function requireMonitored(owner: string, metrics: Metrics, metric: string): void {
  if (Object.hasOwn(metrics, metric)) return
  throw new UsageError(
    `${owner}: monitor.metric is "${metric}", and evaluate gives ${Object.keys(metrics).join(', ') || 'nothing'}`,
    { hint: "for example monitor: { metric: 'accuracy', goal: 'max' }" },
  )
}

export interface StepReport {
  readonly step: number
  readonly totalSteps: number
  readonly epoch: number
  readonly epochs: number
  readonly metrics: Metrics
  readonly examples: number
  /** Seconds since this session began to train. */
  readonly seconds: number
}

/** Callbacks; all optional. */
export interface LoopObserver {
  /** Everything has been restored; the first step of this session comes next. */
  readonly onStart?: (step: number) => void
  readonly onStep?: (report: StepReport) => void
  readonly onEvaluation?: (step: number, epoch: number, metrics: Metrics, best: boolean) => void
  readonly onCheckpoint?: (path: string) => void
  /** A problem that does not stop training. */
  readonly onWarning?: (message: string) => void
}

export type StopReason = 'finished' | 'interrupted' | 'early stop' | 'not finite'

export interface LoopResult {
  readonly reason: StopReason
  readonly step: number
  /** The step of the newest checkpoint; -1: there is none. Before `step` where the state was not finite itself, and is not kept. */
  readonly savedStep: number
  readonly metrics: Metrics
  /** Of the finite values of the monitored metric. */
  readonly best: number | null
  /** Seconds over all sessions of the run. */
  readonly seconds: number
}

/** Of a training that is `not finite`: whether it was the loss of an evaluation, and none of a step. */
export function isTestLossBroken({ metrics }: Pick<LoopResult, 'metrics'>): boolean {
  return !Number.isFinite(metrics.loss ?? 0)
}

/** Which checkpoint a training has left, in words. */
export function describeNewest({ savedStep }: Pick<LoopResult, 'savedStep'>): string {
  return savedStep < 0 ? 'there is no checkpoint' : `the newest checkpoint is of step ${savedStep}`
}

/**
 * Trains from the store's newest checkpoint, or from the start, to the end. No one else may write to the store
 * meanwhile: hold the lock of a run directory. Throws a FormatError if there are checkpoints and all are damaged or gone.
 */
export async function train<Name extends string>(
  task: TrainingTask<Name>,
  store: TrainingStore,
  options: LoopOptions,
  observer: LoopObserver = {},
): Promise<LoopResult> {
  const loop = new Loop(defineTask(task), store, options, observer)
  await loop.restore()
  return loop.run()
}

class Loop {
  readonly #task: TrainingTask
  readonly #store: TrainingStore
  readonly #options: LoopOptions
  readonly #observer: LoopObserver
  readonly #totalSteps: number
  #step = 0
  #best: number | null = null
  #bestStep: number | null = null
  #bestLoss: number | null = null
  #evaluationsSinceBest = 0
  #earlierSeconds = 0
  #startedAt = performance.now()
  #lastEvaluation: Metrics = {}
  #lines: MetricsLine[] = []
  #loggedAt = performance.now()
  #savedStep = -1

  constructor(task: TrainingTask, store: TrainingStore, options: LoopOptions, observer: LoopObserver) {
    this.#task = task
    this.#store = store
    this.#options = options
    this.#observer = observer
    const planned = options.epochs * task.loader.stepsPerEpoch
    this.#totalSteps = Math.min(planned, options.steps ?? planned)
  }

  async restore(): Promise<void> {
    let damaged = 0
    const checkpoint = await this.#store.recover((_path, reason) => {
      damaged++
      this.#observer.onWarning?.(reason)
    })
    await this.#store.truncateLog(checkpoint?.state.step ?? 0)
    if (!checkpoint) return
    if (damaged > 0)
      this.#observer.onWarning?.(`continuing from step ${checkpoint.state.step}, whose checkpoint is intact`)
    restoreVariables(checkpoint, this.#task.variables, this.#task.state)
    this.#restoreState(checkpoint.state)
    // Killed after this checkpoint was written and before it was marked as the best one.
    if (checkpoint.state.bestStep === checkpoint.state.step) await this.#store.markBest(checkpoint)
    const lines = await this.#store.readMetrics()
    this.#warnOfGap(lines)
    this.#lastEvaluation = numbersOf(lines.findLast((line) => line.type === 'evaluation'))
  }

  /** Every step is logged before a checkpoint has it. */
  #warnOfGap(lines: readonly MetricsLine[]): void {
    const logged = new Set(lines.flatMap(({ type, step }) => (type === 'step' ? [step] : []))).size
    if (logged >= this.#step) return
    const missing = this.#step - logged
    this.#observer.onWarning?.(
      `${this.#store.metrics}: lacks ${missing} of the first ${this.#step} steps; training continues, but its curves have a gap`,
    )
  }

  #restoreState({ step, loader, best, bestStep, bestLoss, evaluationsSinceBest, seconds }: TrainingState): void {
    this.#task.loader.restore(loader, { mayBeShorter: true })
    this.#step = step
    this.#savedStep = step
    this.#best = best
    this.#bestStep = bestStep
    this.#bestLoss = bestLoss
    // The patience of an extended run that had stopped early is reset.
    this.#evaluationsSinceBest = this.#store.isExtendedAt(step) ? 0 : evaluationsSinceBest
    this.#earlierSeconds = seconds
  }

  /** Whether too many evaluations in a row brought no improvement. */
  get #isOutOfPatience(): boolean {
    const { patience } = this.#options
    return patience !== undefined && this.#evaluationsSinceBest >= patience
  }

  get #seconds(): number {
    return this.#earlierSeconds + (performance.now() - this.#startedAt) / 1000
  }

  async run(): Promise<LoopResult> {
    this.#startedAt = performance.now()
    this.#observer.onStart?.(this.#step)
    if (this.#options.saveStart && this.#savedStep < 0) await this.#save(false)
    if (this.#isOutOfPatience) return this.#end('early stop')
    while (this.#step < this.#totalSteps) {
      if (this.#options.signal?.aborted) return this.#end('interrupted')
      const reason = await this.#epoch()
      if (reason) return this.#end(reason)
    }
    return this.#end('finished')
  }

  /** Runs to the end of the loader's epoch; returns a reason if training ends before the planned number of steps. */
  async #epoch(): Promise<StopReason | undefined> {
    const { loader } = this.#task
    const epoch = loader.state().epoch
    let position = loader.state()
    for await (const batch of loader) {
      const reason = await this.#trainOn(batch, epoch)
      if (reason === 'not finite') {
        // The step never happened: its batch is the next one again.
        loader.restore(position)
        return reason
      }
      position = loader.state()
      const epochEnds = position.epoch !== epoch
      const lastStep = this.#step >= this.#totalSteps
      if (epochEnds || lastStep)
        return (await this.#evaluate(epoch)) ?? (this.#options.signal?.aborted ? 'interrupted' : undefined)
      if (this.#options.signal?.aborted) return 'interrupted'
      if (performance.now() - this.#loggedAt >= logEvery) await this.#log()
      if (this.#step % (this.#options.evaluateEvery ?? Number.POSITIVE_INFINITY) === 0) {
        const stop = await this.#evaluate(epoch)
        if (stop) return stop
      } else if (this.#step % this.#options.checkpointEvery === 0) await this.#save(false)
    }
    return undefined
  }

  async #trainOn(batch: Batch, epoch: number): Promise<'not finite' | undefined> {
    const tensors = await this.#task.step(batch)
    const metrics = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensor.item()]))
    if (!Number.isFinite(metrics.loss)) {
      this.#task.step.undo()
      return 'not finite'
    }
    this.#step++
    this.#lines.push({ type: 'step', step: this.#step, epoch, ...metrics })
    this.#observer.onStep?.({
      step: this.#step,
      totalSteps: this.#totalSteps,
      epoch,
      epochs: this.#options.epochs,
      metrics,
      examples: batchRows(batch),
      seconds: (performance.now() - this.#startedAt) / 1000,
    })
    return undefined
  }

  async #evaluate(epoch: number): Promise<StopReason | undefined> {
    const { metrics, snapshots } = await this.#evaluateApart()
    const hasMetrics = Object.keys(metrics).length > 0
    const { metric, goal } = this.#options.monitor
    if (hasMetrics) requireMonitored('train', metrics, metric)
    const value = metrics[metric] ?? Number.NaN
    const isTied = value === this.#best && this.#bestLoss !== null && (metrics.loss ?? Number.NaN) < this.#bestLoss
    const isBetter = this.#best === null || (goal === 'max' ? value > this.#best : value < this.#best)
    const areNumbers = [value, metrics.loss ?? 0].every(Number.isFinite)
    const isBest = hasMetrics && areNumbers && (isTied || isBetter)
    if (isBest) [this.#best, this.#bestStep, this.#bestLoss] = [value, this.#step, metrics.loss ?? null]
    this.#evaluationsSinceBest = isBest ? 0 : this.#evaluationsSinceBest + 1
    this.#lastEvaluation = metrics
    if (hasMetrics) {
      this.#lines.push({ type: 'evaluation', step: this.#step, epoch, seconds: this.#seconds, ...metrics })
      this.#observer.onEvaluation?.(this.#step, epoch, metrics, isBest)
    }
    // Before the checkpoint: pictures that no checkpoint knows of are dropped by a resumed training, and made again.
    if (snapshots) await this.#store.saveSnapshots(this.#step, snapshots)
    if (isTestLossBroken({ metrics })) return 'not finite'
    await this.#save(isBest)
    return this.#isOutOfPatience ? 'early stop' : undefined
  }

  /** Evaluates and takes pictures; the memory of training is as it was. */
  async #evaluateApart(): Promise<{ readonly metrics: Metrics; readonly snapshots: Snapshots | undefined }> {
    const { memory = [], evaluate } = this.#task
    await fetchVariables(memory)
    const kept = memory.map((variable) => variable.data.slice())
    const metrics = await evaluate()
    const snapshots = await this.#takeSnapshots()
    for (const [i, variable] of memory.entries()) {
      const values = kept[i]
      if (values) variable.set(values)
    }
    return { metrics, snapshots }
  }

  async #takeSnapshots(): Promise<Snapshots | undefined> {
    const { snapshot } = this.#task
    if (!snapshot) return undefined
    const { calls } = randomState()
    const drawn = calls.data.slice()
    calls.set([0])
    try {
      return await snapshot()
    } finally {
      calls.set(drawn)
    }
  }

  /** Appends what is not in the log yet; a resumed training drops what no checkpoint has. */
  async #log(): Promise<void> {
    await this.#store.append(this.#lines)
    this.#lines = []
    this.#loggedAt = performance.now()
  }

  async #save(best: boolean): Promise<void> {
    await this.#log()
    await fetchVariables(this.#task.variables)
    const state: TrainingState = {
      step: this.#step,
      loader: this.#task.loader.state(),
      best: this.#best,
      bestStep: this.#bestStep,
      bestLoss: this.#bestLoss,
      evaluationsSinceBest: this.#evaluationsSinceBest,
      seconds: this.#seconds,
    }
    const arrays = [...(this.#task.state?.arrays() ?? [])].map(([name, array]) => [name, { array }] as const)
    const path = await this.#store.saveCheckpoint(new Map([...this.#task.variables, ...arrays]), state, {
      keep: this.#options.keepCheckpoints,
      best,
    })
    this.#savedStep = this.#step
    this.#observer.onCheckpoint?.(path)
  }

  /** Saves a state of numbers. One that is spoiled already would take the place of those before it: it stays in the log alone. */
  async #saveFinite(): Promise<void> {
    const { variables, memory } = this.#task
    await fetchVariables(variables)
    const shared = [...variables.values()].filter((variable) => !memory?.includes(variable))
    await (shared.every(hasOnlyFinite) ? this.#save(false) : this.#log())
  }

  async #end(reason: StopReason): Promise<LoopResult> {
    if (this.#savedStep !== this.#step) await (reason === 'not finite' ? this.#saveFinite() : this.#save(false))
    const [step, savedStep, metrics] = [this.#step, this.#savedStep, this.#lastEvaluation]
    return { reason, step, savedStep, metrics, best: this.#best, seconds: this.#seconds }
  }
}

function numbersOf(line: MetricsLine | undefined): Metrics {
  const entries = Object.entries(line ?? {}).filter(([key]) => !['type', 'step', 'epoch', 'seconds'].includes(key))
  return Object.fromEntries(entries.map(([key, value]) => [key, Number(value)]))
}
