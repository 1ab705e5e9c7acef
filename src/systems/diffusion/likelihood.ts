/** Likelihoods of a step: Kullback-Leibler divergence of two normal distributions, and of a pixel's 256 levels. */

import type { Operand } from '../../ops/index.ts'
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** KL(N(mean1, exp(logvar1)) || N(mean2, exp(logvar2))) of each element, in nats. */
export function normalKl(mean1: Operand, logvar1: Operand, mean2: Operand, logvar2: Operand): Tensor {
  const squared = ops.mul(ops.square(ops.sub(mean1, mean2)), ops.exp(ops.neg(logvar2)))
  const logRatio = ops.sub(logvar2, logvar1)
  const terms = ops.add(ops.add(ops.sub(logRatio, 1), ops.exp(ops.neg(logRatio))), squared)
  return ops.mul(terms, 0.5)
}

/** A fast approximation of the cumulative distribution of the standard normal: (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. */
export function approxStandardNormalCdf(x: Operand): Tensor {
  const cube = ops.mul(ops.square(x), x)
  const inner = ops.mul(ops.add(x, ops.mul(cube, 0.044715)), Math.sqrt(2 / Math.PI))
  return ops.mul(ops.add(ops.tanh(inner), 1), 0.5)
}

/** Half the distance of two of the 256 levels of a pixel in [-1, 1]. */
const halfLevel = 1 / 255
/** Beyond it the outermost level begins, which has all of the tail. */
const edge = 0.999
/** No probability is smaller: its logarithm stays finite, without gradient. */
const leastProbability = 1e-12

/**
 * The log-probability of pixels x, of 256 levels in [-1, 1], under a normal distribution that is cut into these levels, in nats
 * (Ho et al. 2020, section 3.3). All of one shape.
 */
export function discretizedGaussianLogLikelihood(x: Tensor, means: Operand, logScales: Operand): Tensor {
  const [centered, inverse] = [ops.sub(x, means), ops.exp(ops.neg(logScales))]
  const upper = approxStandardNormalCdf(ops.mul(inverse, ops.add(centered, halfLevel)))
  const lower = approxStandardNormalCdf(ops.mul(inverse, ops.sub(centered, halfLevel)))
  const log = (probability: Tensor): Tensor => ops.log(ops.clamp(probability, leastProbability))
  const inside = log(ops.sub(upper, lower))
  const brightest = ops.where(ops.greater(x, edge), log(ops.sub(1, lower)), inside)
  return ops.where(ops.less(x, -edge), log(upper), brightest)
}

/** The mean of each example, [B, ...] -> [B]. */
export function meanFlat(x: Tensor): Tensor {
  return ops.mean(ops.reshape(x, [sizeOf(x.shape, 0), -1]), 1)
}
