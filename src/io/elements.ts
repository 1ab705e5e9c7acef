/**
 * Conversion of the element types that files have into those that tenfold computes with, and back to bytes. The machine
 * is taken to be little-endian, as every one is that ONNX Runtime has builds for.
 */
import { checkedArray, type DType, elementCount, type NDArray, type TypedArray } from '../tensor/dtype.ts'
import { formatShape } from '../tensor/shape.ts'
import { FormatError } from '../util/errors.ts'
import { bytesOf } from '../util/vectors.ts'
import { warn } from '../util/warnings.ts'
import { counted } from '../util/words.ts'
import { damaged } from './errors.ts'

/** Element types found in files. */
export type FileElement =
  | 'f16'
  | 'bf16'
  | 'f32'
  | 'f64'
  | 'i8'
  | 'i16'
  | 'i32'
  | 'i64'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'u64'
  | 'bool'

interface ElementRule {
  /** Bytes of an element in the file. */
  readonly bytes: number
  /** What it becomes: the narrowest type of tenfold that holds all its values, but for f64. */
  readonly dtype: DType
  /** Little-endian bytes to elements; the buffer is the converter's own and may become the result. `what` begins errors and warnings. */
  readonly convert: (buffer: ArrayBuffer, what: string) => TypedArray
}

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

let halves: Float32Array | undefined

function fromHalf(buffer: ArrayBuffer): Float32Array {
  halves ??= Float32Array.from({ length: 0x10000 }, (_, bits) => halfToFloat(bits))
  const source = new Uint16Array(buffer)
  const out = new Float32Array(source.length)
  for (let i = 0; i < out.length; i++) out[i] = halves[source[i] ?? 0] ?? 0
  return out
}

/** bfloat16 is the upper half of a float32. */
function fromBrain(buffer: ArrayBuffer): Float32Array {
  const source = new Uint16Array(buffer)
  const out = new Uint32Array(source.length)
  for (let i = 0; i < out.length; i++) out[i] = (source[i] ?? 0) << 16
  return new Float32Array(out.buffer)
}

function fromUnsigned32(buffer: ArrayBuffer): BigInt64Array {
  const source = new Uint32Array(buffer)
  const out = new BigInt64Array(source.length)
  for (let i = 0; i < out.length; i++) out[i] = BigInt(source[i] ?? 0)
  return out
}

/** The error of whole numbers that no dtype holds. */
class UnheldNumbers extends FormatError {}

/** The array that `read` gives, or in words what it is, where no dtype holds its numbers: in a file of several that one is left out. */
export function arrayOrWords(read: () => NDArray): NDArray | string {
  try {
    return read()
  } catch (error) {
    if (error instanceof UnheldNumbers) return 'unsigned numbers from 2^63 on'
    throw error
  }
}

/** No dtype holds numbers from 2^63 on: as int64 they would be others, below 0. */
function fromUnsigned64(buffer: ArrayBuffer, what: string): BigInt64Array {
  const data = new BigInt64Array(buffer)
  const beyond = data.findIndex((value) => value < 0n)
  if (beyond < 0) return data
  const found = BigInt.asUintN(64, data[beyond] ?? 0n)
  throw new UnheldNumbers(`${what}: unsigned numbers must be below 2^63, found ${found} at element ${beyond}`, {
    hint: 'no dtype holds larger ones: save them as float64, or leave them out',
  })
}

/** Rounded to float32; a line is said of finite numbers that it does not reach, as NumPy does. */
function fromDouble(buffer: ArrayBuffer, what: string): Float32Array {
  const source = new Float64Array(buffer)
  const data = new Float32Array(source)
  const beyond = source.filter((value, i) => Number.isFinite(value) && !Number.isFinite(data[i]))
  if (beyond.length > 0)
    warn(`${what}: ${counted(beyond.length, 'number')} beyond float32's range became infinite, such as ${beyond[0]}`)
  return data
}

/** Any byte but 0 is true, and becomes 1. */
function fromBool(buffer: ArrayBuffer): Uint8Array {
  const data = new Uint8Array(buffer)
  for (let i = 0; i < data.length; i++) data[i] = data[i] === 0 ? 0 : 1
  return data
}

const rules: Readonly<Record<FileElement, ElementRule>> = {
  f16: { bytes: 2, dtype: 'float32', convert: fromHalf },
  bf16: { bytes: 2, dtype: 'float32', convert: fromBrain },
  f32: { bytes: 4, dtype: 'float32', convert: (buffer) => new Float32Array(buffer) },
  f64: { bytes: 8, dtype: 'float32', convert: fromDouble },
  i8: { bytes: 1, dtype: 'int32', convert: (buffer) => new Int32Array(new Int8Array(buffer)) },
  i16: { bytes: 2, dtype: 'int32', convert: (buffer) => new Int32Array(new Int16Array(buffer)) },
  i32: { bytes: 4, dtype: 'int32', convert: (buffer) => new Int32Array(buffer) },
  i64: { bytes: 8, dtype: 'int64', convert: (buffer) => new BigInt64Array(buffer) },
  u8: { bytes: 1, dtype: 'uint8', convert: (buffer) => new Uint8Array(buffer) },
  u16: { bytes: 2, dtype: 'int32', convert: (buffer) => new Int32Array(new Uint16Array(buffer)) },
  u32: { bytes: 4, dtype: 'int64', convert: fromUnsigned32 },
  u64: { bytes: 8, dtype: 'int64', convert: fromUnsigned64 },
  bool: { bytes: 1, dtype: 'bool', convert: fromBool },
}

/** Bytes one element takes in the file. */
export function elementBytes(element: FileElement): number {
  return rules[element].bytes
}

/** What the element becomes. */
export function elementDType(element: FileElement): DType {
  return rules[element].dtype
}

// NumPy's bound. A file's shape may be as long as the file, and stands in error messages.
const maximumRank = 64

/** Whether all sizes and the bytes of all elements are exact numbers, and the axes not absurdly many. */
export function isPlausibleShape(shape: readonly number[]): boolean {
  return shape.length <= maximumRank && [...shape, elementCount(shape) * 8].every(Number.isSafeInteger)
}

function reverseElements(bytes: Uint8Array, width: number): void {
  for (let start = 0; start < bytes.length; start += width) bytes.subarray(start, start + width).reverse()
}

/**
 * Copies `shape` elements, row-major, out of exactly as many bytes: f16, bf16 and f64 become float32; i8, i16 and u16
 * int32; u32 and u64 int64. Throws a FormatError that begins with `what` if there are more or fewer bytes, or unsigned numbers from 2^63 on;
 * warns of f64 that float32 does not reach: these become infinite.
 */
export function readElements(
  what: string,
  element: FileElement,
  shape: readonly number[],
  bytes: Uint8Array,
  littleEndian = true,
): NDArray {
  const rule = rules[element]
  if (!isPlausibleShape(shape)) {
    throw damaged(`${what}: ${shape.length} axes with ${elementCount(shape)} elements are more than an array can have`)
  }
  const needed = elementCount(shape) * rule.bytes
  if (needed !== bytes.length) {
    throw damaged(`${what}: shape ${formatShape(shape)} of ${element} needs ${needed} bytes, found ${bytes.length}`)
  }
  const copy = new Uint8Array(bytes)
  if (!littleEndian && rule.bytes > 1) reverseElements(copy, rule.bytes)
  return { dtype: rule.dtype, shape: [...shape], data: rule.convert(copy.buffer, what) }
}

/**
 * Copies the elements of a strided view, `width` bytes each, into row-major order. Offset and strides count elements;
 * all of them must lie inside of `bytes`.
 */
export function gatherElements(
  bytes: Uint8Array,
  width: number,
  view: { readonly offset: number; readonly shape: readonly number[]; readonly strides: readonly number[] },
): Uint8Array {
  const { shape, strides } = view
  const out = new Uint8Array(elementCount(shape) * width)
  const index = new Array<number>(shape.length).fill(0)
  let from = view.offset * width
  for (let to = 0; to < out.length; to += width) {
    for (let i = 0; i < width; i++) out[to + i] = bytes[from + i] ?? 0
    // Counts the index up like an odometer, moving `from` along.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const step = (strides[axis] ?? 0) * width
      const next = (index[axis] ?? 0) + 1
      from += step
      if (next < (shape[axis] ?? 0)) {
        index[axis] = next
        break
      }
      from -= next * step
      index[axis] = 0
    }
  }
  return out
}

/** The bytes of an array that is to be written, not copied. Throws as `checkedArray` does. */
export function checkedBytes(what: string, array: NDArray): Uint8Array {
  return bytesOf(checkedArray(what, array).data)
}
