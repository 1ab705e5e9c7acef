/** PLY (Stanford): elements with properties, as text or binary in either byte order. */
import { FormatError } from '../../util/errors.ts'
import { latin1Text } from '../bytes.ts'
import { type Mesh, MeshBuilder } from './mesh.ts'

/** Bytes of a number, and how it is read. */
interface NumberType {
  readonly size: number
  readonly read: (view: DataView, at: number, little: boolean) => number
}

const numbers = {
  int8: { size: 1, read: (view, at) => view.getInt8(at) },
  uint8: { size: 1, read: (view, at) => view.getUint8(at) },
  int16: { size: 2, read: (view, at, little) => view.getInt16(at, little) },
  uint16: { size: 2, read: (view, at, little) => view.getUint16(at, little) },
  int32: { size: 4, read: (view, at, little) => view.getInt32(at, little) },
  uint32: { size: 4, read: (view, at, little) => view.getUint32(at, little) },
  float32: { size: 4, read: (view, at, little) => view.getFloat32(at, little) },
  float64: { size: 8, read: (view, at, little) => view.getFloat64(at, little) },
} as const satisfies Readonly<Record<string, NumberType>>

const types: ReadonlyMap<string, NumberType> = new Map([
  ...Object.entries(numbers),
  ['char', numbers.int8],
  ['uchar', numbers.uint8],
  ['short', numbers.int16],
  ['ushort', numbers.uint16],
  ['int', numbers.int32],
  ['uint', numbers.uint32],
  ['float', numbers.float32],
  ['double', numbers.float64],
])

/** `count`: the type of a list's length; undefined: not a list. */
interface Property {
  readonly name: string
  readonly type: NumberType
  readonly count: NumberType | undefined
}

interface Element {
  readonly name: string
  readonly count: number
  readonly properties: Property[]
}

interface Header {
  readonly format: string
  readonly elements: readonly Element[]
  /** Where the elements begin. */
  readonly start: number
}

function parseHeader(bytes: Uint8Array, what: string): Header {
  const text = latin1Text(bytes.subarray(0, 65_536))
  const end = /(?:^|\n|\r)end_header[ \t]*(?:\r\n|\n|\r)/.exec(text)
  if (!/^ply\s/.test(text) || !end) {
    throw new FormatError(
      `${what} must begin with "ply" and have an "end_header", found ${JSON.stringify(text.slice(0, 12))}`,
    )
  }
  const elements: Element[] = []
  let format = ''
  for (const line of text.slice(0, end.index).split(/\r\n|\r|\n/)) {
    const [key, first = '', second = '', third = '', fourth = ''] = line.trim().split(/\s+/)
    if (key === 'format') format = first
    else if (key === 'element') elements.push({ name: first, count: Number(second), properties: [] })
    else if (key === 'property') {
      const [count, type, name] =
        first === 'list' ? [types.get(second), types.get(third), fourth] : [undefined, types.get(first), second]
      if (!type || (first === 'list' && !count)) {
        throw new FormatError(`${what} must have properties of known types, found "${line.trim()}"`)
      }
      elements.at(-1)?.properties.push({ name, type, count })
    }
  }
  if (!['ascii', 'binary_little_endian', 'binary_big_endian'].includes(format)) {
    throw new FormatError(`${what} must be ascii, binary_little_endian or binary_big_endian, found "${format}"`)
  }
  const wrong = elements.find(({ count }) => !(Number.isInteger(count) && count >= 0))
  if (wrong) throw new FormatError(`${what} must say how many elements it has of "${wrong.name}", found ${wrong.count}`)
  return { format, elements, start: end.index + end[0].length }
}

/** Gives one number after the other; the type counts in binary files only. */
type Next = (type: NumberType) => number

function textNumbers(bytes: Uint8Array, what: string): Next {
  const words = latin1Text(bytes)
    .split(/\s+/)
    .filter((word) => word !== '')
  let at = 0
  return () => {
    const word = words[at++]
    if (word === undefined) throw new FormatError(`${what} is cut off after ${words.length} numbers`)
    const value = Number(word)
    if (Number.isNaN(value) && !/^[-+]?nan/i.test(word)) {
      throw new FormatError(`${what} must have numbers after its header, found ${JSON.stringify(word.slice(0, 20))}`)
    }
    return value
  }
}

function binaryNumbers(bytes: Uint8Array, little: boolean, what: string): Next {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  return ({ size, read }) => {
    if (at + size > bytes.length)
      throw new FormatError(`${what} is cut off after ${bytes.length} bytes of its elements`)
    at += size
    return read(view, at - size, little)
  }
}

/** One element: its single numbers and its lists, by name. */
function readElement(properties: readonly Property[], next: Next, what: string) {
  const values = new Map<string, number>()
  const lists = new Map<string, number[]>()
  for (const { name, type, count } of properties) {
    if (!count) {
      values.set(name, next(type))
      continue
    }
    const length = next(count)
    if (!(Number.isInteger(length) && length >= 0)) {
      throw new FormatError(`${what} must have whole numbers as lengths of lists, found ${length}`)
    }
    const list: number[] = []
    for (let i = 0; i < length; i++) list.push(next(type))
    lists.set(name, list)
  }
  return { values, lists }
}

/** Reads a PLY file; elements and properties of other kinds are passed over. Throws a FormatError if it is damaged. */
export function parsePly(bytes: Uint8Array, name: string): Mesh {
  const what = `${name}: the PLY file`
  const { format, elements, start } = parseHeader(bytes, what)
  const body = bytes.subarray(start)
  const next =
    format === 'ascii' ? textNumbers(body, what) : binaryNumbers(body, format === 'binary_little_endian', what)
  const builder = new MeshBuilder(what)
  for (const element of elements) {
    for (let i = 0; i < element.count; i++) {
      const { values, lists } = readElement(element.properties, next, what)
      if (element.name === 'vertex') {
        const [x, y, z] = ['x', 'y', 'z'].map((axis) => values.get(axis) ?? Number.NaN)
        builder.addVertex(x ?? Number.NaN, y ?? Number.NaN, z ?? Number.NaN)
      } else if (element.name === 'face') {
        builder.addPolygon(lists.get('vertex_indices') ?? lists.get('vertex_index') ?? [])
      }
    }
  }
  return builder.mesh()
}
