import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { tensorOf } from '../tensor/variable.ts'
import { optionsOf, requireCount } from '../util/check.ts'
import { ShapeError, UsageError } from '../util/errors.ts'
import { ConvModule } from './conv-module.ts'
import type { Initializer } from './init.ts'
import { Module } from './module.ts'

/** Options of an involution layer. The defaults are those of the paper. */
export interface InvolutionLayerOptions {
  /** Kernels are generated from channels / reductionRatio channels. Default: 4. */
  readonly reductionRatio?: number
  /** Number of neighbouring channels that share a kernel. Default: 16. */
  readonly groupChannels?: number
  /** Initial values of both weights of the kernel generator. Default: Kaiming normal with mode fanOut. */
  readonly initWeight?: Initializer
}

/**
 * Involution (Li et al. 2021, arXiv 2103.06255), x [N, C, H, W] -> [N, C, H / stride, W / stride]. The kernel of each position is generated
 * from the input there: conv2(relu(bn(conv1(x)))), with x first averaged over stride x stride pixels. Names and initial values are those of
 * d-li14/involution.
 */
export class Involution extends Module {
  readonly channels: number
  readonly kernelSize: number
  readonly stride: number
  readonly groups: number
  readonly conv1: ConvModule
  readonly conv2: ConvModule

  constructor(channels: number, kernelSize: number, stride: number, options?: InvolutionLayerOptions) {
    super()
    const given = optionsOf(
      'Involution',
      options,
      {
        reductionRatio: true,
        groupChannels: true,
        initWeight: true,
      },
      UsageError,
    )
    const { reductionRatio = 4, groupChannels = 16, initWeight } = given
    for (const [name, value] of Object.entries({ channels, kernelSize, stride, reductionRatio, groupChannels }))
      requireCount('Involution', name, value, 1, UsageError)
    if (kernelSize % 2 === 0)
      throw new UsageError(`Involution: kernelSize must be odd, so that a kernel has a middle, found ${kernelSize}`)
    if (channels % groupChannels !== 0)
      throw new UsageError(
        `Involution: channels must be a multiple of groupChannels = ${groupChannels}, found ${channels}`,
      )
    if (channels < reductionRatio)
      throw new UsageError(
        `Involution: reductionRatio must be at most the ${channels} channels, found ${reductionRatio}`,
      )
    this.channels = channels
    this.kernelSize = kernelSize
    this.stride = stride
    this.groups = channels / groupChannels
    const own = initWeight && { initWeight }
    const reduced = Math.floor(channels / reductionRatio)
    this.conv1 = new ConvModule(channels, reduced, 1, { norm: {}, relu: true, ...own })
    this.conv2 = new ConvModule(reduced, kernelSize ** 2 * this.groups, 1, own)
  }

  /** The kernel of each position: x [N, C, H, W] -> [N, groups, kernelSize, kernelSize, H / stride, W / stride]. */
  kernels(x: Tensor): Tensor {
    const { stride, kernelSize } = this
    const input = tensorOf('Involution', x)
    const { shape } = input
    if (input.rank !== 4 || shape[1] !== this.channels)
      throw new ShapeError(`Involution: the input must be [N, ${this.channels}, H, W], found ${input}`)
    const [n, , height, width] = input.sizes(4)
    if (height % stride !== 0 || width % stride !== 0)
      throw new ShapeError(
        `Involution: with stride ${stride} height and width must be multiples of it, found ${height} x ${width}`,
        {
          hint: `kernels are made from means of ${stride} x ${stride} pixels: there is none for a rest (the original code takes kernels of other positions, or fails); ops.pad or ops.interpolate the input`,
        },
      )
    const averaged = stride === 1 ? input : ops.avgPool2d(input, stride)
    const flat = this.conv2.forward(this.conv1.forward(averaged)) // [N, groups * K * K, H / stride, W / stride]
    return ops.reshape(flat, [n, this.groups, kernelSize, kernelSize, height / stride, width / stride])
  }

  /** x [N, C, H, W] -> [N, C, H / stride, W / stride]. `kernels`: used in place of those generated from x; of the same shape. */
  forward(x: Tensor, kernels: Tensor = this.kernels(x)): Tensor {
    const { stride, kernelSize } = this
    return ops.involution(x, kernels, { stride, padding: (kernelSize - 1) / 2 })
  }
}
