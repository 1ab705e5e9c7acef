/** What the study of landscapes trains on points of the plane: every loss of an energy, and energies of models with a latent variable. */
import { init, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { PointNetwork } from '../energies/energy.ts'
import { DiscreteLatent, SparseCoding, zeroTemperature } from '../energies/latent.ts'
import { type EnergyLossName, energyLosses, noiseContrastiveLoss } from '../energies/losses.ts'
import { denoisingEnergyLoss, slicedScoreLoss } from '../energies/score-matching.ts'
import { ReplayBuffer } from '../methods/contrastive-divergence.ts'
import { VAE } from '../methods/vae.ts'

/** An energy of the plane and what trains it. */
export interface PlaneLearner {
  readonly module: Module
  /** points [N, 2] -> what a step minimises. */
  readonly loss: (points: Tensor) => Tensor
  /** points [N, 2] -> [N]. */
  readonly energy: (points: Tensor) => Tensor
}

export interface PlaneArm {
  readonly name: string
  readonly title: string
  /** What keeps its energy from being low everywhere; undefined: nothing does. */
  readonly remedy?: string
  readonly make: () => PlaneLearner
}

/** Widths of the networks between the plane and their output. */
const hidden = [64, 64]
/** Wrong answers of each point, drawn evenly from the square, for losses that look at all of them. */
const wrong = 16

/** The plane is this much larger for the networks: smooth activations bend slowly. */
const scale = 5

/** The energy of one output of a network: [..., 2] -> [...]. */
const energyOf = (network: PointNetwork, points: Tensor): Tensor => network.energy(ops.mul(points, scale))

const anywhere = (shape: readonly number[]): Tensor => ops.randomUniform([...shape], { low: -1, high: 1 })

/**
 * A loss of the tutorial: energies at least 0, by a softplus behind the network. Most of them look at the most offending wrong answer alone, and
 * among many places of the square some are on the curve, where no answer is wrong: these get one.
 */
function supervised(name: EnergyLossName): PlaneArm {
  const { formula, collapses, loss } = energyLosses[name]
  const make = (): PlaneLearner => {
    const module = new PointNetwork([2, ...hidden, 1])
    const energy = (points: Tensor): Tensor => ops.softplus(energyOf(module, points))
    return {
      module,
      energy,
      loss: (points) =>
        loss(energy(points), energy(anywhere([sizeOf(points.shape, 0), name === 'nll' ? wrong : 1, 2])), {
          margin: 1,
          beta: 1,
          alpha_l2: 0.1,
        }),
    }
  }
  return { name, title: `${name}: ${formula}`, ...(!collapses && { remedy: 'wrong answers' }), make }
}

/** Contrastive divergence with Langevin dynamics and a replay buffer. */
function langevinDivergence(): PlaneLearner {
  const module = new PointNetwork([2, ...hidden, 1])
  const replay = { sgld_lr: 0.003, sgld_std: 0.03, n_steps: 10, buffer_size: 1000, reinit_freq: 0.05 }
  const buffer = new ReplayBuffer(replay, [2])
  const energy = (points: Tensor): Tensor => energyOf(module, points)
  return {
    module,
    energy,
    loss: (points) => {
      const samples = buffer.sample(energy, sizeOf(points.shape, 0))
      return energyLosses.cd_l2.loss(energy(points), energy(samples), { margin: 0, beta: 1, alpha_l2: 0.05 })
    },
  }
}

/** An energy network and the logarithm of its normalisation. */
class Normalised extends Module {
  readonly network = new PointNetwork([2, ...hidden, 1])
  readonly logZ = init.parameter([], init.zeros)

  /** points [..., 2] -> energies [...], as they are before the normalisation. */
  forward(points: Tensor): Tensor {
    return energyOf(this.network, points)
  }
}

function noiseContrastive(): PlaneLearner {
  const module = new Normalised()
  const energy = (points: Tensor): Tensor => module.forward(points)
  const logNoise = -Math.log(4) // evenly over the square
  return {
    module,
    energy,
    loss: (points) => {
      const n = sizeOf(points.shape, 0)
      return noiseContrastiveLoss(energy(points), energy(anywhere([n, wrong, 2])), {
        logNoisePositive: ops.full([n], logNoise),
        logNoiseNegative: ops.full([n, wrong], logNoise),
        logZ: ops.add(module.logZ, 0),
      })
    },
  }
}

function scoreMatching(loss: (energy: PlaneLearner['energy'], points: Tensor) => Tensor): PlaneLearner {
  const module = new PointNetwork([2, ...hidden, 1])
  const energy = (points: Tensor): Tensor => energyOf(module, points)
  return { module, energy, loss: (points) => loss(energy, points) }
}

/** |y - r(y)|^2 of a network through a code of so many numbers. */
function autoencoder(code: number): PlaneLearner {
  const module = new PointNetwork([2, 64, code, 64, 2], 'tanh')
  const energy = (points: Tensor): Tensor => ops.sum(ops.square(ops.sub(module.forward(points), points)), -1)
  return { module, energy, loss: (points) => ops.mean(energy(points)) }
}

function variational(): PlaneLearner {
  const zDim = 2
  const module = new VAE({ x_dim: 2, hidden: 64, z_dim: zDim, likelihood: 'gaussian', beta: 1, sigma_x: 0.1 })
  const step = (points: Tensor, samples: number) =>
    module.forward(points, ops.randomNormal([samples, sizeOf(points.shape, 0), zDim]))
  return { module, energy: (points) => ops.neg(step(points, 32).elbo), loss: (points) => step(points, 1).loss }
}

/** Sparse coding, whose columns keep the length 1. */
function sparse(): PlaneLearner {
  const module = new SparseCoding({
    y_dim: 2,
    sparse_code_dim: 12,
    lambda_l1: 0.5,
    ista_iterations: 30,
    ista_step: 0.05,
  })
  return {
    module,
    energy: (points) => module.forward(points),
    loss: (points) => {
      module.D.assign(ops.stopGradient(ops.normalize(module.D, { axis: 0 })))
      return ops.mean(module.forward(points))
    },
  }
}

/** k-means: z chooses one of K points; x is nothing. */
function discrete(latents: number): PlaneLearner {
  const module = new DiscreteLatent({ x_dim: 1, y_dim: 2, latents })
  const energy = (points: Tensor): Tensor =>
    zeroTemperature(module.forward(ops.zeros([sizeOf(points.shape, 0), 1]), points)).energy
  return { module, energy, loss: (points) => ops.mean(energy(points)) }
}

const names = Object.keys(energyLosses) as EnergyLossName[]
const noisy = 0.1

/** Losses of one energy network. */
export const lossArms: readonly PlaneArm[] = [
  ...names.filter((name) => !name.startsWith('cd')).map(supervised),
  {
    name: 'cd',
    title: 'contrastive divergence, Langevin dynamics from a replay buffer',
    remedy: 'samples of the energy',
    make: langevinDivergence,
  },
  { name: 'nce', title: 'noise-contrastive estimation', remedy: 'noise', make: noiseContrastive },
  {
    name: 'denoising',
    title: 'denoising score matching',
    remedy: 'noise that is led back',
    make: () =>
      scoreMatching((energy, points) => denoisingEnergyLoss(energy, points, ops.randomNormal(points.shape), noisy)),
  },
  {
    name: 'sliced',
    title: 'sliced score matching',
    remedy: 'curvature at the data',
    make: () =>
      scoreMatching((energy, points) => {
        const moved = ops.add(points, ops.mul(ops.randomNormal(points.shape), noisy / 2))
        return slicedScoreLoss(energy, moved, ops.randomNormal(points.shape))
      }),
  },
]

/** Energies with a code or a latent variable. */
export const latentArms: readonly PlaneArm[] = [
  { name: 'autoencoder-32', title: 'autoencoder with a code of 32 numbers', make: () => autoencoder(32) },
  {
    name: 'autoencoder-1',
    title: 'autoencoder with a code of 1 number',
    remedy: 'a narrow code',
    make: () => autoencoder(1),
  },
  { name: 'vae', title: 'VAE', remedy: 'noise in z', make: variational },
  { name: 'sparse', title: 'sparse coding', remedy: 'few numbers of z that are not zero', make: sparse },
  { name: 'k-means', title: 'k-means with 20 values of z', remedy: 'few values of z', make: () => discrete(20) },
]
