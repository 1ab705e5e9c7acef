import { describe, expect, test } from 'vitest'
import { gradient } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import * as ops from '../../../src/ops/index.ts'
import { elementCount, toNumbers } from '../../../src/tensor/dtype.ts'
import type { Shape } from '../../../src/tensor/shape.ts'
import { constant, type Tensor, tensor } from '../../../src/tensor/tensor.ts'
import { RandomStream } from '../../../src/util/random.ts'

function random(shape: Shape, lane = 0): Tensor {
  return constant(new RandomStream(5).normal(0, lane, elementCount(shape)), shape, 'float32')
}

/** How many ONNX nodes a function takes. */
async function nodesOf(fn: (...inputs: Tensor[]) => Tensor | Tensor[], ...inputs: Tensor[]): Promise<number> {
  const run = compile(fn)
  await run(...inputs)
  const nodes = run.program?.statistics.nodes ?? 0
  await run.release()
  return nodes
}

describe('matmul', () => {
  test('takes transposes of its operands into the product', async () => {
    const [a, b] = [random([3, 2]), random([4, 3])]
    const call = (x: Tensor, y: Tensor): Tensor => ops.matmul(ops.transpose(x), ops.transpose(y))
    expect(await nodesOf(call, a, b)).toBe(1)
    expect(await nodesOf((c, x, y) => ops.addmm(c, ops.transpose(x), y), random([4]), a, random([3, 4]))).toBe(1)
    // A transpose of other axes stays: with a reshape and the product, whose result is reshaped outside of the graph.
    expect(await nodesOf((x, y) => ops.matmul(ops.transpose(x, 0, 1), y), random([2, 3, 4]), random([4, 2]))).toBe(3)
    const runs = [compile(call), compile(call, { passes: { simplify: false } })]
    const [absorbed, plain] = await Promise.all(runs.map((run) => run(a, b)))
    for (const [i, value] of toNumbers(absorbed?.array.data ?? new Float32Array()).entries())
      expect(value).toBeCloseTo(Number(plain?.array.data[i]), 5)
    for (const run of runs) await run.release()
  })

  test('folds leading axes, so that the gradient of a shared matrix is one product', async () => {
    const nodes = await nodesOf(
      (x, w, g) => gradient(ops.sum(ops.mul(ops.matmul(x, w), g)), [w]),
      random([2, 3, 4]),
      random([4, 5]),
      random([2, 3, 5]),
    )
    // Two reshapes and the product of x^T and the gradient.
    expect(nodes).toBe(3)
  })

  test('errors name the shapes as they were given', () => {
    expect(() => ops.matmul(random([2, 2, 3]), random([4, 5]))).toThrow(
      'matmul: inner sizes differ: a [2, 2, 3] has 3 on axis -1, b [4, 5] has 4 on axis -2',
    )
    expect(() => ops.matmul(random([2, 2]), tensor([[1], [2]], 'int32'))).toThrow(
      'matmul: b must be float32, found int32',
    )
  })
})

describe('addmm', () => {
  test('does not look at what is added with factor 0', async () => {
    const run = compile((c: Tensor, a: Tensor, b: Tensor) => ops.addmm(c, a, b, { beta: 0 }))
    const y = await run(tensor([Number.NaN]), tensor([[1, 2]]), tensor([[3], [4]]))
    expect(toNumbers(y.array.data)).toEqual([11])
    await run.release()
  })

  test('makes a linear layer one node beside the reshapes of its leading axes', async () => {
    expect(await nodesOf((x, w, b) => ops.linear(x, w, b), random([2, 3]), random([4, 3]), random([4]))).toBe(1)
  })
})

describe('sum', () => {
  test('over leading axes equals the sum over others', async () => {
    const x = random([300, 3, 50])
    const run = compile((input: Tensor) => [
      ops.sum(input, [0, 1]),
      ops.sum(ops.permute(input, [2, 0, 1]), [1, 2]),
      ops.mul(ops.mean(input, 0), 300),
      ops.sum(ops.transpose(input, 0, 2), 2),
    ])
    const [leading, last, mean, lastMean] = (await run(x)).map((t) => toNumbers(t.array.data))
    for (const [i, value] of (leading ?? []).entries()) expect(value).toBeCloseTo(last?.[i] ?? Number.NaN, 3)
    expect(mean?.[1]).toBeCloseTo(lastMean?.[3] ?? Number.NaN, 3)
    await run.release()
  })
})
