/**
 * Losses that train an energy (LeCun et al. 2006, A Tutorial on Energy-Based Learning, section 2; contrastive divergence; noise-contrastive
 * estimation): each pushes the energy of data down; all but two also push other energies up.
 *
 * Shapes: N data points, K wrong answers for each; energies of data [N], of wrong answers [N, K].
 */
import * as ops from '../../../ops/index.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'

/** What a loss knows besides the energies. */
export interface LossOptions {
  /** How much lower the right answer must be. */
  readonly margin: number
  /** Inverse temperature. */
  readonly beta: number
  /** Weight of the squared energies of `cd_l2`. */
  readonly alpha_l2: number
}

/** A loss, and whether an energy that is flat minimises it: then nothing keeps training from a collapse. */
export interface EnergyLoss {
  readonly formula: string
  readonly collapses: boolean
  readonly loss: (positive: Tensor, negative: Tensor, options: LossOptions) => Tensor
}

/** The most offending of the wrong answers: the least of their energies, [N]. */
const mostOffending = (negative: Tensor): Tensor => ops.min(negative, 1)
const average = (x: Tensor): Tensor => ops.mean(x)

/** mean E+ - mean E-. */
function contrastiveDivergence(positive: Tensor, negative: Tensor): Tensor {
  return ops.sub(ops.mean(positive), ops.mean(negative))
}

/** The losses by name; E+ the energy of the right answer, E1 the least of the wrong ones. */
export const energyLosses = {
  hinge: {
    formula: 'max(0, m + E+ - E1)',
    collapses: false,
    loss: (positive, negative, { margin }) =>
      average(ops.relu(ops.add(ops.sub(positive, mostOffending(negative)), margin))),
  },
  log: {
    formula: 'log(1 + exp(E+ - E1))',
    collapses: false,
    loss: (positive, negative) => average(ops.softplus(ops.sub(positive, mostOffending(negative)))),
  },
  square_square: {
    formula: 'E+^2 + max(0, m - E1)^2',
    collapses: false,
    loss: (positive, negative, { margin }) =>
      average(ops.add(ops.square(positive), ops.square(ops.relu(ops.sub(margin, mostOffending(negative)))))),
  },
  square_exp: {
    formula: 'E+^2 + exp(-beta E1)',
    collapses: false,
    loss: (positive, negative, { beta }) =>
      average(ops.add(ops.square(positive), ops.exp(ops.mul(mostOffending(negative), -beta)))),
  },
  perceptron: {
    formula: 'E+ - min(E+, E1)',
    collapses: true,
    loss: (positive, negative) => average(ops.sub(positive, ops.minimum(positive, mostOffending(negative)))),
  },
  nll: {
    formula: 'E+ + 1/beta log sum over all answers of exp(-beta E)',
    collapses: false,
    loss: (positive, negative, { beta }) => {
      const all = ops.concat([ops.unsqueeze(positive, 1), negative], 1) // [N, 1 + K]
      return average(ops.add(positive, ops.div(ops.logSumExp(ops.mul(all, -beta), 1), beta)))
    },
  },
  mce: {
    formula: 'sigmoid(E+ - E1)',
    collapses: false,
    loss: (positive, negative) => average(ops.sigmoid(ops.sub(positive, mostOffending(negative)))),
  },
  cd: {
    formula: 'mean E+ - mean E-',
    collapses: false,
    loss: contrastiveDivergence,
  },
  cd_l2: {
    formula: 'mean E+ - mean E- + alpha (mean E+^2 + mean E-^2)',
    collapses: false,
    loss: (positive, negative, { alpha_l2 }) => {
      const squares = ops.add(ops.mean(ops.square(positive)), ops.mean(ops.square(negative)))
      return ops.add(contrastiveDivergence(positive, negative), ops.mul(squares, alpha_l2))
    },
  },
  energy: {
    formula: 'E+',
    collapses: true,
    loss: (positive) => average(positive),
  },
} as const satisfies Readonly<Record<string, EnergyLoss>>

export type EnergyLossName = keyof typeof energyLosses

/** Noise that data are told from. */
export interface NoiseContrast {
  /** Log density of the noise at the data [N] and at the noise samples [N, K]. */
  readonly logNoisePositive: Tensor
  readonly logNoiseNegative: Tensor
  /** log Z, learned with the energy. */
  readonly logZ: Tensor
}

/**
 * Noise-contrastive estimation (Gutmann and Hyvarinen 2010): data against K noise samples each by logistic regression, whose log odds are those
 * of exp(-E) / Z against K q.
 */
export function noiseContrastiveLoss(positive: Tensor, negative: Tensor, noise: NoiseContrast): Tensor {
  const logK = Math.log(sizeOf(negative.shape, 1))
  const logOdds = (energy: Tensor, logNoise: Tensor): Tensor =>
    ops.sub(ops.sub(ops.sub(ops.neg(energy), noise.logZ), logNoise), logK)
  const data = ops.softplus(ops.neg(logOdds(positive, noise.logNoisePositive))) // [N]
  const samples = ops.sum(ops.softplus(logOdds(negative, noise.logNoiseNegative)), 1)
  return ops.mean(ops.add(data, samples))
}
