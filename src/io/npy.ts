/** NumPy's .npy format: magic, version, a Python literal with dtype, order and shape, then the elements. */
import { type DType, elementCount, type NDArray } from '../tensor/dtype.ts'
import { stridesOf } from '../tensor/shape.ts'
import { FormatError } from '../util/errors.ts'
import {
  checkedBytes,
  elementBytes,
  type FileElement,
  gatherElements,
  isPlausibleShape,
  readElements,
} from './elements.ts'
import { damaged, quoted } from './errors.ts'

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const

const fileElements: ReadonlyMap<string, FileElement> = new Map([
  ['f2', 'f16'],
  ['f4', 'f32'],
  ['f8', 'f64'],
  ['i1', 'i8'],
  ['i2', 'i16'],
  ['i4', 'i32'],
  ['i8', 'i64'],
  ['u1', 'u8'],
  ['u2', 'u16'],
  ['u4', 'u32'],
  ['u8', 'u64'],
  ['b1', 'bool'],
  // NumPy has no bfloat16 and writes JAX's as two bytes of no type; big_vision reads them so (utils.recover_dtype).
  ['V2', 'bf16'],
])

/** The element type of NumPy's name without the byte order (`f4`); undefined: a type that is not read. */
export function npyElement(name: string): FileElement | undefined {
  return fileElements.get(name)
}

const descriptors: Readonly<Record<DType, string>> = {
  float32: '<f4',
  int32: '<i4',
  int64: '<i8',
  bool: '|b1',
  uint8: '|u1',
}

/** The longest header that is read: as in NumPy (`max_header_size`). */
export const maximumNpyHeader = 10_000

/** What the header of a .npy file says. */
export interface NpyHeader {
  /** NumPy's name of the type, as in the file: `<f4`, `|O`, `[('a', '<i4')]`. */
  readonly dtype: string
  /** undefined: a type that is not read. */
  readonly element: FileElement | undefined
  readonly littleEndian: boolean
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
  /** Bytes before the first element. */
  readonly offset: number
}

/** The header of an array that is read. */
export interface ReadableNpyHeader extends NpyHeader {
  readonly element: FileElement
  /** Bytes that header and elements take together. */
  readonly fileSize: number
}

/** The header with what follows from its type. Throws a FormatError for a type that is not read. */
export function readableHeader(header: NpyHeader, what: string): ReadableNpyHeader {
  const { element, shape, offset, dtype } = header
  if (!element) {
    throw new FormatError(`${what}: the dtype ${quoted(dtype)} is not read`, {
      hint: 'save arrays of plain numbers: array.astype("float32"), or "int64" or "bool"',
    })
  }
  return { ...header, element, fileSize: offset + elementCount(shape) * elementBytes(element) }
}

/** Reads the header from the beginning of a file, which suffices; `what` begins every error. */
export function readNpyHeader(bytes: Uint8Array, what = 'npy'): NpyHeader {
  if (!magic.every((byte, i) => bytes[i] === byte)) {
    throw new FormatError(`${what}: does not begin as a .npy file`, { hint: 'write it with numpy.save or numpy.savez' })
  }
  const version = bytes[6] ?? 0
  if (bytes.length >= 8 && (version < 1 || version > 3)) {
    throw new FormatError(`${what}: the format's version must be 1 to 3, found ${version}`, {
      hint: 'write it with numpy.save or numpy.savez',
    })
  }
  const start = version === 1 ? 10 : 12
  if (bytes.length < start) throw damaged(`${what}: the header is cut off`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > maximumNpyHeader) {
    throw damaged(`${what}: the header must have at most ${maximumNpyHeader} bytes, found ${length}`)
  }
  const offset = start + length
  if (offset > bytes.length) throw damaged(`${what}: the header is cut off`)
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(start, offset))
  return { ...parseDescription(text, what), offset }
}

/** The members of a Python dict literal, as texts: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`. */
function parseLiteral(text: string): Map<string, string> | undefined {
  const members = new Map<string, string>()
  const body = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1]?.trim()
  if (body === undefined) return undefined
  const name = /'(\w+)'\s*:\s*/y
  const comma = /\s*(?:,\s*|$)/y
  for (let at = 0; at < body.length; ) {
    name.lastIndex = at
    const key = name.exec(body)?.[1]
    const end = key === undefined || members.has(key) ? undefined : endOfValue(body, name.lastIndex)
    if (key === undefined || end === undefined) return undefined
    members.set(key, body.slice(name.lastIndex, end))
    comma.lastIndex = end
    if (!comma.test(body)) return undefined
    at = comma.lastIndex
  }
  return members
}

/** Where a value ends: a word, a text in quotes, or a whole tuple or list. */
function endOfValue(text: string, start: number): number | undefined {
  const piece = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[\w.+-]+|[([]|[)\]]|[\s,]/y
  let depth = 0
  for (piece.lastIndex = start; ; ) {
    const found = piece.exec(text)?.[0]
    if (found === undefined) return undefined
    if (found === '(' || found === '[') depth++
    else if (found === ')' || found === ']') depth--
    if (depth < 0) return undefined
    if (depth === 0) return piece.lastIndex
  }
}

/** A tuple of sizes; Python 2 wrote them as `2L`. */
function parseShape(text: string | undefined): number[] | undefined {
  if (!text || !/^\((\s*\d+L?\s*,)*(\s*\d+L?)?\s*\)$/.test(text)) return undefined
  return [...text.matchAll(/\d+/g)].map(Number)
}

function parseDescription(text: string, what: string): Omit<NpyHeader, 'offset'> {
  const members = parseLiteral(text)
  const shape = parseShape(members?.get('shape'))
  const order = members?.get('fortran_order')
  const descriptor = members?.get('descr')
  if (!shape || !isPlausibleShape(shape) || !descriptor || (order !== 'True' && order !== 'False')) {
    throw damaged(`${what}: the header must have descr, fortran_order and shape, found ${quoted(text.trim())}`)
  }
  const [, byteOrder, type = ''] = /^'([<>|=]?)(\w+)'$/.exec(descriptor) ?? []
  return {
    dtype: /^'[^']*'$/.test(descriptor) ? descriptor.slice(1, -1) : descriptor,
    element: fileElements.get(type),
    littleEndian: byteOrder !== '>',
    fortranOrder: order === 'True',
    shape,
  }
}

/**
 * Reads a .npy file of numbers or bools, in either byte order and order of axes. f2, f8 and bfloat16 become float32; i1,
 * i2 and u2 int32; u4 and u8 int64. Throws a FormatError that begins with `what`.
 */
export function readNpy(bytes: Uint8Array, what = 'npy'): NDArray {
  const header = readableHeader(readNpyHeader(bytes, what), what)
  const { element, littleEndian, fortranOrder, shape, offset, fileSize } = header
  const body = bytes.subarray(offset)
  // Fortran order is the row-major order of the reversed axes.
  const needsGather = fortranOrder && shape.length > 1 && fileSize === bytes.length
  const strides = stridesOf(shape.toReversed()).toReversed()
  const ordered = needsGather ? gatherElements(body, elementBytes(element), { offset: 0, shape, strides }) : body
  return readElements(what, element, shape, ordered, littleEndian)
}

/** Writes a .npy file: version 1, C order, little-endian. Throws a ShapeError if the data do not fit the shape. */
export function writeNpy(array: NDArray, what = 'npy'): Uint8Array {
  const { dtype, shape } = array
  const elements = checkedBytes(what, array)
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const description = `{'descr': '${descriptors[dtype]}', 'fortran_order': False, 'shape': (${sizes}), }`
  // The elements begin at a multiple of 64, as NumPy writes it.
  const padding = (64 - ((10 + description.length + 1) % 64)) % 64
  const header = new TextEncoder().encode(`${description}${' '.repeat(padding)}\n`)
  const file = new Uint8Array(10 + header.length + elements.length)
  file.set([...magic, 1, 0, header.length & 0xff, header.length >> 8])
  file.set(header, 10)
  file.set(elements, 10 + header.length)
  return file
}
