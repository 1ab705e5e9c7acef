import { inRowBlocks } from '../autodiff/row-blocks.ts'
import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { tensorOf } from '../tensor/variable.ts'
import { optionsOf, requireWhole, shown } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import { GELU, isElementwise } from './activation.ts'
import { Dropout } from './dropout.ts'
import { Linear } from './linear.ts'
import { Module } from './module.ts'

/** A module that maps one tensor to one tensor. */
export type Layer = Module & { forward(x: Tensor): Tensor }

/** Returns its input. */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x
  }
}

/** Merges the axes startAxis to endAxis, both included, into one. Defaults: 1, -1. */
export class Flatten extends Module {
  readonly startAxis: number
  readonly endAxis: number

  constructor(startAxis = 1, endAxis = -1) {
    super()
    requireWhole('Flatten', 'startAxis', startAxis, UsageError)
    requireWhole('Flatten', 'endAxis', endAxis, UsageError)
    this.startAxis = startAxis
    this.endAxis = endAxis
  }

  forward(x: Tensor): Tensor {
    return ops.flatten(x, this.startAxis, this.endAxis)
  }
}

/** Layers one after the other; named 0, 1, ... in the state dict, as in PyTorch. */
export class Sequential extends Module {
  readonly [index: number]: Layer
  readonly length: number

  constructor(...layers: readonly Layer[]) {
    super()
    const i = layers.findIndex((layer) => !(layer instanceof Module))
    if (i >= 0) {
      throw new UsageError(`Sequential: layer ${i} must be a module, found ${shown(layers[i])}`, {
        hint: 'write new Sequential(a, b), or new Sequential(...layers) for a list',
      })
    }
    this.length = layers.length
    Object.assign(this, layers)
  }

  forward(x: Tensor): Tensor {
    let result = x
    for (let i = 0; i < this.length; i++) result = this[i]?.forward(result) ?? result
    return result
  }
}

/** Options of an MLP. */
export interface MLPOptions {
  /** Output width. Default: the input width. */
  readonly outFeatures?: number
  /** The activation between the two linear layers. Default: GELU (erf). */
  readonly act?: Layer
  /** Whether the linear layers have biases. Default: true. */
  readonly bias?: boolean
  /** Dropout after the activation and after the second layer. Default: 0. */
  readonly drop?: number
}

/**
 * Two linear layers over the last axis with an activation between: fc1, act, drop1, fc2, drop2 (timm's Mlp). x [..., inFeatures] ->
 * [..., outFeatures].
 */
export class MLP extends Module {
  readonly fc1: Linear
  readonly act: Layer
  readonly drop1: Dropout
  readonly fc2: Linear
  readonly drop2: Dropout
  /** Whether each row is mapped by itself, whatever the axes before it are. */
  readonly #rowwise: boolean

  constructor(inFeatures: number, hiddenFeatures: number, options?: MLPOptions) {
    super()
    const {
      outFeatures = inFeatures,
      act = new GELU(),
      bias = true,
      drop = 0,
    } = optionsOf('MLP', options, { outFeatures: true, act: true, bias: true, drop: true }, UsageError)
    this.fc1 = new Linear(inFeatures, hiddenFeatures, { bias })
    this.act = act
    this.drop1 = new Dropout(drop)
    this.fc2 = new Linear(hiddenFeatures, outFeatures, { bias })
    this.drop2 = new Dropout(drop)
    this.#rowwise = isElementwise(act) && drop === 0
  }

  forward(x: Tensor): Tensor {
    const input = tensorOf('MLP', x)
    const layers = (rows: Tensor): Tensor =>
      this.fc2.forward(this.drop1.forward(this.act.forward(this.fc1.forward(rows))))
    const options = { widest: this.fc1.outFeatures }
    return this.drop2.forward(this.#rowwise ? inRowBlocks(input, options, layers) : layers(input))
  }
}
