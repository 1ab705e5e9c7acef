/** Ops that read and write elements at places given by index tensors (int32 or int64). Indices may repeat. */
import type { DType } from '../../tensor/dtype.ts'
import { elementCount } from '../../tensor/dtype.ts'
import { broadcastShapes, formatShape, normalizeAxis, type Shape, sameShape, sizeOf } from '../../tensor/shape.ts'
import { constant, type Tensor, type TensorType } from '../../tensor/tensor.ts'
import { requireCount } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { apply, checked, defineOp, emitConstants, inputAt, type Operand, requireDType, toTensor } from '../define.ts'
import { expand, reshape, slice } from '../movement/movement.ts'
import { within } from './places.ts'
import { emitSegmentSum, type SegmentSumAttributes } from './segment-forms.ts'

const indexTypes: readonly DType[] = ['int64', 'int32']
const number: readonly DType[] = ['float32', 'int32', 'int64']

/** An index is int64 or int32. */
export function requireIndex(op: string, input: TensorType, argument = 'index'): void {
  if (indexTypes.includes(input.dtype)) return
  throw new ShapeError(`${op}: ${argument} must be int64 or int32, found ${input.dtype}`, {
    hint: `make it with tensor(values, 'int32'), or convert it with cast(${argument}, 'int32')`,
  })
}

export interface IndexSelectAttributes {
  readonly axis: number
  /** Elements read at this index pass no gradient (the padding of an embedding). */
  readonly ignored: number | null
}

export const indexSelectOp = defineOp<IndexSelectAttributes>({
  name: 'indexSelect',
  infer: (inputs, { axis }) => {
    const [x, index] = [inputAt('indexSelect', inputs, 0), inputAt('indexSelect', inputs, 1)]
    requireIndex('indexSelect', index)
    if (x.shape.length === 0) throw new ShapeError('indexSelect: a scalar has no axes')
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)] }]
  },
  gradient: (o, { inputs, attributes: { axis, ignored } }, [g]) => {
    if (!g) return []
    const [x, index] = [inputAt('indexSelect', inputs, 0), inputAt('indexSelect', inputs, 1)]
    const count = elementCount(index.shape)
    const places = o.reshape(index, [count])
    const rest = x.shape.slice(axis + 1)
    const rows = o.reshape(g, [...x.shape.slice(0, axis), count, ...rest])
    const isIgnored = ignored === null ? undefined : o.reshape(o.equal(places, ignored), [count, ...rest.map(() => 1)])
    const kept = isIgnored ? o.where(isIgnored, 0, rows) : rows
    return [o.segmentSum(kept, places, sizeOf(x.shape, axis), axis)]
  },
  lower: (emit, { inputs, attributes }) => emit.node('Gather', inputs, { axis: attributes.axis }),
  samples: () => [
    { inputs: [[4, 3], places([5], 4)], call: (x, index) => indexSelect(x, index, 0) },
    { inputs: [[2, 4, 3], places([2, 3], 3)], call: (x, index) => indexSelect(x, index, -1) },
    { inputs: [[2, 1], places([], 1, 'int32')], call: (x, index) => indexSelect(x, index, 1) },
    // Many columns and few rows: the gradient is a matrix product.
    { inputs: [[3, 64], places([8], 3)], call: (x, index) => indexSelect(x, index, 0) },
  ],
  errors: () => [
    { inputs: [[4, 3], [2]], call: (x, index) => indexSelect(x, index, 0) },
    { inputs: [[4, 3], places([2], 3)], call: (x, index) => indexSelect(x, index, 2) },
    { inputs: [[], places([2], 1)], call: (x, index) => indexSelect(x, index, 0) },
  ],
})
/** Elements of one axis in the order of `index`: the axis is replaced by the axes of the index. */
export function indexSelect(x: Operand, index: Operand, axis: number): Tensor {
  const input = toTensor('indexSelect', x)
  return checked(() => {
    const at = normalizeAxis('indexSelect', axis, input.rank)
    const places = within(toTensor('indexSelect', index), { subject: 'indexSelect: index', size: axisSize(input, at) })
    return apply(indexSelectOp, [input, places], { axis: at, ignored: null })
  })
}

/** The elements of one axis at places that are known when the model is traced; x itself if these are all, in their order. */
export function selectPlaces(x: Tensor, places: readonly number[], axis: number): Tensor {
  const isWhole = places.length === sizeOf(x.shape, axis) && places.every((from, place) => from === place)
  return isWhole ? x : indexSelect(x, constant(BigInt64Array.from(places, BigInt), [places.length], 'int64'), axis)
}

/** The adjoint of `indexSelect`. */
export const segmentSumOp = defineOp<SegmentSumAttributes>({
  name: 'segmentSum',
  infer: (inputs, { axis, size }) => {
    const [source, index] = [inputAt('segmentSum', inputs, 0), inputAt('segmentSum', inputs, 1)]
    requireDType('segmentSum', 'source', source, number)
    requireCount('segmentSum', 'size', size, elementCount(source.shape) > 0 ? 1 : 0)
    requireIndex('segmentSum', index)
    if (index.shape.length !== 1 || index.shape[0] !== source.shape[axis]) {
      throw new ShapeError(
        `segmentSum: index must have one element for each of axis ${axis} of source ${formatShape(source.shape)}, found ${formatShape(index.shape)}`,
      )
    }
    return [{ dtype: source.dtype, shape: source.shape.map((n, i) => (i === axis ? size : n)) }]
  },
  gradient: (o, { inputs, attributes }, [g]) => [
    g && o.indexSelect(g, inputAt('segmentSum', inputs, 1), attributes.axis),
  ],
  lower: (emit, { inputs, inputTypes, outputTypes, attributes }) => {
    const [source, index] = [inputAt('segmentSum', inputs, 0), inputAt('segmentSum', inputs, 1)]
    const [type, indexType] = [inputAt('segmentSum', inputTypes, 0), inputAt('segmentSum', inputTypes, 1)]
    const isEmpty = [type, ...outputTypes].some(({ shape }) => elementCount(shape) === 0)
    if (isEmpty) return emitConstants(emit, outputTypes)
    return emitSegmentSum(emit, { source, index, type, indexType }, attributes)
  },
  samples: () => [
    { inputs: [[5, 3], places([5], 4)], call: (x, index) => segmentSum(x, index, 4, 0) },
    { inputs: [[2, 4, 3], places([3], 2)], call: (x, index) => segmentSum(x, index, 2, -1) },
    { inputs: [[6], places([6], 3, 'int32')], call: (x, index) => segmentSum(x, index, 3, 0) },
    { inputs: [[4, 6, 16], places([6], 3, 'int32')], call: (x, index) => segmentSum(x, index, 3, 1) },
    { inputs: [{ shape: [4], dtype: 'int64' }, places([4], 2)], call: (x, index) => segmentSum(x, index, 2, 0) },
  ],
  errors: () => [
    { inputs: [[5, 3], places([4], 4)], call: (x, index) => segmentSum(x, index, 4, 0) },
    { inputs: [[5], [5]], call: (x, index) => segmentSum(x, index, 4, 0) },
    { inputs: [[5], places([5], 4)], call: (x, index) => segmentSum(x, index, -1, 0) },
  ],
})
/** Sums over equal indices: element j of axis `axis` (of `size`) is the sum of the source's elements i with index[i] = j. */
export function segmentSum(source: Operand, index: Operand, size: number, axis: number): Tensor {
  const input = toTensor('segmentSum', source)
  return checked(() => {
    const at = normalizeAxis('segmentSum', axis, input.rank)
    const places = within(toTensor('segmentSum', index), { subject: 'segmentSum: index', size })
    return apply(segmentSumOp, [input, places], { axis: at, size })
  })
}

/** An index must have as many axes as x and, but for one axis, at most its sizes. */
export function checkIndex(op: string, x: Shape, index: TensorType, axis: number): void {
  requireIndex(op, index)
  const fits = index.shape.length === x.length && index.shape.every((n, i) => i === axis || n <= sizeOf(x, i))
  if (fits && x.length > 0) return
  throw new ShapeError(
    `${op}: index must have as many axes as the input and no larger sizes but on axis ${axis}, found input ${formatShape(x)} and index ${formatShape(index.shape)}`,
  )
}

export const gatherOp = defineOp<{ readonly axis: number }>({
  name: 'gather',
  infer: (inputs, { axis }) => {
    const [x, index] = [inputAt('gather', inputs, 0), inputAt('gather', inputs, 1)]
    checkIndex('gather', x.shape, index, axis)
    return [{ dtype: x.dtype, shape: index.shape }]
  },
  gradient: (o, { inputs, attributes }, [g]) => {
    const [x, index] = [inputAt('gather', inputs, 0), inputAt('gather', inputs, 1)]
    return [g && o.scatterAdd(o.zerosLike(x), index, g, attributes.axis)]
  },
  lower: (emit, { inputs, attributes }) => emit.node('GatherElements', inputs, { axis: attributes.axis }),
  samples: () => [
    { inputs: [[4, 5], places([4, 3], 5)], call: (x, index) => gather(x, index, 1) },
    { inputs: [[4, 3, 2], places([6, 2, 1], 4)], call: (x, index) => gather(x, index, -3) },
    { inputs: [[3], places([1], 3, 'int32')], call: (x, index) => gather(x, index, 0) },
  ],
  errors: () => [
    { inputs: [[4, 5], places([5, 3], 5)], call: (x, index) => gather(x, index, 1) },
    { inputs: [[4, 5], places([4], 5)], call: (x, index) => gather(x, index, 0) },
    {
      inputs: [
        [4, 5],
        [4, 3],
      ],
      call: (x, index) => gather(x, index, 1),
    },
  ],
})
/** y[i][j] = x[i][index[i][j]] for axis 1 of two, likewise for others: PyTorch's gather. y has the index's shape. */
export function gather(x: Operand, index: Operand, axis: number): Tensor {
  const input = toTensor('gather', x)
  return checked(() => {
    const at = normalizeAxis('gather', axis, input.rank)
    const places = within(toTensor('gather', index), { subject: 'gather: index', size: axisSize(input, at) })
    return apply(gatherOp, [input, places], { axis: at })
  })
}

/** Like `gather`, but the other axes of x and index broadcast; without an axis both are flattened. */
export function takeAlongAxis(x: Operand, index: Operand, axis?: number): Tensor {
  const [input, places] = [toTensor('takeAlongAxis', x), toTensor('takeAlongAxis', index)]
  if (axis === undefined) return gather(reshape(input, [-1]), reshape(places, [-1]), 0)
  return checked(() => {
    if (input.rank !== places.rank) {
      throw new ShapeError(
        `takeAlongAxis: x and index must have the same number of axes, found ${formatShape(input.shape)} and ${formatShape(places.shape)}`,
      )
    }
    const at = normalizeAxis('takeAlongAxis', axis, input.rank)
    const without = (shape: Shape, size: number): Shape => shape.map((n, i) => (i === at ? size : n))
    const shape = broadcastShapes('takeAlongAxis', [without(input.shape, 1), without(places.shape, 1)])
    const broadcast = (t: Tensor): Tensor => expand(t, without(shape, sizeOf(t.shape, at)))
    return gather(broadcast(input), broadcast(places), at)
  })
}

export const scatterAddOp = defineOp<{ readonly axis: number }>({
  name: 'scatterAdd',
  infer: (inputs, { axis }) => {
    const [x, index] = [inputAt('scatterAdd', inputs, 0), inputAt('scatterAdd', inputs, 1)]
    const source = inputAt('scatterAdd', inputs, 2)
    requireDType('scatterAdd', 'input', x, number)
    requireDType('scatterAdd', 'source', source, [x.dtype])
    checkIndex('scatterAdd', x.shape, index, axis)
    if (!sameShape(index.shape, source.shape)) {
      throw new ShapeError(
        `scatterAdd: source must be at least as large as the index on every axis, found source ${formatShape(source.shape)} and index ${formatShape(index.shape)}`,
      )
    }
    return [x]
  },
  gradient: (o, { inputs, attributes }, [g]) => [
    g,
    undefined,
    g && o.gather(g, inputAt('scatterAdd', inputs, 1), attributes.axis),
  ],
  lower: (emit, { inputs, attributes }) =>
    emit.node('ScatterElements', inputs, { axis: attributes.axis, reduction: 'add' }),
  samples: () => [
    { inputs: [[4, 5], places([3, 5], 4), [3, 5]], call: (x, index, source) => scatterAdd(x, index, source, 0) },
    { inputs: [[3, 4], places([2, 6], 4), [3, 7]], call: (x, index, source) => scatterAdd(x, index, source, -1) },
    {
      inputs: [{ shape: [3], dtype: 'int64' }, places([4], 3, 'int32'), { shape: [4], dtype: 'int64' }],
      call: (x, index, source) => scatterAdd(x, index, source, 0),
    },
  ],
  errors: () => [
    { inputs: [[4, 5], places([3, 6], 4), [3, 6]], call: (x, index, source) => scatterAdd(x, index, source, 0) },
    { inputs: [[4, 5], places([3, 5], 4), [2, 5]], call: (x, index, source) => scatterAdd(x, index, source, 0) },
    {
      inputs: [[4], places([2], 4), { shape: [2], dtype: 'int32' }],
      call: (x, index, source) => scatterAdd(x, index, source, 0),
    },
  ],
})
/** x with source[i][j] added at [index[i][j]][j] for axis 0 of two, likewise for others. Repeated indices accumulate. */
export function scatterAdd(x: Operand, index: Operand, source: Operand, axis: number): Tensor {
  const [input, values] = [toTensor('scatterAdd', x), toTensor('scatterAdd', source)]
  return checked(() => {
    const at = normalizeAxis('scatterAdd', axis, input.rank)
    const places = within(toTensor('scatterAdd', index), { subject: 'scatterAdd: index', size: axisSize(input, at) })
    return apply(scatterAddOp, [input, places, underIndex(values, places)], { axis: at })
  })
}

/** The part of a scatter's source that lies under the index: no more is read. */
export function underIndex(source: Tensor, index: Tensor): Tensor {
  return index.shape.reduce(
    (part, size, i) => (i < part.rank && size < sizeOf(part.shape, i) ? slice(part, [0, size], i) : part),
    source,
  )
}

/** The size of an axis, of which a scalar has one of size 1. */
export function axisSize(x: Tensor, axis: number): number {
  return x.rank === 0 ? 1 : sizeOf(x.shape, axis)
}

/** Index values of a sample: each below `bound`, in an order without pattern. */
export function places(
  shape: Shape,
  bound: number,
  dtype: DType = 'int64',
): { shape: Shape; dtype: DType; values: number[] } {
  return {
    shape,
    dtype,
    values: Array.from({ length: elementCount(shape) }, (_, i) => (7 * i * i + 3 * i + 1) % bound),
  }
}
