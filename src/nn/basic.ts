/** Small layers: activations, dropout, embeddings, containers. */
import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { type Initialiser, normal, parameter } from './init.ts'
import { Linear } from './linear.ts'
import { Module } from './module.ts'

/** A layer of one tensor. */
export type Layer = Module & { forward(x: Tensor): Tensor }

/** Hands its input on. */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x
  }
}

/** relu(x). */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return ops.relu(x)
  }
}

/** x sigmoid(x). */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return ops.silu(x)
  }
}

/** gelu(x); the erf form unless `approximate` is tanh. */
export class GELU extends Module {
  readonly approximate: ops.GeluForm

  constructor(options: { readonly approximate?: ops.GeluForm } = {}) {
    super()
    this.approximate = options.approximate ?? 'none'
  }

  forward(x: Tensor): Tensor {
    return ops.gelu(x, { approximate: this.approximate })
  }
}

/** Zeroes elements with probability p in training and scales the others by 1 / (1 - p). */
export class Dropout extends Module {
  readonly p: number

  constructor(p = 0.5) {
    super()
    this.p = p
  }

  forward(x: Tensor): Tensor {
    return ops.dropout(x, this.p, { training: this.training })
  }
}

/** Stochastic depth: drops whole examples of a residual branch with probability p in training (timm's DropPath). */
export class DropPath extends Module {
  readonly p: number
  /** Whether what is kept is divided by 1 - p (timm) or not (big_vision). */
  readonly rescale: boolean

  constructor(p = 0, options: { readonly rescale?: boolean } = {}) {
    super()
    this.p = p
    this.rescale = options.rescale ?? true
  }

  forward(x: Tensor): Tensor {
    if (!this.training || this.p === 0) return x
    const shape = x.shape.map((size, axis) => (axis === 0 ? size : 1))
    const kept = ops.cast(ops.randomBernoulli(shape, 1 - this.p), 'float32')
    return ops.mul(x, this.rescale ? ops.mul(kept, 1 / (1 - this.p)) : kept)
  }
}

/** Rows of a table by index: int [...] -> [..., dim]. weight [count, dim], standard normal unless given. */
export class Embedding extends Module {
  readonly weight: Variable

  constructor(count: number, dim: number, options: { readonly initWeight?: Initialiser } = {}) {
    super()
    this.weight = parameter([count, dim], options.initWeight ?? normal)
  }

  forward(index: Tensor): Tensor {
    return ops.embedding(index, this.weight)
  }
}

/** Layers one after the other; named 0, 1, ... in the state dict, as in PyTorch. */
export class Sequential extends Module {
  readonly [index: number]: Layer
  readonly length: number

  constructor(...layers: readonly Layer[]) {
    super()
    this.length = layers.length
    Object.assign(this, layers)
  }

  forward(x: Tensor): Tensor {
    let result = x
    for (let i = 0; i < this.length; i++) result = this[i]?.forward(result) ?? result
    return result
  }
}

/** Two linear layers with an activation between: fc1, act, fc2 (timm's Mlp). */
export class MLP extends Module {
  readonly fc1: Linear
  readonly act: Layer
  readonly fc2: Linear

  constructor(
    inFeatures: number,
    hiddenFeatures: number,
    options: { readonly outFeatures?: number; readonly act?: Layer } = {},
  ) {
    super()
    this.fc1 = new Linear(inFeatures, hiddenFeatures)
    this.act = options.act ?? new GELU()
    this.fc2 = new Linear(hiddenFeatures, options.outFeatures ?? inFeatures)
  }

  forward(x: Tensor): Tensor {
    return this.fc2.forward(this.act.forward(this.fc1.forward(x)))
  }
}
