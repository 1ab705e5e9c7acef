/**
 * Layers whose weight is divided by its largest singular value (Miyato et al. 2018, arXiv 1802.05957), with the names of
 * torch.nn.utils.spectral_norm: weight_orig, and the singular vectors weight_u [out] and weight_v [rest], which are estimates.
 */
import { init, Module } from '../nn/index.ts'
import { defaultBias, defaultWeight } from '../nn/linear.ts'
import * as ops from '../ops/index.ts'
import { elementCount } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
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

/** Convolution of an odd kernel that keeps height and width: x [N, in, H, W] -> [N, out, H, W]. */
export class SpectralConv2d extends SpectralLayer {
  readonly #padding: number

  constructor(from: number, to: number, kernel: number, options: SpectralOptions & { readonly padding?: number } = {}) {
    super([to, from, kernel, kernel], options)
    this.#padding = options.padding ?? (kernel - 1) / 2
  }

  forward(x: Tensor): Tensor {
    return ops.conv2d(x, this.weight(), this.bias, { padding: this.#padding })
  }
}
