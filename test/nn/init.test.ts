import { beforeEach, describe, expect, test } from 'vitest'
import { BatchNorm1d, init, Linear, Sequential } from '../../src/nn/index.ts'
import { manualSeed } from '../../src/tensor/random-state.ts'
import { Generator } from '../../src/util/random.ts'

const mean = (x: Float32Array): number => x.reduce((sum, value) => sum + value, 0) / x.length
const std = (x: Float32Array): number => {
  const center = mean(x)
  return Math.sqrt(x.reduce((sum, value) => sum + (value - center) ** 2, 0) / x.length)
}
const largest = (x: Float32Array): number => x.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

beforeEach(() => manualSeed(3))

test('equal seeds give equal numbers, and a generator of its own leaves the default one alone', () => {
  const first = init.normal([50])
  manualSeed(3)
  init.uniform([9], { generator: new Generator(8) })
  expect(init.normal([50])).toEqual(first)
  expect(init.normal([50])).not.toEqual(first)
})

// fanIn 200 * 6 = 1200, fanOut 100 * 6 = 600.
const weight = [100, 200, 2, 3]

describe('uniform within a bound', () => {
  test.each([
    ['uniform', init.uniform([20000], { low: -3, high: 3 }), 3],
    ['xavierUniform', init.xavierUniform(weight, { gain: 2 }), 2 * Math.sqrt(6 / 1800)],
    ['kaimingUniform', init.kaimingUniform(weight), Math.sqrt(6 / 1200)],
    ['kaimingUniform, a = sqrt 5', init.kaimingUniform(weight, { a: Math.sqrt(5) }), 1 / Math.sqrt(1200)],
    [
      'kaimingUniform, fanOut, tanh',
      init.kaimingUniform(weight, { mode: 'fanOut', nonlinearity: 'tanh' }),
      (5 / 3) * Math.sqrt(3 / 600),
    ],
  ])('%s', (_name, values, bound) => {
    expect(largest(values)).toBeLessThanOrEqual(bound * 1.000001)
    expect(largest(values)).toBeGreaterThan(bound * 0.99)
    expect(std(values)).toBeCloseTo(bound / Math.sqrt(3), 1)
    expect(Math.abs(mean(values))).toBeLessThan(bound / 30)
  })
})

describe('normal with a standard deviation', () => {
  test.each([
    ['normal', init.normal([20000], { mean: 5, std: 2 }), 5, 2],
    ['xavierNormal', init.xavierNormal(weight), 0, Math.sqrt(2 / 1800)],
    ['kaimingNormal, relu', init.kaimingNormal(weight, { nonlinearity: 'relu' }), 0, Math.sqrt(2 / 1200)],
    ['lecunNormal', init.lecunNormal(weight), 0, Math.sqrt(1 / 1200)],
    // A normal distribution cut off at 1 and 3: from its density.
    ['truncNormal', init.truncNormal([20000], { mean: 1, std: 2, a: 1, b: 3 }), 1.9195, 0.5675],
  ])('%s', (_name, values, center, deviation) => {
    expect(Math.abs(mean(values) - center)).toBeLessThan(0.03 * Math.max(deviation, Math.abs(center)))
    expect(Math.abs(std(values) / deviation - 1)).toBeLessThan(0.03)
  })

  test('truncNormal and lecunNormal stay within their bounds', () => {
    expect(largest(init.truncNormal([20000], { std: 3 }))).toBeLessThanOrEqual(2)
    expect(largest(init.lecunNormal(weight))).toBeLessThanOrEqual((2 * Math.sqrt(1 / 1200)) / 0.8796)
    expect(() => init.truncNormal([1], { a: 50, b: 51 })).toThrow(
      'truncNormal: bounds must be ordered and within 4 standard deviations of the mean, found [50, 51], mean 0, std 1',
    )
  })
})

describe('orthogonal', () => {
  test.each([[[3, 8]], [[8, 3]], [[4, 2, 3]], [[5, 5]]])(
    '%j has orthonormal rows or columns, times the gain',
    (shape) => {
      const [rows = 0] = shape
      const columns = shape.slice(1).reduce((product, size) => product * size, 1)
      const q = init.orthogonal(shape, { gain: 1.5 })
      const vectors = Math.min(rows, columns)
      const at = (i: number, k: number): number => q[rows <= columns ? i * columns + k : k * columns + i] ?? 0
      for (let i = 0; i < vectors; i++) {
        for (let j = 0; j < vectors; j++) {
          let product = 0
          for (let k = 0; k < Math.max(rows, columns); k++) product += at(i, k) * at(j, k)
          expect(product).toBeCloseTo(i === j ? 2.25 : 0, 5)
        }
      }
    },
  )

  test('needs two axes', () => {
    expect(() => init.orthogonal([4])).toThrow('orthogonal: the shape must have at least 2 axes, found [4]')
  })
})

describe('fixed values', () => {
  test('constants', () => {
    expect([...init.zeros([2]), ...init.ones([2]), ...init.constant(0.5)([2])]).toEqual([0, 0, 1, 1, 0.5, 0.5])
  })

  test('eye', () => {
    expect([...init.eye([2, 3])]).toEqual([1, 0, 0, 0, 1, 0])
    expect(() => init.eye([3])).toThrow('eye: the shape must have 2 axes, found [3]')
  })

  test('dirac, in groups', () => {
    // [4, 1, 3], 2 groups: each group hands on its one channel in its first unit.
    expect([...init.dirac([4, 1, 3], { groups: 2 })]).toEqual([0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])
    expect(init.dirac([2, 2, 3, 4])[6]).toBe(1)
    expect(() => init.dirac([3, 1, 3], { groups: 2 })).toThrow(
      'dirac: axis 0 must be a multiple of groups = 2, found [3, 1, 3]',
    )
  })

  test('gains', () => {
    expect(init.calculateGain('leakyRelu', 0.5)).toBeCloseTo(Math.sqrt(1.6), 12)
    expect([init.calculateGain('linear'), init.calculateGain('selu')]).toEqual([1, 0.75])
  })

  test('fans need a matrix', () => {
    expect(() => init.xavierUniform([4])).toThrow('init: fans need a weight of at least 2 axes, found [4]')
  })
})

test('skipInit leaves parameters at 0 and draws nothing; buffers begin as always', () => {
  const build = () => new Sequential(new Linear(2, 3), new BatchNorm1d(3))
  const [skipped, next] = [init.skipInit(build).stateDict(), build().stateDict()]
  manualSeed(3)
  expect(next).toEqual(build().stateDict())
  expect(skipped.get('0.weight')?.data).toEqual(new Float32Array(6))
  expect(skipped.get('1.weight')?.data).toEqual(new Float32Array(3))
  expect(skipped.get('1.running_var')?.data).toEqual(new Float32Array(3).fill(1))
})
