/** What convolution and pooling share: the places of a kernel, and what each of them sees of the input. */
import { type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { type ErrorClass, requireCount, shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { selectPlaces } from '../indexing/indexing.ts'
import { concat, reshape, slice } from '../movement/movement.ts'

/** How a kernel moves over the axes after batch and channel. */
export interface WindowAttributes {
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
}

/** Every index into a kernel, in row-major order. */
export function kernelPlaces(kernel: Shape): number[][] {
  return kernel.reduce<number[][]>(
    (places, size) => places.flatMap((place) => Array.from({ length: size }, (_, i) => [...place, i])),
    [[]],
  )
}

/** For each place of the kernel, the elements it meets at all positions: [N, C, ...positions] each. x is padded already. */
export function kernelWindows(
  x: Tensor,
  kernel: Shape,
  positions: Shape,
  { stride, dilation }: WindowAttributes,
): Tensor[] {
  return kernelPlaces(kernel).map((place) =>
    place.reduce((window, index, i) => {
      const start = index * sizeOf(dilation, i)
      const step = sizeOf(stride, i)
      return slice(window, [start, start + (sizeOf(positions, i) - 1) * step + 1, step], i + 2)
    }, x),
  )
}

/**
 * The same windows, one after the other after the leading axes: [...leading, places * positions], row-major, for a matrix
 * product with all places at once. Only the shifts along the last axis are cut out; one Gather, which runs on all threads and
 * copies whole rows, makes the rest of them and joins all (docs/decisions/016-window-columns.md).
 * x: [...leading, ...sizes], padded already, with one size for each axis of the kernel.
 */
export function windowColumns(
  x: Tensor,
  leading: number,
  kernel: Shape,
  positions: Shape,
  { stride, dilation }: WindowAttributes,
): Tensor {
  const last = kernel.length - 1
  const lastOf = (list: readonly number[]): number => sizeOf(list, last)
  const shifts = Array.from({ length: lastOf(kernel) }, (_, place) => {
    const start = place * lastOf(dilation)
    return slice(x, [start, start + (lastOf(positions) - 1) * lastOf(stride) + 1, lastOf(stride)], leading + last)
  })
  const outer = x.shape.slice(0, leading)
  const sizes = x.shape.slice(leading, leading + last)
  const rowsOfShift = sizes.reduce((product, size) => product * size, 1)
  const rows = reshape(concat(shifts, leading), [...outer, shifts.length * rowsOfShift, lastOf(positions)])
  const indices = kernelPlaces(kernel).flatMap((place) =>
    kernelPlaces(positions.slice(0, -1)).map((position) => {
      const row = position.reduce((flat, index, i) => {
        return flat * sizeOf(sizes, i) + index * sizeOf(stride, i) + sizeOf(place, i) * sizeOf(dilation, i)
      }, 0)
      return lastOf(place) * rowsOfShift + row
    }),
  )
  return reshape(selectPlaces(rows, indices, leading), [...outer, indices.length * lastOf(positions)])
}

/** One whole number for every axis, or a list with one for each; `least` is the smallest that makes sense. */
export function perAxis(
  op: string,
  argument: string,
  value: number | readonly number[],
  axes: number,
  least: number,
  Thrown: ErrorClass = ShapeError,
): readonly number[] {
  const list = Array.isArray(value) ? (value as readonly number[]) : new Array<number>(axes).fill(value as number)
  if (list.length !== axes)
    throw new Thrown(`${op}: ${argument} must have one number for each of ${axes} axes, found ${shown(list)}`)
  for (const number of list) requireCount(op, argument, number, least, Thrown)
  return list
}
