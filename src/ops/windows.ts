/** What convolution and pooling share: the places of a kernel, and what each of them sees of the input. */
import { type Shape, sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ShapeError } from '../util/errors.ts'
import { slice } from './movement.ts'

/** How a kernel moves over the axes behind batch and channel. */
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

/** One number for every axis, or a list with one for each. */
export function perAxis(
  op: string,
  value: number | readonly number[] | undefined,
  fallback: number,
  axes: number,
): readonly number[] {
  if (value === undefined || typeof value === 'number') return new Array<number>(axes).fill(value ?? fallback)
  if (value.length === axes) return value
  throw new ShapeError(`${op}: options must have one number for each of ${axes} axes, found [${value}]`)
}
