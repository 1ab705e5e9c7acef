/** Tensors made from nothing: filled, counted, spaced. */
import { byteSize, type DType, dtypes, elementCount, fromNumbers } from '../tensor/dtype.ts'
import { checkShape, formatShape, type Shape } from '../tensor/shape.ts'
import { constant, type Tensor } from '../tensor/tensor.ts'
import { optionsOf, requireCount, requireFinite, requireOneOf, shown } from '../util/check.ts'
import { ShapeError, UsageError } from '../util/errors.ts'
import { checked, type Operand, scalar, toTensor, toTensorList } from './define.ts'
import { expand, reshape } from './movement/movement.ts'

function filled(op: string, shape: Shape, value: number, dtype: DType = 'float32'): Tensor {
  return checked(() => {
    requireOneOf(op, 'dtype', dtype, dtypes)
    requireElements(op, shape)
    return expand(scalar(value, dtype, op), shape)
  })
}

/** A tensor of `shape` filled with one value, without storing it. */
export function full(shape: Shape, value: number, dtype?: DType): Tensor {
  return filled('full', shape, value, dtype)
}
export function zeros(shape: Shape, dtype?: DType): Tensor {
  return filled('zeros', shape, 0, dtype)
}
export function ones(shape: Shape, dtype?: DType): Tensor {
  return filled('ones', shape, 1, dtype)
}
/** A tensor of the shape and dtype of x, filled with one value. */
export function fullLike(x: Operand, value: number): Tensor {
  const { shape, dtype } = toTensor('fullLike', x)
  return full(shape, value, dtype)
}
export function zerosLike(x: Operand): Tensor {
  return fullLike(x, 0)
}
export function onesLike(x: Operand): Tensor {
  return fullLike(x, 1)
}

/** How numbers are counted. */
export interface ArangeOptions {
  /** Default: 1. */
  readonly step?: number
  /** Default: int64, which whole numbers need; float32 for fractions. */
  readonly dtype?: DType
}

/** Constants are made on the host and become part of the model, whose format is limited to 2 GB. */
function requireMemory(op: string, count: number, dtype: DType): void {
  if (count * byteSize(dtype) < 2 ** 31) return
  throw new UsageError(`${op}: ${count} elements of ${dtype} are more than a constant can have, 2 GB`)
}

/** A shape with fewer elements than the runtime's kernels can count. */
export function requireElements(op: string, shape: Shape): void {
  checkShape(op, shape)
  const count = elementCount(shape)
  if (count >= 2 ** 31)
    throw new ShapeError(`${op}: ${formatShape(shape)} has ${count} elements, more than a tensor can have, 2^31`)
}

/** start, start + step, ... before `end`, as a constant; `arange(n)` counts from 0 to n - 1. */
export function arange(start: number, end?: number, options?: ArangeOptions): Tensor {
  const { step = 1, dtype = 'int64' } = optionsOf('arange', options, { step: true, dtype: true })
  const [from, to] = end === undefined ? [0, start] : [start, end]
  requireOneOf('arange', 'dtype', dtype, dtypes, UsageError)
  if (![from, to, step].every(Number.isFinite) || step === 0) {
    const found = `start ${shown(from)}, end ${shown(to)} and step ${shown(step)}`
    throw new UsageError(`arange: the numbers must be finite, and the step not 0, found ${found}`)
  }
  if ((to - from) * step < 0)
    throw new UsageError(
      `arange: the step must lead from start to end, found start ${from}, end ${to} and step ${step}`,
    )
  const count = Math.ceil((to - from) / step)
  requireMemory('arange', count, dtype)
  if (dtype !== 'float32' && !(Number.isInteger(from) && Number.isInteger(step))) {
    throw new UsageError(`arange: ${dtype} needs whole numbers, found start ${from} and step ${step}`, {
      hint: "pass { dtype: 'float32' }",
    })
  }
  const numbers = Array.from({ length: count }, (_, i) => from + i * step)
  return constant(fromNumbers(dtype, numbers, 'arange'), [count], dtype)
}

/** `count` numbers from `start` to `end`, both included, at equal distances (float32, a constant). */
export function linspace(start: number, end: number, count: number): Tensor {
  requireCount('linspace', 'count', count, 0, UsageError)
  requireMemory('linspace', count, 'float32')
  requireFinite('linspace', 'start', start, UsageError)
  requireFinite('linspace', 'end', end, UsageError)
  const distance = (end - start) / Math.max(1, count - 1)
  // Counted from the nearer end, so that the last number is exactly `end`.
  const numbers = Array.from({ length: count }, (_, i) =>
    i < count / 2 ? start + i * distance : end - (count - 1 - i) * distance,
  )
  return constant(fromNumbers('float32', numbers), [count], 'float32')
}

/**
 * Coordinates of a grid: result i has the sizes of all vectors as its shape and varies along axis i only.
 * indexing 'xy' swaps the first two axes, as NumPy does.
 */
export function meshgrid(
  vectors: readonly Operand[],
  options?: { readonly indexing?: 'ij' | 'xy' },
): readonly Tensor[] {
  const { indexing = 'ij' } = optionsOf('meshgrid', options, { indexing: true })
  return checked(() => {
    requireOneOf('meshgrid', 'indexing', indexing, ['ij', 'xy'])
    const inputs = toTensorList('meshgrid', 'vectors', vectors)
    const wrong = inputs.find((input) => input.rank > 1)
    if (wrong) throw new ShapeError(`meshgrid: inputs must have one axis, found ${wrong}`)
    const order = inputs.map((_, i) => (indexing === 'xy' && i < 2 && inputs.length > 1 ? 1 - i : i))
    const shape = order.map((i) => inputs[i]?.size ?? 1)
    return inputs.map((input, i) => {
      const along = shape.map((_, axis) => (order[axis] === i ? input.size : 1))
      return expand(reshape(input, along), shape)
    })
  })
}
