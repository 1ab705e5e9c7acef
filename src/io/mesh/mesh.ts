/** Surfaces of triangles, and what readers of their formats share. */
import { FormatError } from '../../util/errors.ts'

/** A surface; without triangles, a cloud of points. */
export interface Mesh {
  /** x, y, z of each corner, [vertices, 3] row-major. */
  readonly vertices: Float32Array
  /** Corners of each triangle, [triangles, 3] row-major. */
  readonly triangles: Uint32Array
}

/** Collects a mesh; polygons become fans of triangles around their first corner. */
export class MeshBuilder {
  readonly #what: string
  readonly #first: number
  readonly #vertices: number[] = []
  readonly #triangles: number[] = []

  /** `what`: the file and its format, for messages; `first`: the number that the format gives to its first vertex. */
  constructor(what: string, first = 0) {
    this.#what = what
    this.#first = first
  }

  get vertexCount(): number {
    return this.#vertices.length / 3
  }

  addVertex(x: number, y: number, z: number): void {
    if (!(Number.isFinite(x) && Number.isFinite(y) && Number.isFinite(z))) {
      throw new FormatError(
        `${this.#what}: a vertex must be three numbers, found ${x} ${y} ${z} for vertex ${this.vertexCount + this.#first}`,
      )
    }
    this.#vertices.push(x, y, z)
  }

  /** A polygon by the numbers of its corners. Two corners or one are a line or a point and have no surface. */
  addPolygon(corners: readonly number[]): void {
    const [first = 0] = corners
    for (let i = 1; i + 1 < corners.length; i++) this.#triangles.push(first, corners[i] ?? 0, corners[i + 1] ?? 0)
  }

  /** Throws a FormatError if there is no vertex, or if a triangle has a corner that is not there. */
  mesh(): Mesh {
    if (this.vertexCount === 0) throw new FormatError(`${this.#what}: must have vertices, found none`)
    const wrong = this.#triangles.find(
      (corner) => !(Number.isInteger(corner) && corner >= 0 && corner < this.vertexCount),
    )
    if (wrong !== undefined) {
      const [first, last, found] = [0, this.vertexCount - 1, wrong].map((corner) => corner + this.#first)
      throw new FormatError(`${this.#what}: a face must have corners ${first} to ${last}, found ${found}`)
    }
    return { vertices: Float32Array.from(this.#vertices), triangles: Uint32Array.from(this.#triangles) }
  }
}

/** Numbers of a line, by the white space between. */
export function numbersOf(line: string): number[] {
  return line.trim().split(/\s+/).map(Number)
}
