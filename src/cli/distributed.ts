/** `--distributed mpi`: the processes that mpirun has started train one model. Rank 0 does all that users see; the others follow it. */
import { availableParallelism, cpus } from 'node:os'
import { prepareTraining } from '../systems/session.ts'
import type { OpenedData } from '../tasks/define.ts'
import type { Experiment } from '../tasks/experiment.ts'
import { connectMpi, mpiLaunch } from '../train/distributed/mpi.ts'
import { trainDistributed } from '../train/distributed/training.ts'
import type { LoopObserver, LoopOptions, LoopResult, TrainingTask } from '../train/loop.ts'
import type { TrainingStore } from '../train/store.ts'
import type { Communicator } from '../util/communicator.ts'
import { UsageError } from '../util/errors.ts'
import { interruptSignal } from './interrupt.ts'
import { silentReporter } from './ui.ts'

/** What a process that follows rank 0 trains. */
interface Followed {
  /** SYSTEM/RECIPE */
  readonly name: string
  readonly experiment: Experiment
  readonly data: OpenedData
  readonly steps: number | null
  readonly saveStart: boolean
}

/** The processes that train together, of which this is one. */
export class Group {
  readonly #communicator: Communicator
  readonly #stopped: AbortController

  private constructor(communicator: Communicator, stopped: AbortController) {
    this.#communicator = communicator
    this.#stopped = stopped
  }

  /** Joins the processes that `mpirun` has started. */
  static async join(): Promise<Group> {
    const stopped = new AbortController()
    return new Group(await connectMpi({ signal: stopped.signal }), stopped)
  }

  get size(): number {
    return this.#communicator.size
  }

  /** Whether this process only computes. */
  get isFollower(): boolean {
    return this.#communicator.rank > 0
  }

  /** Threads of this process: as wanted, or its share of the cores. */
  threads(wanted: number | undefined): number {
    if (wanted !== undefined) return wanted
    const own = availableParallelism()
    // Bound by mpirun: the cores that it may use are its own.
    if (own < cpus().length) return own
    return Math.max(1, Math.floor(own / (mpiLaunch()?.local ?? 1)))
  }

  /** This process's part of a recipe's task. Throws a UsageError if it has no parts. */
  taskOf(task: TrainingTask, name: string): TrainingTask {
    if (task.distributed) return { ...task, ...task.distributed(this.#communicator) }
    throw new UsageError(`${name} cannot be trained by several processes`, {
      hint: 'its loss is not a mean over the examples of a batch',
    })
  }

  /** Throws the UsageError of `taskOf` before anything is written. */
  requireParts({ experiment, data }: Pick<Followed, 'experiment' | 'data'>, name: string): void {
    this.taskOf(prepareTraining(experiment, data).task, name)
  }

  /** `store`: of rank 0 only. */
  train(
    task: TrainingTask,
    store: TrainingStore | undefined,
    options: LoopOptions,
    observer?: LoopObserver,
  ): Promise<LoopResult> {
    options.signal?.addEventListener('abort', () => this.#stopped.abort())
    return trainDistributed(this.#communicator, task, store, options, observer)
  }

  /** Computes until rank 0 has ended. */
  async follow({ name, experiment, data, steps, saveStart }: Followed): Promise<void> {
    const { task, loop } = prepareTraining(experiment, data)
    const { signal, dispose } = interruptSignal(silentReporter)
    const options = { ...loop, ...(steps !== null && { steps }), saveStart, signal }
    await this.train(this.taskOf(task, name), undefined, options).finally(dispose)
    await this.close()
  }

  /** Waits for the others. */
  async close(): Promise<void> {
    await this.#communicator.close()
  }
}
