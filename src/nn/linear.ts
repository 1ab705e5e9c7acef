import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { optionsOf, requireCount, requireWhole } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import { fans, type Initializer, kaimingUniform, parameter, uniform } from './init.ts'
import { Module } from './module.ts'

/** Bias and initial values of a layer. */
export interface WeightOptions {
  /** Whether a bias is added. Default: true. */
  readonly bias?: boolean
  /** Initial weight. Default: PyTorch's, uniform within 1 / sqrt(fanIn). */
  readonly initWeight?: Initializer
  /** Initial bias. Default: PyTorch's, uniform within 1 / sqrt(fanIn). */
  readonly initBias?: Initializer
}

/** PyTorch's default for linear and convolution weights: Kaiming uniform with a = sqrt(5), which is uniform within 1 / sqrt(fanIn). */
export const defaultWeight: Initializer = (shape) => kaimingUniform(shape, { a: Math.sqrt(5) })

/** PyTorch's default bias for a weight of the given shape: uniform within 1 / sqrt(fanIn). */
export function defaultBias(weightShape: readonly number[]): Initializer {
  const { fanIn } = fans(weightShape)
  const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0
  return (shape) => uniform(shape, { low: -bound, high: bound })
}

export interface LinearLayerOptions extends WeightOptions {
  /** The axis that is mapped. Default: -1. */
  readonly axis?: number
}

/** y = x W^T + b. x [..., in] -> [..., out], or the same along another axis; weight [out, in], bias [out]. */
export class Linear extends Module {
  readonly inFeatures: number
  readonly outFeatures: number
  readonly weight: Variable
  readonly bias: Variable | undefined
  readonly #axis: number

  constructor(inFeatures: number, outFeatures: number, options?: LinearLayerOptions) {
    super()
    const given = optionsOf('Linear', options, { axis: true, bias: true, initWeight: true, initBias: true }, UsageError)
    const { bias = true, initWeight = defaultWeight, axis = -1 } = given
    requireCount('Linear', 'inFeatures', inFeatures, 0, UsageError)
    requireCount('Linear', 'outFeatures', outFeatures, 0, UsageError)
    requireWhole('Linear', 'axis', axis, UsageError)
    this.inFeatures = inFeatures
    this.outFeatures = outFeatures
    this.#axis = axis
    const shape = [outFeatures, inFeatures]
    this.weight = parameter(shape, initWeight)
    this.bias = bias ? parameter([outFeatures], given.initBias ?? defaultBias(shape)) : undefined
  }

  forward(x: Tensor): Tensor {
    return ops.linear(x, this.weight, this.bias, { axis: this.#axis })
  }
}
