import { beforeEach, describe, expect, test } from 'vitest'
import { gradient } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import * as ops from '../../../src/ops/kit.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { manualSeed, randomState } from '../../../src/tensor/random-state.ts'
import { constant, type Tensor, tensor } from '../../../src/tensor/tensor.ts'

const numbers = (t: Tensor): number[] => toNumbers(t.array.data)
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
function variance(values: readonly number[]): number {
  const centre = mean(values)
  return mean(values.map((x) => (x - centre) ** 2))
}
const shareOf = (values: readonly number[], value: number): number => mean(values.map((x) => Number(x === value)))

beforeEach(() => manualSeed(11))

const count = 20_000

describe('distributions', () => {
  test('exponential, Gumbel and Poisson have their moments', async () => {
    const run = compile(() => ({
      exponential: ops.randomExponential([count], { rate: 2 }),
      gumbel: ops.randomGumbel([count], { loc: 1, scale: 2 }),
      few: ops.randomPoisson([count], 0.7),
      many: ops.randomPoisson([count], 40),
    }))
    const { exponential, gumbel, few, many } = await run()
    expect(mean(numbers(exponential))).toBeCloseTo(0.5, 1)
    expect(variance(numbers(exponential))).toBeCloseTo(0.25, 1)
    expect(Math.abs(mean(numbers(gumbel)) - (1 + 2 * 0.5772))).toBeLessThan(0.06)
    expect(Math.abs(variance(numbers(gumbel)) / ((4 * Math.PI ** 2) / 6) - 1)).toBeLessThan(0.06)
    for (const [drawn, rate] of [
      [few, 0.7],
      [many, 40],
    ] as const) {
      expect(numbers(drawn).every((x) => Number.isInteger(x) && x >= 0)).toBe(true)
      expect(Math.abs(mean(numbers(drawn)) / rate - 1)).toBeLessThan(0.03)
      expect(Math.abs(variance(numbers(drawn)) / rate - 1)).toBeLessThan(0.05)
    }
    await run.release()
  })

  test('whole numbers are equally likely from low to below high', async () => {
    const run = compile(() => [ops.randomIntegers([count], -2, 3), ops.randomIntegers([5], -(2 ** 31), 2 ** 31)])
    const [few, wide] = await run()
    for (const value of [-2, -1, 0, 1, 2]) expect(shareOf(numbers(few as Tensor), value)).toBeCloseTo(0.2, 1)
    expect((few as Tensor).dtype).toBe('int64')
    expect(new Set(numbers(wide as Tensor)).size).toBe(5)
    await run.release()
  })

  test('bernoulli with a tensor of probabilities', async () => {
    const run = compile((p: Tensor) => ops.randomBernoulli([count, 3], p))
    const drawn = numbers(await run(tensor([0, 0.3, 1])))
    const column = (j: number): number => mean(drawn.filter((_, i) => i % 3 === j))
    expect([column(0), column(2)]).toEqual([0, 1])
    expect(column(1)).toBeCloseTo(0.3, 1)
    await run.release()
  })

  test.each([0.1, 0.7, 1, 2.5, 30])('Gamma(%d) has its moments, from a number and from a tensor', async (alpha) => {
    const run = compile((a: Tensor) => [ops.randomGamma([count], alpha), ops.randomGamma([count], a)])
    for (const drawn of await run(tensor(alpha))) {
      const found = numbers(drawn)
      expect(found.every((x) => x > 0)).toBe(true)
      expect(Math.abs(mean(found) / alpha - 1)).toBeLessThan(0.08)
      expect(Math.abs(variance(found) / alpha - 1)).toBeLessThan(0.15)
    }
    await run.release()
  })
})

describe('the gradient of a Gamma number by its shape', () => {
  test('is that of a number whose quantile stays: the mean follows the shape', async () => {
    const run = compile((a: Tensor) => {
      const drawn = ops.randomGamma([count], ops.expand(a, [count]))
      return [ops.mean(drawn), ...gradient(ops.mean(drawn), [a])]
    })
    for (const alpha of [0.3, 1.5, 12]) {
      const [, slope] = await run(tensor(alpha))
      expect(Math.abs((slope as Tensor).item() - 1)).toBeLessThan(0.06)
    }
    await run.release()
  })

  test('has the values of PyTorch', async () => {
    // torch._standard_gamma_grad of PyTorch 2.15, in float64.
    const run = compile((a: Tensor, x: Tensor) => ops.gammaSlope(a, x))
    const found = numbers(
      await run(tensor([0.3, 0.9, 1.5, 4, 9, 60, 60, 5000]), tensor([0.2, 1.1, 0.9, 6, 8.8, 40, 61, 4300])),
    )
    const expected = [1.21203724, 1.31866433, 0.85223919, 1.26818859, 1.0072407, 0.81317244, 1.01109126, 0.92651429]
    for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 5)
    await run.release()
  })

  test('a shape that no distribution has gives NaN', async () => {
    const run = compile((a: Tensor) => ops.isNan(ops.randomGamma([3], a)))
    expect(numbers(await run(tensor([-1, Number.NaN, 2])))).toEqual([1, 1, 0])
    await run.release()
  })
})

describe('classes', () => {
  const weights = [1, 0, 3, 6]
  const shares = weights.map((w) => w / 10)

  test('categorical and multinomial with replacement draw them as often as their weights say', async () => {
    const run = compile((w: Tensor) => [
      ops.categorical(ops.expand(ops.log(w), [count, 4])),
      ops.multinomial(ops.mul(w, 5), count, { replacement: true }),
    ])
    for (const drawn of await run(tensor(weights)))
      for (const [value, share] of shares.entries()) {
        expect(drawn.dtype).toBe('int64')
        if (share === 0) expect(shareOf(numbers(drawn), value)).toBe(0)
        else expect(Math.abs(shareOf(numbers(drawn), value) - share)).toBeLessThan(0.015)
      }
    await run.release()
  })

  test('many classes: the place among the running sums is found in steps', async () => {
    const classes = 1000
    const run = compile((w: Tensor) => ops.multinomial(w, count, { replacement: true }))
    const drawn = numbers(await run(tensor(Array.from({ length: classes }, (_, i) => i))))
    // The mean of i with weights i: (2 n - 1) / 3.
    expect(Math.abs(mean(drawn) - (2 * classes - 1) / 3)).toBeLessThan(6)
    expect(Math.max(...drawn)).toBeLessThan(classes)
    await run.release()
  })

  test('without replacement each is drawn once, in an order that the weights rule', async () => {
    const run = compile((w: Tensor) => ops.multinomial(ops.expand(w, [count, 4]), 3))
    const drawn = numbers(await run(tensor(weights)))
    const rows = Array.from({ length: count }, (_, i) => drawn.slice(3 * i, 3 * i + 3))
    expect(rows.every((row) => new Set(row).size === 3 && !row.includes(1))).toBe(true)
    const first = rows.map(([a = -1]) => a)
    for (const [value, share] of shares.entries()) expect(Math.abs(shareOf(first, value) - share)).toBeLessThan(0.015)
    // After the last class, 0 and 2 are left with weights 1 and 3.
    const second = rows.filter(([a]) => a === 3).map(([, b = -1]) => b)
    expect(Math.abs(shareOf(second, 2) - 0.75)).toBeLessThan(0.02)
    await run.release()
  })

  test('a soft draw sums to 1, a hard one is one-hot with the gradient of the soft one', async () => {
    const logits = tensor([[0, 1, 2]])
    const run = compile((x: Tensor) => {
      const [soft, hard] = [false, true].map((hard) => {
        const state = randomState()
        return ops.gumbelSoftmax(x, { tau: 0.7, hard, state })
      }) as [Tensor, Tensor]
      const [slope] = gradient(ops.sum(ops.mul(hard, tensor([[1, 0, 0]]))), [x])
      return { soft: ops.sum(soft, 1), hard, slope }
    })
    const { soft, hard, slope } = await run(logits)
    expect(soft.item()).toBeCloseTo(1, 6)
    expect(
      numbers(hard)
        .map((x) => Math.round(x * 1e6) / 1e6)
        .toSorted(),
    ).toEqual([0, 0, 1])
    expect(mean(numbers(slope))).toBeCloseTo(0, 6)
    expect(numbers(slope).some((x) => Math.abs(x) > 1e-4)).toBe(true)
    await run.release()
  })

  test('follow the seed and the call, like all that is random', async () => {
    const run = compile(() => [
      ops.multinomial(ops.full([4, 9], 1), 3),
      ops.categorical(ops.full([4, 9], 0)),
      ops.randomGamma([4], 2),
      ops.randomGamma([4], ops.full([4], 2)),
      ops.randomPoisson([4], 30),
      ops.randomIntegers([4], 0, 1000),
    ])
    const [first, second] = [(await run()).map(numbers), (await run()).map(numbers)]
    expect(second).not.toEqual(first)
    run.undo()
    expect((await run()).map(numbers)).toEqual(second)
    manualSeed(11)
    expect((await run()).map(numbers)).toEqual(first)
    await run.release()
  })
})

test('dropout2d zeroes whole channels', async () => {
  const run = compile((x: Tensor) => ops.dropout2d(x, 0.25))
  const kept = numbers(await run(constant(new Float32Array(12_000).fill(1), [40, 50, 2, 3], 'float32')))
  const channels = Array.from({ length: 2000 }, (_, i) => new Set(kept.slice(6 * i, 6 * i + 6)))
  expect(channels.every((values) => values.size === 1)).toBe(true)
  expect(mean(kept)).toBeCloseTo(1, 1)
  await run.release()
})
