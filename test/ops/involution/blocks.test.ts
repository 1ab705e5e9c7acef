import { expect, test } from 'vitest'
import { vectorJacobianProduct } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import * as ops from '../../../src/ops/index.ts'
import { elementCount } from '../../../src/tensor/dtype.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { RandomStream } from '../../../src/util/random.ts'

const random = (shape: readonly number[], seed: number): Tensor =>
  constant(
    new RandomStream(seed).uniform(0, 0, elementCount(shape)).map((value) => value - 0.5),
    shape,
    'float32',
  )

/** Large enough for several blocks; standard ONNX has none, and only the form of shifts. */
test.each<[string, readonly number[], readonly number[], ops.InvolutionOptions]>([
  ['tiles, some rows at a time', [1, 16, 190, 180], [1, 2, 5, 5, 190, 180], { padding: 2 }],
  ['tiles, some examples at a time', [5, 8, 128, 130], [5, 1, 3, 7, 64, 65], { padding: [1, 3], stride: 2 }],
  ['shifts, some rows at a time', [1, 6, 220, 210], [1, 2, 3, 3, 110, 208], { padding: [1, 0], stride: [2, 1] }],
  ['shifts, some examples at a time', [5, 8, 128, 128], [5, 2, 3, 1, 124, 128], { dilation: [2, 1] }],
])('%s', async (_name, input, weight, options) => {
  const step = (x: Tensor, kernels: Tensor, g: Tensor): Tensor[] => {
    const y = ops.involution(x, kernels, options)
    return [y, ...vectorJacobianProduct([y], [g], [x, kernels])]
  }
  const given = [random(input, 1), random(weight, 2), random([...input.slice(0, 2), ...weight.slice(4)], 3)] as const
  const [blocks, whole] = [compile(step), compile(step, { fused: false })]
  const [found, expected] = [await blocks(...given), await whole(...given)]
  for (const [i, tensor] of found.entries()) {
    const [a, b] = [tensor.array, expected[i]?.array]
    expect(a.shape).toEqual(b?.shape)
    let furthest = 0
    for (let j = 0; j < a.data.length; j++)
      furthest = Math.max(furthest, Math.abs(Number(a.data[j]) - Number(b?.data[j])))
    expect(furthest).toBeLessThan(2e-6)
  }
  await Promise.all([blocks.release(), whole.release()])
})
