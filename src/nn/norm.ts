import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { Variable } from '../tensor/variable.ts'
import { buffer, ones, parameter, zeros } from './init.ts'
import { Module } from './module.ts'

export interface NormOptions {
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number
  /** Whether there are a weight and a bias. Default: true. */
  readonly affine?: boolean
}

/** Normalises the last axes. weight and bias have the normalised shape (default 1 and 0). */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[]
  readonly eps: number
  readonly weight: Variable | undefined
  readonly bias: Variable | undefined

  constructor(normalizedShape: number | readonly number[], options: NormOptions & { readonly bias?: boolean } = {}) {
    super()
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape
    this.eps = options.eps ?? 1e-5
    const affine = options.affine ?? true
    this.weight = affine ? parameter(this.normalizedShape, ones) : undefined
    this.bias = affine && options.bias !== false ? parameter(this.normalizedShape, zeros) : undefined
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this
    return ops.layerNorm(x, this.normalizedShape, { weight, bias, eps })
  }
}

/** Normalises the last axes by their root mean square. Default eps: float32's resolution, 2^-23. */
export class RMSNorm extends Module {
  readonly normalizedShape: readonly number[]
  readonly eps: number
  readonly weight: Variable

  constructor(normalizedShape: number | readonly number[], options: { readonly eps?: number } = {}) {
    super()
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape
    this.eps = options.eps ?? 2 ** -23
    this.weight = parameter(this.normalizedShape, ones)
  }

  forward(x: Tensor): Tensor {
    return ops.rmsNorm(x, this.normalizedShape, { weight: this.weight, eps: this.eps })
  }
}

/** Normalises groups of channels of each example. x [N, C, ...]. */
export class GroupNorm extends Module {
  readonly groups: number
  readonly eps: number
  readonly weight: Variable | undefined
  readonly bias: Variable | undefined

  constructor(groups: number, channels: number, options: NormOptions = {}) {
    super()
    this.groups = groups
    this.eps = options.eps ?? 1e-5
    const affine = options.affine ?? true
    this.weight = affine ? parameter([channels], ones) : undefined
    this.bias = affine ? parameter([channels], zeros) : undefined
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this
    return ops.groupNorm(x, this.groups, { weight, bias, eps })
  }
}

/** Normalises each channel over the batch; x [N, C, ...]. In evaluation by the running statistics. */
export class BatchNorm extends Module {
  readonly eps: number
  readonly momentum: number
  readonly weight: Variable | undefined
  readonly bias: Variable | undefined
  readonly running_mean: Variable
  readonly running_var: Variable
  readonly num_batches_tracked: Variable

  constructor(channels: number, options: NormOptions & { readonly momentum?: number } = {}) {
    super()
    this.eps = options.eps ?? 1e-5
    this.momentum = options.momentum ?? 0.1
    const affine = options.affine ?? true
    this.weight = affine ? parameter([channels], ones) : undefined
    this.bias = affine ? parameter([channels], zeros) : undefined
    this.running_mean = buffer([channels], zeros)
    this.running_var = buffer([channels], ones)
    this.num_batches_tracked = new Variable([], { dtype: 'int64' })
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, eps, momentum, running_mean, running_var } = this
    if (!this.training) return ops.batchNorm(x, running_mean, running_var, { weight, bias, eps })
    const { output, runningMean, runningVar } = ops.batchNormTrain(x, running_mean, running_var, {
      weight,
      bias,
      eps,
      momentum,
    })
    running_mean.assign(ops.stopGradient(runningMean))
    running_var.assign(ops.stopGradient(runningVar))
    this.num_batches_tracked.assign(ops.add(this.num_batches_tracked, 1))
    return output
  }
}
