/**
 * Layers whose weight is divided by its largest singular value (Miyato et al. 2018, arXiv 1802.05957), with the names of
 * torch.nn.utils.spectral_norm: weight_orig, and the singular vectors weight_u [out] and weight_v [rest], which are estimates.
 */
import { type ConvLayerOptions, checkGroups, type KernelSize, layerConvolution } from '../nn/conv.ts'
import { init, Module } from '../nn/index.ts'
import { defaultBias, defaultWeight } from '../nn/linear.ts'
import { perAxis } from '../ops/conv/windows.ts'
import * as ops from '../ops/index.ts'
import { elementCount } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { UsageError } from '../util/errors.ts'
import { dot } from '../util/vectors.ts'

/** Options of the layers. */
export interface SpectralOptions {
  /** The vectors are divided by their length, or by this if it is larger. Default: 1e-12. */
  readonly eps?: number
  /** Whether a bias is added. Default: true. */
  readonly bias?: boolean
}

abstract class SpectralLayer extends Module {
  readonly bias: Variable | undefined
  readonly weight_orig: Variable
  readonly weight_u: Variable
  readonly weight_v: Variable
  readonly #eps: number

  constructor(shape: readonly number[], { eps = 1e-12, bias = true }: SpectralOptions = {}) {
    super()
    const [out = 0, ...rest] = shape
    this.bias = bias ? init.parameter([out], defaultBias(shape)) : undefined
    this.weight_orig = init.parameter(shape, defaultWeight)
    this.weight_u = init.buffer([out], unitVector)
    this.weight_v = init.buffer([elementCount(rest)], unitVector)
    this.#eps = eps
  }

  /** weight_orig / sigma with sigma = u . (W v). In training u and v are first improved by one step of the power iteration, and kept. */
  protected weight(): Tensor {
    const { weight_orig, weight_u, weight_v, training } = this
    const options = { iterations: training ? 1 : 0, eps: this.#eps }
    const { weight, u, v } = ops.spectralNorm(weight_orig, weight_u, weight_v, options)
    if (training) {
      weight_u.assign(u)
      weight_v.assign(v)
    }
    return weight
  }
}

function unitVector(shape: readonly number[]): Float32Array {
  const values = init.normal(shape)
  const length = Math.sqrt(dot(values, values))
  return values.map((value) => value / length)
}

/** y = x W^T / sigma + b: x [..., in] -> [..., out]. */
export class SpectralLinear extends SpectralLayer {
  constructor(from: number, to: number, options?: SpectralOptions) {
    super([to, from], options)
  }

  forward(x: Tensor): Tensor {
    return ops.linear(x, this.weight(), this.bias)
  }
}

/** Options of the convolution. */
export interface SpectralConvOptions
  extends SpectralOptions,
    Pick<ConvLayerOptions, 'stride' | 'padding' | 'dilation' | 'groups' | 'paddingMode'> {}

/** Convolution of x [N, in, H, W] -> [N, out, H', W']. Options as of `Conv2d`, but for the padding: "same" by default. */
export class SpectralConv2d extends SpectralLayer {
  readonly #convolve: ReturnType<typeof layerConvolution>

  constructor(from: number, to: number, kernelSize: KernelSize, options: SpectralConvOptions = {}) {
    const { groups = 1, padding = 'same' } = options
    checkGroups('SpectralConv2d', from, to, groups)
    const kernel = perAxis('SpectralConv2d', 'kernelSize', kernelSize, 2, 1, UsageError)
    super([to, from / groups, ...kernel], options)
    this.#convolve = layerConvolution(ops.conv2d, 'SpectralConv2d', kernel, { ...options, padding })
  }

  forward(x: Tensor): Tensor {
    return this.#convolve(x, this.weight(), this.bias)
  }
}
