/** What the forms of an involution have in common: its sizes, and the ONNX nodes that they all write. */
import type { Shape } from '../../tensor/shape.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { type Emitter, emitReshape } from '../define.ts'

/** Two numbers: of the rows and of the columns. */
export type Pair = readonly [rows: number, columns: number]

export interface InvolutionAttributes {
  readonly stride: Pair
  /** Zeros before the first row and column; below 0: rows and columns left out. What follows the last one is zeros. */
  readonly before: Pair
  readonly dilation: Pair
}

/** An involution, or a part of one: input [B, C, H, W], kernels [B, G, KH, KW, Ho, Wo]. */
export interface Involution extends InvolutionAttributes {
  readonly input: readonly [batch: number, channels: number, height: number, width: number]
  readonly groups: number
  readonly kernel: Pair
  readonly output: Pair
}

/** The nodes of one form: from names of the input and of the kernels (or of the output's gradient) to the result's. */
export type Form = (emit: Emitter, involution: Involution, input: string, other: string) => string

export function involutionOf(input: Shape, kernels: Shape, attributes: InvolutionAttributes): Involution {
  const at = (shape: Shape, axis: number): number => sizeOf(shape, axis)
  return {
    ...attributes,
    input: [at(input, 0), at(input, 1), at(input, 2), at(input, 3)],
    groups: at(kernels, 1),
    kernel: [at(kernels, 2), at(kernels, 3)],
    output: [at(kernels, 4), at(kernels, 5)],
  }
}

export const places = ({ kernel: [rows, columns] }: Involution): number => rows * columns
/** Groups of all examples: the forms treat them alike. */
export const allGroups = ({ input: [batch], groups }: Involution): number => batch * groups
export const groupChannels = ({ input: [, channels], groups }: Involution): number => channels / groups

export function transposed(emit: Emitter, x: string, perm: readonly number[]): string {
  return emit.node('Transpose', [x], { perm })
}

export function joined(emit: Emitter, parts: readonly string[], axis: number): string {
  const [only = ''] = parts
  return parts.length === 1 ? only : emit.node('Concat', parts, { axis })
}

export function zeros(emit: Emitter, shape: readonly number[]): string {
  return emit.node('Expand', [emit.scalar(0, 'float32'), emit.ints(shape)])
}

/** Elements start, start + step, ... below stop of one axis. */
export function sliced(emit: Emitter, x: string, axis: number, [start, stop]: Pair, step = 1): string {
  return emit.node('Slice', [x, emit.ints([start]), emit.ints([stop]), emit.ints([axis]), emit.ints([step])])
}

/**
 * An axis with `before` zeros in front (below 0: elements left out) and cut, or filled with zeros, to `size`. By Concat, because the
 * runtime's Pad has one thread.
 */
function fitted(emit: Emitter, x: string, shape: number[], axis: number, before: number, size: number): string {
  const own = sizeOf(shape, axis)
  const [start, stop] = [Math.min(Math.max(-before, 0), own), Math.max(Math.min(own, size - before), 0)]
  const kept = Math.max(stop - start, 0)
  const front = kept === 0 ? size : Math.max(before, 0)
  const border = (count: number): string[] =>
    count > 0
      ? [
          zeros(
            emit,
            shape.map((length, i) => (i === axis ? count : length)),
          ),
        ]
      : []
  const middle = kept === 0 ? [] : [kept === own ? x : sliced(emit, x, axis, [start, stop])]
  const result = joined(emit, [...border(front), ...middle, ...border(size - front - kept)], axis)
  shape[axis] = size
  return result
}

/** The input as [groups of all examples, channels of a group, height, width], with the borders that windows of that size meet. */
export function bordered(emit: Emitter, involution: Involution, input: string, [height, width]: Pair): string {
  const [, , h, w] = involution.input
  const shape = [allGroups(involution), groupChannels(involution), h, w]
  const tall = fitted(emit, emitReshape(emit, input, shape), shape, 2, involution.before[0], height)
  return fitted(emit, tall, shape, 3, involution.before[1], width)
}

/** How far the windows of `count` positions reach. */
export function reachOf(count: number, kernel: number, stride: number, dilation: number): number {
  return (count - 1) * stride + (kernel - 1) * dilation + 1
}
