/** How a model with memory answers a stream of text: the loss of what counts, and what is kept meanwhile. */
import type { BatchTensors, Dataset } from '../../data/dataset.ts'
import { DataLoader } from '../../data/loader.ts'
import * as ops from '../../ops/index.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { blockReader, CarriedMemory } from './carried.ts'
import type { AnyModel } from './model.ts'
import type { StreamFields } from './stream.ts'

/** The loss of what counts, the number of it, and where the most probable class was not the right one: 1, else 0. */
export interface Counted {
  readonly nats: Tensor
  readonly count: Tensor
  /** Where one was not, [B, M]. */
  readonly wrong: Tensor
}

/** logProbs [B, M, V], target int [B, M]; targets of class `omitted` do not count. */
export function counted(logProbs: Tensor, target: Tensor, omitted: number | undefined): Counted {
  const losses = ops.nllLoss(ops.transpose(logProbs), target, { reduction: 'none' }) // [B, M]
  const isWrong = ops.cast(ops.notEqual(ops.argmax(logProbs, -1), ops.cast(target, 'int64')), 'float32')
  const counts = omitted === undefined ? ops.onesLike(losses) : ops.cast(ops.notEqual(target, omitted), 'float32')
  return {
    nats: ops.sum(ops.mul(losses, counts)),
    count: ops.sum(counts),
    wrong: ops.mul(isWrong, counts),
  }
}

/** The mean loss of what counts; with classes that do not, as in the official code, 0 where nothing does. */
export function meanLoss({ nats, count }: Counted, omitted: number | undefined): Tensor {
  return ops.div(nats, omitted === undefined ? count : ops.add(count, 1e-6))
}

/** What was found in a stream. */
export interface StreamAnswers {
  /** Mean loss of what counts, in nats. */
  readonly loss: number
  /** The share of it that was answered wrongly. */
  readonly error: number
  /** Memories of each layer after each block. */
  readonly lengths: readonly (readonly number[])[]
  /** The same of those that have not expired, where memories expire. */
  readonly alive: readonly (readonly number[])[]
  /** Of each row of the text: 1 where a token that counts was answered wrongly. */
  readonly wrong: readonly (readonly number[])[]
}

/** What counts in a stream, and how it is read. */
export interface ScoringOptions {
  /** Texts that are read at once. */
  readonly rows: number
  /** Whether the memory is empty where an episode begins. Default: no, whatever was read may be remembered. */
  readonly clears?: boolean | undefined
  /** Targets of this class do not count. */
  readonly omitted?: number | undefined
  readonly threads?: number
}

/** Reads whole streams, each from its beginning with a memory of its own. */
export interface StreamScorer {
  (data: Dataset<StreamFields>): Promise<StreamAnswers>
  readonly release: () => Promise<void>
}

/** Compiles what scores streams. */
export function streamScorer(model: AnyModel, options: ScoringOptions): StreamScorer {
  const { rows, clears, omitted, ...threads } = options
  const read = blockReader(
    model,
    ({ input, target, elapsed }: BatchTensors<StreamFields>, readBlock) =>
      counted(readBlock(input, undefined, clears ? elapsed : undefined).logProbs, target, omitted),
    threads,
  )
  const { mem_sz } = model.config
  const score = async (data: Dataset<StreamFields>): Promise<StreamAnswers> => {
    const memory = new CarriedMemory(model, rows)
    const [lengths, alive]: [number[][], (readonly number[])[]] = [[], []]
    const wrong: number[][] = Array.from({ length: rows }, () => [])
    const total = { nats: 0, count: 0 }
    await model.inEvalMode(async () => {
      for await (const batch of new DataLoader(data, { batchSize: rows, dropLast: true })) {
        const { result, next, alive: left } = await read(batch as never, memory.memories)
        memory.advance(next)
        if (left.length > 0) alive.push(left)
        for (const name of ['nats', 'count'] as const) total[name] += result[name].item()
        const found = toNumbers(result.wrong.array.data)
        for (const [row, of] of wrong.entries()) of.push(...found.slice(row * mem_sz, (row + 1) * mem_sz))
        lengths.push(memory.lengths)
      }
    })
    const errors = wrong.reduce((sum, of) => sum + of.reduce((all, one) => all + one, 0), 0)
    return { loss: total.nats / total.count, error: errors / total.count, lengths, alive, wrong }
  }
  return Object.assign(score, { release: () => read.compiled.release() })
}
