/** Running sums, products, extrema and differences along an axis. */

import { type DType, elementCount } from '../../tensor/dtype.ts'
import { formatShape, normalizeAxis, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireCount, requireFlag } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { arange, zerosLike } from '../creation.ts'
import { apply, checked, defineOp, inputAt, type Operand, requireDType, toTensor } from '../define.ts'
import { logAddExp } from '../elementwise/arithmetic.ts'
import { equal, logicalOr, logicalXor, maximum, mul, sub } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { isNan, neg } from '../elementwise/unary.ts'
import { gather } from '../indexing/indexing.ts'
import { certainlyWithin } from '../indexing/places.ts'
import { concat, reshape, slice } from '../movement/movement.ts'

const number: readonly DType[] = ['float32', 'int32', 'int64']

export interface CumsumAttributes {
  readonly axis: number
  /** Sums from the end. */
  readonly reverse: boolean
}

export const cumsumOp = defineOp<CumsumAttributes>({
  name: 'cumsum',
  infer: (inputs) => {
    const x = inputAt('cumsum', inputs, 0)
    requireDType('cumsum', 'input', x, number)
    return [x]
  },
  gradient: (o, { attributes: { axis, reverse } }, [g]) => [g && o.cumsum(g, axis, { reverse: !reverse })],
  simplify: (_o, { inputs, attributes }) => {
    const { shape } = inputAt('cumsum', inputs, 0)
    return shape.length === 0 || sizeOf(shape, attributes.axis) === 1 ? inputs : undefined
  },
  lower: (emit, { inputs, inputTypes, attributes: { axis, reverse } }) => {
    const [x, { shape }] = [inputAt('cumsum', inputs, 0), inputAt('cumsum', inputTypes, 0)]
    const sums = (input: string, along: number): string =>
      emit.node('CumSum', [input, emit.scalar(along, 'int64')], { reverse: Number(reverse) })
    if (axis < shape.length - 1 || shape.length === 1 || elementCount(shape) === 0) return sums(x, axis)
    // The kernel adds whole rows fast, but single elements slowly: four times as fast by way of two transposes.
    const rows = emit.node('Reshape', [x, emit.ints([elementCount(shape.slice(0, -1)), sizeOf(shape, -1)])])
    const columns = sums(emit.node('Transpose', [rows], { perm: [1, 0] }), 0)
    return emit.node('Reshape', [emit.node('Transpose', [columns], { perm: [1, 0] }), emit.ints(shape)])
  },
  samples: () => [
    { inputs: [[3, 4]], call: (x) => cumsum(x, 1) },
    { inputs: [[3, 1, 2]], call: (x) => cumsum(x, -3, { reverse: true }) },
    { inputs: [{ shape: [5], dtype: 'int64' }], call: (x) => cumsum(x, 0) },
  ],
  errors: () => [
    { inputs: [[3, 4]], call: (x) => cumsum(x, 2) },
    { inputs: [{ shape: [3], dtype: 'bool' }], call: (x) => cumsum(x, 0) },
  ],
})
/** y_i = x_0 + ... + x_i along one axis; with `reverse` x_i + ... + x_last. */
export function cumsum(x: Operand, axis: number, options?: { readonly reverse?: boolean }): Tensor {
  const { reverse = false } = optionsOf('cumsum', options, { reverse: true })
  const input = toTensor('cumsum', x)
  return checked(() => {
    const at = normalizeAxis('cumsum', axis, input.rank)
    requireFlag('cumsum', 'reverse', reverse)
    return input.rank === 0 ? input : apply(cumsumOp, [input], { axis: at, reverse })
  })
}

/**
 * Running values of an associative function along one axis, in log2(size) steps (Hillis and Steele, 1986): each step
 * combines every element with the one before it that already stands for as many elements.
 */
function scan(op: string, x: Operand, axis: number, combine: (earlier: Tensor, later: Tensor) => Tensor): Tensor {
  const input = toTensor(op, x)
  return checked(() => {
    const at = normalizeAxis(op, axis, input.rank)
    const size = input.rank === 0 ? 1 : sizeOf(input.shape, at)
    let result = input
    for (let distance = 1; distance < size; distance *= 2) {
      const [earlier, later] = [slice(result, [0, -distance], at), slice(result, [distance], at)]
      result = concat([slice(result, [0, distance], at), combine(earlier, later)], at)
    }
    return result
  })
}

/** y_i = x_0 ... x_i along one axis. */
export function cumprod(x: Operand, axis: number): Tensor {
  return scan('cumprod', x, axis, mul)
}
/** y_i = log(e^x_0 + ... + e^x_i) along one axis, without overflow. */
export function logCumsumExp(x: Operand, axis: number): Tensor {
  return scan('logCumsumExp', x, axis, logAddExp)
}

/** The largest of x_0 ... x_i along one axis, and its index: the last of equals. From a NaN on it is NaN. */
export function cummax(x: Operand, axis: number): readonly [Tensor, Tensor] {
  const input = toTensor('cummax', x)
  const largest = scan('cummax', input, axis, maximum)
  if (input.rank === 0) return [input, cast(zerosLike(input), 'int64')]
  const at = normalizeAxis('cummax', axis, input.rank)
  const along = input.shape.map((size, i) => (i === at ? size : 1))
  const place = reshape(arange(sizeOf(input.shape, at)), along)
  // An element that equals the largest so far is its last occurrence until the next such element.
  const isLargest = equal(input, largest)
  const isLast = input.dtype === 'float32' ? logicalOr(isLargest, isNan(input)) : isLargest
  const indices = scan('cummax', where(isLast, place, 0), at, maximum)
  return [gather(input, certainlyWithin(indices, sizeOf(input.shape, at)), at), indices]
}
/** The smallest of x_0 ... x_i along one axis, and its index: the last of equals. From a NaN on it is NaN. */
export function cummin(x: Operand, axis: number): readonly [Tensor, Tensor] {
  const [values, indices] = cummax(neg(x), axis)
  return [neg(values), indices]
}

/** Options of `diff`. */
export interface DiffOptions {
  /** How often differences are taken. Default: 1. */
  readonly n?: number
  /** Default: the last. */
  readonly axis?: number
  /** What is joined to x before differences are taken, on the same axis. */
  readonly prepend?: Operand
  readonly append?: Operand
}

/** y_i = x_(i + 1) - x_i along one axis, which is `n` shorter; of bool whether they differ. */
export function diff(x: Operand, options?: DiffOptions): Tensor {
  const {
    n = 1,
    axis = -1,
    prepend,
    append,
  } = optionsOf('diff', options, { n: true, axis: true, prepend: true, append: true })
  const input = toTensor('diff', x)
  return checked(() => {
    requireCount('diff', 'n', n)
    if (input.rank === 0) throw new ShapeError(`diff: the input must have an axis, found ${formatShape(input.shape)}`)
    const at = normalizeAxis('diff', axis, input.rank)
    if (n === 0) return input
    const parts = [prepend, input, append].flatMap((part) => (part === undefined ? [] : [toTensor('diff', part)]))
    const difference = input.dtype === 'bool' ? logicalXor : sub
    let result = parts.length > 1 ? concat(parts, at) : input
    for (let left = Math.min(n, sizeOf(result.shape, at)); left > 0; left--)
      result = difference(slice(result, [1], at), slice(result, [0, -1], at))
    return result
  })
}
