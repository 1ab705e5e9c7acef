/**
 * Energy-based models: `energy` says how well y fits x (low: well), `infer` finds the y or z of least energy, `loss` is what training minimises.
 * Three things, in three files: an energy is for inference, a loss for training (LeCun et al. 2006, section 1).
 */

import { type ActivationName, activate } from '../../../nn/activation-names.ts'
import { Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'

/** F(y), or F(x, y) for a given x: points [..., D] -> energies [...]. */
export type Energy = (y: Tensor) => Tensor

/** Activations between the layers: those of `activate`, and softplus, the smooth ReLU. */
export type EnergyActivation = ActivationName | 'softplus'

/** The activation of that name. */
function energyActivation(name: EnergyActivation): (x: Tensor) => Tensor {
  return (x) => (name === 'softplus' ? ops.softplus(x) : activate(name, x))
}

/** Linear layers l1, l2, ... with an activation between: energies, scores, generators and critics of points. */
export class PointNetwork extends Module {
  readonly [layer: `l${number}`]: Linear
  readonly #depth: number
  readonly #act: (x: Tensor) => Tensor

  /** sizes: [in, hidden ..., out]. */
  constructor(sizes: readonly number[], activation: EnergyActivation = 'softplus') {
    super()
    this.#depth = sizes.length - 1
    this.#act = energyActivation(activation)
    for (let i = 1; i < sizes.length; i++) {
      const layer = { [`l${i}`]: new Linear(sizes[i - 1] ?? 0, sizes[i] ?? 0) }
      Object.assign(this, layer)
    }
  }

  /** [..., in] -> [..., out]. */
  forward(x: Tensor): Tensor {
    let y = x
    for (let i = 1; i <= this.#depth; i++) {
      const layer = this[`l${i}`]?.forward(y) ?? y
      y = i < this.#depth ? this.#act(layer) : layer
    }
    return y
  }

  /** Of a network with one output: the energy of each point, [..., in] -> [...]. */
  energy(x: Tensor): Tensor {
    return ops.squeeze(this.forward(x), -1)
  }
}
