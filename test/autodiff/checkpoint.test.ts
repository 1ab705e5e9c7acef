import { describe, expect, test } from 'vitest'
import { checkpoint } from '../../src/autodiff/checkpoint.ts'
import { gradient } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/index.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { checkGradients } from '../support/gradients.ts'

const weight = new Variable([3, 3], { data: Float32Array.from([1, 2, 0, -1, 1, 3, 0.5, 0, 2]) })
const block = (x: Tensor): Tensor => ops.sin(ops.matmul(ops.exp(x), weight))

/** Names of the ONNX nodes in the order in which the runtime ran them. */
async function executedOps(fn: (x: Tensor) => Tensor[]): Promise<string[]> {
  const run = compile(fn, { profile: true })
  await run(tensor([[0.1, 0.2, 0.3]]))
  const kernels = run.program?.endProfiling() ?? []
  await run.release()
  return kernels.map(({ op }) => op)
}

describe('checkpoint', () => {
  test('gives the gradients of the function, by inputs and by what it reads', async () => {
    const run = compile((x: Tensor, scale: Tensor) => {
      const results = [block, (input: Tensor) => checkpoint(block, input)].map((fn) => {
        const loss = ops.sum(ops.mul(fn(ops.mul(x, scale)), fn(x)))
        return [loss, ...gradient(loss, [x, scale, weight])]
      })
      return { plain: results[0], saved: results[1] }
    })
    const { plain, saved } = await run(tensor([[0.1, -0.2, 0.3]]), tensor([0.5]))
    const numbers = (list: readonly Tensor[] = []): number[][] => list.map((t) => toNumbers(t.array.data))
    expect(numbers(saved)).toEqual(numbers(plain))
    await run.release()
  })

  test('gradients of gradients, several inputs and outputs, nesting', async () => {
    const inner = (x: Tensor, y: Tensor): [Tensor, Tensor] => [ops.mul(ops.sin(x), y), ops.exp(y)]
    const call = (x: Tensor, y: Tensor): readonly Tensor[] =>
      checkpoint((a, b) => checkpoint(inner, ops.cos(a), ops.mul(b, x)), x, y)
    await checkGradients({ inputs: [[2, 3], [3]], call }, 5)
  })

  test('passes through what the function hands on', async () => {
    const call = (x: Tensor): readonly Tensor[] => checkpoint((a: Tensor) => [a, x, ops.mul(a, x)], x)
    await checkGradients({ inputs: [[3]], call }, 6)
  })

  test('keeps the random numbers of the first computation', async () => {
    const run = compile((x: Tensor) => {
      const y = checkpoint((a: Tensor) => ops.dropout(ops.exp(a), 0.5), x)
      return [y, ...gradient(ops.sum(y), [x])]
    })
    const [y, dx] = await run(tensor(new Array(64).fill(0)))
    // d exp(x) = exp(x): the same elements are kept, with the same scale.
    expect(dx?.array.data).toEqual(y?.array.data)
    await run.release()
  })

  test('the runtime computes the inside twice, the second time after the gradient has arrived', async () => {
    const loss = (fn: (x: Tensor) => Tensor) => (x: Tensor) => gradient(ops.sum(ops.square(ops.tanh(fn(x)))), [x])
    const plain = await executedOps(loss(block))
    const saved = await executedOps(loss((x) => checkpoint(block, x)))
    const count = (list: readonly string[], name: string): number => list.filter((op) => op === name).length
    expect(count(plain, 'Exp')).toBe(1)
    expect(count(saved, 'Exp')).toBe(2)
    expect(saved.lastIndexOf('Exp')).toBeGreaterThan(saved.indexOf('Tanh'))
  })

  test('gradients of what is read are added up before the part below is computed again', async () => {
    const deep = (x: Tensor): Tensor => [1, 2, 3, 4].reduce((y) => checkpoint(block, y), x)
    const ran = await executedOps((x) => gradient(ops.sum(ops.square(ops.tanh(deep(x)))), [weight, x]))
    const again = ran.slice(ran.indexOf('Tanh')).join(' ').split('Exp').slice(1)
    // Of each part: its product again, and the gradients of both factors.
    const products = again.map((part) => part.match(/MatMul|Gemm/g)?.length)
    expect(products).toEqual([3, 3, 3, 3])
  })

  test('what is not differentiated is not computed for its gradient', async () => {
    const ran = await executedOps((x) => gradient(ops.sum(checkpoint(block, checkpoint(block, x))), [x]))
    // The first product, both again, and the gradient of each one's input.
    expect(ran.filter((op) => /MatMul|Gemm/.test(op))).toHaveLength(5)
  })
})
