/** Wavefront OBJ: vertices and faces; materials, normals, lines and curves are passed over. */
import { FormatError } from '../../util/errors.ts'
import { latin1Text } from '../bytes.ts'
import { type Mesh, MeshBuilder } from './mesh.ts'

/** A corner `7`, `7/1`, `7//2`, `7/1/2` as a number from 0; negative ones count back from the last vertex. */
function cornerOf(word: string, vertices: number): number {
  const number = Number(word.split('/', 1)[0])
  return number < 0 ? vertices + number : number - 1
}

/** Reads an OBJ file. Throws a FormatError if it has no vertices, or if a line of theirs is damaged. */
export function parseObj(bytes: Uint8Array, name: string): Mesh {
  const what = `${name}: the OBJ file`
  const builder = new MeshBuilder(what, 1)
  // A line that ends with a backslash goes on.
  const lines = latin1Text(bytes)
    .replace(/\\\r?\n/g, ' ')
    .split(/\r\n|\r|\n/)
  for (const [i, line] of lines.entries()) {
    const [key, ...words] = line.replace(/#.*$/, '').trim().split(/\s+/)
    if (key === 'v') {
      const [x = Number.NaN, y = Number.NaN, z = Number.NaN] = words.map(Number)
      builder.addVertex(x, y, z)
    } else if (key === 'f') {
      const corners = words.map((word) => cornerOf(word, builder.vertexCount))
      // Real files have faces of two corners: lines, which have no surface.
      if (corners.length === 0 || corners.some((corner) => !Number.isInteger(corner))) {
        throw new FormatError(
          `${what}: a face must have numbers of vertices, found "${line.trim().slice(0, 40)}" in line ${i + 1}`,
        )
      }
      builder.addPolygon(corners)
    }
  }
  return builder.mesh()
}
