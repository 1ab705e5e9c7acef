/** ResNet-18 for small pictures: a 3x3 stem, four stages of two basic blocks (He et al. 2016). */
import { BatchNorm2d, Conv2d, Linear, Module } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import type { Workload } from '../harness/workload.ts'
import { randomFloats, randomIndices } from './random.ts'

class BasicBlock extends Module {
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly conv2: Conv2d
  readonly bn2: BatchNorm2d
  readonly shortcut: Conv2d | undefined
  readonly bn3: BatchNorm2d | undefined

  constructor(from: number, to: number, stride: number) {
    super()
    this.conv1 = new Conv2d(from, to, 3, { stride, padding: 1, bias: false })
    this.bn1 = new BatchNorm2d(to)
    this.conv2 = new Conv2d(to, to, 3, { padding: 1, bias: false })
    this.bn2 = new BatchNorm2d(to)
    const isPlain = stride === 1 && from === to
    this.shortcut = isPlain ? undefined : new Conv2d(from, to, 1, { stride, bias: false })
    this.bn3 = isPlain ? undefined : new BatchNorm2d(to)
  }

  forward(x: Tensor): Tensor {
    const hidden = ops.relu(this.bn1.forward(this.conv1.forward(x)))
    const residual = this.bn2.forward(this.conv2.forward(hidden))
    const skip = this.shortcut && this.bn3 ? this.bn3.forward(this.shortcut.forward(x)) : x
    return ops.relu(ops.add(residual, skip))
  }
}

const stages = [64, 128, 256, 512] as const

class ResNet extends Module {
  readonly conv1 = new Conv2d(3, 64, 3, { padding: 1, bias: false })
  readonly bn1 = new BatchNorm2d(64)
  readonly blocks = stages.flatMap((width, i) => [
    new BasicBlock(stages[Math.max(0, i - 1)] ?? 64, width, i === 0 ? 1 : 2),
    new BasicBlock(width, width, 1),
  ])
  readonly fc = new Linear(512, 100)

  /** [batch, 3, height, width] -> [batch, 100] */
  forward(image: Tensor): Tensor {
    let x = ops.relu(this.bn1.forward(this.conv1.forward(image)))
    for (const block of this.blocks) x = block.forward(x)
    return this.fc.forward(ops.mean(x, [2, 3]))
  }
}

const [batch, side] = [8, 64]

export const resnet: Workload = {
  name: 'resnet18-64',
  summary: `${batch} x ${side}x${side}, 11.2 M parameters, SGD with momentum`,
  build: () => {
    const model = new ResNet()
    return {
      model,
      batch: { image: randomFloats([batch, 3, side, side], 1), label: randomIndices([batch], 100, 2) },
      forward: ({ image }) => model.forward(image as Tensor),
      loss: ({ image, label }) => ops.crossEntropy(model.forward(image as Tensor), label as Tensor),
      optimizer: { kind: 'sgd', options: { lr: 0.01, momentum: 0.9 } },
    }
  },
}
