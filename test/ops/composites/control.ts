import * as ops from '../../../src/ops/kit.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'

const cube = ops.customGradient(
  (x: Tensor) => ops.mul(x, ops.mul(x, x)),
  (g, { inputs: [x] }) => [ops.mul(g, ops.mul(3, ops.mul(x, x)))],
)

export const samples: Record<string, ops.Sample[]> = {
  customGradient: [{ inputs: [[2, 3]], call: cube }],
}
