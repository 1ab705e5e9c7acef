import { expect, test } from 'vitest'
import {
  binomialTest,
  chiSquareTail,
  chiSquareTest,
  holmCorrection,
  incompleteBeta,
  logGamma,
  pairedTest,
  studentTail,
  wilsonInterval,
} from '../../src/util/significance.ts'

const near = (found: number, expected: number): void =>
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-9 * Math.abs(expected))

/** Expected values by SciPy 1.17. */
test.each([
  [0.001, 6.907178885383853],
  [0.2, 1.5240638224307845],
  [0.5, 0.5723649429247],
  [1.7, -0.09580769740706585],
  [10.5, 13.940625219403763],
  [300.25, 1410.6277005023787],
  [1000000.0, 12815504.569147611],
] as const)('logGamma(%s) is %s', (x, expected) => near(logGamma(x), expected))

test.each([
  [0.1, 0.5, 0.5, 0.20483276469913345],
  [0.9, 2, 3, 0.9963],
  [0.3, 50, 0.5, 6.800825885173791e-28],
  [0.999, 500, 0.5, 0.31731044730971725],
  [0.4, 100.0, 100.0, 0.0021600949380551422],
] as const)('incompleteBeta(%s, %s, %s) is %s', (x, a, b, expected) => near(incompleteBeta(x, a, b), expected))

test.each([
  [0, 5, 0.5],
  [1.3, 1, 0.20871440016015272],
  [-2.5, 30, 0.9909421754659666],
  [12, 40, 3.91208565212799e-15],
  [26, 1018, 5.277999994604098e-115],
  [3.7, 19360, 0.00010809815089532145],
] as const)('studentTail(%s, %s) is %s', (t, degrees, expected) => near(studentTail(t, degrees), expected))

test.each([
  [0.01, 1, 0.920344325445942],
  [3.44, 1, 0.06363569271002491],
  [40, 1, 2.5396285894708634e-10],
  [7.5, 4, 0.11170929281604328],
  [300, 12, 4.6959578959561177e-57],
  [2, 50, 1.0],
] as const)('chiSquareTail(%s, %s) is %s', (x, degrees, expected) => near(chiSquareTail(x, degrees), expected))

test.each([
  [3, 10, 0.5, 0.34375],
  [5, 10, 0.5, 1.0],
  [50, 103, 0.6923, 1.4280924239990587e-5],
  [0, 20, 0.1, 0.25452997802490435],
  [999, 1019, 0.9, 2.4238902963986887e-24],
] as const)('binomialTest(%s, %s, %s) is %s', (k, n, p, expected) => near(binomialTest(k, n, p), expected))

test('chi-square test of a table', () => {
  const { statistic, p } = chiSquareTest([
    [10, 20, 30],
    [6, 9, 17],
  ])
  near(statistic, 0.27157465150403504)
  near(p, 0.873028283380073)
})

test('paired test from sums', () => {
  const { t, p } = pairedTest(7, 3, 5)
  near(t, 1.4411533842457844)
  near(p, 0.09981083636303992)
  expect(pairedTest(5, 0, 0).p).toBeNaN()
  expect(pairedTest(5, 5, 5)).toEqual({ t: Number.POSITIVE_INFINITY, p: 0 })
})

test("Wilson's interval", () => {
  const [low, high] = wilsonInterval(7, 20)
  near(low, 0.1811918241010821)
  near(high, 0.5671457233147637)
  expect(wilsonInterval(0, 0)).toEqual([0, 1])
  expect(wilsonInterval(0, 3)[0]).toBe(0)
  expect(wilsonInterval(3, 3)[1]).toBe(1)
})

test("Holm's correction leaves out what was not tested", () => {
  expect(holmCorrection([0.01, Number.NaN, 0.04, 0.03])).toEqual([0.03, Number.NaN, 0.06, 0.06])
})

test('arguments out of range', () => {
  expect(() => logGamma(0)).toThrow('logGamma: x must be above 0, found 0')
  expect(() => binomialTest(3, 2, 0.5)).toThrow('binomialTest: successes must be from 0 to 2, found 3')
})
