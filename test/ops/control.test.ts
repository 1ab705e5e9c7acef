import { describe, expect, test } from 'vitest'
import { gradient } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/index.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'

async function gradientAt(fn: (x: Tensor) => Tensor, values: number[]): Promise<number[]> {
  const run = compile((x: Tensor) => gradient(ops.sum(fn(x)), [x]))
  const [dx] = await run(tensor(values))
  await run.release()
  return toNumbers(dx?.array.data ?? new Float32Array())
}

describe('stopGradient', () => {
  test('lets values through, but no gradient', async () => {
    expect(await gradientAt((x) => ops.mul(ops.stopGradient(x), x), [2, 3])).toEqual([2, 3])
    expect(await gradientAt((x) => ops.stopGradient(ops.exp(x)), [2, 3])).toEqual([0, 0])
  })

  test('adds no node', async () => {
    const run = compile((x: Tensor) => ops.exp(ops.stopGradient(ops.neg(x))), { passes: { simplify: false } })
    await run(tensor([1]))
    expect(run.program?.statistics.nodes).toBe(2)
    await run.release()
  })
})

describe('customGradient', () => {
  test('replaces the gradient of the function', async () => {
    const roundStraightThrough = ops.customGradient(
      (x: Tensor) => ops.round(x),
      (g) => [g],
    )
    expect(await gradientAt((x) => ops.mul(roundStraightThrough(x), 3), [0.4, 1.6])).toEqual([3, 3])
  })

  test('hands out inputs and outputs, so that second derivatives are right', async () => {
    const cube = ops.customGradient(
      (x: Tensor) => ops.mul(x, ops.mul(x, x)),
      (g, { inputs: [x], output }) => [ops.mul(g, ops.div(ops.mul(output, 3), x))],
    )
    const second = await gradientAt((x) => ops.addAll(gradient(ops.sum(cube(x)), [x])), [1, 2])
    expect(second[0]).toBeCloseTo(6, 5)
    expect(second[1]).toBeCloseTo(12, 5)
  })

  test('several outputs: zeros where no gradient arrives', async () => {
    const both = ops.customGradient(
      (x: Tensor, y: Tensor) => [ops.add(x, y), ops.mul(x, y)] as const,
      ([ga, gb]) => [ops.add(ga, gb), undefined],
    )
    expect(await gradientAt((x) => both(x, ops.exp(x))[1], [1, 2])).toEqual([1, 1])
  })

  test('the number of gradients is checked', () => {
    const wrong = ops.customGradient(
      (x: Tensor, y: Tensor) => ops.add(x, y),
      (g) => [g],
    )
    const run = compile((x: Tensor) => gradient(ops.sum(wrong(x, x)), [x]))
    return expect(run(tensor([1]))).rejects.toThrow(
      'customGradient: backward must return 2 gradients, one for each input, found 1',
    )
  })
})
