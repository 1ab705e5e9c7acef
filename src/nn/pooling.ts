import { perAxis } from '../ops/conv/windows.ts'
import * as ops from '../ops/index.ts'
import { listOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { tensorOf } from '../tensor/variable.ts'
import { optionsOf, requireFinite, requirePositive } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import type { KernelSize } from './conv.ts'
import { Module } from './module.ts'

const sharedNames = { stride: true, padding: true, ceilMode: true } as const
const maxNames = { ...sharedNames, dilation: true, propagateNan: true } as const
const avgNames = { ...sharedNames, countIncludePad: true, divisorOverride: true } as const

type Pool<Options> = (x: Tensor, kernelSize: KernelSize, options: Options) => Tensor

/** Pooling over windows. Defaults: stride = kernelSize, no padding, dilation 1. */
abstract class PoolLayer<Options extends ops.MaxPoolOptions> extends Module {
  readonly kernelSize: KernelSize
  readonly options: Options
  readonly #pool: Pool<Options>

  constructor(pool: Pool<Options>, axes: number, kernelSize: KernelSize, options: Options) {
    super()
    const { name } = this.constructor
    const { stride = kernelSize, padding = 0, dilation = 1 } = options
    perAxis(name, 'kernelSize', kernelSize, axes, 1, UsageError)
    perAxis(name, 'stride', stride, axes, 1, UsageError)
    perAxis(name, 'padding', padding, axes, 0, UsageError)
    perAxis(name, 'dilation', dilation, axes, 1, UsageError)
    this.#pool = pool
    this.kernelSize = kernelSize
    this.options = options
  }

  forward(x: Tensor): Tensor {
    return this.#pool(x, this.kernelSize, this.options)
  }
}

/** The largest element of each window of x [N, C, L]. */
export class MaxPool1d extends PoolLayer<ops.MaxPoolOptions> {
  constructor(kernelSize: KernelSize, options?: ops.MaxPoolOptions) {
    super(ops.maxPool1d, 1, kernelSize, optionsOf('MaxPool1d', options, maxNames, UsageError))
  }
}

/** The largest element of each window of x [N, C, H, W]. */
export class MaxPool2d extends PoolLayer<ops.MaxPoolOptions> {
  constructor(kernelSize: KernelSize, options?: ops.MaxPoolOptions) {
    super(ops.maxPool2d, 2, kernelSize, optionsOf('MaxPool2d', options, maxNames, UsageError))
  }
}

/** The largest element of each window of x [N, C, D, H, W]. */
export class MaxPool3d extends PoolLayer<ops.MaxPoolOptions> {
  constructor(kernelSize: KernelSize, options?: ops.MaxPoolOptions) {
    super(ops.maxPool3d, 3, kernelSize, optionsOf('MaxPool3d', options, maxNames, UsageError))
  }
}

/** The mean of each window of x [N, C, L]; padding counts as zeros unless countIncludePad is false. */
export class AvgPool1d extends PoolLayer<ops.AvgPoolOptions> {
  constructor(kernelSize: KernelSize, options?: ops.AvgPoolOptions) {
    super(ops.avgPool1d, 1, kernelSize, optionsOf('AvgPool1d', options, avgNames, UsageError))
  }
}

/** The mean of each window of x [N, C, H, W]; padding counts as zeros unless countIncludePad is false. */
export class AvgPool2d extends PoolLayer<ops.AvgPoolOptions> {
  constructor(kernelSize: KernelSize, options?: ops.AvgPoolOptions) {
    super(ops.avgPool2d, 2, kernelSize, optionsOf('AvgPool2d', options, avgNames, UsageError))
  }
}

/** The mean of each window of x [N, C, D, H, W]; padding counts as zeros unless countIncludePad is false. */
export class AvgPool3d extends PoolLayer<ops.AvgPoolOptions> {
  constructor(kernelSize: KernelSize, options?: ops.AvgPoolOptions) {
    super(ops.avgPool3d, 3, kernelSize, optionsOf('AvgPool3d', options, avgNames, UsageError))
  }
}

/** Pooling over as many windows as outputSize says, which together cover the input. null keeps the size of an axis. */
abstract class AdaptivePoolLayer extends Module {
  readonly outputSize: ops.AdaptiveSize
  readonly #pool: typeof ops.adaptiveAvgPool2d

  constructor(pool: typeof ops.adaptiveAvgPool2d, axes: number, outputSize: ops.AdaptiveSize) {
    super()
    // null keeps the input's size, which is not known here.
    const sizes = Array.isArray(outputSize) ? outputSize.map((size: number | null) => size ?? 1) : outputSize
    perAxis(this.constructor.name, 'outputSize', sizes as number | readonly number[], axes, 1, UsageError)
    this.outputSize = outputSize
    this.#pool = pool
  }

  forward(x: Tensor): Tensor {
    return this.#pool(x, this.outputSize)
  }
}

/** The mean of each of outputSize windows of x [N, C, L]. */
export class AdaptiveAvgPool1d extends AdaptivePoolLayer {
  constructor(outputSize: ops.AdaptiveSize) {
    super(ops.adaptiveAvgPool1d, 1, outputSize)
  }
}

/** The mean of each of outputSize windows of x [N, C, H, W]. */
export class AdaptiveAvgPool2d extends AdaptivePoolLayer {
  constructor(outputSize: ops.AdaptiveSize) {
    super(ops.adaptiveAvgPool2d, 2, outputSize)
  }
}

/** The mean of each of outputSize windows of x [N, C, D, H, W]. */
export class AdaptiveAvgPool3d extends AdaptivePoolLayer {
  constructor(outputSize: ops.AdaptiveSize) {
    super(ops.adaptiveAvgPool3d, 3, outputSize)
  }
}

/** The largest element of each of outputSize windows of x [N, C, L]. */
export class AdaptiveMaxPool1d extends AdaptivePoolLayer {
  constructor(outputSize: ops.AdaptiveSize) {
    super(ops.adaptiveMaxPool1d, 1, outputSize)
  }
}

/** The largest element of each of outputSize windows of x [N, C, H, W]. */
export class AdaptiveMaxPool2d extends AdaptivePoolLayer {
  constructor(outputSize: ops.AdaptiveSize) {
    super(ops.adaptiveMaxPool2d, 2, outputSize)
  }
}

/** The largest element of each of outputSize windows of x [N, C, D, H, W]. */
export class AdaptiveMaxPool3d extends AdaptivePoolLayer {
  constructor(outputSize: ops.AdaptiveSize) {
    super(ops.adaptiveMaxPool3d, 3, outputSize)
  }
}

/** Options of `Upsample`. */
export type UpsampleOptions = Omit<ops.InterpolateOptions, 'scaleFactor'>

/** Resizes the axes after batch and channel by a positive factor, one for all axes or one for each; sizes are rounded down. Default mode: nearest. */
export class Upsample extends Module {
  readonly scaleFactor: number | readonly number[]
  readonly options: UpsampleOptions

  constructor(scaleFactor: number | readonly number[], options?: UpsampleOptions) {
    super()
    for (const factor of listOf(scaleFactor)) {
      requirePositive('Upsample', 'scaleFactor', factor, UsageError)
      requireFinite('Upsample', 'scaleFactor', factor, UsageError)
    }
    this.scaleFactor = scaleFactor
    this.options = optionsOf(
      'Upsample',
      options,
      {
        mode: true,
        alignCorners: true,
        antialias: true,
        recomputeScaleFactor: true,
      },
      UsageError,
    )
  }

  forward(x: Tensor): Tensor {
    return ops.interpolate(tensorOf('Upsample', x), undefined, { ...this.options, scaleFactor: this.scaleFactor })
  }
}
