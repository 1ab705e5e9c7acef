/** What the music video minimises for a line (yk/clip_music_video): the text must be seen, and latents must stay likely. */
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'

/**
 * How far latents [R, Z] are from samples of a standard normal: per row |1 - std| and |skew| + |excess kurtosis|, and over all |mean| and
 * four times the mean square, which counts only above the threshold.
 */
export function latentLoss(latents: Tensor, threshold: number): Tensor {
  const deviation = ops.mean(ops.abs(ops.sub(1, ops.std(latents, 1)))) // unbiased, unlike below
  const drift = ops.abs(ops.mean(latents))
  const size = ops.mul(ops.maximum(ops.mean(ops.square(latents)), threshold), 4)
  const centered = ops.sub(latents, ops.mean(latents, 1, { keepDims: true })) // [R, Z]
  const scores = ops.div(centered, ops.sqrt(ops.mean(ops.square(centered), 1, { keepDims: true })))
  const skew = ops.mean(ops.pow(scores, 3), 1) // [R]
  const kurtosis = ops.sub(ops.mean(ops.pow(scores, 4), 1), 3) // [R]
  const shape = ops.mean(ops.add(ops.abs(skew), ops.abs(kurtosis)))
  return ops.addAll([deviation, drift, size, shape])
}

/** Few classes at a time: the mean of (50 v)^2 over the smallest values of each row of class vectors [R, K]; the largest are free. */
export function classLoss(classes: Tensor, smallest: number): Tensor {
  const [values] = ops.topk(classes, smallest, 1, { largest: false })
  return ops.mean(ops.square(ops.mul(values, 50)))
}

/** -100 times the mean cosine of the text's features [1, E] and those of cutouts [N, E]. */
function similarityLoss(text: Tensor, cutouts: Tensor): Tensor {
  return ops.mul(ops.mean(ops.cosineSimilarity(text, cutouts, { axis: -1 })), -100)
}

/** What the losses are computed from. */
export interface VideoState {
  /** [R, Z] */
  readonly latents: Tensor
  /** After the sigmoid: [R, K] */
  readonly classes: Tensor
  /** [1, E] */
  readonly text: Tensor
  /** [N, E] */
  readonly cutouts: Tensor
}

/** Options of the losses. */
export interface VideoLossOptions {
  /** The mean square of latents that costs nothing more. Default: 1. */
  readonly latentThreshold?: number
  /** How many classes of each row must be small. Default: all but one. */
  readonly smallestClasses?: number
}

/** The three losses and their sum. */
export function videoLosses({ latents, classes, text, cutouts }: VideoState, options: VideoLossOptions = {}) {
  const [, count] = classes.sizes(2)
  const { latentThreshold = 1, smallestClasses = count - 1 } = options
  const latent = latentLoss(latents, latentThreshold)
  const ofClass = classLoss(classes, smallestClasses)
  const similarity = similarityLoss(text, cutouts)
  return { latent, class: ofClass, similarity, total: ops.addAll([latent, ofClass, similarity]) }
}
