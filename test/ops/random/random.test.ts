import { beforeEach, describe, expect, test } from 'vitest'
import { gradient } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import { evaluate } from '../../../src/compile/program.ts'
import * as ops from '../../../src/ops/index.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { manualSeed, RandomState, randomState } from '../../../src/tensor/random-state.ts'
import { type Tensor, tensor } from '../../../src/tensor/tensor.ts'
import { RandomStream } from '../../../src/util/random.ts'

const numbers = (t: Tensor | undefined): number[] => toNumbers(t?.array.data ?? new Float32Array())
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

beforeEach(() => manualSeed(7))

describe('random tensors', () => {
  test('are drawn anew at each call, a function of seed, call and place in the graph', async () => {
    const run = compile(() => [ops.randomUniform([3]), ops.randomUniform([3])])
    const stream = new RandomStream(7)
    for (const call of [0, 1]) {
      const results = await run()
      for (const lane of [0, 1]) expect(numbers(results[lane])).toEqual(toNumbers(stream.uniform(call, lane, 3)))
    }
    await run.release()
  })

  test('repeat from a stored number of calls', async () => {
    const run = compile((x: Tensor) => ({ noisy: ops.add(x, ops.randomNormal([4])), kept: ops.dropout(x, 0.5) }))
    const x = tensor([1, 2, 3, 4])
    await run(x)
    const stored = randomState().variables.get('calls')?.data.slice() ?? new BigInt64Array()
    const ahead = [await run(x), await run(x)]
    manualSeed(7)
    randomState().variables.get('calls')?.set(stored)
    const again = [await run(x), await run(x)]
    for (const key of ['noisy', 'kept'] as const)
      expect(again.map((result) => numbers(result[key]))).toEqual(ahead.map((result) => numbers(result[key])))
    await run.release()
  })

  test('undo takes the call back', async () => {
    const run = compile(() => ops.randomUniform([2]))
    const first = numbers(await run())
    run.undo()
    expect(numbers(await run())).toEqual(first)
    await run.release()
  })

  test('are the same outside of compile', async () => {
    const [x] = await evaluate([ops.randomNormal([5])])
    expect(toNumbers(x?.data ?? new Float32Array())).toEqual(toNumbers(new RandomStream(7).normal(0, 0, 5)))
    expect(randomState().calls.data[0]).toBe(1n)
  })

  test('follow their own state, if given', async () => {
    const state = new RandomState(1)
    const run = compile(() => [ops.randomUniform([2], { state }), ops.randomUniform([2])])
    const [own, common] = await run()
    expect(numbers(own)).toEqual(toNumbers(new RandomStream(1).uniform(0, 0, 2)))
    expect(numbers(common)).toEqual(toNumbers(new RandomStream(7).uniform(0, 1, 2)))
    await run()
    expect([state.calls.data[0], randomState().calls.data[0]]).toEqual([2n, 2n])
    await run.release()
  })
})

describe('distributions', () => {
  test('uniform, normal and truncated normal have their moments', async () => {
    const run = compile(() => ({
      uniform: ops.randomUniform([20000], { low: -1, high: 3 }),
      normal: ops.randomNormal([20000], { mean: 2, std: 0.5 }),
      truncated: ops.randomTruncatedNormal([20000], { mean: 1, std: 2 }),
    }))
    const { uniform, normal, truncated } = await run()
    const [u, n, t] = [uniform, normal, truncated].map(numbers)
    expect(mean(u ?? [])).toBeCloseTo(1, 1)
    expect(Math.min(...(u ?? []))).toBeGreaterThanOrEqual(-1)
    expect(Math.max(...(u ?? []))).toBeLessThan(3)
    expect(mean(n ?? [])).toBeCloseTo(2, 1)
    expect(mean((n ?? []).map((value) => (value - 2) ** 2))).toBeCloseTo(0.25, 1)
    expect(Math.max(...(t ?? []).map((value) => Math.abs(value - 1)))).toBeLessThanOrEqual(4)
    await run.release()
  })

  test('bernoulli is true as often as asked, and always or never at the ends', async () => {
    const run = compile(() => [0, 0.3, 1].map((p) => ops.randomBernoulli([20000], p)))
    const shares = (await run()).map((t) => mean(numbers(t)))
    expect(shares[0]).toBe(0)
    expect(shares[1]).toBeCloseTo(0.3, 1)
    expect(shares[2]).toBe(1)
    await run.release()
  })

  test('a permutation has each number once, in another order at each call', async () => {
    const run = compile(() => ops.randomPermutation(50))
    const [first, second] = [numbers(await run()), numbers(await run())]
    expect(first).not.toEqual(second)
    expect(first.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i))
    await run.release()
  })
})

describe('dropout', () => {
  test('zeroes or scales, with the same choice in the gradient', async () => {
    const run = compile((x: Tensor) => {
      const y = ops.dropout(x, 0.25)
      return [y, ...gradient(ops.sum(y), [x])]
    })
    const [y, dx] = (await run(tensor(new Array(4000).fill(1)))).map(numbers)
    expect(y).toEqual(dx)
    expect(new Set(y)).toEqual(new Set([0, Math.fround(4 / 3)]))
    expect(mean(y ?? [])).toBeCloseTo(1, 1)
    await run.release()
  })

  test('does nothing in evaluation or at 0, drops all at 1', async () => {
    const x = tensor([1, 2])
    expect(ops.dropout(x, 0.5, { training: false })).toBe(x)
    expect(ops.dropout(x, 0)).toBe(x)
    const [dropped] = await evaluate([ops.dropout(x, 1)])
    expect(dropped?.data).toEqual(Float32Array.of(0, 0))
  })

  test('the probability is checked', () => {
    expect(() => ops.dropout(tensor([1]), 1.5)).toThrow('dropout: p must be from 0 to 1, found 1.5')
    expect(() => ops.randomBernoulli([2], -1)).toThrow('randomBernoulli: probability must be from 0 to 1, found -1')
    expect(() => ops.randomUniform([2, -1])).toThrow(
      'randomUniform: sizes must be whole numbers of at least 0, found [2, -1]',
    )
  })
})
