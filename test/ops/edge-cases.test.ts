/** Values and gradients where a formula taken literally would fail: infinities, ties, zeros, empty axes, tiny numbers. */
import { describe, expect, test } from 'vitest'
import { gradient } from '../../src/autodiff/gradient.ts'
import * as ops from '../../src/ops/index.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { expectRelative, gradientsOf, valuesOf } from '../support/values.ts'

const inf = Number.POSITIVE_INFINITY
const nan = Number.NaN

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

  test('logAddExp bends at equal arguments as everywhere', async () => {
    const slope = (a: Tensor, b: Tensor): Tensor => gradient(ops.sum(ops.logAddExp(a, b)), [a])[0] as Tensor
    expectRelative(await valuesOf(slope, [1, 1, 0], [1, 0, -200]), [0.5, 1 / (1 + Math.exp(-1)), 1], 1e-6)
    const [bend] = await gradientsOf(slope, [1, -3], [1, -3])
    expectRelative(bend ?? [], [0.25, 0.25], 1e-6)
  })

  test('hypot neither overflows nor underflows', async () => {
    expectRelative(await valuesOf(ops.hypot, [3e30, 3e-30], [4e30, 4e-30]), [5e30, 5e-30], 1e-6)
    expect(await valuesOf(ops.hypot, [0, inf], [0, 1])).toEqual([0, inf])
  })

  test('atan2 beside -0', async () => {
    const angles = await valuesOf(ops.atan2, [-0, 0, -0, 0], [-1, -1, -0, -0])
    expectRelative(angles, [-Math.PI, Math.PI, -Math.PI, Math.PI], 1e-6)
  })

  test('atan2 in all directions', async () => {
    const angles = await valuesOf(ops.atan2, [0, 1, 0, -1, inf, -2], [0, 0, -1, 0, -inf, 2])
    expectRelative(angles, [0, Math.PI / 2, Math.PI, -Math.PI / 2, (3 * Math.PI) / 4, -Math.PI / 4], 1e-6)
  })

  test('atan2 and the phase of silence have the gradient 0', async () => {
    expect(await gradientsOf(ops.atan2, [0, -0, 1], [0, 0, 0])).toEqual([
      [0, 0, 0],
      [0, 0, -1],
    ])
    const phase = (x: Tensor): Tensor => ops.complexAngle(ops.rfft(x))
    expect(await gradientsOf(phase, [0, 0, 0, 0])).toEqual([[0, 0, 0, 0]])
  })

  test('NaN lies behind all numbers, as it is sorted', async () => {
    const row = [-inf, 1, inf, nan]
    for (const right of [false, true]) {
      const place = (x: Tensor): Tensor => ops.searchsorted(tensor(row), x, { right })
      expect(await valuesOf(place, [nan, 2, inf])).toEqual([4, 2, right ? 3 : 2])
      const long = (x: Tensor): Tensor =>
        ops.searchsorted(ops.arange(20, undefined, { dtype: 'float32' }), x, { right })
      expect(await valuesOf(long, [nan, 2.5])).toEqual([20, 3])
    }
  })

  test('xlogy is 0 at 0, also where the logarithm is infinite', async () => {
    expect(await valuesOf(ops.xlogy, [0, 0, 0, 0], [0, -1, inf, nan])).toEqual([0, 0, 0, nan])
  })

  test('isFinite, nanToNum', async () => {
    expect(await valuesOf(ops.isFinite, [nan, inf, -inf, 3e38])).toEqual([0, 0, 0, 1])
    expect(await valuesOf(() => ops.isFinite(tensor([2 ** 31 - 1, 0], 'int32')))).toEqual([1, 1])
    expect(await valuesOf((x) => ops.nanToNum(x, { nan: 1 }), [nan, 2])).toEqual([1, 2])
  })

  test('clamp with one bound leaves infinities, and so do what it is part of', async () => {
    expect(await valuesOf((x) => ops.clamp(x, -1), [inf, -inf, 2])).toEqual([inf, -1, 2])
    expect(await valuesOf((x) => ops.clamp(x, undefined, 1), [inf, -inf, 0])).toEqual([1, -inf, 0])
    expect(await valuesOf((x) => ops.prelu(x, 0.5), [inf, -inf])).toEqual([inf, -inf])
    expect(await valuesOf((x) => ops.elu(x), [inf, -inf])).toEqual([inf, -1])
    expect(await valuesOf((x) => ops.normalize(x, { axis: 0 }), [inf, 1])).toEqual([nan, 0])
  })

  test('lerp and quantile start from the nearer end', async () => {
    expect(await valuesOf((a, b) => ops.lerp(a, b, 0.9), [1, -inf], [2, 3])).toEqual([Math.fround(1.9), -inf])
    expect(await valuesOf((a, b) => ops.lerp(a, b, 1), [1e8], [1])).toEqual([1])
    expect(await valuesOf((x) => ops.quantile(x, 0.3), [1, -inf, 2])).toEqual([-inf])
  })

  test('the bound on a variance or norm is no difference of infinities', async () => {
    const loss = (variance: Tensor): Tensor => ops.gaussianNllLoss(1, 2, variance)
    expect(await valuesOf(loss, [inf])).toEqual([inf])
    expect(await valuesOf((x, y) => ops.cosineSimilarity(x, y, { axis: 0 }), [3e38, 1], [1, 1])).toEqual([0])
  })

  test('the variance of numbers that overflow is infinite', async () => {
    expect(await valuesOf((x) => ops.variance(x), [3e38, 3e38, -3e38])).toEqual([inf])
  })

  test('swish and GELU have gradients at their ends', async () => {
    const ends = [-2e38, -1e13, 1e13, 2e38]
    expect(await gradientsOf(ops.silu, ends)).toEqual([[0, 0, 1, 1]])
    expect(await gradientsOf(ops.quickGelu, ends)).toEqual([[0, 0, 1, 1]])
    expect(await gradientsOf((x) => ops.gelu(x, { approximate: 'tanh' }), ends.slice(1, 3))).toEqual([[0, 1]])
  })

  test('logit: the ends, beyond them, and eps of more than a half', async () => {
    expect(await valuesOf((x) => ops.logit(x), [0, 1, -1, nan])).toEqual([-inf, inf, nan, nan])
    expect(await gradientsOf((x) => ops.logit(x), [0.5, -1, 2])).toEqual([[4, nan, nan]])
    expect(await gradientsOf((x) => ops.logit(x, { eps: 0.25 }), [0.25, 0.5, 0.8])).toEqual([
      [16 / 3, 4, 0].map(Math.fround),
    ])
    const found = await valuesOf((x) => ops.logit(x, { eps: 0.75 }), [0.1, 0.74, 0.75, 0.9])
    expectRelative(found, [Math.log(3), Math.log(3), -Math.log(3), -Math.log(3)], 1e-6)
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

  test('clamp between equal tensors has one gradient: that of the bound beyond which x is, or of x', async () => {
    expect(
      await gradientsOf((x, min, max) => ops.clamp(x, min, max), [0, 1, 2, 1], [1, 1, 1, 0], [1, 1, 1, 1]),
    ).toEqual([
      [0, 1, 0, 0.5],
      [1, 0, 0, 0],
      [0, 0, 1, 0.5],
    ])
  })

  test('remainders by 0 have the gradient of the quotient', async () => {
    for (const op of [ops.fmod, ops.remainder])
      expect(await gradientsOf(op, [3, -3, 0, 3], [0, 0, 0, 2])).toEqual([
        [1, 1, 1, 1],
        [-inf, inf, nan, -1],
      ])
  })

  test('an axis that keeps its size is copied, whatever the factor was', async () => {
    const row = [[[1, 2, 4, 8]]]
    for (const options of [
      { mode: 'linear' },
      { mode: 'linear', antialias: true },
      { mode: 'bicubic', antialias: true },
    ] as const) {
      const resize = (x: Tensor): Tensor => ops.interpolate(x, undefined, { ...options, scaleFactor: 1.2 })
      expect(await valuesOf(resize, row)).toEqual([1, 2, 4, 8])
      expect(await gradientsOf(resize, row)).toEqual([[1, 1, 1, 1]])
    }
    // Plain bicubic takes the factor there, too.
    const cubic = await valuesOf((x) => ops.interpolate(x, undefined, { mode: 'bicubic', scaleFactor: 1.2 }), row)
    expectRelative(cubic, [0.9474825859069824, 1.5625, 2.8375306129455566, 5.838832855224609], 1e-6)
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

  test('sums over an empty inner axis leave what is added', async () => {
    const call = (c: Tensor): Tensor => ops.addmm(c, ops.zeros([2, 0]), ops.zeros([0, 2]), { beta: 3 })
    expect(await valuesOf(call, [1, 2])).toEqual([3, 6, 3, 6])
    expect(await gradientsOf(call, [1, 2])).toEqual([[6, 6]])
    expect(await valuesOf((bias) => ops.linear(ops.zeros([2, 0]), ops.zeros([3, 0]), bias), [1, 2, 3])).toEqual([
      1, 2, 3, 1, 2, 3,
    ])
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

  test('but not beyond the end, by whichever path', async () => {
    for (const width of [1, 64]) {
      const index = tensor([0, 3], 'int64')
      const source = Array.from({ length: 2 }, () => new Array<number>(width).fill(1))
      await expect(valuesOf((x) => ops.segmentSum(x, index, 3, 0), source)).rejects.toThrow(
        'segmentSum: index must lie in 0 to 2, found 3 at [1]',
      )
      const call = (x: Tensor): Tensor => ops.indexAdd(ops.zeros([3, width]), index, x, 0)
      await expect(valuesOf(call, source)).rejects.toThrow('indexAdd: index must lie in 0 to 2, found 3 at [1]')
    }
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

describe('scalars', () => {
  test.each([0, -1])('are reduced over axis %i', async (axis) => {
    const value = async (call: (x: Tensor) => Tensor): Promise<number[]> => valuesOf(call, 3)
    for (const call of [ops.sum, ops.prod, ops.max, ops.min, ops.mean, ops.logSumExp])
      expect(await value((x) => call(x, axis))).toEqual([3])
    expect(await value((x) => ops.variance(x, axis))).toEqual([nan])
    expect(await value((x) => ops.variance(x, axis, { correction: 0 }))).toEqual([0])
    expect(await value((x) => ops.std(x, axis, { correction: 0 }))).toEqual([0])
    expect(await value((x) => ops.flip(x, axis))).toEqual([3])
    expect(await gradientsOf((x) => ops.prod(x, axis), 3)).toEqual([[1]])
  })
})

describe('gradients of gradients where a factor is infinite', () => {
  /** The derivatives of order 1, 2, ... of the sum, by element. */
  async function derivatives(fn: (x: Tensor) => Tensor, values: number[], order: number): Promise<number[]> {
    const of = (f: (x: Tensor) => Tensor) => (x: Tensor) => gradient(ops.sum(f(x)), [x])[0]
    const derived = Array.from({ length: order }).reduce<(x: Tensor) => Tensor>(of, fn)
    return valuesOf(derived, values)
  }
  test.each<[string, number, (x: Tensor) => Tensor, number[]]>([
    ['sigmoid', 2, ops.sigmoid, [89, 100, 300, -300]],
    ['sigmoid', 3, ops.sigmoid, [89, 100, 300]],
    ['softplus', 3, (x) => ops.softplus(x), [89, 300]],
    ['logSigmoid', 3, ops.logSigmoid, [-100, 100]],
    ['logNdtr', 2, ops.logNdtr, [20, 40, 1000]],
    ['pow(x, 0)', 2, (x) => ops.pow(x, 0), [0, 1]],
    ['pow(x, 1)', 3, (x) => ops.pow(x, 1), [0, 1]],
    ['pow(x, 2)', 4, (x) => ops.pow(x, 2), [0, 1]],
  ])('%s, order %i: 0', async (_name, order, fn, values) => {
    const found = await derivatives(fn, values, order)
    for (const value of found) expect(Math.abs(value)).toBeLessThanOrEqual(1e-37)
  })
  test('logNdtr: the slope is the density where the distribution is 1, and the ratio before', async () => {
    const x = [-100, -10, 0, 5, 12.1, 13]
    // scipy: exp(norm.logpdf(x) - norm.logcdf(x))
    const wanted = [100.00999800099926, 10.098093233962512, 0.7978845608028654, 1.486719940904906e-6]
    expectRelative(await derivatives(ops.logNdtr, x.slice(0, 4), 1), wanted, 2e-6)
    const density = x.slice(4).map((value) => Math.exp(-(value ** 2) / 2) / Math.sqrt(2 * Math.PI))
    expectRelative(await derivatives(ops.logNdtr, x.slice(4), 1), density, 2e-5)
  })
  test('pow with a constant at 0', async () => {
    expect(await derivatives((x) => ops.pow(x, 2), [0, 3], 1)).toEqual([0, 6])
    expect(await derivatives((x) => ops.pow(x, 3), [0, 2], 2)).toEqual([0, 12])
    expect(await derivatives((x) => ops.pow(x, 0), [0, 2], 1)).toEqual([0, 0])
  })
})
