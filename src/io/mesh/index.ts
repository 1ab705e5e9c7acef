/** Meshes from files of several formats. */
import { FormatError } from '../../util/errors.ts'
import type { Mesh } from './mesh.ts'
import { parseObj } from './obj.ts'
import { parseOff } from './off.ts'
import { parsePly } from './ply.ts'
import { parseStl } from './stl.ts'

const parsers = { '.off': parseOff, '.obj': parseObj, '.stl': parseStl, '.ply': parsePly } as const

/** Endings of files that `parseMesh` reads. */
export const meshEndings: readonly string[] = Object.keys(parsers)

/**
 * A mesh from the bytes of a file, whose format is that of its ending: OFF, Wavefront OBJ, STL and PLY (text or binary, but OFF and OBJ). Throws
 * a FormatError that begins with the name if it is damaged.
 */
export function parseMesh(bytes: Uint8Array, name: string): Mesh {
  const found = Object.entries(parsers).find(([ending]) => name.toLowerCase().endsWith(ending))
  if (!found) throw new FormatError(`${name}: must end in ${meshEndings.join(', ')}`)
  return found[1](bytes, name)
}
