/** The gradient of an involution's input: involutions of the output's gradient. */
import { type Shape, sizeOf, sizes } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { zeros } from '../creation.ts'
import { apply } from '../define.ts'
import { selectPlaces } from '../indexing/indexing.ts'
import { concat, reshape, slice } from '../movement/movement.ts'
import { padAxis } from '../movement/padding.ts'
import type { InvolutionAttributes } from './geometry.ts'
import { involutionOp } from './involution.ts'

/** The places of a kernel, along one axis, that meet the elements phase, phase + stride, ... of the input. */
interface Phase {
  /** Ordered by what they add to the element's number. */
  readonly places: readonly number[]
  /** Element i of the phase meets, at the first place, position i + first; at each next one, position + step. */
  readonly first: number
  readonly step: number
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b)
}

function phaseOf(phase: number, kernel: number, stride: number, dilation: number, before: number): Phase {
  const offset = (place: number): number => phase + before - place * dilation
  const places = Array.from({ length: kernel }, (_, i) => kernel - 1 - i).filter(
    (place) => offset(place) % stride === 0,
  )
  return {
    places,
    first: places[0] === undefined ? 0 : offset(places[0]) / stride,
    step: dilation / greatestDivisor(dilation, stride),
  }
}

/** Elements start ... start + size of an axis, zeros where there are none. */
function window(x: Tensor, axis: number, start: number, size: number): Tensor {
  const own = sizeOf(x.shape, axis)
  const [low, high] = [Math.min(Math.max(start, 0), own), Math.min(Math.max(start + size, 0), own)]
  const kept = slice(x, [low, Math.max(low, high)], axis)
  const before = Math.min(Math.max(-start, 0), size)
  return padAxis(kept, axis, before, size - before - sizeOf(kept.shape, axis))
}

/**
 * The kernels as the elements of one phase of the input meet them: [B, G, KH', KW', height, width], at [i, j] of place m, n the kernel
 * of position i + first + m step.
 */
function turnedKernels(
  kernels: Tensor,
  [rows, columns]: readonly [Phase, Phase],
  [height, width]: readonly [number, number],
): Tensor {
  const [batch, groups, across] = kernels.sizes(6)
  const moved = columns.places.map((place, n) =>
    window(slice(kernels, [place, place + 1], 3), 5, columns.first + n * columns.step, width),
  )
  const reach = (rows.places.length - 1) * rows.step + height
  const tall = window(concat(moved, 3), 4, rows.first, reach) // [B, G, KH, KW', reach, width]
  const lines = reshape(tall, [batch, groups, across * moved.length * reach, width])
  const picked = rows.places.flatMap((place, m) =>
    moved.flatMap((_, n) =>
      Array.from({ length: height }, (_unused, i) => (place * moved.length + n) * reach + m * rows.step + i),
    ),
  )
  return reshape(selectPlaces(lines, picked, 2), [batch, groups, rows.places.length, moved.length, height, width])
}

/**
 * The gradient of an input of shape `input` from the output's, g: what an element gives to the positions around it. With stride
 * s the elements i, i + s, ... of an axis meet the same places of the kernel, so that each such phase is an involution of g with
 * stride 1 by the kernels of the positions that see the element.
 */
export function involutionInputGradient(
  g: Tensor,
  kernels: Tensor,
  input: Shape,
  { stride, before, dilation }: InvolutionAttributes,
): Tensor {
  const [batch, channels, height, width] = sizes(input, 4)
  const [, , kernelHeight, kernelWidth] = kernels.sizes(6)
  const counts = [Math.ceil(height / stride[0]), Math.ceil(width / stride[1])] as const
  const ofPhases = (row: number, column: number): Tensor => {
    const phases = [
      phaseOf(row, kernelHeight, stride[0], dilation[0], before[0]),
      phaseOf(column, kernelWidth, stride[1], dilation[1], before[1]),
    ] as const
    if (phases.some(({ places }) => places.length === 0)) return zeros([batch, channels, ...counts])
    return apply(involutionOp, [g, turnedKernels(kernels, phases, counts)], {
      stride: [1, 1],
      before: [-phases[0].first, -phases[1].first],
      dilation: [phases[0].step, phases[1].step],
    })
  }
  const rows = Array.from({ length: stride[0] }, (_, row) => {
    const columns = Array.from({ length: stride[1] }, (_unused, column) =>
      reshape(ofPhases(row, column), [batch, channels, counts[0], 1, counts[1], 1]),
    )
    return concat(columns, 5)
  })
  const whole = reshape(concat(rows, 3), [batch, channels, counts[0] * stride[0], counts[1] * stride[1]])
  return slice(slice(whole, [0, height], 2), [0, width], 3)
}
