/** Points on surfaces, and clouds of points brought to one place and size. */
import type { Mesh } from '../../io/mesh/mesh.ts'
import { FormatError } from '../../util/errors.ts'
import { Generator } from '../../util/random.ts'

/** Where in the rising sums the first one above `value` stands. */
function firstAbove(sums: Float64Array, value: number): number {
  let [low, high] = [0, sums.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sums[middle] ?? 0) > value) high = middle
    else low = middle + 1
  }
  return low
}

/** The sums of the triangles' areas from the first to each. */
function areaSums({ vertices, triangles }: Mesh): Float64Array {
  const sums = new Float64Array(triangles.length / 3)
  const at = (corner: number, axis: number): number => vertices[3 * (triangles[corner] ?? 0) + axis] ?? 0
  let total = 0
  for (let i = 0; i < sums.length; i++) {
    const edge = (to: number): number[] => [0, 1, 2].map((axis) => at(3 * i + to, axis) - at(3 * i, axis))
    const [ax = 0, ay = 0, az = 0] = edge(1)
    const [bx = 0, by = 0, bz = 0] = edge(2)
    total += Math.hypot(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx) / 2
    sums[i] = total
  }
  return sums
}

/**
 * Points [count, 3] drawn uniformly by area from the surface of a mesh; of a mesh without triangles, from its vertices: each at most once
 * more than any other. Throws a FormatError (naming `name`) if there is a surface but it has no area.
 */
export function samplePoints(mesh: Mesh, count: number, seed: number | bigint, name: string): Float32Array {
  const random = new Generator(seed)
  const { vertices, triangles } = mesh
  const points = new Float32Array(3 * count)
  if (triangles.length === 0) {
    const total = vertices.length / 3
    for (let start = 0; start < count; start += total) {
      const order = random.permutation(total).subarray(0, count - start)
      for (const [i, chosen] of order.entries())
        points.set(vertices.subarray(3 * chosen, 3 * chosen + 3), 3 * (start + i))
    }
    return points
  }
  const sums = areaSums(mesh)
  const total = sums.at(-1) ?? 0
  if (!(total > 0 && Number.isFinite(total)))
    throw new FormatError(`${name}: must have a surface, found an area of ${total}`)
  const drawn = random.uniform(3 * count)
  for (let i = 0; i < count; i++) {
    const triangle = firstAbove(sums, (drawn[3 * i] ?? 0) * total)
    // Uniform in a triangle: a = 1 - sqrt u, b = sqrt u (1 - v), c = sqrt u v.
    const [root, v] = [Math.sqrt(drawn[3 * i + 1] ?? 0), drawn[3 * i + 2] ?? 0]
    const weights = [1 - root, root * (1 - v), root * v]
    for (let axis = 0; axis < 3; axis++) {
      points[3 * i + axis] = weights.reduce((sum, weight, corner) => {
        return sum + weight * (vertices[3 * (triangles[3 * triangle + corner] ?? 0) + axis] ?? 0)
      }, 0)
    }
  }
  return points
}

/** A cloud [points, 3] with mean zero, its greatest coordinate 1: in the cube from -1 to 1. Points that are all one stay at zero. */
export function unitCube(points: Float32Array): Float32Array {
  const count = points.length / 3
  const means = [0, 0, 0]
  for (let i = 0; i < points.length; i++) means[i % 3] = (means[i % 3] ?? 0) + (points[i] ?? 0) / count
  const centred = points.map((value, i) => value - (means[i % 3] ?? 0))
  const greatest = centred.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return greatest > 0 ? centred.map((value) => value / greatest) : centred
}

/** The axis about which clouds are turned; the vertical one. */
export type Axis = 'x' | 'y' | 'z'

/** A cloud turned about an axis by an angle, in radians. */
export function turned(points: Float32Array, axis: Axis, angle: number): Float32Array {
  const own = { x: 0, y: 1, z: 2 }[axis]
  const [first, second] = [(own + 1) % 3, (own + 2) % 3]
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const result = points.slice()
  for (let i = 0; i < points.length; i += 3) {
    const [a, b] = [points[i + first] ?? 0, points[i + second] ?? 0]
    result[i + first] = cos * a - sin * b
    result[i + second] = sin * a + cos * b
  }
  return result
}

/** How training clouds are changed. */
export interface CloudChanges {
  /** Each point is scaled by a factor from 1 - jitter to 1 + jitter; the paper: 0.01. */
  readonly jitter: number
  /** Clouds are turned about it by any angle; undefined: not turned. */
  readonly axis: Axis | undefined
}

/** The paper's preprocessing of a centred cloud for training: points scaled at random, then mean zero and unit cube again. */
export function changedCloud(points: Float32Array, { jitter, axis }: CloudChanges, random: Generator): Float32Array {
  const around = axis ? turned(points, axis, 2 * Math.PI * (random.uniform(1)[0] ?? 0)) : points
  const factors = random.uniform(points.length / 3)
  return unitCube(around.map((value, i) => value * (1 + jitter * (2 * (factors[Math.floor(i / 3)] ?? 0) - 1))))
}
