/** Inference in energy-based models: the y (or z) of least energy by search or by following the gradient, or samples of exp(-F). */
import { gradient } from '../../../autodiff/gradient.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Energy } from './energy.ts'

/** The place of least energy along an axis of energies of finitely many answers, and that energy. */
export function inferBySearch(energies: Tensor, axis = -1): { readonly place: Tensor; readonly energy: Tensor } {
  return { place: ops.argmin(energies, axis), energy: ops.min(energies, axis) }
}

/** y after steps of gradient descent on the energy, from a first guess [N, D]. */
export function inferByGradient(
  energy: Energy,
  start: Tensor,
  { steps, lr }: { readonly steps: number; readonly lr: number },
): Tensor {
  let y = start
  for (let i = 0; i < steps; i++) {
    const at = ops.add(y, 0) // a tensor of its own to differentiate by
    const [slope] = gradient(ops.sum(energy(at)), [at])
    y = ops.sub(y, ops.mul(slope, lr))
  }
  return y
}

/** JEM's settings of Langevin dynamics, and of its replay buffer (Grathwohl et al. 2019, arXiv 1912.03263). */
export const langevinDefaults = {
  sgld_lr: 1,
  sgld_std: 0.01,
  n_steps: 20,
  buffer_size: 10_000,
  reinit_freq: 0.05,
} as const

/** Step size and noise of Langevin dynamics; decoupled, as everybody does: the exact dynamics has lr = std^2 / 2. */
export interface LangevinOptions {
  readonly sgld_lr: number
  readonly sgld_std: number
}

/**
 * Langevin dynamics: x <- x - lr dF/dx + std noise, once for each noise given ([N, D] each). -> the point after every step; no gradient flows
 * through it into the energy.
 */
export function langevin(energy: Energy, start: Tensor, noise: readonly Tensor[], options: LangevinOptions): Tensor[] {
  const { sgld_lr, sgld_std } = options
  let x = start
  return noise.map((draw) => {
    const at = ops.add(ops.stopGradient(x), 0)
    const [slope] = gradient(ops.sum(energy(at)), [at])
    x = ops.stopGradient(ops.add(ops.sub(x, ops.mul(slope, sgld_lr)), ops.mul(draw, sgld_std)))
    return x
  })
}
