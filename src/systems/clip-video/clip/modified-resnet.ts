/**
 * CLIP's ResNet: three convolutions as stem, average pools in front of every halving (so that no pixel is skipped), and attention
 * instead of the mean at the end (section 2.4 of the paper).
 */
import { AvgPool2d, BatchNorm2d, Conv2d, init, Linear, Module, Sequential } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'
import { UsageError } from '../../../util/errors.ts'
import { requireSquare } from './vision-transformer.ts'

/** Sizes of the tower, under the official names. */
export interface ModifiedResNetConfig {
  /** Blocks of each of the four stages. */
  readonly layers: readonly number[]
  readonly output_dim: number
  readonly heads: number
  readonly input_resolution: number
  /** Channels of the first stage inside its blocks; the last one has 32 times as many outside. */
  readonly width: number
}

const conv = (from: number, to: number, kernel: number, stride = 1): Conv2d =>
  new Conv2d(from, to, kernel, { stride, padding: (kernel - 1) / 2, bias: false })

const halved = (x: Tensor, stride: number): Tensor => (stride > 1 ? ops.avgPool2d(x, stride) : x)

/** 1x1, 3x3 (followed by the pool) and 1x1 convolutions, added to the input; four times as many channels come out. */
class Bottleneck extends Module {
  static readonly expansion = 4
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly conv2: Conv2d
  readonly bn2: BatchNorm2d
  readonly conv3: Conv2d
  readonly bn3: BatchNorm2d
  /** The shortcut's convolution and norm; the pool before them has no weights. */
  readonly downsample: readonly [Conv2d, BatchNorm2d] | undefined
  readonly #stride: number

  constructor(from: number, planes: number, stride: number) {
    super()
    const to = planes * Bottleneck.expansion
    this.conv1 = conv(from, planes, 1)
    this.bn1 = new BatchNorm2d(planes)
    this.conv2 = conv(planes, planes, 3)
    this.bn2 = new BatchNorm2d(planes)
    this.conv3 = conv(planes, to, 1)
    this.bn3 = new BatchNorm2d(to)
    if (this.bn3.weight) init.initialize(this.bn3.weight, init.zeros)
    this.downsample = stride > 1 || from !== to ? [conv(from, to, 1), new BatchNorm2d(to)] : undefined
    this.#stride = stride
  }

  forward(x: Tensor): Tensor {
    const narrow = ops.relu(this.bn1.forward(this.conv1.forward(x))) // [N, planes, H, W]
    const seen = ops.relu(this.bn2.forward(this.conv2.forward(narrow))) // [N, planes, H, W]
    const wide = this.bn3.forward(this.conv3.forward(halved(seen, this.#stride))) // [N, 4 planes, H / stride, W / stride]
    if (!this.downsample) return ops.relu(ops.add(wide, x))
    const [project, norm] = this.downsample
    return ops.relu(ops.add(wide, norm.forward(project.forward(halved(x, this.#stride)))))
  }
}

/** The mean of all positions, put in front of them, asks all of them what is in the picture. */
class AttentionPool2d extends Module {
  readonly positional_embedding: Variable
  readonly k_proj: Linear
  readonly q_proj: Linear
  readonly v_proj: Linear
  readonly c_proj: Linear
  readonly #heads: number

  constructor(side: number, width: number, heads: number, outputs: number) {
    super()
    if (width % heads !== 0)
      throw new UsageError(`AttentionPool2d: the width must be a multiple of the heads, found ${width} and ${heads}`)
    const initWeight: init.Initializer = (shape) => init.normal(shape, { std: width ** -0.5 })
    this.positional_embedding = init.parameter([side ** 2 + 1, width], initWeight)
    this.k_proj = new Linear(width, width, { initWeight })
    this.q_proj = new Linear(width, width, { initWeight })
    this.v_proj = new Linear(width, width, { initWeight })
    this.c_proj = new Linear(width, outputs, { initWeight })
    this.#heads = heads
  }

  /** x [N, C, h, w] -> [N, outputs]. */
  forward(x: Tensor): Tensor {
    const places = ops.transpose(ops.flatten(x, 2)) // [N, h w, C]
    const mean = ops.mean(places, 1, { keepDims: true }) // [N, 1, C]
    const tokens = ops.add(ops.concat([mean, places], 1), this.positional_embedding) // [N, 1 + h w, C]
    const byHead = (t: Tensor): Tensor => ops.splitHeads(t, this.#heads)
    const read = ops.scaledDotProductAttention(
      byHead(this.q_proj.forward(ops.slice(tokens, [0, 1], 1))),
      byHead(this.k_proj.forward(tokens)),
      byHead(this.v_proj.forward(tokens)),
    ) // [N, heads, 1, C / heads]
    return ops.select(this.c_proj.forward(ops.mergeHeads(read)), 0, 1) // [N, outputs]
  }
}

/** Pictures [N, 3, R, R] as vectors of the shared space. */
export class ModifiedResNet extends Module {
  readonly input_resolution: number
  readonly output_dim: number
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly conv2: Conv2d
  readonly bn2: BatchNorm2d
  readonly conv3: Conv2d
  readonly bn3: BatchNorm2d
  readonly avgpool: AvgPool2d
  readonly layer1: Sequential
  readonly layer2: Sequential
  readonly layer3: Sequential
  readonly layer4: Sequential
  readonly attnpool: AttentionPool2d

  constructor({ layers, output_dim, heads, input_resolution, width }: ModifiedResNetConfig) {
    super()
    const [one, two, three, four] = layers
    if (layers.length !== 4 || !one || !two || !three || !four)
      throw new UsageError(`ModifiedResNet: layers must be four counts of at least 1, found ${layers.join(', ')}`)
    if (input_resolution < 32)
      throw new UsageError(`ModifiedResNet: pictures must have at least 32 pixels a side, found ${input_resolution}`)
    if (width % 2 !== 0) throw new UsageError(`ModifiedResNet: width must be even, found ${width}`)
    this.input_resolution = input_resolution
    this.output_dim = output_dim
    this.conv1 = conv(3, width / 2, 3, 2)
    this.bn1 = new BatchNorm2d(width / 2)
    this.conv2 = conv(width / 2, width / 2, 3)
    this.bn2 = new BatchNorm2d(width / 2)
    this.conv3 = conv(width / 2, width, 3)
    this.bn3 = new BatchNorm2d(width)
    this.avgpool = new AvgPool2d(2)
    this.layer1 = stage(width, width, one, 1)
    this.layer2 = stage(4 * width, 2 * width, two, 2)
    this.layer3 = stage(8 * width, 4 * width, three, 2)
    this.layer4 = stage(16 * width, 8 * width, four, 2)
    this.attnpool = new AttentionPool2d(Math.floor(input_resolution / 32), 32 * width, heads, output_dim)
  }

  /** images [N, 3, R, R] -> [N, output_dim]. */
  forward(images: Tensor): Tensor {
    requireSquare('ModifiedResNet', images, this.input_resolution)
    const first = ops.relu(this.bn1.forward(this.conv1.forward(images))) // [N, width / 2, R / 2, R / 2]
    const second = ops.relu(this.bn2.forward(this.conv2.forward(first)))
    const stem = this.avgpool.forward(ops.relu(this.bn3.forward(this.conv3.forward(second)))) // [N, width, R / 4, R / 4]
    const stages = [this.layer1, this.layer2, this.layer3, this.layer4]
    return this.attnpool.forward(stages.reduce((x, layer) => layer.forward(x), stem)) // from [N, 32 width, R / 32, R / 32]
  }
}

/** Blocks of one stage; the first halves height and width if the stride is 2. */
function stage(from: number, planes: number, blocks: number, stride: number): Sequential {
  const rest = Array.from({ length: blocks - 1 }, () => new Bottleneck(planes * Bottleneck.expansion, planes, 1))
  return new Sequential(new Bottleneck(from, planes, stride), ...rest)
}
