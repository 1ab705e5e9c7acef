import { expect, test } from 'vitest'
import { arrayAt, fitArray } from '../../../src/compile/dynamic/arrays.ts'
import { samplePoints } from '../../../src/compile/dynamic/samples.ts'
import { SizeTable } from '../../../src/compile/dynamic/sizes.ts'
import { type DType, elementCount, fromNumbers, type NDArray, toNumbers } from '../../../src/tensor/dtype.ts'

/** An array whose elements are a function of their index, at a size n. */
interface Table {
  readonly dtype: DType
  readonly shape: (n: number) => readonly number[]
  readonly element: (place: number, n: number) => number
}

function at({ dtype, shape, element }: Table, n: number): NDArray {
  const sizes = shape(n)
  const numbers = Array.from({ length: elementCount(sizes) }, (_, place) => element(place, n))
  return { dtype, shape: sizes, data: fromNumbers(dtype, numbers) }
}

const square = (n: number): readonly number[] => [n, n]
const row = (place: number, n: number): number => Math.floor(place / n)

const understood: Readonly<Record<string, Table>> = {
  'a shape': { dtype: 'int64', shape: () => [3], element: (place, n) => [2, n, 2 * n - 1][place] ?? 0 },
  'a mean': { dtype: 'float32', shape: () => [], element: (_, n) => 1 / n },
  'one number everywhere': { dtype: 'float32', shape: (n) => [2, n], element: () => 0.1 },
  'arange, backward': { dtype: 'int64', shape: (n) => [n], element: (place, n) => n - 1 - place },
  linspace: { dtype: 'float32', shape: (n) => [n + 1], element: (place, n) => -1 + (2 * place) / n },
  'an index of relative places': {
    dtype: 'int64',
    shape: square,
    element: (place, n) => row(place, n) - (place % n) + n - 1,
  },
  'the rows of a table, twice': { dtype: 'int64', shape: (n) => [4 * n], element: (place, n) => row(place, 2) % n },
  'a causal mask': {
    dtype: 'bool',
    shape: square,
    element: (place, n) => Number(row(place, n) >= place % n),
  },
  'four times the identity': {
    dtype: 'float32',
    shape: square,
    element: (place, n) => (row(place, n) === place % n ? 4 : 0),
  },
  'a band below the other diagonal': {
    dtype: 'float32',
    shape: square,
    element: (place, n) => (row(place, n) + (place % n) > n ? 0.5 : -1),
  },
}

const points = samplePoints(1)[0] ?? []

function fitted(table: Table): ReturnType<typeof fitArray> {
  return fitArray(
    new SizeTable(points),
    points.map(([n = 0]) => at(table, n)),
  )
}

test.each(Object.entries(understood))('%s', (_, table) => {
  const array = fitted(table)
  for (const n of [2, 3, 64]) {
    const [found, expected] = [array && arrayAt(array, { sizes: [n], axes: [] }), at(table, n)]
    expect([found?.dtype, found?.shape]).toEqual([expected.dtype, expected.shape])
    for (const [i, value] of toNumbers(expected.data).entries()) expect(Number(found?.data[i])).toBeCloseTo(value, 6)
  }
})

test.each(
  Object.entries<Table>({
    'a table of sines': { dtype: 'float32', shape: (n) => [n], element: Math.sin },
    'every second element of an axis': {
      dtype: 'int64',
      shape: (n) => [Math.ceil(n / 2)],
      element: (place) => 2 * place,
    },
    'a list that turns back': { dtype: 'int64', shape: (n) => [n], element: (place, n) => Math.min(place, n - place) },
    'a disc': {
      dtype: 'bool',
      shape: square,
      element: (place, n) => Number((row(place, n) - n / 2) ** 2 + ((place % n) - n / 2) ** 2 < n),
    },
  }),
)('%s is not understood', (_, table) => {
  expect(fitted(table)).toBeUndefined()
})
