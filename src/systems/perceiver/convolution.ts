/**
 * Convolutions that shrink pictures before they are read: DeepMind's Conv2DDownsample, with the names of transformers' port.
 *
 * Shapes: B batch, H x W pictures.
 */
import { BatchNorm2d, Conv2d, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'

/** How convolutions pad: as TensorFlow's SAME (DeepMind), or evenly and not before the pooling (transformers). */
export type ConvPadding = 'same' | 'symmetric'

/**
 * How many convolutions shrink pictures so much: each makes a quarter of them. transformers' port has one, whatever it is asked for.
 * Throws a UsageError unless `downsample` is a power of 4, as both codes do.
 */
export function convolutionCount(downsample: number, padding: ConvPadding): number {
  const count = Math.round(Math.log(downsample) / Math.log(4))
  if (!(count >= 0 && 4 ** count === downsample)) {
    throw new UsageError(
      `Perceiver: with prep_type 'conv' spatial_downsample must be a power of 4 (1, 4, 16, ...), found ${downsample}`,
    )
  }
  return padding === 'same' ? count : 1
}

/** Pixels along an axis after `count` convolutions. */
export function shrunk(pixels: number, count: number, padding: ConvPadding): number {
  if (count === 0) return pixels
  const once =
    padding === 'same'
      ? Math.ceil(Math.ceil(pixels / 2) / 2)
      : Math.floor((Math.floor((pixels - 1) / 2) + 1 - 3) / 2) + 1
  return shrunk(once, count - 1, padding)
}

/** A 7x7 convolution with stride 2, a norm, ReLU and pooling: a quarter of the pictures' height and width. */
class ConvLayer extends Module {
  readonly conv: Conv2d
  readonly batchnorm: BatchNorm2d | undefined
  readonly #isSame: boolean

  constructor(inChannels: number, outChannels: number, batchNorm: boolean, padding: ConvPadding) {
    super()
    this.#isSame = padding === 'same'
    this.conv = new Conv2d(inChannels, outChannels, 7, { stride: 2, bias: false, padding: this.#isSame ? 0 : 3 })
    this.batchnorm = batchNorm ? new BatchNorm2d(outChannels) : undefined
  }

  /** [B, in, H, W] -> [B, out, H / 4, W / 4], rounded up (`same`) or down. */
  forward(x: Tensor): Tensor {
    const convolved = this.conv.forward(this.#isSame ? paddedSame(x, 7, 2, 0) : x)
    const active = ops.relu(this.batchnorm?.forward(convolved) ?? convolved)
    const padded = this.#isSame ? paddedSame(active, 3, 2, Number.NEGATIVE_INFINITY) : active
    return ops.maxPool2d(padded, 3, { stride: 2 })
  }
}

/** TensorFlow's SAME: the output is the size divided by the stride, rounded up; an odd pixel of padding goes behind. */
function paddedSame(x: Tensor, kernel: number, stride: number, value: number): Tensor {
  const around = (size: number): [number, number] => {
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size)
    return [Math.floor(total / 2), Math.ceil(total / 2)]
  }
  const [, , h, w] = x.sizes(4)
  return ops.pad(x, [...around(w), ...around(h)], { value })
}

/** Convolutions one after the other. The first has the port's names, which has no more: the others are ours. */
export class ConvDownsample extends ConvLayer {
  readonly further: readonly ConvLayer[]

  /** `count`: of the convolutions, at least 1. */
  constructor(inChannels: number, outChannels: number, count: number, batchNorm: boolean, padding: ConvPadding) {
    super(inChannels, outChannels, batchNorm, padding)
    this.further = Array.from({ length: count - 1 }, () => new ConvLayer(outChannels, outChannels, batchNorm, padding))
  }

  /** [B, in, H, W] -> [B, out, H', W'], `shrunk`. */
  override forward(x: Tensor): Tensor {
    return this.further.reduce((y, layer) => layer.forward(y), super.forward(x))
  }
}
