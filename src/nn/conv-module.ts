import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { Conv2d, type KernelSize } from './conv.ts'
import { type Initializer, kaimingNormal, zeros } from './init.ts'
import { Module } from './module.ts'
import { BatchNorm2d, type RunningNormOptions } from './norm.ts'

/** Options of a `ConvModule`. */
export interface ConvModuleOptions {
  readonly stride?: number
  readonly padding?: number
  /** Options of a batch norm after the convolution; the convolution then has no bias. Default: no norm. */
  readonly norm?: RunningNormOptions
  /** Whether a ReLU comes last. Default: false. */
  readonly relu?: boolean
  /** Default: Kaiming normal with mode fanOut. */
  readonly initWeight?: Initializer
}

/** A convolution, optionally followed by a batch norm and a ReLU, with the names of mmcv's ConvModule: `conv`, `bn`. */
export class ConvModule extends Module {
  readonly conv: Conv2d
  readonly bn: BatchNorm2d | undefined
  readonly #relu: boolean

  constructor(inChannels: number, outChannels: number, kernelSize: KernelSize, options: ConvModuleOptions = {}) {
    super()
    const { stride = 1, padding = 0, norm, relu = false } = options
    const { initWeight = (shape) => kaimingNormal(shape, { mode: 'fanOut' }) } = options
    this.conv = new Conv2d(inChannels, outChannels, kernelSize, {
      stride,
      padding,
      bias: norm === undefined,
      initWeight,
      initBias: zeros,
    })
    this.bn = norm && new BatchNorm2d(outChannels, norm)
    this.#relu = relu
  }

  forward(x: Tensor): Tensor {
    const y = this.conv.forward(x)
    const z = this.bn?.forward(y) ?? y
    return this.#relu ? ops.relu(z) : z
  }
}
