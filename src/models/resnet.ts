/** Residual networks (He et al. 2015, arXiv 1512.03385), with torchvision's names of parameters. */
import {
  BatchNorm2d,
  Conv2d,
  Identity,
  init,
  type Layer,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from '../nn/index.ts'
import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** Which blocks a ResNet has, and how many in each stage. */
export interface ResNetBlocks {
  /** `basic`: two 3x3 convolutions; `bottleneck`: 1x1, 3x3 (with the stride, as in torchvision), 1x1 to four times as many channels. */
  readonly block: 'basic' | 'bottleneck'
  readonly layers: readonly number[]
}

/** The published depths; 26 and 38 are those of Involution's comparison (arXiv 2103.06255). */
export const resnetVariants = {
  resnet18: { block: 'basic', layers: [2, 2, 2, 2] },
  resnet34: { block: 'basic', layers: [3, 4, 6, 3] },
  resnet26: { block: 'bottleneck', layers: [1, 2, 4, 1] },
  resnet38: { block: 'bottleneck', layers: [2, 3, 5, 2] },
  resnet50: { block: 'bottleneck', layers: [3, 4, 6, 3] },
  resnet101: { block: 'bottleneck', layers: [3, 4, 23, 3] },
  resnet152: { block: 'bottleneck', layers: [3, 8, 36, 3] },
} as const satisfies Readonly<Record<string, ResNetBlocks>>

/** The layers before the first block: a convolution, batch norm, ReLU, and perhaps a 3x3 max pool of stride 2. */
export interface ResNetStem {
  readonly kernel: number
  readonly stride: number
  readonly pool: boolean
}

/** The standard stem, which quarters height and width, and the one for small pictures, which keeps them. */
export const resnetStems = {
  standard: { kernel: 7, stride: 2, pool: true },
  small: { kernel: 3, stride: 1, pool: false },
} as const satisfies Readonly<Record<string, ResNetStem>>

/** Options of a ResNet. The defaults give the one for ImageNet. */
export interface ResNetOptions extends ResNetBlocks {
  /** Channels inside the blocks of the first stage; each later stage has twice as many. Default: 64. */
  readonly width?: number
  /** Channels of the stem. Default: `width`. */
  readonly stemWidth?: number
  /** Default: the standard one. */
  readonly stem?: ResNetStem
  /** Default: 3. */
  readonly inChannels?: number
  /** Classes of the head; 0: no head. Default: 1000. */
  readonly numClasses?: number
  /** Whether the last norm of each block begins at 0, so that the block passes its input on (Goyal et al. 2017). Default: false. */
  readonly zeroInitResidual?: boolean
}

const initConv: init.Initializer = (shape) => init.kaimingNormal(shape, { mode: 'fanOut', nonlinearity: 'relu' })

/** A convolution without bias and with an odd kernel; with stride 1 it keeps height and width. */
function conv(from: number, to: number, kernel: number, stride = 1): Conv2d {
  return new Conv2d(from, to, kernel, { stride, padding: (kernel - 1) / 2, bias: false, initWeight: initConv })
}

/** The shortcut around a block; undefined where the shape stays the same. */
function shortcut(from: number, to: number, stride: number): Sequential | undefined {
  return from === to && stride === 1 ? undefined : new Sequential(conv(from, to, 1, stride), new BatchNorm2d(to))
}

/** Two 3x3 convolutions with batch norms; the result is added to the input. */
class BasicBlock extends Module {
  static readonly expansion = 1
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly conv2: Conv2d
  readonly bn2: BatchNorm2d
  readonly downsample: Sequential | undefined

  constructor(from: number, width: number, stride: number) {
    super()
    this.conv1 = conv(from, width, 3, stride)
    this.bn1 = new BatchNorm2d(width)
    this.conv2 = conv(width, width, 3)
    this.bn2 = new BatchNorm2d(width)
    this.downsample = shortcut(from, width, stride)
  }

  get lastNorm(): BatchNorm2d {
    return this.bn2
  }

  forward(x: Tensor): Tensor {
    const y = ops.relu(this.bn1.forward(this.conv1.forward(x)))
    return ops.relu(ops.add(this.bn2.forward(this.conv2.forward(y)), this.downsample?.forward(x) ?? x))
  }
}

/** 1x1, 3x3 and 1x1 convolutions with batch norms; the result is added to the input. The last has four times as many channels. */
class Bottleneck extends Module {
  static readonly expansion = 4
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly conv2: Conv2d
  readonly bn2: BatchNorm2d
  readonly conv3: Conv2d
  readonly bn3: BatchNorm2d
  readonly downsample: Sequential | undefined

  constructor(from: number, width: number, stride: number) {
    super()
    const to = Bottleneck.expansion * width
    this.conv1 = conv(from, width, 1)
    this.bn1 = new BatchNorm2d(width)
    this.conv2 = conv(width, width, 3, stride)
    this.bn2 = new BatchNorm2d(width)
    this.conv3 = conv(width, to, 1)
    this.bn3 = new BatchNorm2d(to)
    this.downsample = shortcut(from, to, stride)
  }

  get lastNorm(): BatchNorm2d {
    return this.bn3
  }

  forward(x: Tensor): Tensor {
    const y = ops.relu(this.bn1.forward(this.conv1.forward(x)))
    const z = ops.relu(this.bn2.forward(this.conv2.forward(y)))
    return ops.relu(ops.add(this.bn3.forward(this.conv3.forward(z)), this.downsample?.forward(x) ?? x))
  }
}

/**
 * A stem, stages of blocks named layer1, layer2, ..., the mean over all positions, a linear head. The first block of each stage but
 * the first halves height and width.
 */
export class ResNet extends Module {
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly relu: ReLU
  readonly maxpool: Layer
  readonly [stage: `layer${number}`]: Sequential
  /** The head; may be replaced. */
  fc: Layer | undefined
  /** Channels of the representation. */
  readonly numFeatures: number
  readonly #stages: number

  constructor(options: ResNetOptions) {
    super()
    const { block, layers, width = 64, stemWidth = width, numClasses = 1000 } = options
    const { stem = resnetStems.standard, inChannels = 3 } = options
    const Block = block === 'basic' ? BasicBlock : Bottleneck
    this.conv1 = conv(inChannels, stemWidth, stem.kernel, stem.stride)
    this.bn1 = new BatchNorm2d(stemWidth)
    this.relu = new ReLU()
    this.maxpool = stem.pool ? new MaxPool2d(3, { stride: 2, padding: 1 }) : new Identity()
    let channels = stemWidth
    const stages = layers.map((count, stage) => {
      const blocks = Array.from({ length: count }, (_, i) => {
        const made = new Block(channels, width * 2 ** stage, i === 0 && stage > 0 ? 2 : 1)
        channels = width * 2 ** stage * Block.expansion
        if (options.zeroInitResidual) made.lastNorm.weight?.set(new Float32Array(channels))
        return made
      })
      return [`layer${stage + 1}`, new Sequential(...blocks)] as const
    })
    Object.assign(this, Object.fromEntries(stages))
    this.#stages = stages.length
    this.numFeatures = channels
    this.fc = numClasses > 0 ? new Linear(channels, numClasses) : undefined
  }

  /** images [N, in, H, W] -> logits [N, K]; without a head the representation. */
  forward(images: Tensor): Tensor {
    const features = this.features(images)
    return this.fc?.forward(features) ?? features
  }

  /** The representation before the head: [N, C]. */
  features(images: Tensor): Tensor {
    return ops.mean(this.maps(images).at(-1) ?? images, [2, 3])
  }

  /** The output of each stage, [N, C, h, w]. With four stages and the standard stem the last has 1/32 of the height and width. */
  maps(images: Tensor): readonly Tensor[] {
    let x = this.maxpool.forward(this.relu.forward(this.bn1.forward(this.conv1.forward(images)))) // [N, stemWidth, H / 4, W / 4]
    return Array.from({ length: this.#stages }, (_, i) => {
      x = this[`layer${i + 1}`]?.forward(x) ?? x
      return x
    })
  }
}
