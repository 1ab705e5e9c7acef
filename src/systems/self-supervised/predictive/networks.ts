/** Convolutional networks of pictures: a generator, and one that scores pictures (critic or energy). Sizes after DCGAN (Radford et al. 2015). */
import { BatchNorm1d, BatchNorm2d, Conv2d, ConvTranspose2d, init, Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { UsageError } from '../../../util/errors.ts'
import type { PictureSizes } from './exports.ts'

/** A quarter of the pictures' sides. Throws a UsageError where they are no multiples of 4. */
function quarters(owner: string, { image_size: [height, width] }: PictureSizes): readonly [number, number] {
  if (height % 4 === 0 && width % 4 === 0) return [height / 4, width / 4]
  throw new UsageError(`${owner}: sides of pictures must be multiples of 4, found ${height} x ${width}`, {
    hint: '--set data.image_size=32',
  })
}

const small: init.Initializer = (shape) => init.normal(shape, { std: 0.02 })

/** z -> 2w channels of a quarter of the sides -> w channels of a half -> a picture, with batch norms and ReLUs. */
export class Generator extends Module {
  readonly project: Linear
  readonly norm1: BatchNorm1d
  readonly up1: ConvTranspose2d
  readonly norm2: BatchNorm2d
  readonly up2: ConvTranspose2d
  readonly #shape: readonly [number, number, number]

  /** width: channels of the last hidden layer. */
  constructor(zDim: number, width: number, sizes: PictureSizes) {
    super()
    const [height, wide] = quarters('gan', sizes)
    const numbers = 2 * width * height * wide
    this.#shape = [2 * width, height, wide]
    this.project = new Linear(zDim, numbers, { bias: false, initWeight: small })
    this.norm1 = new BatchNorm1d(numbers)
    this.up1 = new ConvTranspose2d(2 * width, width, 4, { stride: 2, padding: 1, bias: false, initWeight: small })
    this.norm2 = new BatchNorm2d(width)
    this.up2 = new ConvTranspose2d(width, sizes.in_channels, 4, { stride: 2, padding: 1, initWeight: small })
  }

  /** z [N, Z] -> pictures [N, C, H, W] from -1 to 1. */
  forward(z: Tensor): Tensor {
    const x = ops.relu(this.norm1.forward(this.project.forward(z)))
    const [n] = x.sizes(2)
    const half = ops.relu(this.norm2.forward(this.up1.forward(ops.reshape(x, [n, ...this.#shape])))) // [N, w, H/2, W/2]
    return ops.tanh(this.up2.forward(half))
  }
}

/** The activation between the layers of a scorer: leaky ReLU of critics, SiLU (smooth) of energies. */
export type ScorerActivation = 'leaky_relu' | 'silu'

/** Two strided convolutions, a hidden layer, linear. No norms: the score of a picture is its own. */
export class Scorer extends Module {
  readonly conv1: Conv2d
  readonly conv2: Conv2d
  readonly hidden: Linear
  readonly out: Linear
  readonly #act: (x: Tensor) => Tensor

  /** width: channels of the first convolution; outputs: scores of a picture. */
  constructor(width: number, hidden: number, outputs: number, sizes: PictureSizes, activation: ScorerActivation) {
    super()
    const [height, wide] = quarters(activation === 'silu' ? 'energy' : 'gan', sizes)
    this.conv1 = new Conv2d(sizes.in_channels, width, 4, { stride: 2, padding: 1 })
    this.conv2 = new Conv2d(width, 2 * width, 4, { stride: 2, padding: 1 })
    this.hidden = new Linear(2 * width * height * wide, hidden)
    this.out = new Linear(hidden, outputs)
    this.#act = (x) => (activation === 'silu' ? ops.silu(x) : ops.leakyRelu(x, { negativeSlope: 0.2 }))
  }

  /** [N, C, H, W] -> [N, hidden]. */
  features(pictures: Tensor): Tensor {
    const x = this.#act(this.conv2.forward(this.#act(this.conv1.forward(pictures)))) // [N, 2w, H/4, W/4]
    return this.#act(this.hidden.forward(ops.flatten(x, 1)))
  }

  /** [N, C, H, W] -> [N, outputs]. */
  forward(pictures: Tensor): Tensor {
    return this.out.forward(this.features(pictures))
  }
}
