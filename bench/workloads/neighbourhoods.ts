/** What involution is compared with, on maps of the same shape: convolution, depthwise convolution, self-attention in windows and over all pixels. */
import { Conv2d, Module } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { type Trainable, trainable, type Workload } from '../harness/workload.ts'
import { randomFloats } from './random.ts'

const [batch, channels, heads, side] = [8, 64, 4, 56]
const depth = channels / heads

/** A map [batch, channels, side, side] that is trained, so that a step has the gradient of the input, too. */
abstract class Layer extends Module {
  readonly input = new Variable([batch, channels, side, side], {
    data: randomFloats([batch, channels, side, side], 1).data as Float32Array,
    trainable: true,
  })

  abstract override forward(shift: Tensor): Tensor

  /** The map with something added, so that it is no constant. */
  protected given(shift: Tensor): Tensor {
    return ops.add(this.input, shift)
  }
}

class Convolution extends Layer {
  readonly conv: Conv2d

  constructor(kernel: number, groups: number) {
    super()
    this.conv = new Conv2d(channels, channels, kernel, { padding: (kernel - 1) / 2, bias: false, groups })
  }

  forward(shift: Tensor): Tensor {
    return this.conv.forward(this.given(shift))
  }
}

/** Queries, keys and values by a 1x1 convolution. */
abstract class Attention extends Layer {
  readonly qkv = new Conv2d(channels, 3 * channels, 1, { bias: false })

  protected parts(shift: Tensor): [query: Tensor, key: Tensor, value: Tensor] {
    return ops.split(this.qkv.forward(this.given(shift)), channels, 1) as [Tensor, Tensor, Tensor]
  }
}

/** A query against the keys of its window; their softmax as the kernels of an involution of the values. */
class LocalAttention extends Attention {
  readonly #kernel: number

  constructor(kernel: number) {
    super()
    this.#kernel = kernel
  }

  forward(shift: Tensor): Tensor {
    const kernel = this.#kernel
    const padding = (kernel - 1) / 2
    const [query, key, value] = this.parts(shift)
    const windows = ops.reshape(ops.unfold(key, kernel, { padding }), [batch, heads, depth, kernel ** 2, side, side])
    const own = ops.reshape(query, [batch, heads, depth, 1, side, side])
    const scores = ops.div(ops.sum(ops.mul(own, windows), 2), Math.sqrt(depth))
    const kernels = ops.reshape(ops.softmax(scores, 2), [batch, heads, kernel, kernel, side, side])
    return ops.involution(value, kernels, { padding })
  }
}

class FullAttention extends Attention {
  forward(shift: Tensor): Tensor {
    const rows = (x: Tensor): Tensor => ops.permute(ops.reshape(x, [batch, heads, depth, side * side]), [0, 1, 3, 2])
    const [query, key, value] = this.parts(shift).map(rows) as [Tensor, Tensor, Tensor]
    const found = ops.scaledDotProductAttention(query, key, value) // [batch, heads, pixels, depth]
    return ops.reshape(ops.permute(found, [0, 1, 3, 2]), [batch, channels, side, side])
  }
}

const measured = (model: Layer): Trainable =>
  trainable({
    model,
    batch: { shift: randomFloats([1], 3), wanted: randomFloats([batch, channels, side, side], 4) },
    forward: ({ shift }) => model.forward(shift),
    loss: ({ shift, wanted }) => ops.mseLoss(model.forward(shift), wanted),
    optimizer: { kind: 'sgd', options: { lr: 0.01, momentum: 0 } },
  })

const kinds: readonly [name: string, summary: string, make: (kernel: number) => Layer][] = [
  ['convolution', 'all channels', (kernel) => new Convolution(kernel, 1)],
  ['depthwise', 'each channel alone', (kernel) => new Convolution(kernel, channels)],
  ['localattention', `${heads} heads in windows`, (kernel) => new LocalAttention(kernel)],
]

/** Rows beside those of involution: the same maps, the same kernels. */
export const neighbourhoods: readonly Workload[] = [
  ...kinds.flatMap(([name, summary, make]) =>
    [3, 5, 7, 9].map((kernel) => ({
      name: `${name}-${kernel}`,
      summary: `${batch} x ${channels}x${side}x${side}, ${summary}, kernel ${kernel}`,
      build: () => measured(make(kernel)),
    })),
  ),
  {
    name: 'fullattention',
    summary: `${batch} x ${channels}x${side}x${side}, ${heads} heads over all pixels`,
    build: () => measured(new FullAttention()),
  },
]
