/**
 * Contrastive divergence with Langevin dynamics and a replay buffer (Tieleman 2008; Du and Mordatch 2019, arXiv 1903.08689), and JEM (Grathwohl
 * et al. 2019, arXiv 1912.03263), which finds the energy in a classifier.
 */
import { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { defaultGenerator, type RandomState, randomState } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { Variable } from '../../../tensor/variable.ts'
import { UsageError } from '../../../util/errors.ts'
import type { Declaration } from '../config.ts'
import type { Energy } from '../energies/energy.ts'
import { type LangevinOptions, langevin } from '../energies/inference.ts'

export const contrastiveDivergence = {
  name: 'energy',
  title: 'Energy with contrastive divergence',
  paper: 'Du and Mordatch 2019, arXiv 1903.08689',
  architecture: 'energy of y alone',
  remedy: 'contrastive',
  energy: '-f(y)',
  loss: 'mean energy of data less that of samples, plus alpha times their squares',
  collapse: 'what Langevin dynamics finds in the valleys of the energy is pushed up',
} as const satisfies Declaration

export const jem = {
  name: 'jem',
  title: 'JEM',
  paper: 'Grathwohl et al. 2019, arXiv 1912.03263',
  architecture: 'energy of y alone',
  remedy: 'contrastive',
  energy: '-log sum_k exp(logit_k(y)); given a class -logit_k(y)',
  loss: 'cross-entropy of the class plus contrastive divergence',
  collapse: 'what Langevin dynamics finds in the valleys of the energy is pushed up',
} as const satisfies Declaration

/** Names of JEM's script. */
export interface ReplayConfig extends LangevinOptions {
  /** Langevin steps from what the buffer gives. */
  readonly n_steps: number
  readonly buffer_size: number
  /** Share of the chains that begin anew. */
  readonly reinit_freq: number
}

/** Chains of Langevin dynamics that go on from step to step: samples [buffer_size, ...shape] from -1 to 1. */
export class ReplayBuffer extends Module {
  readonly samples: Variable
  readonly #config: ReplayConfig

  constructor(config: ReplayConfig, shape: readonly number[]) {
    super()
    const all = [config.buffer_size, ...shape]
    const count = all.reduce((product, size) => product * size, 1)
    if (config.n_steps < 1) throw new UsageError(`ReplayBuffer: n_steps must be at least 1, found ${config.n_steps}`)
    this.#config = config
    this.samples = new Variable(all, { data: Float32Array.from(defaultGenerator().uniform(count), (u) => 2 * u - 1) })
  }

  /** Noise from -1 to 1, where chains begin: [count, ...shape]. */
  fresh(count: number, state: RandomState): Tensor {
    return ops.randomUniform([count, ...this.samples.shape.slice(1)], { low: -1, high: 1, state })
  }

  /** n_steps of Langevin dynamics on from there. */
  forward(energy: Energy, start: Tensor, state: RandomState = randomState()): Tensor {
    const noise = Array.from({ length: this.#config.n_steps }, () => ops.randomNormal(start.shape, { state }))
    return langevin(energy, start, noise, this.#config).at(-1) ?? start
  }

  /** So many chains from the buffer, a few of them begun anew, gone on with and put back: [count, ...shape], without gradient. */
  sample(energy: Energy, count: number): Tensor {
    const { buffer_size, reinit_freq } = this.#config
    const places = ops.cast(ops.floor(ops.randomUniform([count], { low: 0, high: buffer_size })), 'int64')
    const stored = ops.embedding(places, ops.flatten(this.samples, 1)) // [count, numbers]
    const begins = ops.less(ops.randomUniform([count, 1]), reinit_freq)
    const start = ops.where(begins, ops.flatten(this.fresh(count, randomState()), 1), stored)
    const shape = [count, ...this.samples.shape.slice(1)]
    const end = ops.clamp(this.forward(energy, ops.stopGradient(ops.reshape(start, shape))), -1, 1)
    this.samples.assign(ops.indexCopy(this.samples, places, end, 0))
    return end
  }
}

/** The energy of a classifier's logits [N, K]: [N]. A model without classes has one logit, -E. */
export function energyOfLogits(logits: Tensor): Tensor {
  return ops.neg(ops.logSumExp(logits, 1))
}

/** The energy given a class, -logit_k: logits [N, K], classes int [N] -> [N]. Its Langevin dynamics draws from p(y | class) (JEM, section 3). */
export function energyOfClass(logits: Tensor, classes: Tensor): Tensor {
  return ops.neg(ops.squeeze(ops.gather(logits, ops.unsqueeze(classes, 1), 1), 1))
}
