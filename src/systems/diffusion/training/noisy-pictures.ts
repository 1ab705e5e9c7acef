/** Pictures of a data set with noise of given times: what both trainings and their evaluations see. */
import type { BatchTensors, Dataset } from '../../../data/dataset.ts'
import type { PictureFields } from '../../../data/layout.ts'
import { DataLoader } from '../../../data/loader.ts'
import * as ops from '../../../ops/index.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import { elementCount, type NDArray } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { Generator } from '../../../util/random.ts'
import { uniformTimes } from './time-history.ts'

/** Pictures in [-1, 1], what is added to them, and when. */
export interface NoisyPictures {
  readonly xStart: Tensor
  readonly noise: Tensor
  /** int64 [B] */
  readonly t: Tensor
  /** int64 [B] */
  readonly labels: Tensor
}

/** A training batch with times and noise that are drawn in each step, all times equally likely. */
export function drawnNoise({ image, label }: BatchTensors<PictureFields>, steps: number): NoisyPictures {
  const xStart = normalizePixels(image)
  const { t } = uniformTimes(sizeOf(image.shape, 0), steps)
  return { xStart, noise: ops.randomNormal(xStart.shape), t, labels: ops.cast(label, 'int64') }
}

/** Pictures of an evaluation, and how many of them are run at once. */
const evaluated = 1024
const batchSize = 128

/** A batch of an evaluation; `noise` and `t` are the same in each one of a training. */
export interface EvaluationBatch {
  readonly image: NDArray
  readonly label: NDArray
  readonly noise: Tensor
  readonly t: Tensor
  /** The times, as numbers. */
  readonly times: readonly number[]
}

/** The first pictures of a data set, each with a time of its own: together they are spread evenly over all of them. */
export async function* evaluationBatches(data: Dataset<PictureFields>, steps: number): AsyncGenerator<EvaluationBatch> {
  const count = Math.min(evaluated, data.length)
  const generator = new Generator(0)
  let start = 0
  for await (const { image, label } of new DataLoader(data, {
    batchSize: Math.min(batchSize, count),
    dropLast: true,
  })) {
    if (start >= count) return
    const size = sizeOf(image.shape, 0)
    // Neighbours get times far apart: pictures of a class often stand together.
    const times = Array.from({ length: size }, (_, i) => Math.floor((((start + i) * 0.6180339887) % 1) * steps))
    const noise = generator.normal(elementCount(image.shape))
    yield {
      image,
      label,
      times,
      noise: constant(noise, image.shape, 'float32'),
      t: constant(BigInt64Array.from(times, BigInt), [size], 'int64'),
    }
    start += size
  }
}
