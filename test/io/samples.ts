/** What the tests of this folder share. */
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { NDArray } from '../../src/tensor/dtype.ts'

/** An array of each type, with shapes of 0 to 3 axes and values at the types' ends. */
export const arrays: ReadonlyMap<string, NDArray> = new Map<string, NDArray>([
  ['layer/kernel', { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, -2.5, 3, NaN, Infinity, -0) }],
  ['mask', { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ['steps', { dtype: 'int64', shape: [], data: BigInt64Array.of(-(2n ** 63n)) }],
  ['7', { dtype: 'uint8', shape: [1, 2], data: Uint8Array.of(0, 255) }],
  ['index', { dtype: 'int32', shape: [2, 1, 1], data: Int32Array.of(-7, 2 ** 31 - 1) }],
  ['empty ü', { dtype: 'float32', shape: [0, 4], data: new Float32Array() }],
  ['__proto__', { dtype: 'bool', shape: [1], data: Uint8Array.of(1) }],
])

export function sample(name: string): NDArray {
  const array = arrays.get(name)
  if (!array) throw new Error(`no array ${name}`)
  return array
}

/** A file of `test/fixtures/io`, made by `make.py` there. */
export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/io/${name}`, import.meta.url)))
}

/** Arrays in one line each: `int64[2,1] 1 2`. */
export function described(tensors: Iterable<readonly [string, NDArray]>): Record<string, string> {
  return Object.fromEntries(
    [...tensors].map(([name, { dtype, shape, data }]) => [
      name,
      [`${dtype}[${shape}]`, ...Array.from(data, shown)].join(' '),
    ]),
  )
}

function shown(value: number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

export const damagedHint = 'the file is damaged or incomplete: copy, download or save it again'

/** Asserts the whole error: its class, its message, its hint. */
export function expectError(call: () => unknown, name: string, message: string, hint?: string): void {
  expect(call).toThrowError(expect.objectContaining({ name, message, hint }))
}

/** Asserts the whole message of a FormatError that says that the file is damaged. */
export function expectDamaged(call: () => unknown, message: string): void {
  expectError(call, 'FormatError', message, damagedHint)
}

export function bytesOfText(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'))
}

/** A copy with some bytes replaced. */
export function patched(bytes: Uint8Array, at: number, replacement: readonly number[]): Uint8Array {
  const copy = new Uint8Array(bytes)
  copy.set(replacement, at)
  return copy
}
