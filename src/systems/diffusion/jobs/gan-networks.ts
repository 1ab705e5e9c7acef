/** A conditional GAN for small pictures (Radford et al. 2016, with a projection of the class, Miyato and Koyama 2018): what diffusion is compared with. */
import { BatchNorm2d, Conv2d, Embedding, Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { PictureFacts } from '../../../tasks/pictures/facts.ts'
import type { Tensor } from '../../../tensor/tensor.ts'

/** Numbers that a picture is made from, besides its class. */
export const latentSize = 64

/** Latents and class -> a quarter of the height and width (of 14 pixels: 7, half) -> pictures. */
export class Generator extends Module {
  readonly label: Embedding
  readonly start: Linear
  readonly norm0: BatchNorm2d
  readonly conv1: Conv2d
  readonly norm1: BatchNorm2d
  readonly conv2: Conv2d
  readonly norm2: BatchNorm2d
  readonly out: Conv2d
  readonly #width: number
  readonly #start: readonly [number, number]
  readonly #doublings: number

  constructor({ image_size: [height, width], in_channels, labels }: PictureFacts, channels: number) {
    super()
    this.#doublings = height % 4 === 0 && width % 4 === 0 ? 2 : 1
    const factor = 2 ** this.#doublings
    this.#width = channels
    this.#start = [height / factor, width / factor]
    this.label = new Embedding(labels.length, latentSize)
    this.start = new Linear(2 * latentSize, channels * this.#start[0] * this.#start[1])
    this.norm0 = new BatchNorm2d(channels)
    this.conv1 = new Conv2d(channels, channels, 3, { padding: 1 })
    this.norm1 = new BatchNorm2d(channels)
    this.conv2 = new Conv2d(channels, channels, 3, { padding: 1 })
    this.norm2 = new BatchNorm2d(channels)
    this.out = new Conv2d(channels, in_channels, 3, { padding: 1 })
  }

  /** z [N, 64], labels int64 [N] -> [N, C, H, W] in [-1, 1]. */
  forward(z: Tensor, labels: Tensor): Tensor {
    const [height, width] = this.#start
    const told = ops.concat([z, this.label.forward(labels)], 1) // [N, 128]
    let x = ops.reshape(this.start.forward(told), [-1, this.#width, height, width])
    x = ops.relu(this.norm0.forward(x))
    x = ops.relu(this.norm1.forward(this.conv1.forward(doubled(x)))) // [N, W, 2 h, 2 w]
    if (this.#doublings === 2) x = doubled(x)
    x = ops.relu(this.norm2.forward(this.conv2.forward(x)))
    return ops.tanh(this.out.forward(x))
  }
}

/** Each pixel as 2 x 2 pixels. */
function doubled(x: Tensor): Tensor {
  const [, , height, width] = x.sizes(4)
  return ops.interpolate(x, [2 * height, 2 * width], { mode: 'nearest' })
}

/** Whether pictures are real, given their class. */
export class Discriminator extends Module {
  readonly convs: readonly Conv2d[]
  readonly head: Linear
  readonly label: Embedding

  constructor({ in_channels, labels }: PictureFacts, channels: number) {
    super()
    const widths = [in_channels, channels, 2 * channels, 2 * channels]
    this.convs = [1, 2, 2].map(
      (stride, i) => new Conv2d(widths[i] ?? channels, widths[i + 1] ?? channels, 3, { stride, padding: 1 }),
    )
    this.head = new Linear(2 * channels, 1)
    this.label = new Embedding(labels.length, 2 * channels)
  }

  /** x [N, C, H, W], labels int64 [N] -> [N]; above 0: real. */
  forward(x: Tensor, labels: Tensor): Tensor {
    let h = x
    for (const conv of this.convs) h = ops.leakyRelu(conv.forward(h), { negativeSlope: 0.2 }) // [N, 2 W, H / 4, W / 4]
    const pooled = ops.mean(h, [2, 3]) // [N, 2 W]
    const projected = ops.sum(ops.mul(this.label.forward(labels), pooled), 1)
    return ops.add(ops.squeeze(this.head.forward(pooled), 1), projected)
  }
}
