/** Activation functions as layers. Each computes the function of `ops` with the same name. */
import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { optionsOf, requireCount, requireFinite, requireOneOf, requireWhole } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import { constant, parameter } from './init.ts'
import { Module } from './module.ts'

/** max(x, 0). */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return ops.relu(x)
  }
}

/** min(max(x, 0), 6). */
export class ReLU6 extends Module {
  forward(x: Tensor): Tensor {
    return ops.relu6(x)
  }
}

/** x for x > 0, else negativeSlope * x. Default negativeSlope: 0.01. */
export class LeakyReLU extends Module {
  readonly negativeSlope: number

  constructor(negativeSlope = 0.01) {
    super()
    requireFinite('LeakyReLU', 'negativeSlope', negativeSlope, UsageError)
    this.negativeSlope = negativeSlope
  }

  forward(x: Tensor): Tensor {
    return ops.leakyRelu(x, { negativeSlope: this.negativeSlope })
  }
}

/** x for x > 0, else weight * x (He et al. 2015, arXiv 1502.01852). One weight for all, or one per channel (axis 1). Default: one; initially 0.25. */
export class PReLU extends Module {
  readonly weight: Variable

  constructor(numParameters = 1, start = 0.25) {
    super()
    requireCount('PReLU', 'numParameters', numParameters, 1, UsageError)
    this.weight = parameter([numParameters], constant(start))
  }

  forward(x: Tensor): Tensor {
    return ops.prelu(x, this.weight)
  }
}

/** x for x > 0, else alpha (e^x - 1) (Clevert et al. 2015, arXiv 1511.07289). Default alpha: 1. */
export class ELU extends Module {
  readonly alpha: number

  constructor(alpha = 1) {
    super()
    requireFinite('ELU', 'alpha', alpha, UsageError)
    this.alpha = alpha
  }

  forward(x: Tensor): Tensor {
    return ops.elu(x, { alpha: this.alpha })
  }
}

/** Self-normalising ELU, scale * elu(x, alpha) with the constants of Klambauer et al. 2017 (arXiv 1706.02515). */
export class SELU extends Module {
  forward(x: Tensor): Tensor {
    return ops.selu(x)
  }
}

/**
 * x Phi(x) (Hendrycks and Gimpel 2016, arXiv 1606.08415): exact, by erf (`none`, the default), or the `tanh` approximation.
 * Published models use either.
 */
export class GELU extends Module {
  readonly approximate: ops.GeluForm

  constructor(options?: { readonly approximate?: ops.GeluForm }) {
    super()
    const { approximate = 'none' } = optionsOf('GELU', options, { approximate: true }, UsageError)
    requireOneOf('GELU', 'approximate', approximate, ['none', 'tanh'], UsageError)
    this.approximate = approximate
  }

  forward(x: Tensor): Tensor {
    return ops.gelu(x, { approximate: this.approximate })
  }
}

/** x sigmoid(1.702 x), as in CLIP. */
export class QuickGELU extends Module {
  forward(x: Tensor): Tensor {
    return ops.quickGelu(x)
  }
}

/** x sigmoid(x), also called swish (Elfwing et al. 2017, arXiv 1702.03118). */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return ops.silu(x)
  }
}

/** x tanh(softplus(x)) (Misra 2019, arXiv 1908.08681). */
export class Mish extends Module {
  forward(x: Tensor): Tensor {
    return ops.mish(x)
  }
}

/** x hardsigmoid(x). */
export class Hardswish extends Module {
  forward(x: Tensor): Tensor {
    return ops.hardswish(x)
  }
}

/** 1 / (1 + e^-x). */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return ops.sigmoid(x)
  }
}

/** Hyperbolic tangent. */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return ops.tanh(x)
  }
}

/** log(1 + e^(beta x)) / beta, and x where beta x exceeds the threshold. Defaults: 1, 20. */
export class Softplus extends Module {
  readonly beta: number
  readonly threshold: number

  constructor(options?: { readonly beta?: number; readonly threshold?: number }) {
    super()
    const { beta = 1, threshold = 20 } = optionsOf('Softplus', options, { beta: true, threshold: true }, UsageError)
    this.beta = beta
    this.threshold = threshold
  }

  forward(x: Tensor): Tensor {
    return ops.softplus(x, { beta: this.beta, threshold: this.threshold })
  }
}

/** e^x / sum(e^x) along an axis. Default axis: -1. */
export class Softmax extends Module {
  readonly axis: number

  constructor(axis = -1) {
    super()
    requireWhole('Softmax', 'axis', axis, UsageError)
    this.axis = axis
  }

  forward(x: Tensor): Tensor {
    return ops.softmax(x, this.axis)
  }
}

const elementwise: ReadonlySet<unknown> = new Set([
  ReLU,
  ReLU6,
  LeakyReLU,
  ELU,
  SELU,
  GELU,
  QuickGELU,
  SiLU,
  Mish,
  Hardswish,
  Sigmoid,
  Tanh,
  Softplus,
])

/** Whether a layer is one of the activations above that map each element by itself. */
export function isElementwise(layer: Module): boolean {
  return elementwise.has(layer.constructor)
}
