/** Sorting and extrema with their indices (int64). NaN is greater than every number, and it is the extremum wherever there is one. */

import { type DType, elementCount } from '../../tensor/dtype.ts'
import { formatShape, normalizeAxis, reducedShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFlag, shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import {
  apply,
  applyAll,
  checked,
  defineOp,
  type Emitter,
  emitConstants,
  inputAt,
  type OpDefinition,
  type Operand,
  requireDType,
  toTensor,
} from '../define.ts'
import { emitIsNumber } from '../elementwise/not-a-number.ts'
import { gather } from '../indexing/indexing.ts'
import { reshape, squeeze } from '../movement/movement.ts'
import { type ReduceOptions, reduceNames } from './reduce.ts'

const ordered: readonly DType[] = ['float32', 'int32', 'int64', 'uint8']

/** Nodes that map to numbers in the order of float32, infinities below NaN: kernels go wrong where they compare NaN. */
function sortingKey(emit: Emitter, x: string): string {
  if (!emit.has('float64')) return halvedKey(emit, x)
  const root = emit.double(emit.scalar(2 ** 100, 'float32'))
  const beyond = emit.node('Mul', [root, root])
  const infinite = emit.double(emit.scalar(Number.POSITIVE_INFINITY, 'float32'))
  return emit.node('Where', [emit.node('IsNaN', [x]), infinite, emit.node('Clip', [emit.double(x), '', beyond])])
}

/**
 * The same in float32, which has no number above infinity: halves leave room for infinities and NaN. Numbers below 2^-125 count as 0: their
 * halves are no normal numbers, which runtimes without float64 take for 0. Infinite keys are what the kernel of WebGPU fills up with.
 */
function halvedKey(emit: Emitter, x: string): string {
  const number = (value: number): string => emit.scalar(value, 'float32')
  const halves = emit.node('Mul', [x, number(0.5)])
  const bounded = emit.node('Clip', [halves, number(-(2 ** 127)), number(2 ** 127)])
  return emit.node('Where', [emitIsNumber(emit, x), bounded, number(1.5 * 2 ** 127)])
}

export interface TopkAttributes {
  readonly k: number
  readonly axis: number
  readonly largest: boolean
}

export const topkOp = defineOp<TopkAttributes>({
  name: 'topk',
  bounds: ({ inputs, attributes }) => [undefined, sizeOf(inputAt('topk', inputs, 0).shape, attributes.axis)],
  infer: (inputs, { k, axis }) => {
    const x = inputAt('topk', inputs, 0)
    requireDType('topk', 'input', x, ordered)
    const size = sizeOf(x.shape, axis)
    if (!Number.isInteger(k) || k < 0 || k > size) {
      throw new ShapeError(
        `topk: k must be a whole number of at most the ${size} elements of axis ${axis} of ${formatShape(x.shape)}, found ${shown(k)}`,
      )
    }
    const shape = x.shape.map((n, i) => (i === axis ? k : n))
    return [
      { dtype: x.dtype, shape },
      { dtype: 'int64', shape },
    ]
  },
  gradient: (o, { inputs, outputs, attributes }, [g]) => {
    const [x, indices] = [inputAt('topk', inputs, 0), inputAt('topk', outputs, 1)]
    return [g && o.scatterAdd(o.zerosLike(x), indices, g, attributes.axis)]
  },
  lower: (emit, { inputs, inputTypes, outputTypes, attributes: { k, axis, largest } }) => {
    // ONNX Runtime 1.30 divides by zero on empty inputs.
    if (outputTypes.every(({ shape }) => elementCount(shape) === 0)) return emitConstants(emit, outputTypes)
    const x = inputAt('topk', inputs, 0)
    const choose = (key: string): string[] =>
      emit.nodes('TopK', [key, emit.ints([k])], 2, { axis, largest: Number(largest) })
    if (inputTypes[0]?.dtype !== 'float32') return choose(x)
    const indices = inputAt('topk', choose(sortingKey(emit, x)), 1)
    return [emit.node('GatherElements', [x, indices], { axis }), indices]
  },
  samples: () => [
    { inputs: [[3, 7]], call: (x) => topk(x, 3), smooth: false },
    { inputs: [[4, 1, 2]], call: (x) => topk(x, 2, 0, { largest: false }), smooth: false },
    { inputs: [{ shape: [5], dtype: 'int64' }], call: (x) => topk(x, 5) },
  ],
  errors: () => [
    { inputs: [[3, 7]], call: (x) => topk(x, 8) },
    { inputs: [[]], call: (x) => topk(x, 2) },
    { inputs: [{ shape: [3], dtype: 'bool' }], call: (x) => topk(x, 1) },
  ],
})
/** Options of `topk`. */
export interface TopkOptions {
  /** false: the smallest elements. Default: true. */
  readonly largest?: boolean
}

/** The k largest elements of one axis, best first, and their indices; equal ones in their order in x, NaN as the greatest. */
export function topk(x: Operand, k: number, axis = -1, options?: TopkOptions): readonly [Tensor, Tensor] {
  const { largest = true } = optionsOf('topk', options, { largest: true })
  const input = toTensor('topk', x)
  return checked(() => {
    const at = normalizeAxis('topk', axis, input.rank)
    requireFlag('topk', 'largest', largest)
    // A scalar is ordered as a vector of one element.
    const outputs = applyAll(topkOp, [input.rank === 0 ? reshape(input, [1]) : input], { k, axis: at, largest })
    const shaped = (t: Tensor): Tensor => (input.rank === 0 && k === 1 ? reshape(t, []) : t)
    return [shaped(inputAt('topk', outputs, 0)), shaped(inputAt('topk', outputs, 1))]
  })
}

/** Options of sorting. */
export interface SortOptions {
  /** Largest first. Default: false. */
  readonly descending?: boolean
}

const sortNames = { descending: true } as const

/** The elements of one axis in order, NaN as the greatest, and their indices; equal ones stay in their order (the sort is stable). */
export function sort(x: Operand, axis = -1, options?: SortOptions): readonly [Tensor, Tensor] {
  const { descending = false } = optionsOf('sort', options, sortNames)
  const input = toTensor('sort', x)
  return checked(() => {
    const at = normalizeAxis('sort', axis, input.rank)
    requireFlag('sort', 'descending', descending)
    return topk(input, input.rank === 0 ? 1 : sizeOf(input.shape, at), at, { largest: descending })
  })
}
/** The indices that sort one axis. */
export function argsort(x: Operand, axis = -1, options?: SortOptions): Tensor {
  return sort(x, axis, optionsOf('argsort', options, sortNames))[1]
}

export interface ArgumentAttributes {
  readonly axis: number
}

/** The index of an extremum; the axis stays, with size 1. */
function defineArgument(
  name: string,
  call: (x: Tensor, axis?: number) => Tensor,
  onnx: string,
): OpDefinition<ArgumentAttributes> {
  return defineOp<ArgumentAttributes>({
    name,
    infer: (inputs, { axis }) => {
      const x = inputAt(name, inputs, 0)
      requireDType(name, 'input', x, ordered)
      if (x.shape.length === 0 || sizeOf(x.shape, axis) === 0)
        throw new ShapeError(`${name}: needs at least one element on the axis, found ${formatShape(x.shape)}`)
      return [{ dtype: 'int64', shape: reducedShape(x.shape, [axis], true) }]
    },
    bounds: ({ inputs, attributes }) => [sizeOf(inputAt(name, inputs, 0).shape, attributes.axis)],
    lower: (emit, { inputs, inputTypes, attributes: { axis } }) => {
      const x = inputAt(name, inputs, 0)
      const index = emit.node(onnx, [x], { axis, keepdims: 1 })
      if (inputTypes[0]?.dtype !== 'float32') return index
      const isNan = emit.cast(emit.node('IsNaN', [x]), 'uint8')
      const hasNan = emit.cast(emit.node('ReduceMax', [isNan, emit.ints([axis])], { keepdims: 1 }), 'bool')
      return emit.node('Where', [hasNan, emit.node('ArgMax', [isNan], { axis, keepdims: 1 }), index])
    },
    samples: () => [
      { inputs: [[2, 3]], call: (x) => call(x, -1) },
      { inputs: [[4, 1, 2]], call: (x) => call(x, 0) },
      { inputs: [{ shape: [2, 5], dtype: 'int64' }], call: (x) => call(x) },
    ],
    errors: () => [
      { inputs: [[2, 3]], call: (x) => call(x, 2) },
      { inputs: [[2, 0]], call: (x) => call(x, 1) },
      { inputs: [{ shape: [2], dtype: 'bool' }], call: (x) => call(x, 0) },
    ],
  })
}
export const argmaxOp = defineArgument('argmax', argmax, 'ArgMax')
export const argminOp = defineArgument('argmin', argmin, 'ArgMin')

function argument(
  op: OpDefinition<ArgumentAttributes>,
  x: Operand,
  axis: number | undefined,
  keepDims: boolean,
): Tensor {
  const input = toTensor(op.name, x)
  return checked(() => {
    const all = Array.from({ length: input.rank }, (_, i) => i)
    const axes = axis === undefined ? all : [normalizeAxis(op.name, axis, input.rank)]
    const flat = axis === undefined || input.rank === 0
    const index = apply(op, [flat ? reshape(input, [-1]) : input], { axis: flat ? 0 : (axes[0] ?? 0) })
    return reshape(index, reducedShape(input.shape, axes, keepDims))
  })
}
/** The index of the largest element of one axis (the first of equals, or of NaN), or of the flattened tensor. */
export function argmax(x: Operand, axis?: number, options?: ReduceOptions): Tensor {
  const { keepDims = false } = optionsOf('argmax', options, reduceNames)
  return argument(argmaxOp, x, axis, keepDims)
}
/** The index of the smallest element of one axis (the first of equals, or of NaN), or of the flattened tensor. */
export function argmin(x: Operand, axis?: number, options?: ReduceOptions): Tensor {
  const { keepDims = false } = optionsOf('argmin', options, reduceNames)
  return argument(argminOp, x, axis, keepDims)
}

function extremum(
  name: string,
  x: Operand,
  axis: number,
  find: typeof argmax,
  { keepDims = false }: ReduceOptions,
): readonly [Tensor, Tensor] {
  const input = toTensor(name, x)
  if (input.rank === 0) return [input, find(input, axis)]
  const indices = find(input, axis, { keepDims: true })
  const values = gather(input, indices, axis)
  return keepDims ? [values, indices] : [squeeze(values, axis), squeeze(indices, axis)]
}
/** The largest element of one axis and its index: the first of equals, to which the whole gradient goes. */
export function maxWithIndices(x: Operand, axis: number, options?: ReduceOptions): readonly [Tensor, Tensor] {
  return extremum('maxWithIndices', x, axis, argmax, optionsOf('maxWithIndices', options, reduceNames))
}
/** The smallest element of one axis and its index: the first of equals, to which the whole gradient goes. */
export function minWithIndices(x: Operand, axis: number, options?: ReduceOptions): readonly [Tensor, Tensor] {
  return extremum('minWithIndices', x, axis, argmin, optionsOf('minWithIndices', options, reduceNames))
}
