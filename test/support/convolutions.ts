/** Convolutions and their gradients, to be computed in more than one form. */
import { gradient } from '../../src/autodiff/gradient.ts'
import * as ops from '../../src/ops/index.ts'
import type { NDArray } from '../../src/tensor/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { randomNumbers, sampleArray } from './gradients.ts'

export interface ConvolutionCase {
  readonly x: readonly number[]
  readonly weight: readonly number[]
  readonly options: ops.ConvOptions
}

const random = randomNumbers(7)

/** Output and gradients of a convolution by input, weight and bias, and arguments for it. */
export function convolution({ x, weight, options }: ConvolutionCase) {
  const step = (input: Tensor, kernel: Tensor, bias: Tensor): Tensor[] => {
    const y = ops.conv2d(input, kernel, bias, options)
    return [y, ...gradient(ops.sum(ops.mul(y, ops.sin(y))), [input, kernel, bias])]
  }
  const shapes = [x, weight, weight.slice(0, 1)]
  return { step, inputs: shapes.map((shape) => sampleArray(shape, random)) as [NDArray, NDArray, NDArray] }
}
