/** Clouds of points on simple surfaces, by class: data that need nothing. */
import { deriveSeed, Generator } from '../../util/random.ts'
import { turned, unitCube } from './sampling.ts'

type Point = readonly [x: number, y: number, z: number]

/** A point of a surface from three numbers in [0, 1); the z axis is the vertical one. */
type Surface = (u: number, v: number, w: number) => Point

const turn = 2 * Math.PI

const sphere: Surface = (u, v) => {
  const z = 2 * u - 1
  const radius = Math.sqrt(1 - z * z)
  return [radius * Math.cos(turn * v), radius * Math.sin(turn * v), z]
}

const cube: Surface = (u, v, w) => {
  const face = Math.floor(6 * w)
  const flat: Point = [face % 2 === 0 ? -1 : 1, 2 * u - 1, 2 * v - 1]
  const axis = Math.floor(face / 2)
  const at = (i: number): number => flat[(i - axis + 3) % 3] ?? 0
  return [at(0), at(1), at(2)]
}

/** Two thirds of the points are on its side, as of its area. */
const cone: Surface = (u, v, w) => {
  const radius = Math.sqrt(u)
  const height = w < 0.7 ? 1 - 2 * radius : -1
  return [radius * Math.cos(turn * v), radius * Math.sin(turn * v), height]
}

const torus: Surface = (u, v) => {
  const radius = 1 + 0.4 * Math.cos(turn * u)
  return [radius * Math.cos(turn * v), radius * Math.sin(turn * v), 0.4 * Math.sin(turn * u)]
}

const cylinder: Surface = (u, v, w) => {
  const isSide = w < 2 / 3
  const radius = isSide ? 1 : Math.sqrt(u)
  const height = isSide ? 2 * u - 1 : w < 5 / 6 ? -1 : 1
  return [radius * Math.cos(turn * v), radius * Math.sin(turn * v), height]
}

const plane: Surface = (u, v) => [2 * u - 1, 2 * v - 1, 0.5 * (2 * u - 1)]

const helix: Surface = (u) => [Math.cos(3 * turn * u), Math.sin(3 * turn * u), 2 * u - 1]

const twoSpheres: Surface = (u, v, w) => {
  const [x, y, z] = sphere(u, v, w)
  return [0.5 * x + (w < 0.5 ? -0.7 : 0.7), 0.5 * y, 0.5 * z]
}

const surfaces: Readonly<Record<string, Surface>> = {
  cone,
  cube,
  cylinder,
  helix,
  plane,
  sphere,
  torus,
  'two spheres': twoSpheres,
}

/** Names of the surfaces, by label. */
export const surfaceNames: readonly string[] = Object.keys(surfaces)

/** How clouds are drawn. */
export interface SurfaceCloudOptions {
  readonly points: number
  readonly seed: number | bigint
  /** Standard deviation of what is added to each coordinate. */
  readonly noise: number
}

/** Cloud number `index` on the surface of a label, [points, 3] in the unit cube, turned about the vertical axis. */
export function surfaceCloud(label: number, index: number, { points, seed, noise }: SurfaceCloudOptions): Float32Array {
  const random = new Generator(deriveSeed(seed, 'surface', index))
  const surface = surfaces[surfaceNames[label] ?? ''] ?? sphere
  const places = random.uniform(3 * points)
  const added = random.normal(3 * points)
  const cloud = new Float32Array(3 * points)
  for (let i = 0; i < points; i++) {
    const [u = 0, v = 0, w = 0] = places.subarray(3 * i, 3 * i + 3)
    cloud.set(surface(u, v, w), 3 * i)
  }
  const noisy = cloud.map((value, i) => value + noise * (added[i] ?? 0))
  return unitCube(turned(noisy, 'z', turn * (random.uniform(1)[0] ?? 0)))
}
