/** Functions that several processes run together. Here all have the same part of a batch, so that a sum is a product. */
import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import * as nn from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { AdamW, GradientAccumulator, SGD } from '../../src/optim/index.ts'
import { manualSeed, randomState } from '../../src/tensor/random-state.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import type { Communicator } from '../../src/util/communicator.ts'

/** One of as many processes that all have the same numbers; notes how many are summed at once. */
function echo(size: number): Communicator & { readonly sums: number[] } {
  const sums: number[] = []
  return {
    rank: 0,
    size,
    sums,
    sum: async (values) => {
      sums.push(values.length)
      for (const [i, value] of values.entries()) values[i] = value * size
    },
    broadcast: async () => undefined,
    close: async () => undefined,
  }
}

const numbers = async (x: Tensor): Promise<unknown> => x.numbers()

describe('a training step', () => {
  const points = tensor([
    [0.1, -0.4, 0.9],
    [1.2, 0.3, -0.7],
  ])
  const labels = tensor([0, 2], 'int32')
  const weights = 3 * 8 + 8 + 8 + 8 + 8 * 3 + 3

  async function trained(communicator?: Communicator, repeat = 1): Promise<number[]> {
    manualSeed(3)
    const model = new nn.Sequential(new nn.Linear(3, 8), new nn.LayerNorm(8), new nn.GELU(), new nn.Linear(8, 3))
    const optimizer = new AdamW(model.parameters(), { lr: 0.1 })
    const step = compile(
      (x: Tensor, y: Tensor) => {
        const loss = ops.crossEntropy(model.forward(ops.tile(x, [repeat, 1])), ops.tile(y, [repeat]))
        const { gradientNorm } = optimizer.minimize(loss, { clipNorm: 0.5, weight: 2 })
        return { loss: ops.meanOverRanks(loss, 2), gradientNorm }
      },
      { ...(communicator && { communicator }), threads: 1 },
    )
    const shown: number[] = []
    for (let i = 0; i < 3; i++) {
      const { loss, gradientNorm } = await step(points, labels)
      shown.push(loss.item(), gradientNorm.item())
    }
    await step.release()
    return [...shown, ...[...model.variables().values()].flatMap(({ data }) => Array.from(data as Float32Array))]
  }

  test('of two processes with a part each is that of one with both', async () => {
    const whole = await trained(undefined, 2)
    const parts = await trained(echo(2))
    expect(parts.length).toBe(whole.length)
    for (const [i, value] of parts.entries()) expect(value).toBeCloseTo(whole[i] ?? Number.NaN, 5)
  })

  test('sums all gradients, the weights and what is shown at once', async () => {
    const communicator = echo(3)
    await trained(communicator)
    expect(communicator.sums).toEqual([weights + 3, weights + 3, weights + 3])
  })

  test('from several micro-batches updates by their mean', async () => {
    const weight = new Variable([], { trainable: true })
    const accumulator = new GradientAccumulator(new SGD([weight], { lr: 1 }), 2)
    const communicator = echo(2)
    const add = compile((x: Tensor) => accumulator.add(ops.mul(weight, x)), { communicator })
    const update = compile(() => void accumulator.update(), { communicator })
    await add(tensor(3))
    await add(tensor(5))
    expect(communicator.sums).toEqual([2, 2])
    await update()
    expect(weight.data[0]).toBe(-4)
  })
})

test('sums may follow from one another, and meet what was computed before', async () => {
  const run = compile(
    (x: Tensor) => {
      const doubled = ops.mul(x, 2)
      const once = ops.sumOverRanks(ops.add(doubled, 1))
      return [ops.sumOverRanks(ops.mul(once, doubled)), once, ops.sumOverRanks(x), doubled]
    },
    { communicator: echo(2) },
  )
  expect(await Promise.all((await run(tensor([1, 3]))).map(numbers))).toEqual([
    [24, 168],
    [6, 14],
    [2, 6],
    [2, 6],
  ])
})

test('variables are assigned after the last sum, also what was computed before it, and undone together', async () => {
  const [before, after] = [new Variable([2]), new Variable([])]
  const run = compile(
    (x: Tensor) => {
      before.assign(ops.mul(x, 3))
      after.assign(ops.add(after, ops.sumOverRanks(ops.sum(x))))
    },
    { communicator: echo(4) },
  )
  await run(tensor([1, 2]))
  await run(tensor([3, 4]))
  expect([...before.data, ...after.data]).toEqual([9, 12, 40])
  run.undo()
  expect([...before.data, ...after.data]).toEqual([3, 6, 12])
})

test('random numbers are drawn once for all stages, and given back', async () => {
  manualSeed(1)
  const run = compile(
    () => {
      const drawn = ops.randomUniform([3])
      return [drawn, ops.sub(ops.sumOverRanks(drawn), drawn), ops.randomUniform([3])]
    },
    { communicator: echo(2) },
  )
  const [first, difference, other] = await run()
  expect(await first?.numbers()).toEqual(await difference?.numbers())
  expect(await first?.numbers()).not.toEqual(await other?.numbers())
  expect(randomState().calls.data[0]).toBe(1n)
  run.undo()
  expect(await (await run())[0]?.numbers()).toEqual(await first?.numbers())
})

test('a function without sums, and one that runs alone, are as ever', async () => {
  const communicator = echo(2)
  const square = compile((x: Tensor) => ops.mul(x, x), { communicator })
  expect((await square(tensor(3))).item()).toBe(9)
  const sum = (x: Tensor): Tensor[] => [ops.sumOverRanks(x), ops.meanOverRanks(x, 7)]
  for (const run of [compile(sum), compile(sum, { communicator: echo(1) })])
    expect(await Promise.all((await run(tensor([1, 2]))).map(numbers))).toEqual([
      [1, 2],
      [1, 2],
    ])
  expect(communicator.sums).toEqual([])
})

test('a function with dynamic axes cannot have a communicator', () => {
  expect(() => compile((x: Tensor) => x, { communicator: echo(2), dynamic: [{ 0: 'n' }] })).toThrow(
    'compile: a function with dynamic axes cannot have a communicator',
  )
})
