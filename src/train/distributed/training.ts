/** The training loop on several processes: each computes its part of every batch; rank 0 evaluates, logs and keeps checkpoints. */
import type { Batch } from '../../data/dataset.ts'
import type { BatchSource } from '../../data/loader.ts'
import { randomState } from '../../tensor/random-state.ts'
import type { Communicator } from '../../util/communicator.ts'
import { defineTask, type LoopObserver, type LoopOptions, type LoopResult, type TrainingTask, train } from '../loop.ts'
import type { TrainingStore } from '../store.ts'
import { broadcastCheckpoint, broadcastNumbers, broadcastVariables } from './exchange.ts'

/**
 * `train` on all processes of the communicator, which must all call it with tasks of the same names and shapes: a step compiled with
 * the communicator, and a loader that gives this process its part (`DataLoader`'s `part`). Rank 0 has the store, evaluates and is
 * observed; the others have neither. All begin with rank 0's variables and get them again at each checkpoint, so that they cannot
 * drift apart. Random numbers that a step draws (dropout) differ between processes; they follow from seed and rank. A signal that one
 * process gets stops all after their next step.
 */
export async function trainDistributed<Name extends string>(
  communicator: Communicator,
  task: TrainingTask<Name>,
  store: TrainingStore | undefined,
  { signal, ...options }: LoopOptions,
  observer: LoopObserver = {},
): Promise<LoopResult> {
  const together = new AbortController()
  randomState().useRank(communicator.rank)
  const { evaluate, snapshot, ...shared } = defineTask(task)
  const isFirst = communicator.rank === 0
  return train(
    {
      ...shared,
      loader: agreedLoader(shared.loader, communicator, signal, together),
      evaluate: async () => broadcastNumbers(communicator, isFirst ? await evaluate() : undefined),
      ...(isFirst && snapshot && { snapshot }),
    },
    new SharedStore(communicator, shared, isFirst ? store : undefined),
    { ...options, signal: together.signal },
    isFirst ? observer : {},
  )
}

/** Before each batch the processes agree whether to stop after it. */
function agreedLoader(
  loader: BatchSource,
  communicator: Communicator,
  own: AbortSignal | undefined,
  together: AbortController,
): BatchSource {
  return {
    stepsPerEpoch: loader.stepsPerEpoch,
    state: () => loader.state(),
    restore: (...position) => loader.restore(...position),
    async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
      for await (const batch of loader) {
        const stops = Float32Array.of(own?.aborted ? 1 : 0)
        await communicator.sum(stops)
        if (stops[0] !== 0) together.abort(own?.reason)
        yield batch
      }
    },
  }
}

/** The store of rank 0 to all processes. */
class SharedStore implements TrainingStore {
  readonly #communicator: Communicator
  readonly #variables: TrainingTask['variables']
  readonly #own: TrainingStore | undefined
  #isExtended = false

  constructor(
    communicator: Communicator,
    { variables }: Pick<TrainingTask, 'variables'>,
    own: TrainingStore | undefined,
  ) {
    this.#communicator = communicator
    this.#variables = variables
    this.#own = own
  }

  get metrics(): string {
    return this.#own?.metrics ?? 'the metrics of rank 0'
  }

  async recover(onDamage: Parameters<TrainingStore['recover']>[0]): ReturnType<TrainingStore['recover']> {
    const own = this.#own
    const checkpoint = await own?.recover(onDamage)
    const found = await broadcastCheckpoint(
      this.#communicator,
      own && checkpoint && { checkpoint, isExtended: own.isExtendedAt(checkpoint.state.step) },
    )
    if (!found) await broadcastVariables(this.#communicator, this.#variables.values())
    this.#isExtended = found?.isExtended ?? false
    return found?.checkpoint
  }

  async saveCheckpoint(...saved: Parameters<TrainingStore['saveCheckpoint']>): Promise<string> {
    const path = (await this.#own?.saveCheckpoint(...saved)) ?? ''
    await broadcastVariables(this.#communicator, this.#variables.values())
    return path
  }

  async markBest(...found: Parameters<TrainingStore['markBest']>): Promise<void> {
    await this.#own?.markBest(...found)
  }

  async append(...lines: Parameters<TrainingStore['append']>): Promise<void> {
    await this.#own?.append(...lines)
  }

  async readMetrics(): ReturnType<TrainingStore['readMetrics']> {
    return (await this.#own?.readMetrics()) ?? []
  }

  async saveSnapshots(...pictures: Parameters<TrainingStore['saveSnapshots']>): Promise<void> {
    await this.#own?.saveSnapshots(...pictures)
  }

  async truncateLog(step: number): Promise<void> {
    await this.#own?.truncateLog(step)
  }

  isExtendedAt(): boolean {
    return this.#isExtended
  }
}
