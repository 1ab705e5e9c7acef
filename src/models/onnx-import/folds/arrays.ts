/** Numbers that are known while tracing, as arrays: what the operators on them share. */
import { type Shape, stridesOf } from '../../../tensor/shape.ts'
import type { OnnxNode } from '../node.ts'
import { type Known, known } from '../values.ts'

/** An operator: its one output, or all of them. */
export type Fold = (node: OnnxNode, inputs: readonly Known[]) => Known | readonly Known[]

/** Where element `i` of a tensor of this shape comes from in one of another shape, by the strides of its axes. */
export function places(shape: Shape, strides: readonly number[], start = 0): number[] {
  let found = [start]
  for (const [axis, size] of shape.entries()) {
    const stride = strides[axis] ?? 0
    found = found.flatMap((place) => Array.from({ length: size }, (_, i) => place + i * stride))
  }
  return found
}

export function taken(value: Known, shape: Shape, at: readonly number[]): Known {
  return known(
    value.dtype,
    shape,
    at.map((i) => value.data[i] ?? Number.NaN),
  )
}

/** A known value repeated to a shape. */
export function expandKnown(value: Known, shape: Shape): Known {
  const offset = shape.length - value.shape.length
  const own = stridesOf(value.shape)
  const strides = shape.map((_, axis) => (value.shape[axis - offset] === 1 ? 0 : (own[axis - offset] ?? 0)))
  return taken(value, shape, places(shape, strides))
}

export function at(inputs: readonly Known[], i: number): Known {
  const found = inputs[i]
  if (!found) throw new Error(`no input ${i}`)
  return found
}
