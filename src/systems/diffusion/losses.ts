/** Training losses and bits per dimension of a diffusion process (Ho et al. 2020, section 3; Nichol and Dhariwal 2021, section 3.1). */
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { GaussianDiffusion, Network, PredictionOptions } from './gaussian-diffusion.ts'
import { discretizedGaussianLogLikelihood, meanFlat, normalKl } from './likelihood.ts'

const bits = (nats: Tensor): Tensor => ops.mul(nats, 1 / Math.LN2)

/** What a loss is made of: one number for each example. */
export interface TrainingLosses {
  readonly loss: Tensor
  /** Of the network's prediction to what it should be. */
  readonly mse?: Tensor
  /** The part of the bound that teaches the variance. */
  readonly vb?: Tensor
}

/** One term of the variational bound. */
export interface BoundTerm {
  /** [B], bits per dimension. */
  readonly output: Tensor
  readonly predXstart: Tensor
}

/** L_{t-1} = KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)), at t = 0 instead the negative log-likelihood of the 256 levels. */
export function boundTerm(
  diffusion: GaussianDiffusion,
  network: Network,
  xStart: Tensor,
  x: Tensor,
  t: Tensor,
  options: PredictionOptions = {},
): BoundTerm {
  const wanted = diffusion.qPosterior(xStart, x, t)
  const found = diffusion.pMeanVariance(network, x, t, options)
  const kl = bits(meanFlat(normalKl(wanted.mean, wanted.logVariance, found.mean, found.logVariance)))
  const logScales = ops.mul(found.logVariance, 0.5)
  const decoder = bits(ops.neg(meanFlat(discretizedGaussianLogLikelihood(xStart, found.mean, logScales))))
  return { output: ops.where(ops.equal(t, 0), decoder, kl), predXstart: found.predXstart }
}

/** L_T = KL(q(x_T | x_0) || N(0, 1)), [B], bits per dimension: nothing is learned there. */
export function priorBpd({ tables, steps }: GaussianDiffusion, xStart: Tensor): Tensor {
  const [abar, logVariance] = [
    tables.alphas_cumprod[steps - 1] ?? 0,
    tables.log_one_minus_alphas_cumprod[steps - 1] ?? 0,
  ]
  // The part that no pixel changes, in double precision: it is a small difference of large numbers.
  const spread = Math.exp(logVariance) - 1 - logVariance
  return bits(meanFlat(ops.mul(ops.add(ops.mul(ops.square(xStart), abar), spread), 0.5)))
}

/**
 * The loss of each example, [B], by the process's loss type: that of the noise (or picture, or mean) with the bound for the variance
 * if it is learned, or the bound alone. Its gradient does not reach the mean through the bound of the former.
 */
export function trainingLosses(
  diffusion: GaussianDiffusion,
  network: Network,
  xStart: Tensor,
  t: Tensor,
  noise: Tensor,
): TrainingLosses {
  const { lossType, meanType, learnsVariance, steps } = diffusion
  const x = diffusion.qSample(xStart, t, noise)
  if (lossType === 'KL' || lossType === 'RESCALED_KL') {
    const { output } = boundTerm(diffusion, network, xStart, x, t, { clipDenoised: false })
    return { loss: lossType === 'KL' ? output : ops.mul(output, steps) }
  }
  const found = network(x, diffusion.modelTimesteps(t))
  const channels = sizeOf(x.shape, 1)
  const output = learnsVariance ? ops.slice(found, [0, channels], 1) : found
  const targets = {
    EPSILON: () => noise,
    START_X: () => xStart,
    PREVIOUS_X: () => diffusion.qPosterior(xStart, x, t).mean,
  }
  const mse = meanFlat(ops.square(ops.sub(targets[meanType](), output)))
  if (!learnsVariance) return { loss: mse, mse }
  const variance = ops.slice(found, [channels, 2 * channels], 1)
  const frozen = ops.concat([ops.stopGradient(output), variance], 1)
  const term = boundTerm(diffusion, () => frozen, xStart, x, t, { clipDenoised: false }).output
  // One of T terms: with RESCALED_MSE it weighs as much as with 1,000 steps whatever T is.
  const vb = lossType === 'RESCALED_MSE' ? ops.mul(term, steps / 1000) : term
  return { loss: ops.add(mse, vb), mse, vb }
}

/** One step of the evaluation of the bound. */
export interface BpdStep {
  /** Each [B]: the term of the bound, and squared errors of the predicted picture and noise. */
  readonly vb: Tensor
  readonly xstartMse: Tensor
  readonly mse: Tensor
}

/** What time t contributes to the bits per dimension of pictures; the sum over all times plus `priorBpd` is their bound. */
export function bpdStep(
  diffusion: GaussianDiffusion,
  network: Network,
  xStart: Tensor,
  t: Tensor,
  noise: Tensor,
  options: PredictionOptions = {},
): BpdStep {
  const x = diffusion.qSample(xStart, t, noise)
  const { output, predXstart } = boundTerm(diffusion, network, xStart, x, t, options)
  const eps = diffusion.epsFromXstart(x, t, predXstart)
  return {
    vb: output,
    xstartMse: meanFlat(ops.square(ops.sub(predXstart, xStart))),
    mse: meanFlat(ops.square(ops.sub(eps, noise))),
  }
}
