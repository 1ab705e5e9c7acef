/** Numbers become elements exactly or not at all: `tensor`, `Variable`, and what both are made of. */
import { describe, expect, test } from 'vitest'
import { type DType, holdsNumber, type TypedArray } from '../../src/tensor/dtype.ts'
import { constant, type NestedNumbers, tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { type ShapeError, UsageError } from '../../src/util/errors.ts'

describe('what a dtype holds', () => {
  test.each<[DType, readonly (number | bigint)[], readonly (number | bigint)[]]>([
    ['float32', [0.1, -1e39, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31], []],
    ['int32', [-(2 ** 31), 2 ** 31 - 1, -0], [0.5, 2 ** 31, Number.NaN, Number.NEGATIVE_INFINITY]],
    ['int64', [2 ** 53 - 1, -(2n ** 63n), 2n ** 63n - 1n], [0.5, 2 ** 53, Number.NaN, 2n ** 63n]],
    ['uint8', [0, 255], [-1, 256, 0.5]],
    ['bool', [0, 1], [-1, 2, 0.5, Number.NaN]],
  ])('%s', (dtype, held, refused) => {
    expect(held.filter((value) => !holdsNumber(dtype, value))).toEqual([])
    expect(refused.filter((value) => holdsNumber(dtype, value))).toEqual([])
  })
})

describe('tensor', () => {
  test.each<[NestedNumbers, DType, string]>([
    [[1.5], 'int32', 'tensor: int32 holds a whole number from -2147483648 to 2147483647, found 1.5'],
    [[300], 'uint8', 'tensor: uint8 holds a whole number from 0 to 255, found 300'],
    [[-1], 'uint8', 'tensor: uint8 holds a whole number from 0 to 255, found -1'],
    [[0, 2], 'bool', 'tensor: bool holds 0 or 1, found 2'],
    [[0.5], 'int64', 'tensor: int64 holds a whole number from -9007199254740991 to 9007199254740991, found 0.5'],
    [[Number.NaN], 'int32', 'tensor: int32 holds a whole number from -2147483648 to 2147483647, found NaN'],
  ])('%j as %s is refused', (values, dtype, message) => {
    expect(() => tensor(values, dtype)).toThrow(message)
  })

  test('the hints say how', () => {
    const hintOf = (make: () => unknown): string | undefined => {
      try {
        make()
      } catch (error) {
        return (error as ShapeError).hint
      }
      return undefined
    }
    expect(hintOf(() => tensor([0.5], 'int32'))).toBe(
      "float32 holds fractions; cast(x, dtype) cuts them off, and cast(x, 'bool') is whether x differs from 0",
    )
    expect(hintOf(() => tensor([2 ** 60], 'int64'))).toBe(
      "larger ones are given as bigint: tensor(9007199254740993n, 'int64')",
    )
  })

  test('int64 takes bigints that no number tells apart', () => {
    const { data } = tensor([9007199254740993n, -(2n ** 63n), 5], 'int64').array
    expect(data).toEqual(BigInt64Array.of(9007199254740993n, -(2n ** 63n), 5n))
  })

  test('bool takes true and false, float32 rounds', () => {
    expect(tensor([true, false], 'bool').array.data).toEqual(Uint8Array.of(1, 0))
    expect(tensor([0.1]).array.data).toEqual(Float32Array.of(Math.fround(0.1)))
  })

  // From JavaScript: the type system was not asked there.
  test.each([
    ['["a"]', 'tensor: elements must be numbers, found "a"'],
    ['[1, null]', 'tensor: elements must be numbers, found null'],
    ['null', 'tensor: elements must be numbers, found null'],
    ['{"a": 1}', 'tensor: elements must be numbers, found an object'],
  ])('%s is no list of numbers', (json, message) => {
    expect(() => tensor(JSON.parse(json) as NestedNumbers)).toThrow(new UsageError(message))
  })

  test('an unknown dtype', () => {
    expect(() => tensor([1], JSON.parse('"float16"') as DType)).toThrow(
      new UsageError('tensor: dtype must be float32, int32, int64, bool or uint8, found "float16"'),
    )
  })

  test('an array of another class', () => {
    expect(() => constant(Int32Array.of(1), [1], 'float32')).toThrow(
      new UsageError('tensor: float32 is stored as Float32Array, found Int32Array'),
    )
    expect(() => tensor({ dtype: 'int32', shape: [1], data: [1] as unknown as TypedArray })).toThrow(
      new UsageError('tensor: int32 is stored as Int32Array, found Array'),
    )
  })
})

describe('Variable', () => {
  test('takes numbers that its dtype holds, from any array', () => {
    const variable = new Variable([2], { dtype: 'int32' })
    variable.set(Float32Array.of(3, -4))
    expect(variable.data).toEqual(Int32Array.of(3, -4))
    variable.set([5n, 6])
    expect(variable.data).toEqual(Int32Array.of(5, 6))
  })

  test.each([[[0.5, 1]], [Float32Array.of(0.5, 1)]])('refuses others and stays as it was', (values) => {
    const variable = new Variable([2], { dtype: 'int32', name: 'count', data: Int32Array.of(7, 8) })
    expect(() => variable.set(values)).toThrow(
      'variable count: int32 holds a whole number from -2147483648 to 2147483647, found 0.5',
    )
    expect(variable.data).toEqual(Int32Array.of(7, 8))
  })

  test('its array must be of its dtype', () => {
    expect(() => new Variable([1], { dtype: 'int64', data: Float32Array.of(1) })).toThrow(
      new UsageError('variable (unnamed): int64 is stored as BigInt64Array, found Float32Array'),
    )
  })
})
