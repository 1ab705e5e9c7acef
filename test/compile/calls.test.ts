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

  test('of a compiled function in a traced one is refused once, with no rejection that nobody handles', async () => {
    const rejections: unknown[] = []
    const listen = (reason: unknown): void => void rejections.push(reason)
    process.on('unhandledRejection', listen)
    const inner = compile((x: Tensor) => ops.mul(x, 2))
    const outer = compile((x: Tensor) => ops.add(inner(x) as never, 1))
    await expect(outer(tensor(1))).rejects.toThrow(
      'compile: a compiled function was called inside of a function that is being traced',
    )
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', listen)
    expect(rejections).toEqual([])
    expect((await inner(tensor(3))).item()).toBe(6)
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

describe('variables', () => {
  test('are not set while a function is traced, as that would happen once', async () => {
    const count = new Variable([], { name: 'count' })
    const run = compile(() => {
      count.set([1])
      return ops.add(count, 1)
    })
    await expect(run()).rejects.toThrow('variable count: set works only outside of compiled functions')
    expect(Number(count.data[0])).toBe(0)
  })

  test('as arguments are read and assigned at every call', async () => {
    const count = counter()
    const add = compile((v: Variable) => v.assign(ops.add(v, 1)))
    const read = compile((v: Variable) => ops.mul(v, 1))
    const results = await Promise.all([read(count as never), add(count as never), read(count as never)])
    expect([results[0].item(), results[2].item(), count.data[0]]).toEqual([0, 1, 1])
  })

  test('as results are refused: they are no value of the call', async () => {
    const count = counter()
    const run = compile(() => ({ inner: [count] }))
    await expect(run()).rejects.toMatchObject({
      message: 'compile: result.inner[0] is Variable float32[], which is not a value',
      hint: 'return variable.value',
    })
  })
})

describe('release', () => {
  test('frees what was traced; the next call traces anew, within maxTraces', async () => {
    const run = compile((x: Tensor) => ops.neg(x), { maxTraces: 1 })
    await run(tensor(1))
    const released = run.release()
    expect((await run(tensor(2))).item()).toBe(-2)
    await released
    expect(run.traces).toHaveLength(1)
  })

  test('a trace that fails does not count', async () => {
    const run = compile(
      (x: Tensor, fails: boolean) => {
        if (fails) throw new Error('not yet')
        return x
      },
      { maxTraces: 1 },
    )
    await expect(run(tensor(1), true)).rejects.toThrow('not yet')
    expect((await run(tensor(1), false)).item()).toBe(1)
  })
})

test("a field that is missing is named in JavaScript's own complaint, too", async () => {
  const run = compile(({ image }: { readonly image: Tensor }) => ops.reshape(image, [image.size]))
  await expect(run({ images: tensor([1]) } as never)).rejects.toThrow(
    /^compile: Cannot read properties of undefined \(reading 'size'\): argument \[0\] has no field "image" \(it has images\)$/,
  )
})
