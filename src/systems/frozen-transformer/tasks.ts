/** The official tasks: loss and accuracy, and how their pictures and words are read (paper, Section 2.1). */
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'

/** Tasks by their official names. */
export const taskNames = [
  'bit-memory',
  'bit-xor',
  'listops',
  'mnist',
  'cifar10',
  'cifar10-gray',
  'remote-homology',
] as const

export type TaskName = (typeof taskNames)[number]

/** Loss and accuracy, the mean over all that is predicted: scalars. */
export interface Score {
  readonly loss: Tensor
  readonly accuracy: Tensor
}

/** How well `out` says y: every bit by a pair of logits, or one class by the first token's. out [B, R, ...]; y int [B, n] or [B]. */
export function scoreOf(task: TaskName, out: Tensor, y: Tensor): Score {
  return task === 'bit-memory' || task === 'bit-xor'
    ? scored(bitLogits(out), ops.reshape(ops.cast(ops.greater(y, 0), 'int64'), [-1]))
    : scored(ops.select(out, 0, 1), y)
}

/** The pairs of logits of all bits: [B, 1, 2 n] -> [B n, 2]. */
export function bitLogits(out: Tensor): Tensor {
  return ops.reshape(out, [-1, 2])
}

/** logits [M, K], labels int [M]. */
function scored(logits: Tensor, labels: Tensor): Score {
  const right = ops.equal(ops.argmax(logits, -1), ops.cast(labels, 'int64'))
  return { loss: ops.crossEntropy(logits, labels), accuracy: ops.mean(ops.cast(right, 'float32')) }
}

/** Pictures as the official loaders normalise them: bytes or 0 to 255, [B, C, H, W] -> [B, C or 1, H, W]. */
export function normalizeFor(task: 'mnist' | 'cifar10' | 'cifar10-gray', images: Tensor): Tensor {
  const channels = task === 'mnist' ? 1 : 3
  if (sizeOf(images.shape, 1) !== channels)
    throw new ShapeError(
      `${task}: pictures must have ${channels === 1 ? 'one channel' : '3 channels'}, found ${images}`,
    )
  const x = ops.div(ops.cast(images, 'float32'), 255)
  if (task === 'mnist') return x
  if (task === 'cifar10') return ops.div(ops.sub(x, perChannel(cifarMean)), perChannel(cifarDeviation))
  const grey = ops.sum(ops.mul(x, perChannel(greyOfColours)), 1, { keepDims: true })
  return ops.div(ops.sub(grey, 0.5), 0.5)
}

const cifarMean = [0.4914, 0.4822, 0.4465]
const cifarDeviation = [0.2023, 0.1994, 0.201]
/** Shares of red, green and blue. */
const greyOfColours = [0.2989, 0.587, 0.114]

const perChannel = (values: readonly number[]): Tensor => ops.reshape(ops.stack(values), [1, values.length, 1, 1])

/** The words of an expression as the official loader keeps them: no bracket of either kind, which loses where a list ends. */
export function wordsWithoutBrackets(expression: string): string[] {
  return expression.match(/[A-Za-z0-9]+/g) ?? []
}

/** Their numbers, 1 and more, cut or padded with 0 to `length`. */
export function wordIds(words: readonly string[], vocabulary: readonly string[], length: number): number[] {
  return Array.from({ length }, (_, i) => {
    const word = words[i]
    if (word === undefined) return 0
    const index = vocabulary.indexOf(word)
    // One more than the vocabulary has stands for words outside of it.
    return 1 + (index < 0 ? vocabulary.length : index)
  })
}
