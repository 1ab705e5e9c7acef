/** A small U-Net: 3x3 convolutions, group norm, attention at the lowest resolution; predicts noise, as diffusion does. */
import { Attention } from '../../src/models/transformer.ts'
import { Conv2d, GroupNorm, Module } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { trainable, type Workload } from '../harness/workload.ts'
import { randomFloats } from './random.ts'

const conv = (from: number, to: number, stride = 1): Conv2d => new Conv2d(from, to, 3, { stride, padding: 1 })

class ResidualBlock extends Module {
  readonly norm1: GroupNorm
  readonly conv1: Conv2d
  readonly norm2: GroupNorm
  readonly conv2: Conv2d
  readonly skip: Conv2d | undefined

  constructor(from: number, to: number) {
    super()
    this.norm1 = new GroupNorm(8, from)
    this.conv1 = conv(from, to)
    this.norm2 = new GroupNorm(8, to)
    this.conv2 = conv(to, to)
    this.skip = from === to ? undefined : new Conv2d(from, to, 1)
  }

  forward(x: Tensor): Tensor {
    const hidden = this.conv1.forward(ops.silu(this.norm1.forward(x)))
    const residual = this.conv2.forward(ops.silu(this.norm2.forward(hidden)))
    return ops.add(residual, this.skip ? this.skip.forward(x) : x)
  }
}

class AttentionBlock extends Module {
  readonly norm: GroupNorm
  readonly attention: Attention

  constructor(width: number) {
    super()
    this.norm = new GroupNorm(8, width)
    this.attention = new Attention(width, { heads: 4 })
  }

  forward(x: Tensor): Tensor {
    const tokens = ops.transpose(ops.flatten(this.norm.forward(x), 2)) // [batch, positions, width]
    const mixed = ops.transpose(this.attention.forward(tokens).output)
    return ops.add(x, ops.reshape(mixed, x.shape))
  }
}

class UNet extends Module {
  readonly stem = conv(3, 32)
  readonly down1 = new ResidualBlock(32, 32)
  readonly reduce1 = conv(32, 64, 2)
  readonly down2 = new ResidualBlock(64, 64)
  readonly reduce2 = conv(64, 128, 2)
  readonly middle1 = new ResidualBlock(128, 128)
  readonly attention = new AttentionBlock(128)
  readonly middle2 = new ResidualBlock(128, 128)
  readonly widen2 = conv(128, 64)
  readonly up2 = new ResidualBlock(128, 64)
  readonly widen1 = conv(64, 32)
  readonly up1 = new ResidualBlock(64, 32)
  readonly norm = new GroupNorm(8, 32)
  readonly head = conv(32, 3)

  /** [batch, 3, height, width] -> the same shape */
  forward(image: Tensor): Tensor {
    const a = this.down1.forward(this.stem.forward(image))
    const b = this.down2.forward(this.reduce1.forward(a))
    const c = this.middle1.forward(this.reduce2.forward(b))
    const low = this.middle2.forward(this.attention.forward(c))
    const y = this.up2.forward(ops.concat([this.widen2.forward(doubled(low)), b], 1))
    const z = this.up1.forward(ops.concat([this.widen1.forward(doubled(y)), a], 1))
    return this.head.forward(ops.silu(this.norm.forward(z)))
  }
}

/** Each pixel as 2 x 2 pixels. */
function doubled(x: Tensor): Tensor {
  const [, , height, width] = x.sizes(4)
  return ops.interpolate(x, [2 * height, 2 * width], { mode: 'nearest' })
}

function unetWorkload(side: number, batch: number): Workload {
  return {
    name: `unet-${side}`,
    summary: `${batch} x ${side}x${side}, 32 to 128 channels, Adam`,
    build: () => {
      const model = new UNet()
      const shape = [batch, 3, side, side]
      return trainable({
        model,
        batch: { image: randomFloats(shape, 1), noise: randomFloats(shape, 2) },
        forward: ({ image }) => model.forward(image),
        loss: ({ image, noise }) => ops.mseLoss(model.forward(image), noise),
        optimizer: { kind: 'adam', options: { lr: 1e-3 } },
      })
    },
  }
}

export const unets = [unetWorkload(32, 16), unetWorkload(64, 8)] as const
