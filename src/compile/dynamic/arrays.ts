/** Constants that depend on the sizes of dynamic axes: index vectors, fills, tables that are affine in their indices, triangles. */
import {
  allocate,
  type DType,
  elementCount,
  fromNumbers,
  type NDArray,
  setElement,
  toNumbers,
} from '../../tensor/dtype.ts'
import { type Shape, stridesOf } from '../../tensor/shape.ts'
import { fitNumber, numberAt, type SizedNumber } from './numbers.ts'
import { isFixed, type Size, type SizeTable, type SizeValues, sizeAt } from './sizes.ts'

/** An array as a function of the dynamic sizes. */
export type SizedArray = { readonly dtype: DType; readonly shape: readonly Size[] } & SizedElements

export type SizedElements =
  /** A fixed number of elements, each by itself. */
  | { readonly kind: 'elements'; readonly elements: readonly SizedNumber[] }
  /** start + sum of step x index, over axes of the array, or axes that one axis of the array is made of. */
  | {
      readonly kind: 'affine'
      readonly start: SizedNumber
      readonly steps: readonly SizedNumber[]
      readonly axes: readonly Size[]
    }
  /** `inside` where row x index of the last axis but one + column x index of the last + start >= 0, else `outside`. */
  | {
      readonly kind: 'triangle'
      /** Only where it is 0: a diagonal. */
      readonly isDiagonal: boolean
      readonly start: Size
      readonly row: number
      readonly column: number
      readonly inside: number
      readonly outside: number
    }

/** The shape at these sizes. */
export function shapeAt(shape: readonly Size[], values: SizeValues): Shape {
  return shape.map((size) => sizeAt(size, values))
}

/** Calls `visit` with every index of an array of this shape, in row-major order. */
function eachIndex(shape: Shape, visit: (place: number, index: readonly number[]) => void): void {
  const count = elementCount(shape)
  const index = shape.map(() => 0)
  for (let place = 0; place < count; place++) {
    visit(place, index)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1
      if ((index[axis] ?? 0) < (shape[axis] ?? 0)) break
      index[axis] = 0
    }
  }
}

/** The array at these sizes. */
export function arrayAt(array: SizedArray, values: SizeValues): NDArray {
  const { dtype } = array
  const shape = shapeAt(array.shape, values)
  if (array.kind === 'elements')
    return {
      dtype,
      shape,
      data: fromNumbers(
        dtype,
        array.elements.map((element) => numberAt(element, values)),
      ),
    }
  const data = allocate(dtype, elementCount(shape))
  if (array.kind === 'triangle') {
    const start = sizeAt(array.start, values)
    const [rows, columns] = [shape.length - 2, shape.length - 1]
    eachIndex(shape, (place, index) => {
      const side = array.row * (index[rows] ?? 0) + array.column * (index[columns] ?? 0) + start
      const isInside = array.isDiagonal ? side === 0 : side >= 0
      setElement(data, place, isInside ? array.inside : array.outside)
    })
    return { dtype, shape, data }
  }
  const start = numberAt(array.start, values)
  const steps = array.steps.map((step) => numberAt(step, values))
  eachIndex(shapeAt(array.axes, values), (place, index) => {
    let value = start
    // A step along an axis of one element may be infinite: the distance over its length less one.
    for (const [axis, step] of steps.entries()) if (index[axis]) value += step * index[axis]
    setElement(data, place, value)
  })
  return { dtype, shape, data }
}

// float32 keeps 24 bits: what differs by less was only rounded in another order.
const rounding = 2 ** -22

const isFloat32 = (arrays: readonly NDArray[]): boolean => arrays[0]?.dtype === 'float32'

/** A longer list that is not regular is a table, not a shape. */
const mostElements = 64

/** The function that gives these arrays at the points of the table; undefined if none is known. */
export function fitArray(table: SizeTable, arrays: readonly NDArray[]): SizedArray | undefined {
  const [head] = arrays
  if (!head || arrays.some(({ dtype, shape }) => dtype !== head.dtype || shape.length !== head.shape.length))
    return undefined
  const shape = head.shape.map((_, axis) => table.fit(arrays.map((array) => array.shape[axis] ?? 0)))
  if (!shape.every((size) => size !== undefined)) return undefined
  const numbers = arrays.map(({ data }) => toNumbers(data))
  for (const kind of [fitElements, fitAffine, fitTriangle]) {
    const elements = kind(table, arrays, numbers, shape)
    if (!elements) continue
    const array: SizedArray = { dtype: head.dtype, shape, ...elements }
    if (reproduces(table, array, numbers)) return array
  }
  return undefined
}

/** Whether the function gives the numbers that it was found from. */
function reproduces(table: SizeTable, array: SizedArray, numbers: readonly (readonly number[])[]): boolean {
  return numbers.every((expected, i) => {
    const found = toNumbers(arrayAt(array, table.valuesAt(i)).data)
    if (found.length !== expected.length) return false
    const largest = expected.reduce(
      (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
      0,
    )
    return found.every(
      (value, j) => Object.is(value, expected[j]) || Math.abs(value - (expected[j] ?? 0)) <= rounding * largest,
    )
  })
}

type Fit = (
  table: SizeTable,
  arrays: readonly NDArray[],
  numbers: readonly (readonly number[])[],
  shape: readonly Size[],
) => SizedElements | undefined

const fitElements: Fit = (table, arrays, numbers, shape) => {
  const count = numbers[0]?.length ?? 0
  if (!shape.every(isFixed) || count > mostElements) return undefined
  const round = isFloat32(arrays) ? Math.fround : (value: number): number => value
  const elements = Array.from({ length: count }, (_, i) => {
    return fitNumber(
      table,
      numbers.map((list) => list[i] ?? 0),
      round,
      isFloat32(arrays) ? 2 ** -23 : 0,
    )
  })
  return elements.every((element) => element !== undefined) ? { kind: 'elements', elements } : undefined
}

/** Axes, outermost first, over which the numbers are affine, and the step along each. */
interface Steps {
  readonly axes: readonly number[]
  readonly steps: readonly number[]
}

/** Along the axes of the array, from end to end: over one step the rounding of float32 would count most. */
function stepsOfAxes({ shape }: NDArray, numbers: readonly number[]): Steps {
  const steps = shape.map((size, axis) => {
    const place = (size - 1) * (stridesOf(shape)[axis] ?? 1)
    const step = size > 1 ? ((numbers[place] ?? 0) - (numbers[0] ?? 0)) / (size - 1) : 0
    return Number(step.toPrecision(7))
  })
  return { axes: shape, steps }
}

/** Of a list of whole numbers: how long it goes on with one step, how often that repeats, and so on. */
function stepsOfRuns(numbers: readonly number[]): Steps | undefined {
  const [axes, steps]: [number[], number[]] = [[], []]
  let heads = numbers
  while (heads.length > 1) {
    const step = (heads[1] ?? 0) - (heads[0] ?? 0)
    const end = heads.findIndex((value, i) => i > 0 && value - (heads[i - 1] ?? 0) !== step)
    const length = end < 0 ? heads.length : end
    if (heads.length % length !== 0) return undefined
    axes.unshift(length)
    steps.unshift(step)
    heads = heads.filter((_, i) => i % length === 0)
  }
  return { axes, steps }
}

const fitAffine: Fit = (table, arrays, numbers) => {
  const [head] = arrays
  const round = isFloat32(arrays) ? Math.fround : (value: number): number => value
  const tolerance = isFloat32(arrays) ? 1e-6 : 0
  const isList = head?.shape.length === 1 && !isFloat32(arrays)
  const found = arrays.map((array, i) =>
    isList ? stepsOfRuns(numbers[i] ?? []) : stepsOfAxes(array, numbers[i] ?? []),
  )
  const count = found[0]?.axes.length
  if (!found.every((each) => each !== undefined && each.axes.length === count)) return undefined
  const valuesOf = (name: keyof Steps, i: number): number[] => found.map((each) => each?.[name][i] ?? Number.NaN)
  const starts = numbers.map(([value = 0]) => value)
  const start = fitNumber(table, starts, round, tolerance)
  const places = Array.from({ length: count ?? 0 }, (_, i) => i)
  const axes = places.map((i) => table.fit(valuesOf('axes', i)))
  const isExact = isFloat32(arrays) || found.every((each) => each?.steps.every(Number.isInteger))
  const steps = places.map((i) =>
    fitNumber(table, valuesOf('steps', i), (value) => Number(value.toPrecision(7)), tolerance),
  )
  if (!start || !isExact || !axes.every((axis) => axis !== undefined)) return undefined
  return steps.every((step) => step !== undefined) ? { kind: 'affine', start, steps, axes } : undefined
}

const signs = [
  [1, -1],
  [-1, 1],
  [1, 1],
  [-1, -1],
] as const

const fitTriangle: Fit = (table, arrays, numbers, shape) => {
  const values = new Set(numbers.flat())
  if (values.size !== 2) return undefined
  const [a = 0, b = 0] = values
  for (const [inside, outside] of [
    [a, b],
    [b, a],
  ] as const) {
    for (const [row, column] of signs) {
      // The first element inside, seen from the outside, lies on the border.
      const starts = arrays.map((array, i) => {
        let start = Number.NEGATIVE_INFINITY
        eachIndex(array.shape, (place, index) => {
          const side = row * (index.at(-2) ?? 0) + column * (index.at(-1) ?? 0)
          if (numbers[i]?.[place] === inside) start = Math.max(start, -side)
        })
        return start
      })
      const start = table.fit(starts)
      if (!start) continue
      for (const isDiagonal of [false, true]) {
        const found: SizedElements = { kind: 'triangle', isDiagonal, start, row, column, inside, outside }
        if (reproduces(table, { dtype: arrays[0]?.dtype ?? 'float32', shape, ...found }, numbers)) return found
      }
    }
  }
  return undefined
}
