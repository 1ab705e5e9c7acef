/** Conversion of the element types that files have into those that tenfold computes with. */
import type { DType, NDArray, TypedArray } from '../tensor/dtype.ts'
import { elementCount } from '../tensor/dtype.ts'
import { FormatError } from '../util/errors.ts'

/** Element types found in files. The reader widens what tenfold has no type for, without loss but for float64. */
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
  readonly bytes: number
  readonly dtype: DType
  readonly read: (view: DataView, offset: number, littleEndian: boolean) => number | bigint
}

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

const scratch = new DataView(new ArrayBuffer(4))
function bfloatToFloat(bits: number): number {
  scratch.setUint32(0, bits << 16)
  return scratch.getFloat32(0)
}

const rules: Readonly<Record<FileElement, ElementRule>> = {
  f16: { bytes: 2, dtype: 'float32', read: (v, o, le) => halfToFloat(v.getUint16(o, le)) },
  bf16: { bytes: 2, dtype: 'float32', read: (v, o, le) => bfloatToFloat(v.getUint16(o, le)) },
  f32: { bytes: 4, dtype: 'float32', read: (v, o, le) => v.getFloat32(o, le) },
  f64: { bytes: 8, dtype: 'float32', read: (v, o, le) => v.getFloat64(o, le) },
  i8: { bytes: 1, dtype: 'int32', read: (v, o) => v.getInt8(o) },
  i16: { bytes: 2, dtype: 'int32', read: (v, o, le) => v.getInt16(o, le) },
  i32: { bytes: 4, dtype: 'int32', read: (v, o, le) => v.getInt32(o, le) },
  i64: { bytes: 8, dtype: 'int64', read: (v, o, le) => v.getBigInt64(o, le) },
  u8: { bytes: 1, dtype: 'uint8', read: (v, o) => v.getUint8(o) },
  u16: { bytes: 2, dtype: 'int32', read: (v, o, le) => v.getUint16(o, le) },
  u32: { bytes: 4, dtype: 'int64', read: (v, o, le) => BigInt(v.getUint32(o, le)) },
  // Beyond 2^63 an unsigned number has no place in int64: it wraps, as a cast in NumPy does.
  u64: { bytes: 8, dtype: 'int64', read: (v, o, le) => v.getBigInt64(o, le) },
  bool: { bytes: 1, dtype: 'bool', read: (v, o) => Number(v.getUint8(o) !== 0) },
}

/** Bytes one element takes in the file. */
export function elementBytes(element: FileElement): number {
  return rules[element].bytes
}

// Typed arrays of these have the file's own layout on a little-endian machine: one copy instead of a loop.
const direct: Readonly<Partial<Record<FileElement, (buffer: ArrayBuffer) => TypedArray>>> = {
  f32: (buffer) => new Float32Array(buffer),
  i32: (buffer) => new Int32Array(buffer),
  i64: (buffer) => new BigInt64Array(buffer),
  u64: (buffer) => new BigInt64Array(buffer),
  u8: (buffer) => new Uint8Array(buffer),
}

function emptyArray(dtype: DType, length: number): TypedArray {
  if (dtype === 'float32') return new Float32Array(length)
  if (dtype === 'int32') return new Int32Array(length)
  if (dtype === 'int64') return new BigInt64Array(length)
  return new Uint8Array(length)
}

/**
 * Reads `shape` elements, row-major and contiguous, from the start of `bytes`, copying them. Throws a FormatError that
 * begins with `what` if there are not exactly enough bytes.
 */
export function readElements(
  what: string,
  element: FileElement,
  shape: readonly number[],
  bytes: Uint8Array,
  littleEndian = true,
): NDArray {
  const rule = rules[element]
  const count = elementCount(shape)
  if (!Number.isSafeInteger(count) || count * rule.bytes !== bytes.length) {
    throw new FormatError(
      `${what}: shape [${shape.join(', ')}] of ${element} needs ${count * rule.bytes} bytes, found ${bytes.length}`,
    )
  }
  const make = littleEndian ? direct[element] : undefined
  if (make) return { dtype: rule.dtype, shape: [...shape], data: make(new Uint8Array(bytes).buffer) }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const data = emptyArray(rule.dtype, count)
  for (let i = 0; i < count; i++) data[i] = rule.read(view, i * rule.bytes, littleEndian)
  return { dtype: rule.dtype, shape: [...shape], data }
}
