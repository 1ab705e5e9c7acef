import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { Optimizer, type OptimizerOptions, type ParameterGroup, type UpdateContext } from './optimizer.ts'

export interface AdamOptions extends OptimizerOptions {
  /** Decay of the running mean and of the running mean square. Default: 0.9, 0.999. */
  readonly betas?: readonly [number, number]
  /** Added to the square root of the corrected mean square. Default: 1e-8. */
  readonly eps?: number
  /** Divide by the largest mean square so far (Reddi et al. 2018). Default: false. */
  readonly amsgrad?: boolean
}

/**
 * Adam (Kingma and Ba 2015): w - lr m^ / (sqrt(v^) + eps), with bias-corrected running mean m^ and mean square v^.
 * weightDecay is added to the gradient (L2).
 */
export class Adam extends Optimizer {
  readonly #betas: readonly [number, number]
  readonly #eps: number
  readonly #amsgrad: boolean
  protected readonly kinds: readonly string[]

  constructor(parameters: readonly Variable[] | readonly ParameterGroup[], options: AdamOptions) {
    super(parameters, options)
    this.#betas = options.betas ?? [0.9, 0.999]
    this.#eps = options.eps ?? 1e-8
    this.#amsgrad = options.amsgrad ?? false
    this.kinds = this.#amsgrad ? ['exp_avg', 'exp_avg_sq', 'max_exp_avg_sq'] : ['exp_avg', 'exp_avg_sq']
  }

  protected override apply(context: UpdateContext): Tensor {
    const { parameter, gradient, weightDecay } = context
    const g = weightDecay === 0 ? gradient : ops.add(gradient, ops.mul(parameter, weightDecay))
    return ops.sub(parameter, this.scaledStep({ ...context, gradient: g }))
  }

  /** lr m^ / (sqrt(v^) + eps). The corrections are folded into two scalars, so that no pass over memory is spent on them. */
  protected scaledStep({ parameter, gradient: g, lr }: UpdateContext): Tensor {
    const [b1, b2] = this.#betas
    const [first, second] = [this.state('exp_avg', parameter), this.state('exp_avg_sq', parameter)]
    const mean = ops.add(ops.mul(first, b1), ops.mul(g, 1 - b1))
    const square = ops.add(ops.mul(second, b2), ops.mul(ops.mul(g, g), 1 - b2))
    first.assign(mean)
    second.assign(square)
    // m^ / (sqrt(v^) + eps) = (m c / (1 - b1^t)) / (sqrt(v) + eps c) with c = sqrt(1 - b2^t)
    const root = this.feed('eps', (steps) => this.#eps * Math.sqrt(1 - b2 ** (steps + 1)))
    const scale = this.feed('scale', (steps) => Math.sqrt(1 - b2 ** (steps + 1)) / (1 - b1 ** (steps + 1)))
    const denominator = ops.add(ops.sqrt(this.#bound(parameter, square)), root)
    return ops.div(ops.mul(mean, ops.mul(lr, scale)), denominator)
  }

  #bound(parameter: Variable, square: Tensor): Tensor {
    if (!this.#amsgrad) return square
    const largest = this.state('max_exp_avg_sq', parameter)
    const bound = ops.maximum(largest, square)
    largest.assign(bound)
    return bound
  }
}

/** Adam with decoupled weight decay (Loshchilov and Hutter 2019): the weight shrinks by lr * weightDecay first. Default: 0.01. */
export class AdamW extends Adam {
  constructor(parameters: readonly Variable[] | readonly ParameterGroup[], options: AdamOptions) {
    super(parameters, { weightDecay: 0.01, ...options })
  }

  protected override apply(context: UpdateContext): Tensor {
    const { parameter, lr, weightDecay } = context
    const shrunk = weightDecay === 0 ? parameter : ops.mul(parameter, ops.sub(1, ops.mul(lr, weightDecay)))
    return ops.sub(shrunk, this.scaledStep(context))
  }
}
