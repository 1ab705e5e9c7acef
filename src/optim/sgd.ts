import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { Optimizer, type OptimizerOptions, type ParameterGroup, type UpdateContext } from './optimizer.ts'

export interface SGDOptions extends OptimizerOptions {
  /** Default: 0. */
  readonly momentum?: number
  /** Share of the gradient kept out of the momentum buffer, after the first step. Default: 0. */
  readonly dampening?: number
  /** Step along gradient + momentum * buffer. Default: false. */
  readonly nesterov?: boolean
}

/** Stochastic gradient descent with momentum; weightDecay is added to the gradient. */
export class SGD extends Optimizer {
  readonly #momentum: number
  readonly #dampening: number
  readonly #nesterov: boolean
  protected readonly kinds: readonly string[]

  constructor(parameters: readonly Variable[] | readonly ParameterGroup[], options: SGDOptions) {
    super(parameters, options)
    this.#momentum = options.momentum ?? 0
    this.#dampening = options.dampening ?? 0
    this.#nesterov = options.nesterov ?? false
    this.kinds = this.#momentum === 0 ? [] : ['momentum_buffer']
  }

  protected override apply({ parameter, gradient, lr, weightDecay }: UpdateContext): Tensor {
    const g = weightDecay === 0 ? gradient : ops.add(gradient, ops.mul(parameter, weightDecay))
    if (this.#momentum === 0) return ops.sub(parameter, ops.mul(g, lr))
    const buffer = this.state('momentum_buffer', parameter)
    // The first buffer is the gradient itself: dampening begins with the second step.
    const share =
      this.#dampening === 0
        ? g
        : ops.mul(
            g,
            this.feed('dampening', (steps) => (steps === 0 ? 1 : 1 - this.#dampening)),
          )
    const velocity = ops.add(ops.mul(buffer, this.#momentum), share)
    buffer.assign(velocity)
    const direction = this.#nesterov ? ops.add(g, ops.mul(velocity, this.#momentum)) : velocity
    return ops.sub(parameter, ops.mul(direction, lr))
  }
}
