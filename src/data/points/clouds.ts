/** Clouds of points from files: meshes, or points as NumPy stores them. */
import { meshEndings, parseMesh } from '../../io/mesh/index.ts'
import { readNpy } from '../../io/npy.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import { FormatError } from '../../util/errors.ts'
import type { FileKind } from '../sources/class-files.ts'
import { samplePoints, unitCube } from './sampling.ts'

/** Clouds as files. */
export const cloudFiles: FileKind = {
  unit: 'cloud',
  endings: [...meshEndings, '.npy'],
  sample: 'folder/chair/1.off, folder/table/1.off',
}

/**
 * A cloud [count, 3] in the unit cube from a mesh (by area) or a .npy file of [points, 3 or more] numbers, of which the first three are
 * coordinates. The draw follows from the seed. Throws a FormatError that begins with the name.
 */
export function readCloud(bytes: Uint8Array, name: string, count: number, seed: number | bigint): Float32Array {
  const mesh = name.toLowerCase().endsWith('.npy') ? pointsOf(bytes, name) : parseMesh(bytes, name)
  return unitCube(samplePoints(mesh, count, seed, name))
}

function pointsOf(bytes: Uint8Array, name: string) {
  const { shape, data, dtype } = readNpy(bytes, name)
  const [points = 0, width = 0] = shape
  if (shape.length !== 2 || width < 3 || points === 0) {
    throw new FormatError(`${name}: must be points [points, 3], found ${dtype} [${shape.join(', ')}]`)
  }
  const values = toNumbers(data)
  const vertices = Float32Array.from({ length: 3 * points }, (_, i) => values[Math.floor(i / 3) * width + (i % 3)] ?? 0)
  const wrong = vertices.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) {
    throw new FormatError(
      `${name}: coordinates must be finite, found ${vertices[wrong]} in point ${Math.floor(wrong / 3)}`,
    )
  }
  return { vertices, triangles: new Uint32Array() }
}
