/**
 * Latent-variable energies E(x, y, z): z says what x leaves open. It is inferred (minimised or summed out), and its capacity must be limited,
 * by R(z) or by its set, lest every y have a low energy (LeCun and Misra 2021). A discrete z is k-means' and mixtures'; a sparse z is sparse
 * coding's.
 *
 * Shapes: N pairs, K values of z, X and Y widths of x and y.
 */
import { init, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'
import type { Declaration } from '../config.ts'
import { inferBySearch } from './inference.ts'

export const discreteLatent = {
  name: 'discrete-latent',
  title: 'Discrete latent (k-means)',
  paper: 'LeCun et al. 2006; k-means: Lloyd 1957',
  architecture: 'latent-variable predictive',
  remedy: 'regularised latent',
  energy: 'min_z |y - W_z x - b_z|^2',
  loss: 'the energy',
  collapse: 'z has few values: only near K predictions can the energy be low',
} as const satisfies Declaration

export const sparseCoding = {
  name: 'sparse-coding',
  title: 'Sparse coding',
  paper: 'Olshausen and Field 1996; ISTA: Daubechies et al. 2004',
  architecture: 'latent-variable predictive',
  remedy: 'regularised latent',
  energy: 'min_z |y - D z|^2 + lambda |z|_1',
  loss: 'the energy',
  collapse: 'R(z) = lambda |z|_1 limits how many columns of D a code can use',
} as const satisfies Declaration

/** F_inf = min_z E and where; energies [N, K] -> [N]. */
export const zeroTemperature = (energies: Tensor): { readonly place: Tensor; readonly energy: Tensor } =>
  inferBySearch(energies, 1)

/** F_beta = -1/beta log mean_z exp(-beta E): z summed out, all values equally likely. Tends to F_inf as beta grows. [N, K] -> [N]. */
export function freeEnergy(energies: Tensor, beta: number): Tensor {
  const count = energies.shape[1] ?? 1
  const total = ops.sub(ops.logSumExp(ops.mul(energies, -beta), 1), Math.log(count))
  return ops.div(total, -beta)
}

/** P(z | x, y) = softmax(-beta E): [N, K] -> [N, K]. */
export function posterior(energies: Tensor, beta: number): Tensor {
  return ops.softmax(ops.mul(energies, -beta), 1)
}

/** K linear predictions of y, of which z chooses one. Without an x (0 wide) it is k-means: b holds the means. */
export class DiscreteLatent extends Module {
  /** [K, Y, X] */
  readonly W: Variable
  /** [K, Y] */
  readonly b: Variable

  constructor(sizes: { readonly x_dim: number; readonly y_dim: number; readonly latents: number }) {
    super()
    const { x_dim, y_dim, latents } = sizes
    this.W = init.parameter([latents, y_dim, x_dim], (shape) => init.normal(shape, { std: 1 / Math.sqrt(x_dim || 1) }))
    this.b = init.parameter([latents, y_dim], (shape) => init.normal(shape))
  }

  /** E(x, y, z) of every z: x [N, X], y [N, Y] -> [N, K]. */
  forward(x: Tensor, y: Tensor): Tensor {
    const predictions = ops.add(ops.einsum('kyx,nx->nky', this.W, x), this.b) // [N, K, Y]
    return ops.sum(ops.square(ops.sub(ops.unsqueeze(y, 1), predictions)), -1)
  }
}

/** How codes are found and how sparse they are. */
export interface SparseCodingConfig {
  readonly y_dim: number
  readonly sparse_code_dim: number
  /** lambda. */
  readonly lambda_l1: number
  readonly ista_iterations: number
  readonly ista_step: number
}

/** Sparse coding with the dictionary D [Y, codes]. */
export class SparseCoding extends Module {
  readonly D: Variable
  readonly #config: SparseCodingConfig

  constructor(config: SparseCodingConfig) {
    super()
    this.#config = config
    this.D = init.parameter([config.y_dim, config.sparse_code_dim], (shape) => init.normal(shape))
  }

  /** E(y, z) = |y - D z|^2 + lambda |z|_1: y [N, Y], z [N, codes] -> [N]. */
  energy(y: Tensor, z: Tensor): Tensor {
    const error = ops.sub(y, ops.matmul(z, ops.transpose(this.D)))
    return ops.add(ops.sum(ops.square(error), -1), ops.mul(ops.sum(ops.abs(z), -1), this.#config.lambda_l1))
  }

  /** The code by ISTA from 0: a gradient step on the squared error, then the soft threshold. No gradient flows through it. */
  infer(y: Tensor): Tensor {
    const { ista_iterations, ista_step, lambda_l1, sparse_code_dim } = this.#config
    const dictionary = ops.stopGradient(this.D) // [Y, codes]
    let z = ops.zeros([y.shape[0] ?? 0, sparse_code_dim])
    for (let i = 0; i < ista_iterations; i++) {
      const error = ops.sub(ops.matmul(z, ops.transpose(dictionary)), y)
      const slope = ops.mul(ops.matmul(error, dictionary), 2) // 2 D^T (D z - y)
      z = ops.softshrink(ops.sub(z, ops.mul(slope, ista_step)), { lambda: ista_step * lambda_l1 })
    }
    return ops.stopGradient(z)
  }

  /** F(y) = min_z E(y, z): [N, Y] -> [N]. */
  forward(y: Tensor): Tensor {
    return this.energy(y, this.infer(y))
  }
}
