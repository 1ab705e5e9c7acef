/** Elementwise functions against float64, on a grid of all powers of 2; and sums and differences that could cancel. */
import { describe, expect, test } from 'vitest'
import { vectorJacobianProduct } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/index.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { expectRelative, gradientsOf, valuesOf } from '../support/values.ts'

const inf = Number.POSITIVE_INFINITY
const nan = Number.NaN

/** Sixteen numbers in each power of 2, of both signs. */
const grid = new Float32Array(
  Uint32Array.from({ length: 2 ** 13 }, (_, i) => i * 2 ** 19 + ((i * 40_503) % 2 ** 19)).buffer,
).filter(Number.isFinite)

/** Values and gradients on the grid. */
async function onGrid(call: (x: Tensor) => Tensor): Promise<readonly [number[], number[]]> {
  const run = compile((x: Tensor) => {
    const y = call(x)
    return [y, ...vectorJacobianProduct([y], [ops.onesLike(y)], [x])]
  })
  const [y, g] = await run({ dtype: 'float32', shape: [grid.length], data: grid })
  await run.release()
  return [y ? toNumbers(y.array.data) : [], g ? toNumbers(g.array.data) : []]
}

/** Errors as a share of the number, or in units of the smallest float32 where the number is not a normal one. */
function worst(found: readonly number[], exact: (x: number) => number): { relative: number; units: number } {
  let [relative, units] = [0, 0]
  for (const [i, x] of grid.entries()) {
    const [y, truth] = [found[i] ?? nan, exact(x)]
    if (!Number.isFinite(Math.fround(truth))) expect([x, y]).toEqual([x, Math.fround(truth)])
    else if (Math.abs(truth) >= 2 ** -126) relative = Math.max(relative, Math.abs(y / truth - 1))
    else units = Math.max(units, Math.abs(y - truth) / 2 ** -149)
  }
  return { relative, units }
}

const power = (x: number): number => Math.exp(-Math.abs(x))
const sigmoid = (x: number): number => (x < 0 ? power(x) : 1) / (1 + power(x))
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(power(x))

describe('sigmoid and what is made of it', () => {
  test('sigmoid to the last digits of the smallest number, and its gradient', async () => {
    const [y, g] = await onGrid(ops.sigmoid)
    expect(worst(y, sigmoid).relative).toBeLessThan(1e-6)
    expect(worst(y, sigmoid).units).toBeLessThan(2)
    const slope = (x: number): number => power(x) / (1 + power(x)) ** 2
    expect(worst(g, slope).relative).toBeLessThan(1e-6)
    expect(Math.max(...y)).toBe(1)
  })

  test('the logarithm of a sigmoid is finite where float32 has it', async () => {
    expectRelative(await valuesOf((x) => ops.log(ops.sigmoid(x)), [-17, -18, -50, -87]), [-17, -18, -50, -87], 1e-6)
  })

  test('sigmoid and silu at the ends', async () => {
    expect(await valuesOf(ops.sigmoid, [-inf, -200, 0, 200, inf, nan])).toEqual([0, 0, 0.5, 1, 1, nan])
    expect(await gradientsOf(ops.sigmoid, [-inf, -200, 0, 200, inf, nan])).toEqual([[0, 0, 0.25, 0, 0, nan]])
    expect(await valuesOf(ops.silu, [-200, 0, 200, inf])).toEqual([0, 0, 200, inf])
  })

  test('silu', async () => {
    const [y, g] = await onGrid(ops.silu)
    // Where e^x is no normal number any more, x e^x still is one.
    expect(worst(y, (x) => x * sigmoid(x)).relative).toBeLessThan(1e-5)
    // The slope is 0 at -1.28: there it has the error of its terms.
    const slope = (x: number): number => sigmoid(x) * (1 + x * sigmoid(-x))
    const apart = g.map((value, i) => (Math.abs((grid[i] ?? 0) + 1.28) < 0.1 ? slope(grid[i] ?? 0) : value))
    expect(worst(apart, slope).relative).toBeLessThan(1e-5)
  })

  test('softplus and logSigmoid', async () => {
    const [y, g] = await onGrid((x) => ops.softplus(x))
    expect(worst(y, softplus).relative).toBeLessThan(1e-6)
    expect(worst(g, sigmoid).relative).toBeLessThan(1e-6)
    expect(worst((await onGrid(ops.logSigmoid))[0], (x) => -softplus(-x)).relative).toBeLessThan(1e-6)
  })

  test('binary cross entropy', async () => {
    const numbers = [-40, -18, 3, 50]
    const loss = (x: Tensor): Tensor => ops.bceWithLogits(x, ops.zerosLike(x), { reduction: 'none' })
    expectRelative(await valuesOf(loss, numbers), numbers.map(softplus), 1e-6)
    expectRelative((await gradientsOf(loss, numbers))[0] ?? [], numbers.map(sigmoid), 1e-6)
    const options = { reduction: 'none', posWeight: 2 } as const
    const positive = (x: Tensor): Tensor => ops.bceWithLogits(x, ops.onesLike(x), options)
    expectRelative(
      await valuesOf(positive, numbers),
      numbers.map((x) => 2 * softplus(-x)),
      1e-6,
    )
    expectRelative(
      (await gradientsOf(positive, numbers))[0] ?? [],
      numbers.map((x) => -2 * sigmoid(-x)),
      1e-6,
    )
  })
})

describe('other functions', () => {
  test.each([
    ['exp', ops.exp, Math.exp],
    ['sin', ops.sin, Math.sin],
    ['cos', ops.cos, Math.cos],
    ['atan', ops.atan, Math.atan],
    ['sinh', ops.sinh, Math.sinh],
    ['cosh', ops.cosh, Math.cosh],
    ['asinh', ops.asinh, Math.asinh],
    ['expm1', ops.expm1, Math.expm1],
    ['tanh', ops.tanh, Math.tanh],
  ] as const)('%s', async (_name, call, exact) => {
    const [y] = await onGrid(call)
    // tanh, and expm1 by it, loses digits of numbers below 1e-36.
    const checked = y.map((value, i) => (Math.abs(grid[i] ?? 0) > 1e-36 ? value : exact(grid[i] ?? nan)))
    expect(worst(checked, exact).relative).toBeLessThan(1e-6)
  })

  test('tanh is never beyond 1', async () => {
    const numbers = Array.from({ length: 20_000 }, (_, i) => 8 + i / 20_000)
    expect(Math.max(...(await valuesOf(ops.tanh, numbers)))).toBe(1)
    expect(Math.min(...((await gradientsOf(ops.tanh, numbers))[0] ?? []))).toBeGreaterThanOrEqual(0)
  })

  test('expm1 is never below -1, and its gradient is e^x', async () => {
    const numbers = Array.from({ length: 4000 }, (_, i) => -i / 100)
    expect(Math.min(...(await valuesOf(ops.expm1, numbers)))).toBe(-1)
    const found = (await gradientsOf(ops.expm1, numbers))[0] ?? []
    expectRelative(found, numbers.map(Math.fround).map(Math.exp), 1e-6)
  })
})

describe('digits that a formula would lose', () => {
  const tiny = [1e-20, -1e-10, 1e-7, -1e-5, 1e-3, -0.1]

  test('expm1 and log1p keep the digits of small numbers', async () => {
    const numbers = tiny.map(Math.fround)
    expectRelative(await valuesOf(ops.expm1, numbers), numbers.map(Math.expm1), 1e-6)
    expectRelative(await valuesOf(ops.log1p, numbers), numbers.map(Math.log1p), 1e-6)
  })

  test('expm1 and log1p have the limits of e^x - 1 and log(1 + x)', async () => {
    expect(await valuesOf(ops.expm1, [-inf, -200, 0, 100, inf, nan])).toEqual([-1, -1, 0, inf, inf, nan])
    expect(await valuesOf(ops.log1p, [-2, -1, 0, inf, nan])).toEqual([nan, -inf, 0, inf, nan])
  })

  test('erfc keeps its digits where erf is 1', async () => {
    const exact = [2.209049699858544e-5, 1.5374597944280349e-12, 4.13703174651381e-37]
    expectRelative(await valuesOf(ops.erfc, [3, 5, 9]), exact, 1e-6)
    expect(await valuesOf(ops.erfc, [-inf, inf, nan])).toEqual([2, 0, nan])
  })

  test('erfinv inverts erf and is infinite at the ends', async () => {
    const found = await valuesOf((x) => ops.erf(ops.erfinv(x)), [-0.999, -0.5, 0, 0.3, 0.9999])
    expectRelative(found, [-0.999, -0.5, 0, 0.3, 0.9999].map(Math.fround), 1e-6)
    expect(await valuesOf(ops.erfinv, [-1, 1, 1.5])).toEqual([-inf, inf, nan])
  })

  test('the variance of numbers far from 0 does not cancel', async () => {
    expect(await valuesOf((x) => ops.variance(x), [10000, 10001, 10002])).toEqual([1])
    expect(await valuesOf((x) => ops.variance(x), new Array<number>(99).fill(1000.1))).toEqual([0])
  })

  test('the statistics of batch norm on numbers far from 0', async () => {
    const count = 4096
    const values = Array.from({ length: count }, (_, i) => Math.fround(1000 + ((37 * i) % 101) / 101))
    const weights = Array.from({ length: count }, (_, i) => Math.sin(i) + 0.5)
    const mean = values.reduce((sum, value) => sum + value, 0) / count
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count)
    const call = (x: Tensor, weight: Tensor): Tensor => {
      const [rows, options] = [ops.reshape(x, [count, 1]), { weight, bias: ops.zeros([1]), eps: 0 }]
      const { output } = ops.batchNormTrain(rows, ops.zeros([1]), ops.ones([1]), options)
      return ops.mul(output, tensor(weights.map((w) => [w])))
    }
    const [, byWeight = []] = await gradientsOf(call, values, [1])
    const wanted = values.reduce((sum, value, i) => sum + ((value - mean) / deviation) * (weights[i] ?? 0), 0)
    // float32 near 1000 are 6e-5 apart: half of that is 1e-4 of the deviation, which each of the weights has.
    const total = weights.reduce((sum, w) => sum + w, 0)
    expect(Math.abs((byWeight[0] ?? nan) - wanted)).toBeLessThan(1.1e-4 * total)
    const found = await valuesOf((x) => ops.std(x, undefined, { correction: 0 }), values)
    expectRelative(found, [deviation], 1e-6)
  })

  test('the slope of sinc near 0, and its slope', async () => {
    const numbers = [0, 1e-6, 1e-3, -0.01, 0.3, 0.32, 0.7, 1].map(Math.fround)
    const slope = (x: number): number => {
      const a = Math.PI * x
      return Math.abs(a) < 0.05 ? Math.PI * (-a / 3 + a ** 3 / 30) : (Math.cos(a) - Math.sin(a) / a) / x
    }
    const curve = (x: number): number => {
      const a = Math.PI * x
      if (Math.abs(a) < 0.05) return Math.PI ** 2 * (-1 / 3 + a ** 2 / 10)
      return (-(Math.PI ** 2) * Math.sin(a)) / a - (2 / x) * slope(x)
    }
    expectRelative((await gradientsOf(ops.sinc, numbers))[0] ?? [], numbers.map(slope), 2e-6)
    const twice = (x: Tensor): Tensor => ops.addAll(vectorJacobianProduct([ops.sinc(x)], [ops.onesLike(x)], [x]))
    expectRelative((await gradientsOf(twice, numbers))[0] ?? [], numbers.map(curve), 1e-5)
  })

  test('whole quotients in the gradient of remainders', async () => {
    expect((await gradientsOf(ops.remainder, [1.5, -1.5], [0.3, 0.4]))[1]).toEqual([-4, 4])
    expect((await gradientsOf(ops.fmod, [1.5, -1.5], [0.3, 0.4]))[1]).toEqual([-4, 3])
  })

  test('attention to one key has no gradient by queries and keys', async () => {
    const rows = Array.from({ length: 4 }, (_, i) => Array.from({ length: 8 }, (_, j) => 10 * Math.sin(8 * i + j)))
    const call = (q: Tensor, k: Tensor, v: Tensor): Tensor =>
      ops.square(ops.scaledDotProductAttention(q, ops.slice(k, [0, 1], 0), ops.slice(v, [0, 1], 0)))
    const [byQuery = [], byKey = []] = await gradientsOf(call, rows, rows, rows)
    expect([...byQuery, ...byKey].every((g) => g === 0)).toBe(true)
    const causal = (q: Tensor): Tensor =>
      ops.square(ops.scaledDotProductAttention(q, q, tensor(rows), { causal: true }))
    const first = (q: Tensor): Tensor => ops.slice(causal(q), [0, 1], 0)
    expect((await gradientsOf(first, rows))[0]?.every((g) => g === 0)).toBe(true)
  })
})

test('group norm of numbers whose mean is large beside their deviation', async () => {
  const values = [4000, 4001, 4003, 4002, 3999, 4001, 4000, 4002]
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  const exact = values.map((value) => (value - mean) / Math.sqrt(variance + 1e-5))
  expectRelative(await valuesOf((x) => ops.groupNorm(ops.reshape(x, [1, 2, 4]), 1), values), exact, 1e-5)
})
