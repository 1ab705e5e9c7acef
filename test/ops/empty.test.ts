/** Tensors without elements, and numbers at the ends of float32's range: the shapes and values that PyTorch gives. */
import { describe, expect, test } from 'vitest'
import { vectorJacobianProduct } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/kit.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'

const inf = Number.POSITIVE_INFINITY
const nan = Number.NaN

/** The shape of the result, and those of its gradients by all inputs. */
async function shapesOf(call: (...inputs: Tensor[]) => Tensor, ...shapes: number[][]): Promise<number[][]> {
  const inputs = shapes.map((shape) =>
    tensor({ dtype: 'float32', shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) }),
  )
  const run = compile((...args: Tensor[]) => {
    const y = call(...args)
    return [y, ...vectorJacobianProduct([y], [ops.onesLike(y)], args)]
  })
  return (await run(...inputs)).map(({ shape }) => [...shape])
}

describe('empty batches', () => {
  test.each([
    ['adaptiveAvgPool2d', (x: Tensor) => ops.adaptiveAvgPool2d(x, [3, 2]), [0, 2, 5, 5], [0, 2, 3, 2]],
    ['bilinear', (x: Tensor) => ops.interpolate(x, [2, 7], { mode: 'bilinear' }), [0, 2, 4, 4], [0, 2, 2, 7]],
    ['nearest', (x: Tensor) => ops.interpolate(x, [2, 7]), [0, 2, 4, 4], [0, 2, 2, 7]],
    ['fft2Real', (x: Tensor) => ops.fft2Real(x), [0, 3, 4], [0, 3, 4]],
    ['matmul', (x: Tensor) => ops.matmulWith(x, ops.ones([3, 4]), { transposeA: true }), [0, 3, 5], [0, 5, 4]],
  ])('%s', async (_name, call, shape, expected) => {
    expect(await shapesOf(call, shape)).toEqual([expected, shape])
  })

  test('groupNorm with weight and bias', async () => {
    const call = (x: Tensor, weight: Tensor, bias: Tensor): Tensor => ops.groupNorm(x, 3, { weight, bias })
    expect(await shapesOf(call, [0, 6, 4], [6], [6])).toEqual([[0, 6, 4], [0, 6, 4], [6], [6]])
  })

  test('pixels must be there to be resized', () => {
    expect(() => ops.interpolate(ops.zeros([1, 2, 0, 4]), [2, 2])).toThrow(
      'interpolate: there must be elements to resize, found [1, 2, 0, 4]',
    )
    expect(() => ops.fft2Real(ops.zeros([2, 0, 4]))).toThrow(
      'fft2Real: needs two axes to transform and at least one element on them, found [2, 0, 4]',
    )
  })
})

test('chunk cuts an empty axis into as many empty pieces as asked for', () => {
  expect(ops.chunk(ops.zeros([2, 0]), 3, 1).map(({ shape }) => shape)).toEqual([
    [2, 0],
    [2, 0],
    [2, 0],
  ])
})

test.each([inf, 2, 1, 0.5])('cdist: rows of no elements have the distance 0 (order %d)', async (order) => {
  const distances = await compile((a: Tensor, b: Tensor) => ops.cdist(a, b, { order }))(
    tensor([[], []]),
    tensor([[], [], []]),
  )
  expect(distances.shape).toEqual([2, 3])
  expect(await distances.numbers()).toEqual([0, 0, 0, 0, 0, 0])
})

describe('ends of the range', () => {
  const valuesOf = async (call: (...inputs: Tensor[]) => Tensor, ...inputs: number[][]): Promise<number[]> =>
    (await compile(call)(...inputs.map((input) => tensor(input)))).numbers()

  test('hypot is infinite where one side is, be the other NaN', async () => {
    expect(await valuesOf(ops.hypot, [inf, nan, 3, nan], [nan, -inf, 4, 4])).toEqual([inf, inf, 5, nan])
  })

  test('cosineSimilarity of vectors whose squares overflow is finite', async () => {
    const call = (a: Tensor, b: Tensor): Tensor => ops.cosineSimilarity(a, b, { axis: 0 })
    expect(await valuesOf(call, [1e20, 2e20], [3, 4])).toEqual([0])
  })

  test('hingeEmbeddingLoss adds both parts where the target is neither 1 nor -1', async () => {
    const call = (x: Tensor, target: Tensor): Tensor => ops.hingeEmbeddingLoss(x, target, { reduction: 'none' })
    expect(await valuesOf(call, [0.25, 0.25, 0.25, 3], [1, -1, 0, 0])).toEqual([0.25, 0.75, 1, 3])
  })

  test('a variance without degrees of freedom has no gradient', async () => {
    const slope = (x: Tensor): Tensor =>
      vectorJacobianProduct([ops.variance(x, 0, { correction: 2 })], [ops.full([], 1)], [x])[0] ?? x
    expect(await valuesOf(slope, [3])).toEqual([nan])
  })
})
