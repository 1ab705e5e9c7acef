/** Integers of 64 bits, beyond what 32 bits or a float64 hold. */
import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/index.ts'
import { constant, type Tensor } from '../../src/tensor/tensor.ts'

const lowest = -(2n ** 63n)
const numbers = [
  2n,
  -4n,
  2n ** 31n,
  2n ** 32n + 3n,
  2n ** 32n + 2n ** 31n,
  -(2n ** 31n) - 1n,
  -7n,
  2n ** 53n + 1n,
  lowest,
]

const int64 = (values: readonly bigint[], shape = [values.length]): Tensor =>
  constant(BigInt64Array.from(values), shape, 'int64')

async function valuesOf(call: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): Promise<bigint[]> {
  const { data } = (await compile(call)(...inputs)).array
  return Array.from(data, BigInt)
}

describe('order', () => {
  const smallest = numbers.reduce((a, b) => (a < b ? a : b))
  const largest = numbers.reduce((a, b) => (a > b ? a : b))

  test('extrema of all, and of each of two axes', async () => {
    const both = int64([...numbers, ...numbers.map((value) => value / 2n)], [2, numbers.length])
    expect(await valuesOf((x) => ops.min(x), both)).toEqual([smallest])
    expect(await valuesOf((x) => ops.max(x), both)).toEqual([largest])
    expect(await valuesOf((x) => ops.min(x, 1), both)).toEqual([smallest, smallest / 2n])
    expect(await valuesOf((x) => ops.max(x, 0), both)).toEqual(
      numbers.map((value) => (value > 0n ? value : value / 2n)),
    )
    expect(await valuesOf((x) => ops.max(x, [0, 1], { keepDims: true }), both)).toEqual([largest])
  })

  test('extrema along no axis and over an empty batch', async () => {
    expect(await valuesOf((x) => ops.max(x, []), int64(numbers))).toEqual(numbers)
    expect(await valuesOf((x) => ops.max(x, 1), int64([], [0, 3]))).toEqual([])
  })
})

describe('division', () => {
  const divisors = [1n, -1n, 2n, -2n, 7n, -7n, 2n ** 40n, lowest]
  const pairs = numbers.flatMap((a) => divisors.map((b) => [a, b] as const))
  const [a, b] = [int64(pairs.map(([x]) => x)), int64(pairs.map(([, y]) => y))]
  const wrapped = (value: bigint): bigint => BigInt.asIntN(64, value)

  test('div truncates; the lowest number by -1 wraps as its negative does', async () => {
    expect(await valuesOf(ops.div, a, b)).toEqual(pairs.map(([x, y]) => wrapped(x / y)))
  })

  test('fmod has the sign of the dividend', async () => {
    expect(await valuesOf(ops.fmod, a, b)).toEqual(pairs.map(([x, y]) => x % y))
  })

  test('remainder has the sign of the divisor, floorDivide rounds down', async () => {
    const rest = (x: bigint, y: bigint): bigint => ((x % y) + y) % y
    expect(await valuesOf(ops.remainder, a, b)).toEqual(pairs.map(([x, y]) => rest(x, y)))
    expect(await valuesOf(ops.floorDivide, a, b)).toEqual(pairs.map(([x, y]) => wrapped((x - rest(x, y)) / y)))
  })

  test('int32: the lowest number by -1', async () => {
    const int32 = (values: number[]): Tensor => constant(Int32Array.from(values), [values.length], 'int32')
    expect(await valuesOf(ops.div, int32([-(2 ** 31), 7, -7]), int32([-1, 2, 2]))).toEqual([-(2n ** 31n), 3n, -3n])
  })
})
