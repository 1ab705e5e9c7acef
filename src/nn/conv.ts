import { perAxis } from '../ops/conv/windows.ts'
import * as ops from '../ops/index.ts'
import { sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { optionsOf, requireCount, requireOneOf } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import { parameter } from './init.ts'
import { defaultBias, defaultWeight, type WeightOptions } from './linear.ts'
import { Module } from './module.ts'

/** Sizes of a kernel: one number for every axis, or one each. */
export type KernelSize = number | readonly number[]

/** Options of convolution layers. Defaults: stride 1, no padding, dilation 1, one group, a bias. */
export interface ConvLayerOptions extends ops.ConvOptions, WeightOptions {
  /** What the padding consists of. Default: constant, which means zeros. */
  readonly paddingMode?: 'constant' | 'reflect' | 'replicate' | 'circular'
}

/** Options of transposed convolution layers. Defaults: stride 1, no padding, dilation 1, one group, a bias. */
export interface ConvTransposeLayerOptions extends ops.ConvTransposeOptions, WeightOptions {}

const sharedNames = {
  stride: true,
  padding: true,
  dilation: true,
  groups: true,
  bias: true,
  initWeight: true,
  initBias: true,
} as const
const convNames = { ...sharedNames, paddingMode: true } as const
const transposeNames = { ...sharedNames, outputPadding: true } as const

/** Checks the channels of a grouped convolution. */
export function checkGroups(name: string, inChannels: number, outChannels: number, groups: number): void {
  requireCount(name, 'inChannels', inChannels, 1, UsageError)
  requireCount(name, 'outChannels', outChannels, 1, UsageError)
  requireCount(name, 'groups', groups, 1, UsageError)
  if (inChannels % groups === 0 && outChannels % groups === 0) return
  throw new UsageError(
    `${name}: channels must be multiples of groups = ${groups}, found ${inChannels} in, ${outChannels} out`,
  )
}

/** Checks the options that all convolution layers share. Each is a number or a list; `padding` may also be a name. */
function checkOptions(name: string, axes: number, { stride = 1, padding = 0, dilation = 1 }: ops.ConvOptions): void {
  perAxis(name, 'stride', stride, axes, 1, UsageError)
  perAxis(name, 'dilation', dilation, axes, 1, UsageError)
  if (typeof padding === 'string') requireOneOf(name, 'padding', padding, ['same', 'valid'], UsageError)
  else perAxis(name, 'padding', padding, axes, 0, UsageError)
}

/** The weight and bias that all convolution layers have. */
abstract class ConvolutionLayer extends Module {
  readonly inChannels: number
  readonly outChannels: number
  readonly kernelSize: readonly number[]
  readonly groups: number
  readonly weight: Variable
  readonly bias: Variable | undefined

  constructor(
    axes: number,
    transposed: boolean,
    inChannels: number,
    outChannels: number,
    kernelSize: KernelSize,
    options: WeightOptions & { readonly groups?: number },
  ) {
    super()
    const { groups = 1, bias = true, initWeight = defaultWeight } = options
    const name = this.constructor.name
    checkGroups(name, inChannels, outChannels, groups)
    this.inChannels = inChannels
    this.outChannels = outChannels
    this.kernelSize = perAxis(name, 'kernelSize', kernelSize, axes, 1, UsageError)
    this.groups = groups
    const channels = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups]
    const shape = [...channels, ...this.kernelSize]
    this.weight = parameter(shape, initWeight)
    this.bias = bias ? parameter([outChannels], options.initBias ?? defaultBias(shape)) : undefined
  }
}

type Convolve = typeof ops.conv2d

/** Amounts of padding [before, after] from the last axis backward, as `ops.pad` takes them. */
function borderOf(
  kernelSize: readonly number[],
  { padding = 0, dilation = 1 }: Pick<ops.ConvOptions, 'padding' | 'dilation'>,
): readonly number[] {
  const axes = kernelSize.length
  const reach = perAxis('conv', 'dilation', dilation, axes, 1).map((step, i) => step * (sizeOf(kernelSize, i) - 1))
  const amounts = reach.map((size, i): readonly [number, number] => {
    if (padding === 'valid') return [0, 0]
    if (padding === 'same') return [Math.floor(size / 2), Math.ceil(size / 2)]
    const amount = perAxis('conv', 'padding', padding, axes, 0)[i] ?? 0
    return [amount, amount]
  })
  return amounts.reverse().flat()
}

/** A layer's convolution of x by a weight: padding that is not zeros is laid around x before. Throws a UsageError that begins with `name`. */
export function layerConvolution(
  convolve: Convolve,
  name: string,
  kernelSize: readonly number[],
  options: ConvLayerOptions,
): (x: Tensor, weight: Tensor | Variable, bias: Variable | undefined) => Tensor {
  const { stride = 1, padding = 0, dilation = 1, groups = 1, paddingMode: mode = 'constant' } = options
  checkOptions(name, kernelSize.length, options)
  requireOneOf(name, 'paddingMode', mode, ['constant', 'reflect', 'replicate', 'circular'], UsageError)
  if (mode === 'constant') return (x, weight, bias) => convolve(x, weight, bias, { stride, padding, dilation, groups })
  const border = borderOf(kernelSize, { padding, dilation })
  return (x, weight, bias) => convolve(ops.pad(x, border, { mode }), weight, bias, { stride, dilation, groups })
}

/** Cross-correlation over 1 to 3 axes. */
abstract class ConvLayer extends ConvolutionLayer {
  readonly #convolve: ReturnType<typeof layerConvolution>

  constructor(
    convolve: Convolve,
    axes: number,
    inChannels: number,
    outChannels: number,
    kernelSize: KernelSize,
    options: ConvLayerOptions,
  ) {
    super(axes, false, inChannels, outChannels, kernelSize, options)
    this.#convolve = layerConvolution(convolve, this.constructor.name, this.kernelSize, options)
  }

  forward(x: Tensor): Tensor {
    return this.#convolve(x, this.weight, this.bias)
  }
}

/** Convolution of x [N, in, L] -> [N, out, L']; weight [out, in / groups, kernel], bias [out]. */
export class Conv1d extends ConvLayer {
  constructor(inChannels: number, outChannels: number, kernelSize: KernelSize, options?: ConvLayerOptions) {
    super(ops.conv1d, 1, inChannels, outChannels, kernelSize, optionsOf('Conv1d', options, convNames, UsageError))
  }
}

/** Convolution of x [N, in, H, W] -> [N, out, H', W']; weight [out, in / groups, kh, kw], bias [out]. */
export class Conv2d extends ConvLayer {
  constructor(inChannels: number, outChannels: number, kernelSize: KernelSize, options?: ConvLayerOptions) {
    super(ops.conv2d, 2, inChannels, outChannels, kernelSize, optionsOf('Conv2d', options, convNames, UsageError))
  }
}

/** Convolution of x [N, in, D, H, W] -> [N, out, D', H', W']; weight [out, in / groups, kd, kh, kw], bias [out]. */
export class Conv3d extends ConvLayer {
  constructor(inChannels: number, outChannels: number, kernelSize: KernelSize, options?: ConvLayerOptions) {
    super(ops.conv3d, 3, inChannels, outChannels, kernelSize, optionsOf('Conv3d', options, convNames, UsageError))
  }
}

/** Transposed convolution over 1 to 3 axes. */
abstract class ConvTransposeLayer extends ConvolutionLayer {
  readonly #options: ops.ConvTransposeOptions
  readonly #convolve: typeof ops.convTranspose2d

  constructor(
    convolve: typeof ops.convTranspose2d,
    axes: number,
    inChannels: number,
    outChannels: number,
    kernelSize: KernelSize,
    options: ConvTransposeLayerOptions,
  ) {
    super(axes, true, inChannels, outChannels, kernelSize, options)
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options
    checkOptions(this.constructor.name, axes, options)
    perAxis(this.constructor.name, 'outputPadding', outputPadding, axes, 0, UsageError)
    this.#convolve = convolve
    this.#options = { stride, padding, outputPadding, dilation, groups }
  }

  forward(x: Tensor): Tensor {
    return this.#convolve(x, this.weight, this.bias, this.#options)
  }
}

/** Transposed convolution of x [N, in, L] -> [N, out, L']; weight [in, out / groups, kernel], bias [out]. */
export class ConvTranspose1d extends ConvTransposeLayer {
  constructor(inChannels: number, outChannels: number, kernelSize: KernelSize, options?: ConvTransposeLayerOptions) {
    super(
      ops.convTranspose1d,
      1,
      inChannels,
      outChannels,
      kernelSize,
      optionsOf('ConvTranspose1d', options, transposeNames, UsageError),
    )
  }
}

/** Transposed convolution of x [N, in, H, W] -> [N, out, H', W']; weight [in, out / groups, kh, kw], bias [out]. */
export class ConvTranspose2d extends ConvTransposeLayer {
  constructor(inChannels: number, outChannels: number, kernelSize: KernelSize, options?: ConvTransposeLayerOptions) {
    super(
      ops.convTranspose2d,
      2,
      inChannels,
      outChannels,
      kernelSize,
      optionsOf('ConvTranspose2d', options, transposeNames, UsageError),
    )
  }
}

/** Transposed convolution of x [N, in, D, H, W] -> [N, out, D', H', W']; weight [in, out / groups, kd, kh, kw], bias [out]. */
export class ConvTranspose3d extends ConvTransposeLayer {
  constructor(inChannels: number, outChannels: number, kernelSize: KernelSize, options?: ConvTransposeLayerOptions) {
    super(
      ops.convTranspose3d,
      3,
      inChannels,
      outChannels,
      kernelSize,
      optionsOf('ConvTranspose3d', options, transposeNames, UsageError),
    )
  }
}
