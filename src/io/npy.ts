/** NumPy's .npy format: magic, version, a Python literal with dtype, order and shape, then the elements. */
import type { DType, NDArray } from '../tensor/dtype.ts'
import { elementCount } from '../tensor/dtype.ts'
import { permuteArray } from '../tensor/permute.ts'
import { FormatError } from '../util/errors.ts'
import { type FileElement, readElements } from './elements.ts'

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const

const elements: Readonly<Record<string, FileElement>> = {
  f2: 'f16',
  f4: 'f32',
  f8: 'f64',
  i1: 'i8',
  i2: 'i16',
  i4: 'i32',
  i8: 'i64',
  u1: 'u8',
  u2: 'u16',
  u4: 'u32',
  u8: 'u64',
  b1: 'bool',
}

const descriptors: Readonly<Record<DType, string>> = {
  float32: '<f4',
  int32: '<i4',
  int64: '<i8',
  bool: '|b1',
  uint8: '|u1',
}

/** What the header of a .npy file says. */
export interface NpyHeader {
  readonly element: FileElement
  readonly littleEndian: boolean
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
  /** Bytes before the first element. */
  readonly offset: number
}

/** Reads the header; `what` begins every error. */
export function readNpyHeader(bytes: Uint8Array, what = 'npy'): NpyHeader {
  if (bytes.length < 10 || !magic.every((byte, i) => bytes[i] === byte))
    throw new FormatError(`${what}: does not begin as a .npy file`)
  const version = bytes[6] ?? 0
  if (version < 1 || version > 3) throw new FormatError(`${what}: version ${version} is unknown; 1 to 3 are read`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (version > 1 && bytes.length < 12) throw new FormatError(`${what}: the header is cut off`)
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  const start = version === 1 ? 10 : 12
  if (start + length > bytes.length) throw new FormatError(`${what}: the header is cut off`)
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(start, start + length))
  return { ...parseDescription(text, what), offset: start + length }
}

/** `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }` */
function parseDescription(text: string, what: string): Omit<NpyHeader, 'offset'> {
  const wrong = (part: string): FormatError =>
    new FormatError(`${what}: the header must give ${part}, found ${JSON.stringify(text.trim().slice(0, 120))}`)
  const descriptor = /'descr'\s*:\s*'([<>|=]?)([a-z]\d+)'/.exec(text)
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)
  const sizes = /'shape'\s*:\s*\(\s*((?:\d+\s*(?:,\s*\d+\s*)*,?)?)\s*\)/.exec(text)
  const element = elements[descriptor?.[2] ?? '']
  if (!descriptor || !element) throw wrong("a plain 'descr' of numbers or bools")
  if (!order) throw wrong("'fortran_order'")
  if (!sizes) throw wrong("a 'shape'")
  const shape = (sizes[1] ?? '')
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number)
  if (!Number.isSafeInteger(elementCount(shape) * 8)) throw wrong("a 'shape' that fits into memory")
  return { element, littleEndian: descriptor[1] !== '>', fortranOrder: order[1] === 'True', shape }
}

/** Reads a .npy file. Types that tenfold lacks are widened as in safetensors. */
export function readNpy(bytes: Uint8Array, what = 'npy'): NDArray {
  const { element, littleEndian, fortranOrder, shape, offset } = readNpyHeader(bytes, what)
  const body = bytes.subarray(offset)
  if (!fortranOrder) return readElements(what, element, shape, body, littleEndian)
  // Fortran order is row-major order of the reversed shape.
  const reversed = readElements(what, element, shape.toReversed(), body, littleEndian)
  return permuteArray(
    reversed,
    shape.map((_, i) => shape.length - 1 - i),
  )
}

/** Writes a .npy file, version 1, C order, little-endian. */
export function writeNpy({ dtype, shape, data }: NDArray): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const description = `{'descr': '${descriptors[dtype]}', 'fortran_order': False, 'shape': (${sizes}), }`
  // The elements begin at a multiple of 64, as NumPy writes it.
  const padding = (64 - ((10 + description.length + 1) % 64)) % 64
  const header = new TextEncoder().encode(`${description}${' '.repeat(padding)}\n`)
  const file = new Uint8Array(10 + header.length + data.byteLength)
  file.set([...magic, 1, 0, header.length & 0xff, header.length >> 8])
  file.set(header, 10)
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length)
  return file
}
