import { requireList, shown } from '../util/check.ts'
import { ShapeError } from '../util/errors.ts'
import type { NDArray } from './dtype.ts'

/** Sizes of a tensor's axes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[]

/** `[2, 3]` as it stands in error messages. */
export function formatShape(shape: Shape): string {
  return shown(shape)
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i])
}

/** Whether two arrays have the same shape and the same numbers. */
export function sameArrays(a: NDArray, b: NDArray): boolean {
  return sameShape(a.shape, b.shape) && a.data.every((value, i) => value === b.data[i])
}

/** Shapes by the number of axes. */
export interface Sizes {
  0: readonly []
  1: readonly [number]
  2: readonly [number, number]
  3: readonly [number, number, number]
  4: readonly [number, number, number, number]
  5: readonly [number, number, number, number, number]
  6: readonly [number, number, number, number, number, number]
}

/** A shape with this number of axes as a tuple: `const [n, c, h, w] = sizes(shape, 4)`. Throws a ShapeError for another. */
export function sizes<R extends keyof Sizes>(shape: Shape, rank: R): Sizes[R] {
  if (shape.length !== rank)
    throw new ShapeError(`a tensor of ${rank} axes is needed, found shape ${formatShape(shape)}`)
  return shape as Sizes[R]
}

/** A shape [N, C, ...], or a weight's [out, in, ...kernel], as a tuple. Throws a ShapeError for less than two axes. */
export function channelSizes(shape: Shape): readonly [first: number, channels: number, ...spatial: number[]] {
  return [sizeOf(shape, 0), sizeOf(shape, 1), ...shape.slice(2)]
}

/** The size of one axis, which may be negative (counted from the end). The axis must exist. */
export function sizeOf(shape: Shape, axis: number): number {
  const size = shape[axis < 0 ? axis + shape.length : axis]
  if (size === undefined) throw new ShapeError(`axis ${axis} does not exist in shape ${formatShape(shape)}`)
  return size
}

/** An axis counted from the front. `rank` is the number of axes it may address. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  const bound = Math.max(rank, 1)
  if (!Number.isInteger(axis) || axis < -bound || axis >= bound) {
    throw new ShapeError(
      `${op}: axis must be a whole number in [${-bound}, ${bound - 1}] for ${rank} axes, found ${shown(axis)}`,
    )
  }
  return axis < 0 ? axis + bound : axis
}

/** One value, or several, as a list. */
export function listOf<T extends number | string>(values: T | readonly T[]): readonly T[] {
  return [values].flat() as T[]
}

/** Sorted distinct axes counted from the front; undefined means all of them. A scalar, which axis 0 may address, has none. */
export function normalizeAxes(op: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i)
  const list = listOf(axes).map((axis) => normalizeAxis(op, axis, rank))
  if (new Set(list).size !== list.length) throw new ShapeError(`${op}: axes must be distinct, found ${shown(axes)}`)
  return rank === 0 ? [] : list.sort((a, b) => a - b)
}

/** NumPy's broadcasting rule: aligned at the last axis, sizes must be equal or 1. */
export function broadcastShapes(op: string, shapes: readonly Shape[]): Shape {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length))
  const result = new Array<number>(rank).fill(1)
  for (const shape of shapes) {
    const offset = rank - shape.length
    for (const [i, size] of shape.entries()) {
      const have = result[i + offset] ?? 1
      if (have !== size && have !== 1 && size !== 1) {
        throw new ShapeError(
          `${op}: shapes ${shapes.map(formatShape).join(' and ')} do not broadcast: ${have} and ${size} on axis ${i + offset - rank}`,
          { hint: 'sizes must be equal or 1, aligned at the last axis; reshape or unsqueeze one of them' },
        )
      }
      if (size !== 1) result[i + offset] = size
    }
  }
  return result
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1)
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = (strides[i + 1] ?? 1) * (shape[i + 1] ?? 1)
  return strides
}

/** The shape left after reducing `axes` (already normalised). */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  if (keepDims) return shape.map((size, i) => (axes.includes(i) ? 1 : size))
  return shape.filter((_, i) => !axes.includes(i))
}

/** Sizes must be a list of whole numbers that are not negative. */
export function checkShape(op: string, shape: Shape, argument = 'shape'): void {
  requireList(op, argument, shape)
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 0) {
      throw new ShapeError(`${op}: sizes must be whole numbers of at least 0, found ${shown(shape)}`)
    }
  }
}

/** The axes after batch and channel. */
export function spatialAxes(shape: Shape): number[] {
  return shape.map((_, axis) => axis).slice(2)
}
