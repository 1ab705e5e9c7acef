/** Involution alone: a picture and its kernels, both trained, so that a step is forward and both gradients. */
import { Module } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import type { Shape } from '../../src/tensor/shape.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import type { Workload } from '../harness/workload.ts'
import { randomFloats } from './random.ts'

const [batch, channels, groups, side] = [8, 64, 4, 56]

const randomVariable = (shape: Shape, seed: number): Variable =>
  new Variable(shape, { data: randomFloats(shape, seed).data as Float32Array, trainable: true })

class Operator extends Module {
  readonly input = randomVariable([batch, channels, side, side], 1)
  readonly kernels: Variable
  readonly #padding: number

  constructor(kernel: number) {
    super()
    this.kernels = randomVariable([batch, groups, kernel, kernel, side, side], 2)
    this.#padding = (kernel - 1) / 2
  }

  /** What is added to the input [batch, channels, side, side] -> the same shape */
  forward(shift: Tensor): Tensor {
    return ops.involution(ops.add(this.input, shift), this.kernels, { padding: this.#padding })
  }
}

/** Stage 1 of RedNet at 224 x 224, kernels of all sizes of the paper. */
export const involutions: readonly Workload[] = [3, 5, 7, 9].map((kernel) => ({
  name: `involution-${kernel}`,
  summary: `${batch} x ${channels}x${side}x${side}, ${groups} groups, kernel ${kernel}, beside unfold`,
  build: () => {
    const model = new Operator(kernel)
    return {
      model,
      batch: { shift: randomFloats([1], 3), wanted: randomFloats([batch, channels, side, side], 4) },
      forward: ({ shift }) => model.forward(shift as Tensor),
      loss: ({ shift, wanted }) => ops.mseLoss(model.forward(shift as Tensor), wanted as Tensor),
      optimizer: { kind: 'sgd', options: { lr: 0.01, momentum: 0 } },
    }
  },
}))
