import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { optionsOf, requireWithin } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import { Module } from './module.ts'

/**
 * Dropout (Srivastava et al. 2014): in training zeroes each element of x, of any shape, with probability p and divides the others by
 * 1 - p. Default p: 0.5.
 */
export class Dropout extends Module {
  readonly p: number

  constructor(p = 0.5) {
    super()
    requireWithin('Dropout', 'p', p, [0, 1], UsageError)
    this.p = p
  }

  forward(x: Tensor): Tensor {
    return ops.dropout(x, this.p, { training: this.training })
  }
}

/** In training zeroes whole channels of x [N, C, ...] with probability p and divides the others by 1 - p. Default p: 0.5. */
export class Dropout2d extends Module {
  readonly p: number

  constructor(p = 0.5) {
    super()
    requireWithin('Dropout2d', 'p', p, [0, 1], UsageError)
    this.p = p
  }

  forward(x: Tensor): Tensor {
    return ops.dropout2d(x, this.p, { training: this.training })
  }
}

/**
 * Stochastic depth (Huang et al. 2016): in training zeroes whole examples (axis 0) of a residual branch with probability
 * p. What is kept is divided by 1 - p (timm's DropPath), unless `rescale` is false (big_vision). Default p: 0.
 */
export class DropPath extends Module {
  readonly p: number
  readonly rescale: boolean

  constructor(p = 0, options?: { readonly rescale?: boolean }) {
    super()
    const { rescale = true } = optionsOf('DropPath', options, { rescale: true }, UsageError)
    requireWithin('DropPath', 'p', p, [0, 1], UsageError)
    this.p = p
    this.rescale = rescale
  }

  forward(x: Tensor): Tensor {
    if (this.p === 0 || !this.training) return x
    const perExample = x.shape.map((size, axis) => (axis === 0 ? size : 1))
    const kept = ops.cast(ops.randomBernoulli(perExample, 1 - this.p), 'float32')
    return ops.mul(x, this.rescale && this.p < 1 ? ops.mul(kept, 1 / (1 - this.p)) : kept)
  }
}
