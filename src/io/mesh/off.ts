/** OFF (Object File Format, Geomview): ModelNet's files. Text only. */
import { FormatError } from '../../util/errors.ts'
import { latin1Text } from '../bytes.ts'
import { type Mesh, MeshBuilder, numbersOf } from './mesh.ts'

/** Reads an OFF file, also those of ModelNet whose counts follow the word OFF on its line. Throws a FormatError if it is damaged. */
export function parseOff(bytes: Uint8Array, name: string): Mesh {
  const what = `${name}: the OFF file`
  const lines = latin1Text(bytes)
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter((line) => line !== '')
  const header =
    /^(?:ST)?C?N?(4?)OFF\b\s*(.*)$/.exec(lines[0] ?? '') ?? /^(?:ST)?C?N?(4?)OFF(\d.*)$/.exec(lines[0] ?? '')
  if (!header)
    throw new FormatError(`${what} must begin with OFF, found ${JSON.stringify((lines[0] ?? '').slice(0, 20))}`)
  const [, four = '', rest = ''] = header
  if (four !== '' || /BINARY/i.test(rest)) {
    throw new FormatError(`${what} must be text with three coordinates, found "${(lines[0] ?? '').slice(0, 20)}"`)
  }
  const body = rest === '' ? lines.slice(1) : [rest, ...lines.slice(1)]
  const [vertexCount = Number.NaN, faceCount = Number.NaN] = numbersOf(body[0] ?? '')
  if (!(Number.isInteger(vertexCount) && Number.isInteger(faceCount) && vertexCount >= 0 && faceCount >= 0)) {
    throw new FormatError(
      `${what} must say how many vertices and faces it has, found "${(body[0] ?? '').slice(0, 40)}"`,
    )
  }
  if (body.length - 1 < vertexCount + faceCount) {
    throw new FormatError(
      `${what} is cut off: it says ${vertexCount} vertices and ${faceCount} faces, and has ${body.length - 1} lines of them`,
    )
  }
  const builder = new MeshBuilder(what)
  for (const line of body.slice(1, 1 + vertexCount)) {
    const [x = Number.NaN, y = Number.NaN, z = Number.NaN] = numbersOf(line)
    builder.addVertex(x, y, z)
  }
  for (const line of body.slice(1 + vertexCount, 1 + vertexCount + faceCount)) {
    const [corners = Number.NaN, ...numbers] = numbersOf(line)
    if (!(corners >= 1 && numbers.length >= corners)) {
      throw new FormatError(`${what} must have as many corners in a face as it says, found "${line.slice(0, 40)}"`)
    }
    builder.addPolygon(numbers.slice(0, corners)) // behind them may be a colour
  }
  return builder.mesh()
}
