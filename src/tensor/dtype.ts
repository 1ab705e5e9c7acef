import { requireOneOf, shown } from '../util/check.ts'
import { ShapeError, UsageError } from '../util/errors.ts'
import { checkShape, formatShape } from './shape.ts'

/** Element types. `bool` is held as one byte an element, 0 or 1. */
export type DType = 'float32' | 'int32' | 'int64' | 'bool' | 'uint8'

export const dtypes: readonly DType[] = ['float32', 'int32', 'int64', 'bool', 'uint8']

export type TypedArray = Float32Array | Int32Array | BigInt64Array | Uint8Array

/** Dense row-major numbers with their shape: what files, data sets and compiled functions exchange. */
export interface NDArray {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: TypedArray
}

/** Numbers that a runtime keeps where JavaScript cannot read them: on a graphics processor. */
export interface Resident {
  /** Moves them to an array and gives up the place they had; called again, the same array. */
  read(): Promise<TypedArray>
  /** Gives them up. */
  release(): void
}

/** A dense array whose numbers may lie elsewhere. */
export interface StoredArray {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: TypedArray | Resident
}

export function isResident(data: TypedArray | Resident | undefined): data is Resident {
  return data !== undefined && !ArrayBuffer.isView(data)
}

/** Bytes one element takes. */
export function byteSize(dtype: DType): number {
  switch (dtype) {
    case 'float32':
    case 'int32':
      return 4
    case 'int64':
      return 8
    case 'bool':
    case 'uint8':
      return 1
  }
}

/** A zero-filled array of `length` elements. */
export function allocate(dtype: DType, length: number): TypedArray {
  switch (dtype) {
    case 'float32':
      return new Float32Array(length)
    case 'int32':
      return new Int32Array(length)
    case 'int64':
      return new BigInt64Array(length)
    case 'bool':
    case 'uint8':
      return new Uint8Array(length)
  }
}

/** Whether an array is of the class that holds elements of the dtype. */
export function storesElements(data: unknown, dtype: DType): data is TypedArray {
  // By name: arrays of another realm (a worker's, a test's) have classes of their own.
  const name = Object.prototype.toString.call(allocate(dtype, 0))
  return Object.prototype.toString.call(data) === name
}

/** The array, if it is of the class that holds elements of the dtype; else an error that begins with `owner`. */
export function checkedElements(owner: string, data: unknown, dtype: DType): TypedArray {
  if (storesElements(data, dtype)) return data
  const found = typeof data === 'object' && data !== null ? data.constructor.name : shown(data)
  throw new UsageError(`${owner}: ${dtype} is stored as ${allocate(dtype, 0).constructor.name}, found ${found}`)
}

/**
 * The array, if its dtype, shape and data belong together: data of the class that holds the dtype, as many elements as the shape says, of
 * bool 0 or 1. Else an error that begins with `owner`: its bytes would be taken for other numbers. The one check of arrays from outside.
 */
export function checkedArray(owner: string, array: NDArray | undefined): NDArray {
  // A tensor's `data` is a method.
  if (typeof array !== 'object' || array === null || !('data' in array) || typeof array.data === 'function')
    throw new UsageError(`${owner}: must be an array, { dtype, shape, data }, found ${shown(array)}`)
  const { dtype, shape, data } = array
  checkShape(owner, shape)
  requireOneOf(owner, 'dtype', dtype, dtypes, UsageError)
  checkedElements(owner, data, dtype)
  const count = elementCount(shape)
  if (data.length !== count)
    throw new ShapeError(`${owner}: shape ${formatShape(shape)} needs ${count} elements, found ${data.length}`)
  if (dtype === 'bool') requireBits(owner, data)
  return array
}

function requireBits(owner: string, data: TypedArray): void {
  const wrong = data.findIndex((value: number | bigint) => value > 1)
  if (wrong >= 0) throw new ShapeError(`${owner}: bool holds 0 or 1, found ${data[wrong]} at element ${wrong}`)
}

/** The whole numbers that a dtype holds, both included; int64: those that a JavaScript number tells apart. float32: none. */
export const wholeRanges: Readonly<Record<Exclude<DType, 'float32'>, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint8: [0, 255],
  bool: [0, 1],
}

/** Whether a dtype holds the number: integers and bool exactly, float32 to ordinary rounding. A bigint is int64's. */
export function holdsNumber(dtype: DType, value: number | bigint): boolean {
  if (typeof value !== 'number' && typeof value !== 'bigint') return false
  if (dtype === 'float32') return typeof value === 'number' || Number.isSafeInteger(Number(value))
  if (typeof value === 'bigint' && dtype === 'int64') return BigInt.asIntN(64, value) === value
  const [low, high] = wholeRanges[dtype]
  return Number.isInteger(Number(value)) && value >= low && value <= high
}

/** What a dtype holds, for messages: `a whole number from 0 to 255`; of numbers that are written like `value`. */
export function describeNumbers(dtype: DType, value?: unknown): string {
  if (dtype === 'float32') return 'a number'
  if (dtype === 'bool') return '0 or 1'
  if (dtype === 'int64' && typeof value === 'bigint') return `a bigint from ${-(2n ** 63n)} to ${2n ** 63n - 1n}`
  const [low, high] = wholeRanges[dtype]
  return `a whole number from ${low} to ${high}`
}

/**
 * Copies plain numbers into a new array of `dtype`. Integers and bool take what they hold exactly and nothing else (no
 * fraction is cut off, nothing wraps around): anything else is a ShapeError that begins with `owner`.
 */
export function fromNumbers(dtype: DType, values: ArrayLike<number | bigint>, owner = 'numbers'): TypedArray {
  const out = allocate(dtype, values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number | bigint
    if ((typeof value !== 'number' && typeof value !== 'bigint') || !holdsNumber(dtype, value)) {
      throw new ShapeError(`${owner}: ${dtype} holds ${describeNumbers(dtype, value)}, found ${shown(value)}`, {
        hint: numberHint(dtype, value),
      })
    }
    setElement(out, i, value)
  }
  return out
}

/** How a number that a dtype does not hold is given instead. */
export function numberHint(dtype: DType, value: number | bigint): string {
  if (dtype === 'int64' && typeof value === 'bigint') return 'no dtype holds larger ones exactly'
  if (dtype === 'int64' && Number.isInteger(value))
    return "larger ones are given as bigint: tensor(9007199254740993n, 'int64')"
  return "float32 holds fractions; cast(x, dtype) cuts them off, and cast(x, 'bool') is whether x differs from 0"
}

/** Writes one number, which the array's dtype must hold, into any typed array. */
export function setElement(data: TypedArray, index: number, value: number | bigint): void {
  if (data instanceof BigInt64Array) data[index] = BigInt(value)
  else data[index] = Number(value)
}

/** The elements as plain numbers (int64 loses precision beyond 2^53). */
export function toNumbers(data: TypedArray): number[] {
  return Array.from(data as ArrayLike<number | bigint>, Number)
}

export function isFloat(dtype: DType): boolean {
  return dtype === 'float32'
}

export function isInteger(dtype: DType): boolean {
  return dtype === 'int32' || dtype === 'int64' || dtype === 'uint8'
}

/** The product of the dimensions; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  let count = 1
  for (const size of shape) count *= size
  return count
}
