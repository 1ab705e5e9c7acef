/** Calls that are not awaited one by one, and taking calls back. */
import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { evaluate } from '../../src/compile/program.ts'
import * as ops from '../../src/ops/index.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'

const counter = (): Variable => new Variable([], { data: Float32Array.of(0) })

describe('calls at once', () => {
  test('run in their order: none is lost', async () => {
    const count = counter()
    const step = compile((x: Tensor) => {
      count.assign(ops.add(ops.mul(count, 2), x))
      return count.value
    })
    const results = await Promise.all([1, 2, 3, 4].map((value) => step(tensor(value))))
    expect(results.map((result) => result.item())).toEqual([1, 4, 11, 26])
    expect(count.data[0]).toBe(26)
  })

  test('of several functions that share variables, and of evaluation between them', async () => {
    const count = counter()
    const add = compile(() => count.assign(ops.add(count, 1)))
    const double = compile(() => count.assign(ops.mul(count, 2)))
    const read = (): Promise<number> => evaluate([ops.neg(count)]).then(([value]) => Number(value?.data[0]))
    const [, first, , , second] = await Promise.all([add(), read(), add(), double(), read()])
    expect([first, second, count.data[0]]).toEqual([-1, -4, 4])
  })

  test('one that fails does not stop those behind it', async () => {
    const count = counter()
    const step = compile((index: Tensor) => {
      count.assign(ops.add(count, 1))
      return ops.indexSelect(tensor([1, 2]), index, 0)
    })
    const calls = [0, 5, 1].map((index) => step(tensor([index], 'int32')))
    const settled = await Promise.allSettled(calls)
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(count.data[0]).toBe(2)
  })

  test('undo refuses while a call runs, twice, and after the call of another function', async () => {
    const count = counter()
    const add = compile(() => count.assign(ops.add(count, 1)))
    const double = compile(() => count.assign(ops.mul(count, 2)))
    expect(() => add.undo()).toThrow('undo: the function was not called yet')
    const running = add()
    expect(() => add.undo()).toThrow('undo: a compiled function is still running')
    await running
    await double()
    expect(() => add.undo()).toThrow('undo: another call has assigned Variable float32[] since')
    double.undo()
    expect(count.data[0]).toBe(1)
    expect(() => double.undo()).toThrow('undo: the last call was taken back already')
  })

  test('an async function is refused once, with no second rejection that nobody handles', async () => {
    const rejections: unknown[] = []
    const note = (reason: unknown): void => {
      rejections.push(reason)
    }
    process.on('unhandledRejection', note)
    const run = compile(async (x: Tensor) => ops.matmul(x, await Promise.reject(new Error('inside'))))
    await expect(run(tensor([1]))).rejects.toThrow('compile: the function must not be async')
    await new Promise((resolve) => setTimeout(resolve, 5))
    process.off('unhandledRejection', note)
    expect(rejections).toEqual([])
  })
})
