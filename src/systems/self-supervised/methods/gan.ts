/**
 * Generative adversarial networks (Goodfellow et al. 2014, arXiv 1406.2661) and their losses. In the post's words: the critic is an energy, and
 * the generator supplies the points whose energy is pushed up.
 */
import { gradient } from '../../../autodiff/gradient.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Declaration } from '../config.ts'

export const gan = {
  name: 'gan',
  title: 'GAN',
  paper: 'Goodfellow et al. 2014, arXiv 1406.2661',
  architecture: 'latent-variable predictive',
  remedy: 'contrastive',
  energy: '-D(y)',
  loss: 'critic: low energy of data, high energy of what the generator makes; generator: the opposite',
  collapse: "the generator's outputs are the negatives",
} as const satisfies Declaration

/** A network from points to one number each, [N, ...] -> [N, 1]. */
export type Critic = (points: Tensor) => Tensor

const softplus = (x: Tensor): Tensor => ops.softplus(x)
const mean = (x: Tensor): Tensor => ops.mean(x)

/** Losses of the critic, from its outputs on data and on generated points. */
export const criticLosses = {
  /** Goodfellow et al. 2014: -log s(D(x)) - log(1 - s(D(G(z)))). */
  bce: (real, fake) => ops.add(mean(softplus(ops.neg(real))), mean(softplus(fake))),
  /** Lim and Ye 2017; Miyato et al. 2018. */
  hinge: (real, fake) => ops.add(mean(ops.relu(ops.sub(1, real))), mean(ops.relu(ops.add(1, fake)))),
  /** Mao et al. 2017, with targets 1 for data and 0 for generated points. */
  lsgan: (real, fake) => ops.mul(ops.add(mean(ops.square(ops.sub(real, 1))), mean(ops.square(fake))), 0.5),
  /** Arjovsky et al. 2017; needs a critic of bounded slope. */
  wgan: (real, fake) => ops.sub(mean(fake), mean(real)),
} as const satisfies Readonly<Record<string, (real: Tensor, fake: Tensor) => Tensor>>

/** Losses of the generator, from the critic's outputs on what it made. */
export const generatorLosses = {
  /** -log s(D(G(z))): a gradient also where the critic is sure. */
  nonsaturating: (fake) => mean(softplus(ops.neg(fake))),
  /** log(1 - s(D(G(z)))): what the two play for. */
  minimax: (fake) => ops.neg(mean(softplus(fake))),
  /** The same for the Wasserstein loss. */
  hinge: (fake) => ops.neg(mean(fake)),
  /** Target 1. */
  lsgan: (fake) => ops.mul(mean(ops.square(ops.sub(fake, 1))), 0.5),
} as const satisfies Readonly<Record<string, (fake: Tensor) => Tensor>>

/** |gradient of the critic| at each point: [N]. Differentiable itself. */
function slopes(critic: Critic, points: Tensor): Tensor {
  const [slope] = gradient(ops.sum(critic(points)), [points])
  return ops.vectorNorm(ops.flatten(slope, 1), 2, 1)
}

/** lambda E(|gradient of D(u)| - 1)^2 at u = alpha real + (1 - alpha) fake (Gulrajani et al. 2017, arXiv 1704.00028). alpha [N, 1]. */
export function gradientPenalty(critic: Critic, real: Tensor, fake: Tensor, alpha: Tensor, lambda: number): Tensor {
  const between = ops.add(ops.mul(alpha, real), ops.mul(ops.sub(1, alpha), fake))
  return ops.mul(mean(ops.square(ops.sub(slopes(critic, between), 1))), lambda)
}

/** gamma / 2 E|gradient of D|^2 at the data (Mescheder et al. 2018, arXiv 1801.04406). */
export function r1Penalty(critic: Critic, real: Tensor, gamma: number): Tensor {
  const points = ops.add(real, 0)
  const [slope] = gradient(ops.sum(critic(points)), [points])
  return ops.mul(mean(ops.sum(ops.square(ops.flatten(slope, 1)), 1)), gamma / 2)
}
