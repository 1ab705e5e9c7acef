/** Reductions over axes: sum, mean, max, min, and what is made of them. */

import type { DType } from '../../tensor/dtype.ts'
import { elementCount } from '../../tensor/dtype.ts'
import {
  checkShape,
  formatShape,
  normalizeAxes,
  reducedShape,
  type Shape,
  sameShape,
  sizeOf,
} from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFlag } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { stopGradient } from '../control.ts'
import {
  apply,
  checked,
  defineOp,
  type Emitter,
  inputAt,
  type OpDefinition,
  type Operand,
  type Ops,
  requireDType,
  type Sample,
  scalar,
  toFloat,
  toTensor,
} from '../define.ts'
import { add, div, equal, greater, mul, sub } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { isFinite as isFiniteNumber } from '../elementwise/rounding.ts'
import { exp, isNan, log, logicalNot } from '../elementwise/unary.ts'
import { concat, expand, reshape, slice } from '../movement/movement.ts'

export interface ReduceAttributes {
  /** Sorted, counted from the front. */
  readonly axes: readonly number[]
  readonly keepDims: boolean
}

/** One axis, several (an empty list: none, as in NumPy; in PyTorch all), or (undefined) all. */
export type Axes = number | readonly number[] | undefined

/** `g` of a reduction with its reduced axes put back as size 1, so that it broadcasts against the input. */
export function restoreAxes(o: Ops, g: Tensor, input: Shape, { axes, keepDims }: ReduceAttributes): Tensor {
  return keepDims ? g : o.reshape(g, reducedShape(input, axes, true))
}

interface ReduceRule {
  readonly onnx: string
  readonly dtypes: readonly DType[]
  /** The result over no elements; absent: there must be some. */
  readonly empty?: number
  readonly smooth?: boolean
  /** Which extremum this is. Its kernel may pass over NaN, depending on where that stands, and does not know the order of int64. */
  readonly extremum?: Extremum
  /** The factor on each of `count` elements whose sum this is: then leading axes may be reduced by a product. */
  readonly factor?: (count: number) => number
  readonly gradient: (o: Ops, x: Tensor, y: Tensor, g: Tensor, axes: readonly number[]) => Tensor
}

/** Sums the rows of a matrix by a product with a row of equal factors: up to ten times as fast as ReduceSum (decision 001). */
function lowerAsProduct(emit: Emitter, x: string, rows: number, columns: number, factor: number, shape: Shape): string {
  const factors = emit.node('Expand', [emit.scalar(factor, 'float32'), emit.ints([1, rows])])
  const product = emit.node('MatMul', [factors, emit.node('Reshape', [x, emit.ints([rows, columns])])])
  return emit.node('Reshape', [product, emit.ints(shape)])
}

type Extremum = 'Max' | 'Min'

/** ONNX Runtime 1.30 does not know the order of int64 here either (`emitExtremum`): its ArgMax and ArgMin do. */
function lowerByPlace(
  emit: Emitter,
  kind: Extremum,
  x: string,
  { shape, axes, result }: { readonly shape: Shape; readonly axes: readonly number[]; readonly result: Shape },
): string {
  const kept = shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]))
  const count = elementCount(result)
  const last = emit.node('Transpose', [x], { perm: [...kept, ...axes] })
  const rows = emit.node('Reshape', [last, emit.ints([count, elementCount(shape) / count])])
  const place = emit.node(`Arg${kind}`, [rows], { axis: 1, keepdims: 1 })
  return emit.node('Reshape', [emit.node('GatherElements', [rows, place], { axis: 1 }), emit.ints(result)])
}

function defineReduce(
  name: string,
  call: (x: Tensor, axes?: Axes, options?: { keepDims?: boolean }) => Tensor,
  { onnx, dtypes, empty, smooth = true, extremum, factor, gradient }: ReduceRule,
): OpDefinition<ReduceAttributes> {
  const sample = (shape: Shape, axes: Axes, keepDims: boolean): Sample => ({
    inputs: [{ shape, range: [0.5, 2] }],
    call: (x) => call(x, axes, { keepDims }),
    smooth,
  })
  return defineOp<ReduceAttributes>({
    name,
    infer: (inputs, { axes, keepDims }) => {
      const x = inputAt(name, inputs, 0)
      requireDType(name, 'input', x, dtypes)
      if (empty === undefined && axes.some((axis) => x.shape[axis] === 0)) {
        throw new ShapeError(`${name}: needs at least one element along axes [${axes}], found ${formatShape(x.shape)}`)
      }
      return [{ dtype: x.dtype, shape: reducedShape(x.shape, axes, keepDims) }]
    },
    // x, y and g all broadcast against each other here: y and g keep their reduced axes as size 1.
    gradient: (o, { inputs, outputs, attributes }, [g]) => {
      const x = inputAt(name, inputs, 0)
      const [y, gy] = [outputs[0], g].map((t) => t && restoreAxes(o, t, x.shape, attributes))
      return [y && gy && o.expand(gradient(o, x, y, gy, attributes.axes), x.shape)]
    },
    simplify: (o, { inputs, outputs }) => {
      const [x, y] = [inputAt(name, inputs, 0), inputAt(name, outputs, 0)]
      return elementCount(x.shape) === elementCount(y.shape) ? [o.reshape(x, y.shape)] : undefined
    },
    lower: (emit, { inputs, inputTypes, outputTypes, attributes }) => {
      const [type, result] = [inputAt(name, inputTypes, 0), inputAt(name, outputTypes, 0)]
      if (empty !== undefined && elementCount(type.shape) === 0)
        return emit.node('Expand', [emit.scalar(empty, type.dtype), emit.ints(result.shape)])
      const [rows, columns] = [elementCount(type.shape) / elementCount(result.shape), elementCount(result.shape)]
      const leading = attributes.axes.every((axis, i) => axis === i)
      if (emit.fused && factor && type.dtype === 'float32' && leading && rows > 1 && columns > 1)
        return lowerAsProduct(emit, inputAt(name, inputs, 0), rows, columns, factor(rows), result.shape)
      const reduced = (kernel: string, x: string): string =>
        emit.node(kernel, [x, emit.ints(attributes.axes)], {
          keepdims: Number(attributes.keepDims),
          // No axes means no reduction here, not all of them.
          noop_with_empty_axes: 1,
        })
      const x = inputAt(name, inputs, 0)
      const { axes } = attributes
      if (extremum && type.dtype === 'int64' && columns > 0)
        return lowerByPlace(emit, extremum, x, { shape: type.shape, axes, result: result.shape })
      if (!extremum || type.dtype !== 'float32') return reduced(onnx, x)
      // Within bounds only NaN makes a sum NaN: two fast passes, where IsNaN and what follows it take five times as long.
      const total = reduced('ReduceSum', emit.node('Clip', [x, emit.scalar(-1, 'float32'), emit.scalar(1, 'float32')]))
      return emit.node('Where', [emit.node('IsNaN', [total]), total, reduced(onnx, x)])
    },
    samples: () => [
      sample([2, 3], -1, false),
      sample([2, 1, 4], [0, -1], true),
      sample([3, 2, 4], [0, 1], false),
      sample([3], undefined, false),
      sample([], undefined, false),
    ],
    errors: () => [
      sample([2, 3], 2, false),
      sample([2, 3], [0, -2], false),
      { inputs: [{ shape: [2], dtype: 'bool' }], call: (x) => call(x, 0, {}) },
    ],
  })
}

function reduce(op: OpDefinition<ReduceAttributes>, x: Operand, axes: Axes, keepDims: boolean): Tensor {
  const input = toTensor(op.name, x)
  return checked(() => {
    requireFlag(op.name, 'keepDims', keepDims)
    return apply(op, [input], { axes: normalizeAxes(op.name, axes, input.rank), keepDims })
  })
}

const number: readonly DType[] = ['float32', 'int32', 'int64']

export const sumOp = defineReduce('sum', sum, {
  onnx: 'ReduceSum',
  dtypes: number,
  empty: 0,
  factor: () => 1,
  gradient: (_o, _x, _y, g) => g,
})
export const meanOp = defineReduce('mean', mean, {
  onnx: 'ReduceMean',
  dtypes: ['float32'],
  empty: Number.NaN,
  factor: (count) => 1 / count,
  gradient: (o, x, y, g) => o.mul(g, elementCount(y.shape) / Math.max(1, elementCount(x.shape))),
})
/** Elements equal to the extremum share its gradient equally, as in PyTorch's amax and amin. */
function shareAmongTies(o: Ops, x: Tensor, y: Tensor, g: Tensor, axes: readonly number[]): Tensor {
  const winners = o.cast(o.equal(x, y), 'float32')
  return o.mul(winners, o.div(g, o.sum(winners, axes, { keepDims: true })))
}
export const maxOp = defineReduce('max', max, {
  onnx: 'ReduceMax',
  dtypes: number,
  smooth: false,
  extremum: 'Max',
  gradient: shareAmongTies,
})
export const minOp = defineReduce('min', min, {
  onnx: 'ReduceMin',
  dtypes: number,
  smooth: false,
  extremum: 'Min',
  gradient: shareAmongTies,
})

/** Options of reductions. */
export interface ReduceOptions {
  /** Keep the reduced axes with size 1. Default: false. */
  readonly keepDims?: boolean
}

/** The names of its options. */
export const reduceNames = { keepDims: true } as const

/** Sum over axes; all by default. */
export function sum(x: Operand, axes?: Axes, options?: ReduceOptions): Tensor {
  return reduce(sumOp, x, axes, optionsOf('sum', options, reduceNames).keepDims ?? false)
}
/** Arithmetic mean over axes; all by default. */
export function mean(x: Operand, axes?: Axes, options?: ReduceOptions): Tensor {
  return reduce(meanOp, x, axes, optionsOf('mean', options, reduceNames).keepDims ?? false)
}
/** Largest element over axes; all by default; NaN if there is one. Ties share the gradient equally. */
export function max(x: Operand, axes?: Axes, options?: ReduceOptions): Tensor {
  return reduce(maxOp, x, axes, optionsOf('max', options, reduceNames).keepDims ?? false)
}
/** Smallest element over axes; all by default; NaN if there is one. Ties share the gradient equally. */
export function min(x: Operand, axes?: Axes, options?: ReduceOptions): Tensor {
  return reduce(minOp, x, axes, optionsOf('min', options, reduceNames).keepDims ?? false)
}
/**
 * log(sum(e^x)) over axes, all by default, without overflow. -inf where all elements are -inf, without a gradient there.
 * (ONNX's ReduceLogSumExp takes four times as long in ONNX Runtime 1.30.)
 */
export function logSumExp(x: Operand, axes?: Axes, options?: ReduceOptions): Tensor {
  const input = toTensor('logSumExp', x)
  return checked(() => {
    const list = normalizeAxes('logSumExp', axes, input.rank)
    const shape = reducedShape(input.shape, list, optionsOf('logSumExp', options, reduceNames).keepDims ?? false)
    if (input.size === 0) return expand(scalar(Number.NEGATIVE_INFINITY), shape)
    const largest = stopGradient(max(input, list, { keepDims: true }))
    const shift = where(isFiniteNumber(largest), largest, 0)
    const total = sum(exp(sub(input, shift)), list, { keepDims: true })
    const isEmpty = equal(total, 0)
    const logarithm = where(isEmpty, Number.NEGATIVE_INFINITY, log(where(isEmpty, 1, total)))
    return reshape(add(logarithm, shift), shape)
  })
}

/** Halves the axis by multiplying pairs until one element is left: exact gradients with any number of zeros. */
function productAlong(x: Tensor, axis: number): Tensor {
  let product = x
  for (let size = sizeOf(x.shape, axis); size > 1; size = Math.ceil(size / 2)) {
    const half = Math.floor(size / 2)
    const pairs = mul(slice(product, [0, half], axis), slice(product, [half, 2 * half], axis))
    product = size % 2 === 0 ? pairs : concat([pairs, slice(product, [2 * half], axis)], axis)
  }
  const shape = reducedShape(x.shape, [axis], true)
  return sizeOf(x.shape, axis) === 0 ? expand(scalar(1, x.dtype), shape) : product
}
/** Product over axes; all by default. */
export function prod(x: Operand, axes?: Axes, options?: ReduceOptions): Tensor {
  const input = toTensor('prod', x)
  return checked(() => {
    requireDType('prod', 'input', input, number)
    const list = normalizeAxes('prod', axes, input.rank)
    const shape = reducedShape(input.shape, list, optionsOf('prod', options, reduceNames).keepDims ?? false)
    if (list.length === input.rank) return reshape(productAlong(reshape(input, [-1]), 0), shape)
    return reshape(list.reduce(productAlong, input), shape)
  })
}

/** Sum over axes, all by default, of the elements that are not NaN; these get no gradient. */
export function nansum(x: Operand, axes?: Axes, options?: ReduceOptions): Tensor {
  const input = toTensor('nansum', x)
  const counted = input.dtype === 'float32' ? where(isNan(input), 0, input) : input
  return sum(counted, axes, optionsOf('nansum', options, reduceNames))
}
/** Mean over axes, all by default, of the elements that are not NaN; NaN where there are none. */
export function nanmean(x: Operand, axes?: Axes, options?: ReduceOptions): Tensor {
  const input = toFloat('nanmean', x)
  const given = optionsOf('nanmean', options, reduceNames)
  return div(nansum(input, axes, given), sum(cast(logicalNot(isNan(input)), 'float32'), axes, given))
}

function nonzero(x: Operand, counter: DType): Tensor {
  return cast(cast(x, 'bool'), counter)
}
/** How many elements are not 0 (int64), over axes; all by default. */
export function countNonzero(x: Operand, axes?: Axes, options?: ReduceOptions): Tensor {
  return sum(nonzero(x, 'int64'), axes, optionsOf('countNonzero', options, reduceNames))
}
/** Whether any element is not 0, over axes; all by default. */
export function any(x: Operand, axes?: Axes, options?: ReduceOptions): Tensor {
  return greater(sum(nonzero(x, 'int32'), axes, optionsOf('any', options, reduceNames)), 0)
}
/** Whether no element is 0, over axes; all by default. */
export function all(x: Operand, axes?: Axes, options?: ReduceOptions): Tensor {
  return equal(sum(sub(1, nonzero(x, 'int32')), axes, optionsOf('all', options, reduceNames)), 0)
}

/** Sums what broadcasting had repeated, so that the result has `shape`: the gradient of broadcasting. */
export function sumTo(x: Operand, shape: Shape): Tensor {
  const input = toTensor('sumTo', x)
  checked(() => checkShape('sumTo', shape))
  if (sameShape(input.shape, shape)) return input
  const offset = input.rank - shape.length
  const axes = input.shape.flatMap((size, i) => (i < offset || (shape[i - offset] === 1 && size !== 1) ? [i] : []))
  const summed = axes.length > 0 ? sum(input, axes, { keepDims: true }) : input
  return reshape(summed, shape)
}
