import { expect, test } from 'vitest'
import { checkedBytes, type FileElement, gatherElements, readElements } from '../../src/io/elements.ts'
import { collectWarnings } from '../support/warnings.ts'
import { expectDamaged, expectError } from './samples.ts'

const warnings = collectWarnings()

const bits16 = (...bits: number[]): Uint8Array => new Uint8Array(Uint16Array.from(bits).buffer)
const numbers = (element: FileElement, bytes: Uint8Array, count: number): unknown[] =>
  Array.from<unknown>(readElements('x', element, [count], bytes).data)

test('half precision: normal, subnormal, infinite, not a number, both zeros', () => {
  const bits = [0x3c00, 0xc500, 0x7bff, 0x0400, 0x03ff, 0x0001, 0x7c00, 0xfc00, 0x7e00, 0x0000, 0x8000]
  expect(numbers('f16', bits16(...bits), bits.length)).toEqual([
    1,
    -5,
    65504,
    2 ** -14,
    1023 * 2 ** -24,
    2 ** -24,
    Infinity,
    -Infinity,
    NaN,
    0,
    -0,
  ])
})

test('bfloat16 keeps exponent and sign of float32', () => {
  expect(numbers('bf16', bits16(0x3f80, 0xc040, 0x7f80, 0x7fc0, 0x8000), 5)).toEqual([1, -3, Infinity, NaN, -0])
})

test('the order of bytes is that of the file, and its bytes stay as they are', () => {
  const bytes = Uint8Array.of(1, 2, 0xff, 0xfe)
  expect(readElements('x', 'i16', [2], bytes, false)).toEqual({
    dtype: 'int32',
    shape: [2],
    data: Int32Array.of(0x102, -2),
  })
  expect(bytes).toEqual(Uint8Array.of(1, 2, 0xff, 0xfe))
})

test('any byte but 0 is true', () => {
  expect(numbers('bool', Uint8Array.of(0, 1, 2, 255), 4)).toEqual([0, 1, 1, 1])
})

test('unsigned numbers that int64 does not hold are refused', () => {
  const bytes = (...values: bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(values).buffer)
  expect(numbers('u64', bytes(0n, 2n ** 63n - 1n), 2)).toEqual([0n, 2n ** 63n - 1n])
  expectError(
    () => readElements('file: tensor "w"', 'u64', [2], bytes(5n, 2n ** 63n + 1n)),
    'FormatError',
    'file: tensor "w": unsigned numbers must be below 2^63, found 9223372036854775809 at element 1',
    'no dtype holds larger ones: save them as float64, or leave them out',
  )
})

test('float64 is rounded; a warning tells of finite numbers that float32 does not reach', () => {
  const bytes = (...values: number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer)
  expect(numbers('f64', bytes(0.1, Infinity, NaN, 1e-300, 3.4028235e38), 5)).toEqual([
    Math.fround(0.1),
    Infinity,
    NaN,
    0,
    Math.fround(3.4028235e38),
  ])
  expect(warnings).toEqual([])
  expect(numbers('f64', bytes(1, -1e300, 1e39), 3)).toEqual([1, -Infinity, Infinity])
  expect(warnings).toEqual(["x: 2 numbers beyond float32's range became infinite, such as -1e+300"])
})

test('strided views become row-major', () => {
  const bytes = Uint8Array.of(0, 1, 2, 3, 4, 5, 6)
  expect(gatherElements(bytes, 1, { offset: 1, shape: [2, 3], strides: [1, 2] })).toEqual(
    Uint8Array.of(1, 3, 5, 2, 4, 6),
  )
  expect(gatherElements(bytes, 2, { offset: 1, shape: [2, 2], strides: [0, 1] })).toEqual(
    Uint8Array.of(2, 3, 4, 5, 2, 3, 4, 5),
  )
  expect(gatherElements(bytes, 1, { offset: 6, shape: [], strides: [] })).toEqual(Uint8Array.of(6))
  expect(gatherElements(bytes, 1, { offset: 0, shape: [3, 0], strides: [1, 1] })).toEqual(new Uint8Array())
})

test('sizes must agree', () => {
  expectDamaged(
    () => readElements('file: tensor "w"', 'f16', [2, 3], new Uint8Array(11)),
    'file: tensor "w": shape [2, 3] of f16 needs 12 bytes, found 11',
  )
  expect(readElements('x', 'u8', [2 ** 40, 2 ** 40, 0], new Uint8Array()).data).toEqual(new Uint8Array())
  expectDamaged(
    () => readElements('x', 'u8', new Array(65).fill(1), new Uint8Array(1)),
    'x: 65 axes with 1 elements are more than an array can have',
  )
  expectError(
    () => checkedBytes('x', { dtype: 'int64', shape: [2], data: new BigInt64Array(3) }),
    'ShapeError',
    'x: shape [2] needs 2 elements, found 3',
  )
  // As many bytes, of another type.
  expectError(
    () => checkedBytes('x', { dtype: 'float32', shape: [2], data: Int32Array.of(1, 2) }),
    'UsageError',
    'x: float32 is stored as Float32Array, found Int32Array',
  )
})
