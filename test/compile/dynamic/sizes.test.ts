import fc from 'fast-check'
import { expect, test } from 'vitest'
import { samplePoints } from '../../../src/compile/dynamic/samples.ts'
import { formatSize, isFixed, SizeTable, sizeAt } from '../../../src/compile/dynamic/sizes.ts'

const names = ['length', 'past', 'heads']

function tableOf(count: number, list = 0): SizeTable {
  return new SizeTable(samplePoints(count)[list] ?? [])
}

/** The values of a function at the points of a table. */
function valuesOf(table: SizeTable, of: (sizes: readonly number[]) => number): number[] {
  return table.points.map(of)
}

test('sums of up to three sizes are found from their values, whatever the points', () => {
  const factor = fc.integer({ min: -3, max: 4 }).filter((value) => value !== 0)
  const factors = fc.array(factor, { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(factors, fc.integer({ min: -9, max: 9 }), fc.integer({ min: 0, max: 3 }), (list, offset, points) => {
      const table = tableOf(3, points)
      const of = (sizes: readonly number[]): number =>
        list.reduce((sum, each, i) => sum + each * (sizes[i] ?? 0), offset)
      const size = table.fit(valuesOf(table, of))
      expect(size && sizeAt(size, { sizes: [7, 1, 64], axes: [] })).toBe(of([7, 1, 64]))
    }),
    { seed: 5, numRuns: 60 },
  )
})

test('products are found of sizes that axes of the graph have', () => {
  const table = tableOf(2)
  const product = valuesOf(table, ([length = 0, past = 0]) => 3 * length * (length + past) + 2)
  expect(table.fit(product)).toBeUndefined()
  const sum = table.axis(valuesOf(table, ([length = 0, past = 0]) => length + past))
  table.axis(valuesOf(table, ([length = 0]) => length))
  const size = table.fit(product)
  expect([formatSize(sum, names), size && formatSize(size, names)]).toEqual([
    'length+past',
    '3*(length+past)*(length)+2',
  ])
  expect(size && sizeAt(size, { sizes: [5, 2], axes: [] })).toBe(3 * 5 * 7 + 2)
})

test('what is rounded has no formula: the shape rule of its op gives the size of an axis', () => {
  const table = tableOf(1)
  const halves = valuesOf(table, ([length = 0]) => Math.floor(length / 2))
  expect(table.fit(halves)).toBeUndefined()
  const size = table.axis(halves)
  expect([size, table.axis(halves), formatSize(size, names)]).toEqual([{ kind: 'axis', id: 0 }, size, 'size_0'])
  expect(sizeAt(size, { sizes: [7], axes: [3] })).toBe(3)
  expect(table.valuesAt(1)).toEqual({ sizes: table.points[1], axes: [halves[1]] })
})

test('a fixed number, and text for people', () => {
  const table = tableOf(2)
  const size = (of: (sizes: readonly number[]) => number): string => {
    const found = table.fit(valuesOf(table, of))
    return found ? `${formatSize(found, names)}${isFixed(found) ? ' (fixed)' : ''}` : 'none'
  }
  expect([
    size(() => 7),
    size(() => 0),
    size(([length = 0]) => length),
    size(([, past = 0]) => 2 * past - 1),
    size(([length = 0]) => length / 4),
    size(([length = 0]) => Math.sin(length)),
    size(() => Number.NaN),
  ]).toEqual(['7 (fixed)', '0 (fixed)', 'length', '2*past-1', '0.25*length', 'none', 'none'])
})

test('points: sizes of one differ, those of a name too, and none is twice another', () => {
  for (const count of [1, 2, 3, 7, 13]) {
    for (const points of samplePoints(count)) {
      for (const point of points) expect(new Set(point).size).toBe(count)
      for (let name = 0; name < count; name++)
        expect(new Set(points.map((point) => point[name])).size).toBe(points.length)
      expect(Math.max(...points.flat())).toBeLessThan(2 * Math.min(...points.flat()))
    }
    expect(samplePoints(count).length).toBeGreaterThan(0)
  }
})
