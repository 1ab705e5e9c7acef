import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { parameter } from './init.ts'
import { defaultBias, defaultWeight, type WeightOptions } from './linear.ts'
import { Module } from './module.ts'

const square = (size: number | readonly [number, number]): readonly [number, number] =>
  typeof size === 'number' ? [size, size] : size

/** Convolution of x [N, in, L]; weight [out, in / groups, kernel]. */
export class Conv1d extends Module {
  readonly weight: Variable
  readonly bias: Variable | undefined
  readonly #options: ops.ConvOptions

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number,
    options: ops.ConvOptions & WeightOptions = {},
  ) {
    super()
    const shape = [outChannels, inChannels / (options.groups ?? 1), kernelSize]
    this.weight = parameter(shape, options.initWeight ?? defaultWeight)
    this.bias = options.bias === false ? undefined : parameter([outChannels], options.initBias ?? defaultBias(shape))
    this.#options = options
  }

  forward(x: Tensor): Tensor {
    return ops.conv1d(x, this.weight, this.bias, this.#options)
  }
}

/** Convolution of x [N, in, H, W]; weight [out, in / groups, kh, kw]. */
export class Conv2d extends Module {
  readonly weight: Variable
  readonly bias: Variable | undefined
  readonly #options: ops.ConvOptions

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number, number],
    options: ops.ConvOptions & WeightOptions = {},
  ) {
    super()
    const shape = [outChannels, inChannels / (options.groups ?? 1), ...square(kernelSize)]
    this.weight = parameter(shape, options.initWeight ?? defaultWeight)
    this.bias = options.bias === false ? undefined : parameter([outChannels], options.initBias ?? defaultBias(shape))
    this.#options = options
  }

  forward(x: Tensor): Tensor {
    return ops.conv2d(x, this.weight, this.bias, this.#options)
  }
}

/** Transposed convolution of x [N, in, H, W]; weight [in, out / groups, kh, kw]. */
export class ConvTranspose2d extends Module {
  readonly weight: Variable
  readonly bias: Variable | undefined
  readonly #options: ops.ConvTransposeOptions

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number, number],
    options: ops.ConvTransposeOptions & WeightOptions = {},
  ) {
    super()
    const shape = [inChannels, outChannels / (options.groups ?? 1), ...square(kernelSize)]
    this.weight = parameter(shape, options.initWeight ?? defaultWeight)
    this.bias = options.bias === false ? undefined : parameter([outChannels], options.initBias ?? defaultBias(shape))
    this.#options = options
  }

  forward(x: Tensor): Tensor {
    return ops.convTranspose2d(x, this.weight, this.bias, this.#options)
  }
}
