/** Values and gradients where a formula taken literally would fail: infinities, ties, zeros, empty axes, tiny numbers. */
import { describe, expect, test } from 'vitest'
import { vectorJacobianProduct } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/index.ts'
import { type NestedNumbers, type Tensor, tensor } from '../../src/tensor/tensor.ts'

const inf = Number.POSITIVE_INFINITY
const nan = Number.NaN

/** -0 is 0 here. */
const withoutSign = (value: number): number => value + 0

async function valuesOf(call: (...inputs: Tensor[]) => Tensor, ...inputs: NestedNumbers[]): Promise<number[]> {
  const result = await compile(call)(...inputs.map((input) => tensor(input)))
  return (await result.numbers()).map(withoutSign)
}

/** Gradients of the sum of the outputs by each input. */
async function gradientsOf(call: (...inputs: Tensor[]) => Tensor, ...inputs: NestedNumbers[]): Promise<number[][]> {
  const gradients = compile((...args: Tensor[]) => {
    const output = call(...args)
    return vectorJacobianProduct([output], [ops.onesLike(output)], args)
  })
  const results = await gradients(...inputs.map((input) => tensor(input)))
  return Promise.all(results.map(async (result) => (await result.numbers()).map(withoutSign)))
}

function expectRelative(found: readonly number[], expected: readonly number[], tolerance: number): void {
  for (const [i, value] of expected.entries())
    expect(Math.abs((found[i] ?? nan) - value)).toBeLessThanOrEqual(tolerance * Math.abs(value))
}

describe('accuracy', () => {
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
    expectRelative(
      await valuesOf(ops.erfc, [3, 5, 9]),
      [2.209049699858544e-5, 1.5374597944280349e-12, 4.13703e-37],
      2e-5,
    )
    expect(await valuesOf(ops.erfc, [-inf, inf])).toEqual([2, 0])
  })

  test('erfinv inverts erf and is infinite at the ends', async () => {
    const found = await valuesOf((x) => ops.erf(ops.erfinv(x)), [-0.999, -0.5, 0, 0.3, 0.9999])
    expectRelative(found, [-0.999, -0.5, 0, 0.3, 0.9999].map(Math.fround), 1e-6)
    expect(await valuesOf(ops.erfinv, [-1, 1, 1.5])).toEqual([-inf, inf, nan])
  })

  test('the variance of numbers far from 0 does not cancel', async () => {
    expect(await valuesOf((x) => ops.variance(x), [10000, 10001, 10002])).toEqual([1])
  })
})

describe('infinities', () => {
  test('logSumExp of masked rows is -inf without a gradient', async () => {
    const rows = [
      [-inf, -inf],
      [1000, -inf],
    ]
    const call = (x: Tensor): Tensor => ops.logSumExp(x, 1)
    expect(await valuesOf(call, rows)).toEqual([-inf, 1000])
    expect(await gradientsOf(call, rows)).toEqual([[0, 0, 1, 0]])
  })

  test('logAddExp of equal infinities', async () => {
    expect(await valuesOf(ops.logAddExp, [-inf, inf, -inf], [-inf, inf, 2])).toEqual([-inf, inf, 2])
  })

  test('hypot neither overflows nor underflows', async () => {
    expectRelative(await valuesOf(ops.hypot, [3e30, 3e-30], [4e30, 4e-30]), [5e30, 5e-30], 1e-6)
    expect(await valuesOf(ops.hypot, [0, inf], [0, 1])).toEqual([0, inf])
  })

  test('atan2 in all directions', async () => {
    const angles = await valuesOf(ops.atan2, [0, 1, 0, -1, inf, -2], [0, 0, -1, 0, -inf, 2])
    expectRelative(angles, [0, Math.PI / 2, Math.PI, -Math.PI / 2, (3 * Math.PI) / 4, -Math.PI / 4], 1e-6)
  })

  test('xlogy is 0 at 0, also where the logarithm is infinite', async () => {
    expect(await valuesOf(ops.xlogy, [0, 0, 0, 0], [0, -1, inf, nan])).toEqual([0, 0, 0, nan])
  })

  test('isFinite, nanToNum', async () => {
    expect(await valuesOf(ops.isFinite, [nan, inf, -inf, 3e38])).toEqual([0, 0, 0, 1])
    expect(await valuesOf((x) => ops.nanToNum(x, { nan: 1 }), [nan, 2])).toEqual([1, 2])
  })
})

describe('ties and kinks, as in PyTorch 2.15', () => {
  test('clamp gives no gradient at numbers, and shares it with tensors', async () => {
    expect(await gradientsOf((x) => ops.clamp(x, -1, 1), [-1, 0, 1])).toEqual([[0, 1, 0]])
    expect(await gradientsOf((x, bound) => ops.clamp(x, bound), [1, 2], [1, 1])).toEqual([
      [0.5, 1],
      [0.5, 0],
    ])
  })

  test('max shares among equals, maxWithIndices takes the first, cummax the last', async () => {
    expect(await gradientsOf((x) => ops.max(x), [3, 1, 3])).toEqual([[0.5, 0, 0.5]])
    expect(await gradientsOf((x) => ops.maxWithIndices(x, 0)[0], [3, 1, 3])).toEqual([[1, 0, 0]])
    expect(await valuesOf((x) => ops.cummax(x, 0)[1], [3, 1, 3, 2])).toEqual([0, 0, 2, 2])
  })

  test('the median of an even number is the lower one; equal ones share its gradient', async () => {
    expect(await valuesOf(ops.median, [4, 1, 3, 2])).toEqual([2])
    expect(await gradientsOf(ops.median, [3, 1, 2, 2])).toEqual([[0, 0, 0.5, 0.5]])
  })

  test('roots have no gradient at 0', async () => {
    expect(await gradientsOf((x) => ops.std(x), [2, 2, 2])).toEqual([[0, 0, 0]])
    for (const order of [0.5, 1.5, 2, 3]) {
      expect(await gradientsOf((x) => ops.vectorNorm(x, order), [0, 0])).toEqual([[0, 0]])
    }
    expect(await gradientsOf((a, b) => ops.cdist(a, b), [[1, 2]], [[1, 2]])).toEqual([
      [0, 0],
      [0, 0],
    ])
  })

  test('rounding: halves to even, quotients down', async () => {
    expect(await valuesOf((x) => ops.round(x), [0.5, 1.5, -2.5])).toEqual([0, 2, -2])
    expect(await valuesOf(ops.floorDivide, [1, 5, -7, 7, -1], [0.1, 0, 2, -2, inf])).toEqual([9, inf, -4, -4, -1])
    expect(await valuesOf(ops.remainder, [-7, 7, -6], [2, -2, 3])).toEqual([1, -1, 0])
  })
})

describe('products with zeros', () => {
  test('the gradient of prod at a zero is the product of the others', async () => {
    const rows = [
      [0, 3, 2],
      [0, 0, 2],
    ]
    expect(await gradientsOf((x) => ops.prod(x, 1), rows)).toEqual([[6, 0, 0, 0, 0, 0]])
  })

  test('the gradient of cumprod', async () => {
    expect(await gradientsOf((x) => ops.cumprod(x, 0), [2, 0, 3])).toEqual([[1, 8, 0]])
  })
})

describe('repeated indices accumulate', () => {
  test('in the gradient of an embedding, but for its padding', async () => {
    const index = tensor([1, 0, 1, 2], 'int64')
    const weight = [
      [1, 2],
      [3, 4],
      [5, 6],
    ]
    const [plain] = await gradientsOf((w) => ops.embedding(index, w), weight)
    expect(plain).toEqual([1, 1, 2, 2, 1, 1])
    const [padded] = await gradientsOf((w) => ops.embedding(index, w, { paddingIndex: -3 }), weight)
    expect(padded).toEqual([0, 0, 2, 2, 1, 1])
  })

  test('in wide tables, whose gradient is a matrix product', async () => {
    const index = tensor([1, 2, 2, 0], 'int64')
    const table = Array.from({ length: 3 }, () => new Array<number>(64).fill(1))
    const [gradient = []] = await gradientsOf((x) => ops.indexSelect(x, index, 0), table)
    expect([gradient[0], gradient[64], gradient[191]]).toEqual([1, 1, 2])
  })

  test('in scatterAdd and bincount', async () => {
    const index = tensor([2, 0, 2, 2], 'int64')
    expect(await valuesOf((x) => ops.scatterAdd(ops.zeros([3]), index, x, 0), [1, 2, 3, 4])).toEqual([2, 0, 8])
    expect(await valuesOf(() => ops.bincount(index, 4))).toEqual([1, 0, 3, 0])
  })
})

describe('empty axes', () => {
  const empty = [[], []]
  test('have the values of an empty sum, product, mean', async () => {
    expect(await valuesOf((x) => ops.sum(x, 1), empty)).toEqual([0, 0])
    expect(await valuesOf((x) => ops.prod(x, 1), empty)).toEqual([1, 1])
    expect(await valuesOf((x) => ops.mean(x, 1), empty)).toEqual([nan, nan])
    expect(await valuesOf((x) => ops.logSumExp(x, 1), empty)).toEqual([-inf, -inf])
    expect(await valuesOf((x) => ops.all(x, 1), empty)).toEqual([1, 1])
    expect(await valuesOf((x) => ops.any(x, 1), empty)).toEqual([0, 0])
  })

  test('can be sorted, tiled and reshaped', async () => {
    expect(await valuesOf((x) => ops.sort(x)[0], empty)).toEqual([])
    expect(await valuesOf((x) => ops.repeatInterleave(x, 0, 0), [[1, 2]])).toEqual([])
    expect(await valuesOf((x) => ops.reshape(x, [0, 3]), empty)).toEqual([])
  })
})
