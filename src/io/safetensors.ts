/** The safetensors format: 8 bytes of header length, a JSON header, the tensors' bytes (little-endian, row-major). */
import type { DType, NDArray } from '../tensor/dtype.ts'
import { FormatError } from '../util/errors.ts'
import { elementBytes, type FileElement, readElements } from './elements.ts'
import type { TensorFile } from './tensor-file.ts'

// The format's own bound: a larger header is an attack or no safetensors file.
const maximumHeader = 100_000_000

const fileElements: Readonly<Record<string, FileElement>> = {
  F16: 'f16',
  BF16: 'bf16',
  F32: 'f32',
  F64: 'f64',
  I8: 'i8',
  I16: 'i16',
  I32: 'i32',
  I64: 'i64',
  U8: 'u8',
  U16: 'u16',
  U32: 'u32',
  U64: 'u64',
  BOOL: 'bool',
}

const names: Readonly<Record<DType, string>> = { float32: 'F32', int32: 'I32', int64: 'I64', bool: 'BOOL', uint8: 'U8' }

interface Entry {
  readonly name: string
  readonly element: FileElement
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; body: Uint8Array } {
  if (bytes.length < 8)
    throw new FormatError(`safetensors: the file has ${bytes.length} bytes, fewer than its header's length takes`)
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)
  if (length > maximumHeader || length > bytes.length - 8) {
    throw new FormatError(
      `safetensors: the header says it has ${length} bytes, the file has ${bytes.length - 8} after it`,
    )
  }
  const text = bytes.subarray(8, 8 + Number(length))
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text))
  } catch {
    throw new FormatError('safetensors: the header is not valid JSON')
  }
  if (!isRecord(header)) throw new FormatError('safetensors: the header must be a JSON object')
  return { header, body: bytes.subarray(8 + Number(length)) }
}

function readEntry(name: string, value: unknown, bodyLength: number): Entry {
  const what = `safetensors: tensor "${name}"`
  if (!isRecord(value)) throw new FormatError(`${what} must be described by an object`)
  const { dtype, shape, data_offsets: offsets } = value
  const element = typeof dtype === 'string' ? fileElements[dtype] : undefined
  if (!element) throw new FormatError(`${what} has the unknown dtype ${JSON.stringify(dtype)}`)
  if (!Array.isArray(shape) || !shape.every(isSize))
    throw new FormatError(`${what} has the shape ${JSON.stringify(shape)}`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw new FormatError(`${what} has the data_offsets ${JSON.stringify(offsets)}`)
  }
  const [begin, end] = offsets as [number, number]
  if (begin > end || end > bodyLength)
    throw new FormatError(`${what} lies at ${begin} to ${end}, outside of the ${bodyLength} bytes of data`)
  return { name, element, shape, begin, end }
}

/** Tensors must fill the data without gaps and overlaps: the format demands it, and nothing can hide between them. */
function checkLayout(entries: readonly Entry[], bodyLength: number): void {
  let position = 0
  for (const entry of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== position) {
      throw new FormatError(
        `safetensors: tensor "${entry.name}" begins at ${entry.begin}, expected ${position}: gap or overlap`,
      )
    }
    position = entry.end
  }
  if (position !== bodyLength)
    throw new FormatError(`safetensors: ${bodyLength - position} bytes of data belong to no tensor`)
}

/**
 * Reads a safetensors file. float16, bfloat16 and float64 become float32; 8- and 16-bit integers int32; unsigned 32- and
 * 64-bit ones int64. Throws a FormatError on anything the format does not allow.
 */
export function readSafetensors(bytes: Uint8Array): TensorFile {
  const { header, body } = readHeader(bytes)
  const { __metadata__: extra = {}, ...described } = header
  if (!isRecord(extra) || !Object.values(extra).every((value) => typeof value === 'string')) {
    throw new FormatError('safetensors: __metadata__ must hold texts only')
  }
  const entries = Object.entries(described).map(([name, value]) => readEntry(name, value, body.length))
  checkLayout(entries, body.length)
  const tensors = new Map<string, NDArray>()
  for (const { name, element, shape, begin, end } of entries) {
    tensors.set(name, readElements(`safetensors: tensor "${name}"`, element, shape, body.subarray(begin, end)))
  }
  return { format: 'safetensors', tensors, metadata: extra as Record<string, string> }
}

/** A safetensors file with these tensors, in this order; names must be distinct. */
export function writeSafetensors(
  tensors: Iterable<readonly [string, NDArray]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = {}
  const parts: Uint8Array[] = []
  let position = 0
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata
  for (const [name, { dtype, shape, data }] of sortedBySize(tensors)) {
    if (name in header) throw new FormatError(`safetensors: the name "${name}" occurs twice`)
    header[name] = { dtype: names[dtype], shape, data_offsets: [position, position + data.byteLength] }
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    position += data.byteLength
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  // Padded with spaces so that the data begins at a multiple of 8: readers may then map it without copying.
  const headerLength = Math.ceil(text.length / 8) * 8
  const file = new Uint8Array(8 + headerLength + position).fill(0x20, 8 + text.length, 8 + headerLength)
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true)
  file.set(text, 8)
  let offset = 8 + headerLength
  for (const part of parts) {
    file.set(part, offset)
    offset += part.length
  }
  return file
}

/** Wider elements first, so that every tensor lies at a multiple of its element size. */
function sortedBySize(tensors: Iterable<readonly [string, NDArray]>): (readonly [string, NDArray])[] {
  const width = ({ dtype }: NDArray): number => elementBytes(fileElements[names[dtype]] ?? 'u8')
  return [...tensors].sort((a, b) => width(b[1]) - width(a[1]))
}
