/** The positions of the windows of a pooling. */
import { formatShape, type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import { perAxis, type WindowAttributes } from '../conv/windows.ts'
import { padAxis } from '../movement/padding.ts'

/** Options of pooling; a number holds for every axis. */
export interface PoolOptions {
  /** Default: the kernel's size, so that windows do not overlap. */
  readonly stride?: number | readonly number[]
  readonly padding?: number | readonly number[]
  /** Whether a last, incomplete window counts; it must begin inside the input or the padding before it. */
  readonly ceilMode?: boolean
}

/** The position of windows. */
export interface PoolShape extends WindowAttributes {
  readonly kernel: readonly number[]
  readonly padding: readonly number[]
  /** Padding after each axis that every window fits into. */
  readonly after: readonly number[]
  readonly positions: readonly number[]
}

/** The windows of a pooling of `input`, [N, C] and `axes` more axes. */
export function poolShape(
  op: string,
  input: Shape,
  kernelSize: number | readonly number[],
  options: PoolOptions & { readonly dilation?: number | readonly number[] },
  axes: number,
): PoolShape {
  if (input.length !== axes + 2)
    throw new ShapeError(`${op}: the input must be [N, C] and ${axes} more axes, found ${formatShape(input)}`)
  const kernel = perAxis(op, 'kernelSize', kernelSize, axes, 1)
  const stride = options.stride === undefined ? kernel : perAxis(op, 'stride', options.stride, axes, 1)
  const padding = perAxis(op, 'padding', options.padding ?? 0, axes, 0)
  const dilation = perAxis(op, 'dilation', options.dilation ?? 1, axes, 1)
  const reach = kernel.map((size, i) => sizeOf(dilation, i) * (size - 1) + 1)
  const positions = input.slice(2).map((size, i) => {
    const room = (size + 2 * sizeOf(padding, i) - sizeOf(reach, i)) / sizeOf(stride, i)
    const count = (options.ceilMode ? Math.ceil(room) : Math.floor(room)) + 1
    const startsInside = (count - 1) * sizeOf(stride, i) < size + sizeOf(padding, i)
    return options.ceilMode && !startsInside ? count - 1 : count
  })
  if (positions.some((count) => count < 1))
    throw new ShapeError(
      `${op}: the window ${formatShape(reach)} is larger than the padded input ${formatShape(input)}`,
    )
  const after = positions.map(
    (count, i) => (count - 1) * sizeOf(stride, i) + sizeOf(reach, i) - sizeOf(input, i + 2) - sizeOf(padding, i),
  )
  return { kernel, stride, dilation, padding, after, positions }
}

/** With more padding than half of a window, some windows would be outside of the input. */
export function requireHalf(op: string, { kernel, dilation, padding }: PoolShape): void {
  const most = kernel.map((size, i) => Math.floor((sizeOf(dilation, i) * (size - 1) + 1) / 2))
  if (padding.some((amount, i) => amount > sizeOf(most, i)))
    throw new ShapeError(
      `${op}: padding must be at most half of the window, ${formatShape(most)}, found ${formatShape(padding)}`,
    )
}

/** The input padded so that every window fits; what no window reaches may be cut off. */
export function padded(x: Tensor, { padding, after }: PoolShape, value: number): Tensor {
  return padding.reduce((result, before, i) => padAxis(result, i + 2, before, sizeOf(after, i), value), x)
}
