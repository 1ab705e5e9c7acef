/** STL: loose triangles, binary or as text. */
import { FormatError } from '../../util/errors.ts'
import { latin1Text, startsWith } from '../bytes.ts'
import { type Mesh, MeshBuilder, numbersOf } from './mesh.ts'

const headerBytes = 84
const triangleBytes = 50

/** Reads an STL file; what its size fits is binary, whatever it begins with. Throws a FormatError if it is damaged. */
export function parseStl(bytes: Uint8Array, name: string): Mesh {
  const what = `${name}: the STL file`
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = bytes.length >= headerBytes ? view.getUint32(80, true) : 0
  const size = headerBytes + count * triangleBytes
  const isText = startsWith(bytes, 'solid') && bytes.length !== size
  if (isText) return parseText(bytes, what)
  if (bytes.length < headerBytes) {
    throw new FormatError(
      `${what} must have at least ${headerBytes} bytes, or begin with "solid", found ${bytes.length}`,
    )
  }
  if (bytes.length < size) {
    throw new FormatError(`${what} is cut off: ${count} triangles take ${size} bytes, found ${bytes.length}`)
  }
  const builder = new MeshBuilder(what)
  for (let i = 0; i < count; i++) {
    for (let corner = 1; corner <= 3; corner++) {
      const at = headerBytes + i * triangleBytes + corner * 12 // the normal stands first
      builder.addVertex(view.getFloat32(at, true), view.getFloat32(at + 4, true), view.getFloat32(at + 8, true))
    }
    builder.addPolygon([3 * i, 3 * i + 1, 3 * i + 2])
  }
  return builder.mesh()
}

function parseText(bytes: Uint8Array, what: string): Mesh {
  const builder = new MeshBuilder(what)
  const text = latin1Text(bytes)
  for (const [, numbers = ''] of text.matchAll(/^\s*vertex\s+(.*)$/gim)) {
    const [x = Number.NaN, y = Number.NaN, z = Number.NaN] = numbersOf(numbers)
    builder.addVertex(x, y, z)
  }
  if (builder.vertexCount % 3 !== 0 || !/endsolid/i.test(text)) {
    throw new FormatError(
      `${what} is cut off: it ends after ${builder.vertexCount} corners of triangles, without endsolid`,
    )
  }
  for (let i = 0; i < builder.vertexCount; i += 3) builder.addPolygon([i, i + 1, i + 2])
  return builder.mesh()
}
