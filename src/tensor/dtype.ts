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

/** Copies plain numbers into a new array of `dtype` (int64 from whole numbers; bool: anything but 0 is 1). */
export function fromNumbers(dtype: DType, values: ArrayLike<number>): TypedArray {
  const out = allocate(dtype, values.length)
  for (let i = 0; i < values.length; i++)
    setElement(out, i, dtype === 'bool' ? Number(values[i] !== 0) : (values[i] ?? 0))
  return out
}

/** Writes one plain number into any typed array. */
export function setElement(data: TypedArray, index: number, value: number): void {
  if (data instanceof BigInt64Array) data[index] = BigInt(value)
  else data[index] = value
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
