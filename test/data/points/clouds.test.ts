import { expect, test } from 'vitest'
import { readCloud } from '../../../src/data/points/clouds.ts'
import { furnitureClass } from '../../../src/data/points/furniture.ts'
import { changedCloud, samplePoints, turned, unitCube } from '../../../src/data/points/sampling.ts'
import { surfaceCloud, surfaceNames } from '../../../src/data/points/surfaces.ts'
import { writeNpy } from '../../../src/io/npy.ts'
import { Generator } from '../../../src/util/random.ts'
import { told } from '../support.ts'

const column = (points: Float32Array, axis: number): number[] => [...points].filter((_, i) => i % 3 === axis)
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

test('points are drawn by area, and the draw follows from the seed', () => {
  // Two triangles in the planes z = 0 and z = 1, the second with nine times the area.
  const mesh = {
    vertices: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 3, 0, 1, 0, 3, 1),
    triangles: Uint32Array.of(0, 1, 2, 3, 4, 5),
  }
  const points = samplePoints(mesh, 4000, 3, 'two')
  expect(mean(column(points, 2))).toBeCloseTo(0.9, 1)
  const large = [...points.keys()].filter((i) => i % 3 === 0 && points[i + 2] === 1)
  // Uniform in the triangle: its centre is the mean, and nothing lies outside.
  expect(mean(large.map((i) => points[i] ?? 0))).toBeCloseTo(1, 1)
  expect(large.every((i) => (points[i] ?? 0) + (points[i + 1] ?? 0) <= 3.000001)).toBe(true)
  expect(samplePoints(mesh, 50, 3, 'two')).toEqual(samplePoints(mesh, 50, 3, 'two'))
  expect(samplePoints(mesh, 50, 4, 'two')).not.toEqual(samplePoints(mesh, 50, 3, 'two'))
})

test('of a cloud each point is drawn once before any is drawn twice', () => {
  const mesh = {
    vertices: Float32Array.from({ length: 30 }, (_, i) => Math.floor(i / 3)),
    triangles: new Uint32Array(),
  }
  const counts = (count: number): number[] => {
    const drawn = column(samplePoints(mesh, count, 0, 'cloud'), 0)
    return Array.from({ length: 10 }, (_, point) => drawn.filter((value) => value === point).length)
  }
  expect(counts(10)).toEqual(new Array(10).fill(1))
  expect(new Set(counts(25))).toEqual(new Set([2, 3]))
})

test('unit cube: mean zero, greatest coordinate one', () => {
  const cloud = unitCube(Float32Array.of(0, 0, 0, 4, 2, 0, 8, 1, 0))
  expect([0, 1, 2].map((axis) => mean(column(cloud, axis)))).toEqual([0, 0, 0])
  expect([...cloud].map(Math.abs).sort().at(-1)).toBe(1)
  expect(unitCube(new Float32Array(6).fill(3))).toEqual(new Float32Array(6))
})

test('turning keeps heights and distances from the axis', () => {
  const cloud = Float32Array.of(1, 2, 3, -4, 5, 6)
  for (const [axis, own] of [
    ['x', 0],
    ['y', 1],
    ['z', 2],
  ] as const) {
    const result = turned(cloud, axis, 1)
    expect(column(result, own)).toEqual(column(cloud, own))
    expect(Math.hypot(...result)).toBeCloseTo(Math.hypot(...cloud), 4)
    expect(result).not.toEqual(cloud)
  }
})

test('training clouds: each point scaled by itself, by at most the jitter, in the unit cube again', () => {
  const cloud = surfaceCloud(1, 0, { points: 200, seed: 0, noise: 0 })
  const changed = changedCloud(cloud, { jitter: 0.01, axis: undefined }, new Generator(1))
  const differences = cloud.map((value, i) => Math.abs(value - (changed[i] ?? 0)))
  expect(Math.max(...differences)).toBeGreaterThan(0.002)
  expect(Math.max(...differences)).toBeLessThan(0.03)
  expect(Math.max(...changed.map(Math.abs))).toBe(1)
  expect(changedCloud(cloud, { jitter: 0, axis: 'z' }, new Generator(1))).not.toEqual(cloud)
})

test('surfaces are different and follow from the seed', () => {
  const options = { points: 64, seed: 5, noise: 0.02 }
  const clouds = surfaceNames.map((_, label) => surfaceCloud(label, 7, options))
  expect(surfaceNames).toHaveLength(8)
  expect(new Set(clouds.map((cloud) => cloud.join())).size).toBe(8)
  expect(surfaceCloud(2, 7, options)).toEqual(clouds[2])
  for (const cloud of clouds) expect(Math.max(...cloud.map(Math.abs))).toBeCloseTo(1)
})

test('clouds as NumPy stores them', async () => {
  const file = (shape: number[], data: number[]) => writeNpy({ dtype: 'float32', shape, data: Float32Array.from(data) })
  expect([...readCloud(file([2, 4], [0, 0, 0, 9, 2, 2, 2, 9]), 'a.npy', 2, 0)].map(Math.abs)).toEqual([
    1, 1, 1, 1, 1, 1,
  ])
  expect(await told(() => readCloud(file([4], [0, 0, 0, 9]), 'a.npy', 2, 0))).toBe(
    'FormatError: a.npy: must be points [points, 3], found float32 [4]',
  )
  expect(await told(() => readCloud(file([1, 3], [0, Number.NaN, 0]), 'a.npy', 2, 0))).toBe(
    'FormatError: a.npy: coordinates must be finite, found NaN in point 0',
  )
  const flat = new TextEncoder().encode('v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n')
  expect(await told(() => readCloud(flat, 'a.obj', 2, 0))).toBe(
    'FormatError: a.obj: must have a surface, found an area of 0',
  )
})

test('furniture by the last word of its name, people and vehicles by category', () => {
  const names = [
    'Oak chair',
    'Chair with cushion',
    'Toilet brush',
    'Rocking horse',
    'Double window 3 panes',
    'Sofa 2 seats',
  ]
  expect(names.map((name) => furnitureClass(name, 'Living room'))).toEqual([
    'chair',
    'chair',
    undefined,
    undefined,
    'window',
    'sofa',
  ])
  expect(furnitureClass('VW new beetle', 'Vehicles')).toBe('vehicle')
})
