/**
 * Score matching: fit the gradient of the log density, -dE/dx, without its normalisation. Denoising (Vincent 2011), annealed (Song and Ermon
 * 2019, arXiv 1907.05600), sliced (Song et al. 2019, arXiv 1905.07088). Losses as in the repository of NCSN.
 */
import { gradient } from '../../../autodiff/gradient.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Energy } from './energy.ts'

/** A network of the score: [N, D] -> [N, D]. */
export type Score = (x: Tensor) => Tensor

/** The score of an energy, -dE/dx: [N, D] -> [N, D]. Differentiable itself. */
export function scoreOf(energy: Energy): Score {
  return (x) => {
    const at = ops.add(x, 0) // a tensor of its own to differentiate by
    const [slope] = gradient(ops.sum(energy(at)), [at])
    return ops.neg(slope)
  }
}

/** Squared lengths of rows [N, D]: [N]. */
const squaredLength = (x: Tensor): Tensor => ops.sum(ops.square(x), -1)

/** E |sigma^2 s(u) + sigma noise|^2 / 2 at u = x + sigma noise: the energy form, whose errors are scaled by sigma^2. */
export function denoisingEnergyLoss(energy: Energy, x: Tensor, noise: Tensor, sigma: number): Tensor {
  const moved = ops.mul(noise, sigma)
  const score = scoreOf(energy)(ops.add(x, moved))
  return ops.div(ops.mean(squaredLength(ops.add(ops.mul(score, sigma ** 2), moved))), 2)
}

/** E |s(u) + noise / sigma|^2 / 2 at u = x + sigma noise. */
export function denoisingScoreLoss(score: Score, x: Tensor, noise: Tensor, sigma: number): Tensor {
  const error = ops.add(score(ops.add(x, ops.mul(noise, sigma))), ops.div(noise, sigma))
  return ops.div(ops.mean(squaredLength(error)), 2)
}

/** The same with a sigma for each row [N, 1], each row's error times sigma^power. */
export function annealedScoreLoss(score: Score, x: Tensor, noise: Tensor, sigmas: Tensor, annealPower: number): Tensor {
  const error = ops.add(score(ops.add(x, ops.mul(noise, sigmas))), ops.div(noise, sigmas))
  const weight = ops.squeeze(ops.pow(sigmas, annealPower), -1)
  return ops.div(ops.mean(ops.mul(squaredLength(error), weight)), 2)
}

/** E [(v s)^2 / 2 + v ds/dx v]: the trace of the Jacobian along random directions v [N, D]. Needs second derivatives. */
export function slicedScoreLoss(energy: Energy, x: Tensor, directions: Tensor): Tensor {
  const at = ops.add(x, 0)
  const [slope] = gradient(ops.neg(ops.sum(energy(at))), [at])
  const along = ops.mul(slope, directions) // [N, D]
  const [curvature] = gradient(ops.sum(along), [at])
  const squares = ops.div(ops.square(ops.sum(along, -1)), 2)
  return ops.mean(ops.add(squares, ops.sum(ops.mul(directions, curvature), -1)))
}
