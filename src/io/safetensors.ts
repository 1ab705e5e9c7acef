/** The safetensors format: 8 bytes of header length, a JSON header, the tensors' bytes (little-endian, row-major). */
import { byteSize, type DType, type NDArray } from '../tensor/dtype.ts'
import { FormatError, UsageError } from '../util/errors.ts'
import { checkedBytes, type FileElement, readElements } from './elements.ts'
import { damaged, quoted } from './errors.ts'
import { jsonKeys } from './json-keys.ts'
import type { TensorFile } from './tensor-format.ts'

// The format's own bound: a larger header is an attack or no safetensors file.
const maximumHeader = 100_000_000

const fileElements: ReadonlyMap<string, FileElement> = new Map([
  ['F16', 'f16'],
  ['BF16', 'bf16'],
  ['F32', 'f32'],
  ['F64', 'f64'],
  ['I8', 'i8'],
  ['I16', 'i16'],
  ['I32', 'i32'],
  ['I64', 'i64'],
  ['U8', 'u8'],
  ['U16', 'u16'],
  ['U32', 'u32'],
  ['U64', 'u64'],
  ['BOOL', 'bool'],
])

const dtypeNames: Readonly<Record<DType, string>> = {
  float32: 'F32',
  int32: 'I32',
  int64: 'I64',
  bool: 'BOOL',
  uint8: 'U8',
}

const metadataKey = '__metadata__'

/** A tensor as the header describes it: its bytes are those from `begin` to `end` of the data. */
export interface SafetensorsEntry {
  readonly name: string
  readonly element: FileElement
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/** What a header says. */
export interface SafetensorsLayout {
  /** In the header's order. */
  readonly entries: readonly SafetensorsEntry[]
  readonly metadata: Record<string, string>
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((text) => typeof text === 'string')
}

/** Whether a text has half a surrogate pair, which UTF-8 cannot hold. */
function isBroken(text: string): boolean {
  return /\p{Surrogate}/u.test(text)
}

interface Header {
  readonly content: Record<string, unknown>
  /** Names in the file's order. */
  readonly keys: readonly string[]
}

/** Bytes of the header: what the first 8 bytes of a file of `size` bytes say. */
export function safetensorsHeaderLength(start: Uint8Array, size: number): number {
  if (size < 8) {
    throw damaged(`safetensors: the file must begin with the 8 bytes of its header's length, found ${size}`)
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true)
  const available = Math.min(maximumHeader, size - 8)
  if (length > available) {
    throw damaged(`safetensors: the header must have at most ${available} bytes, the file says ${length}`)
  }
  return Number(length)
}

function readHeader(header: Uint8Array): Header {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const text = decoder.decode(header)
    const content: unknown = text.startsWith('{') ? JSON.parse(text) : undefined
    if (isRecord(content)) {
      const { keys, duplicate } = jsonKeys(text)
      if (duplicate !== undefined) throw damaged(`safetensors: the header has the key ${quoted(duplicate)} twice`)
      return { content, keys }
    }
  } catch (error) {
    if (error instanceof FormatError) throw error
  }
  throw damaged('safetensors: the header must be a JSON object in UTF-8')
}

function readEntry(name: string, value: unknown, bodyLength: number): SafetensorsEntry {
  const what = `safetensors: tensor ${quoted(name)}`
  if (isBroken(name)) throw damaged(`${what} has a name that is not valid Unicode`)
  if (!isRecord(value)) throw damaged(`${what} must be described by an object, found ${shown(value)}`)
  const { dtype, shape, data_offsets: offsets } = value
  const element = typeof dtype === 'string' ? fileElements.get(dtype) : undefined
  if (!element) {
    throw new FormatError(`${what} has the dtype ${shown(dtype)}, which is not read`, {
      hint: `convert it to one of ${[...fileElements.keys()].join(', ')}`,
    })
  }
  if (!isSizes(shape)) throw damaged(`${what}: shape must be a list of sizes, found ${shown(shape)}`)
  const [begin, end] = isSizes(offsets) && offsets.length === 2 ? offsets : []
  if (begin === undefined || end === undefined || begin > end || end > bodyLength) {
    throw damaged(`${what}: data_offsets must be [begin, end] within 0 to ${bodyLength}, found ${shown(offsets)}`)
  }
  return { name, element, shape, begin, end }
}

/** A value of the header as it stands in errors. Nothing is followed into depth: a header may be nested without end. */
function shown(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (!Array.isArray(value)) return 'an object'
  const short = value.length <= 8 && value.every((item) => typeof item !== 'object')
  return short ? `[${value.map(shown).join(', ')}]` : `a list of ${value.length}`
}

/** Tensors must fill the data without gaps and overlaps: the format demands it, and nothing can hide between them. */
function checkLayout(entries: readonly SafetensorsEntry[], bodyLength: number): void {
  let position = 0
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== position) {
      throw damaged(
        `safetensors: tensor ${quoted(name)} must begin at ${position}, where the one before ends, found ${begin}`,
      )
    }
    position = end
  }
  if (position !== bodyLength) {
    throw damaged(`safetensors: the tensors must fill all ${bodyLength} bytes of data, they end at ${position}`)
  }
}

/** Reads a header; the data after it have `bodyLength` bytes. Throws a FormatError on anything that the format does not allow. */
export function readSafetensorsLayout(header: Uint8Array, bodyLength: number): SafetensorsLayout {
  const { content, keys } = readHeader(header)
  const metadata = content[metadataKey] ?? {}
  if (!isTexts(metadata)) throw damaged(`safetensors: ${metadataKey} must hold texts only, found ${shown(metadata)}`)
  const names = keys.filter((name) => name !== metadataKey)
  const entries = names.map((name) => readEntry(name, content[name], bodyLength))
  checkLayout(entries, bodyLength)
  return { entries, metadata }
}

/** The tensor of an entry out of its bytes. */
export function readSafetensorsEntry({ name, element, shape }: SafetensorsEntry, bytes: Uint8Array): NDArray {
  return readElements(`safetensors: tensor ${quoted(name)}`, element, shape, bytes)
}

/**
 * Reads a safetensors file. F16, BF16 and F64 become float32; I8, I16 and U16 int32; U32 and U64 int64. Throws a
 * FormatError on anything that the format does not allow.
 */
export function readSafetensors(bytes: Uint8Array): TensorFile {
  if (!(bytes instanceof Uint8Array))
    throw new UsageError(`readSafetensors: needs the bytes of a file, a Uint8Array, found ${shown(bytes)}`)
  const length = safetensorsHeaderLength(bytes, bytes.length)
  const body = bytes.subarray(8 + length)
  const { entries, metadata } = readSafetensorsLayout(bytes.subarray(8, 8 + length), body.length)
  const tensors = new Map<string, NDArray>()
  for (const entry of entries) {
    tensors.set(entry.name, readSafetensorsEntry(entry, body.subarray(entry.begin, entry.end)))
  }
  return { format: 'safetensors', tensors, metadata }
}

/** Texts of a file's header; or a function that is given the data, in the file's order, to say something about them. */
export type SafetensorsMetadata =
  | Readonly<Record<string, string>>
  | ((data: readonly Uint8Array[]) => Readonly<Record<string, string>>)

/**
 * The pieces of a safetensors file, one after the other: its header, then the bytes of the tensors themselves, not copied.
 * Together they may be larger than any array. The header lists the tensors in the given order. Throws a FormatError on names
 * that occur twice or that the format cannot hold, a ShapeError if an array's data do not fit its shape.
 */
export function safetensorsPieces(
  tensors: Iterable<readonly [string, NDArray]>,
  metadata: SafetensorsMetadata = {},
): Uint8Array[] {
  const parts = new Map<string, { readonly array: NDArray; readonly bytes: Uint8Array; begin: number }>()
  if (typeof (tensors as Partial<typeof tensors> | undefined)?.[Symbol.iterator] !== 'function')
    throw new UsageError(`safetensors: tensors must be given by name, as a Map, found ${shown(tensors)}`)
  for (const [name, array] of tensors) {
    const what = `safetensors: tensor ${quoted(name)}`
    if (parts.has(name)) throw new FormatError(`${what} is given twice`, { hint: 'give every tensor its own name' })
    if (name === metadataKey || isBroken(name)) {
      throw new FormatError(`${what} has a name that the format cannot hold`, { hint: 'choose another name' })
    }
    parts.set(name, { array, bytes: checkedBytes(what, array), begin: 0 })
  }
  // Wider elements come first in the data, so that every tensor lies at a multiple of its element size.
  const ordered = [...parts.values()].sort((a, b) => byteSize(b.array.dtype) - byteSize(a.array.dtype))
  let length = 0
  for (const part of ordered) {
    part.begin = length
    length += part.bytes.length
  }
  const data = ordered.map(({ bytes }) => bytes)
  const texts = typeof metadata === 'function' ? metadata(data) : metadata
  if (!isTexts(texts)) throw new FormatError(`safetensors: the metadata must be texts by name, found ${shown(texts)}`)
  if (Object.entries(texts).flat().some(isBroken)) {
    throw new FormatError('safetensors: the metadata have a text that is not valid Unicode', {
      hint: 'a half of a surrogate pair cannot be written in UTF-8',
    })
  }
  // Joined by hand: an object would put names that are numbers first, and lose `__proto__`.
  const members = [...parts].map(([name, { array, bytes, begin }]) => {
    const entry = { dtype: dtypeNames[array.dtype], shape: array.shape, data_offsets: [begin, begin + bytes.length] }
    return `${JSON.stringify(name)}:${JSON.stringify(entry)}`
  })
  if (Object.keys(texts).length > 0) members.unshift(`"${metadataKey}":${JSON.stringify(texts)}`)
  return [startOfFile(`{${members.join(',')}}`), ...data]
}

/** The length of the header and the header. */
function startOfFile(text: string): Uint8Array {
  const header = new TextEncoder().encode(text)
  // Padded with spaces so that the data begin at a multiple of 8: readers may then map them without copying.
  const padded = Math.ceil(header.length / 8) * 8
  const start = new Uint8Array(8 + padded).fill(0x20, 8 + header.length)
  new DataView(start.buffer).setBigUint64(0, BigInt(padded), true)
  start.set(header, 8)
  return start
}

/** A safetensors file with these tensors, in one array. Throws as `safetensorsPieces` does. */
export function writeSafetensors(
  tensors: Iterable<readonly [string, NDArray]>,
  metadata: SafetensorsMetadata = {},
): Uint8Array {
  const pieces = safetensorsPieces(tensors, metadata)
  const file = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let position = 0
  for (const piece of pieces) {
    file.set(piece, position)
    position += piece.length
  }
  return file
}
