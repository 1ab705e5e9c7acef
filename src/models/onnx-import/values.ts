/** Values of an ONNX graph while it is traced: tensors, and numbers that are known then, from which shapes are made. */
import { type DType, elementCount, fromNumbers, toNumbers } from '../../tensor/dtype.ts'
import type { Shape } from '../../tensor/shape.ts'
import { constant, Tensor } from '../../tensor/tensor.ts'

/** Numbers known while the graph is traced: a shape and what is computed from it, constants of few elements. */
export interface Known {
  readonly dtype: DType
  readonly shape: Shape
  readonly data: readonly number[]
}

/** What flows along an edge of the graph. */
export type Value = Tensor | Known

/** Larger constants are left to the compiler. */
export const mostKnown = 1 << 20

export const isKnown = (value: Value | undefined): value is Known => value !== undefined && !(value instanceof Tensor)

export function known(dtype: DType, shape: Shape, data: readonly number[]): Known {
  return { dtype, shape, data }
}

/** Whole numbers as a list. */
export function knownInts(numbers: readonly number[]): Known {
  return known('int64', [numbers.length], numbers)
}

export function asTensor(value: Value): Tensor {
  if (value instanceof Tensor) return value
  return constant(fromNumbers(value.dtype, value.data), value.shape, value.dtype)
}

/** A tensor whose numbers are constants of few elements is known. */
export function simplest(value: Value): Value {
  if (isKnown(value) || value.source.kind !== 'constant' || elementCount(value.shape) > 64) return value
  return known(value.dtype, value.shape, toNumbers(value.source.data))
}
