/** A small residual network (He et al. 2015, arXiv 1512.03385) of basic blocks. */
import { BatchNorm2d, Conv2d, Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { BaselineConfig } from './config.ts'

/** Two convolutions 3x3 with batch norms, added to the input (through a 1x1 convolution where the shape changes). */
class BasicBlock extends Module {
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly conv2: Conv2d
  readonly bn2: BatchNorm2d
  readonly downsample: Conv2d | undefined

  constructor(from: number, to: number, stride: number) {
    super()
    this.conv1 = new Conv2d(from, to, 3, { stride, padding: 1, bias: false })
    this.bn1 = new BatchNorm2d(to)
    this.conv2 = new Conv2d(to, to, 3, { padding: 1, bias: false })
    this.bn2 = new BatchNorm2d(to)
    this.downsample = from === to && stride === 1 ? undefined : new Conv2d(from, to, 1, { stride, bias: false })
  }

  forward(x: Tensor): Tensor {
    const y = ops.relu(this.bn1.forward(this.conv1.forward(x)))
    return ops.relu(ops.add(this.bn2.forward(this.conv2.forward(y)), this.downsample?.forward(x) ?? x))
  }
}

/** A stem of stride 2, then `depth` basic blocks: the second half of stride 2 once and twice as wide; mean, linear. */
export class ResNet extends Module {
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly blocks: readonly BasicBlock[]
  readonly fc: Linear

  constructor({ in_channels, num_classes, width, depth }: BaselineConfig) {
    super()
    this.conv1 = new Conv2d(in_channels, width, 3, { stride: 2, padding: 1, bias: false })
    this.bn1 = new BatchNorm2d(width)
    const middle = Math.floor(depth / 2)
    this.blocks = Array.from({ length: depth }, (_, i) => {
      const [from, to] = [i <= middle ? width : 2 * width, i < middle ? width : 2 * width]
      return new BasicBlock(from, to, i === middle ? 2 : 1)
    })
    this.fc = new Linear(2 * width, num_classes)
  }

  /** images [N, in, H, W] -> logits [N, K]. */
  forward(images: Tensor): Tensor {
    let x = ops.relu(this.bn1.forward(this.conv1.forward(images))) // [N, C, H / 2, W / 2]
    for (const block of this.blocks) x = block.forward(x) // [N, 2 C, H / 4, W / 4] in the end
    return this.fc.forward(ops.mean(x, [2, 3]))
  }
}
