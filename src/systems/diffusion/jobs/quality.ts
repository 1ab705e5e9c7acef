/** How good drawn pictures are, from features of theirs and of real ones: the measures of OpenAI's evaluator. */
import { z } from 'zod'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import {
  featureStatistics,
  frechetDistance,
  inceptionScore,
  precisionAndRecall,
} from '../../../train/sample-metrics.ts'
import type { Features } from './judge.ts'

export const quality = z.strictObject({
  /** Frechet distance of the features; of Inception-V3 it would be FID. */
  frechet: z.number(),
  /** Of the features of places; sFID. */
  spatial: z.number().optional(),
  /** exp of the mean divergence of the classes of a picture from those of all; inception score. */
  score: z.number().optional(),
  /** Share of the drawn pictures that look like real ones (k = 3). */
  precision: z.number(),
  /** Share of the real pictures that look like drawn ones. */
  recall: z.number(),
  /** Share of the drawn pictures that show what was asked for. */
  accuracy: z.number().optional(),
})
export type Quality = z.infer<typeof quality>

/** The most probable class of each row. */
export function namedClasses({ shape, data }: NDArray): number[] {
  const [count, classes] = [sizeOf(shape, 0), sizeOf(shape, 1)]
  const values = toNumbers(data)
  return Array.from({ length: count }, (_, i) => {
    const row = values.slice(i * classes, (i + 1) * classes)
    return row.indexOf(Math.max(...row))
  })
}

/** Compares drawn pictures with real ones; `labels`: what the drawn ones should show. */
export function qualityOf(drawn: Features, real: Features, labels?: readonly number[]): Quality {
  const distance = (a: NDArray, b: NDArray): number => frechetDistance(featureStatistics(a), featureStatistics(b))
  const { precision, recall } = precisionAndRecall(real.pool, drawn.pool)
  const named = labels && drawn.probabilities && namedClasses(drawn.probabilities)
  return {
    frechet: distance(drawn.pool, real.pool),
    ...(drawn.spatial && real.spatial && { spatial: distance(drawn.spatial, real.spatial) }),
    ...(drawn.probabilities && { score: inceptionScore(drawn.probabilities) }),
    precision: precision[0] ?? Number.NaN,
    recall: recall[0] ?? Number.NaN,
    ...(named && { accuracy: named.filter((name, i) => name === labels[i]).length / named.length }),
  }
}
