/** A plain convolutional net: a baseline for small pictures. */
import { Conv2d, Linear, Module } from '../nn/index.ts'
import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** Sizes of a ConvNet. */
export interface ConvNetOptions {
  readonly inChannels: number
  readonly numClasses: number
  /** Channels of the first convolution. */
  readonly width: number
  /** Number of convolutions. */
  readonly depth: number
}

/**
 * `depth` 3x3 convolutions with ReLU, then the mean over all positions and a linear layer. The first has `width` channels, the
 * others twice as many; the first two have stride 2.
 */
export class ConvNet extends Module {
  readonly convs: readonly Conv2d[]
  readonly head: Linear

  constructor({ inChannels, numClasses, width, depth }: ConvNetOptions) {
    super()
    this.convs = Array.from({ length: depth }, (_, i) => {
      const from = i === 0 ? inChannels : i === 1 ? width : 2 * width
      return new Conv2d(from, i === 0 ? width : 2 * width, 3, { stride: i < 2 ? 2 : 1, padding: 1 })
    })
    this.head = new Linear(depth > 1 ? 2 * width : width, numClasses)
  }

  /** images [N, in, H, W] -> logits [N, K]. */
  forward(images: Tensor): Tensor {
    let x = images
    for (const conv of this.convs) x = ops.relu(conv.forward(x)) // [N, C, H / 4, W / 4] from the second on
    return this.head.forward(ops.mean(x, [2, 3]))
  }
}
