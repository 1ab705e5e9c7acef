/** The weighted k-nearest-neighbour protocol (Wu et al. 2018; DINO's eval_knn): no training, no settings but k and T. */
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizes } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { UsageError } from '../../../util/errors.ts'

/** Features [N, D] of known pictures with their classes, and of the pictures to classify. */
export interface NeighbourProblem {
  readonly trainFeatures: NDArray
  readonly trainLabels: readonly number[]
  readonly testFeatures: NDArray
  readonly testLabels: readonly number[]
  readonly classes: number
  /** Neighbours that vote. */
  readonly k: number
  /** Temperature: a neighbour's vote counts exp(cosine / T). Default: 0.07. */
  readonly T?: number
}

/** What the votes say. */
export interface NeighbourResult {
  /** Votes of each class, not normalised: [test, classes]. */
  readonly scores: NDArray
  readonly predictions: readonly number[]
  /** Shares of the test pictures whose class has the most votes, and is among the five with the most. */
  readonly top1: number
  readonly top5: number
}

/** Test pictures compared at once: a row of cosines for each. */
const chunk = 512

/** Votes of the k nearest. train, test [.., D]; labels int [N] -> [M, classes]. */
function votes(
  train: Tensor,
  labels: Tensor,
  test: Tensor,
  options: Pick<NeighbourProblem, 'k' | 'classes'> & { T: number },
): Tensor {
  const { k, T, classes } = options
  const cosines = ops.matmul(ops.normalize(test), ops.transpose(ops.normalize(train))) // [M, N]
  const [similarity, places] = ops.topk(cosines, k, 1) // [M, k]
  const own = ops.oneHot(ops.gather(ops.expand(ops.unsqueeze(labels, 0), cosines.shape), places, 1), classes, 'float32')
  const weights = ops.unsqueeze(ops.exp(ops.div(similarity, T)), -1)
  return ops.sum(ops.mul(own, weights), 1)
}

/** Classifies by the nearest features, by cosine. */
export async function nearestNeighbours(problem: NeighbourProblem): Promise<NeighbourResult> {
  const { trainFeatures, trainLabels, testFeatures, testLabels, classes, k, T = 0.07 } = problem
  const [known] = sizes(trainFeatures.shape, 2)
  const [count, width] = sizes(testFeatures.shape, 2)
  if (k > known) throw new UsageError(`k-NN: k must be at most the ${known} known pictures, found ${k}`)
  const run = compile((train: Tensor, labels: Tensor, test: Tensor) => votes(train, labels, test, { k, T, classes }))
  const labels: NDArray = { dtype: 'int64', shape: [known], data: BigInt64Array.from(trainLabels, BigInt) }
  const scores = new Float32Array(count * classes)
  for (let start = 0; start < count; start += chunk) {
    const rows = Math.min(chunk, count - start)
    const data = (testFeatures.data as Float32Array).slice(start * width, (start + rows) * width)
    const found = await run(trainFeatures, labels, { dtype: 'float32', shape: [rows, width], data })
    scores.set(found.array.data as Float32Array, start * classes)
  }
  await run.release()
  const order = testLabels.map((_, i) => descending(toNumbers(scores.subarray(i * classes, (i + 1) * classes))))
  const share = (top: number): number =>
    order.filter((places, i) => places.slice(0, top).includes(testLabels[i] ?? -1)).length / Math.max(1, count)
  return {
    scores: { dtype: 'float32', shape: [count, classes], data: scores },
    predictions: order.map(([first = 0]) => first),
    top1: share(1),
    // As in the official code: no more than there are neighbours.
    top5: share(Math.min(5, k)),
  }
}

/** Places of the largest values first; equal ones in their order. */
function descending(values: readonly number[]): number[] {
  return values.map((_, i) => i).sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0))
}
