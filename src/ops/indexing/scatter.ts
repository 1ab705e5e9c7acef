/** Writing at places given by index tensors: PyTorch's scatter, index_copy and masked_scatter. */
import type { DType } from '../../tensor/dtype.ts'
import { broadcastShapes, formatShape, normalizeAxis, type Shape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor, TensorType } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import { apply, checked, defineOp, inputAt, type Operand, requireDType, toTensor, toTensorPair } from '../define.ts'
import { comparable, sub } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { expand, reshape } from '../movement/movement.ts'
import { cumsum } from '../reduction/scan.ts'
import { axisSize, checkIndex, indexSelect, places, requireIndex, underIndex } from './indexing.ts'
import { within } from './places.ts'

interface AxisAttributes {
  readonly axis: number
}

/** The shape rule of all scatters: x, an index that fits it, and a source of the index's shape and x's dtype. */
export function inferScatter(
  op: string,
  inputs: readonly TensorType[],
  axis: number,
  dtypes: readonly DType[],
): readonly TensorType[] {
  const [x, index, source] = [inputAt(op, inputs, 0), inputAt(op, inputs, 1), inputAt(op, inputs, 2)]
  requireDType(op, 'input', x, dtypes)
  requireDType(op, 'source', source, [x.dtype])
  checkIndex(op, x.shape, index, axis)
  if (!sameShape(index.shape, source.shape)) {
    throw new ShapeError(
      `${op}: source must be at least as large as the index on every axis, found source ${formatShape(source.shape)} and index ${formatShape(index.shape)}`,
    )
  }
  return [{ dtype: x.dtype, shape: x.shape }]
}

export const scatterOp = defineOp<AxisAttributes>({
  name: 'scatter',
  infer: (inputs, { axis }) => inferScatter('scatter', inputs, axis, comparable),
  gradient: (o, { inputs, attributes: { axis } }, [g]) => {
    if (!g) return []
    const index = inputAt('scatter', inputs, 1)
    return [o.scatter(g, index, 0, axis), undefined, o.gather(g, index, axis)]
  },
  lower: (emit, { inputs, attributes }) => emit.node('ScatterElements', inputs, { axis: attributes.axis }),
  samples: () => [
    { inputs: [[4, 3], distinctPlaces, [2, 3]], call: (x, index, source) => scatter(x, index, source, 0) },
    { inputs: [[3, 4], { ...distinctPlaces, dtype: 'int32' }, [3, 5]], call: (x, i, s) => scatter(x, i, s, -1) },
    {
      inputs: [{ shape: [3], dtype: 'bool' }, places([2], 3), { shape: [2], dtype: 'bool' }],
      call: (x, index, source) => scatter(x, index, source, 0),
    },
  ],
  errors: () => [
    { inputs: [[4, 5], places([3, 6], 4), [3, 6]], call: (x, index, source) => scatter(x, index, source, 0) },
    { inputs: [[4, 5], places([3, 5], 4), [2, 5]], call: (x, index, source) => scatter(x, index, source, 0) },
    {
      inputs: [[4], places([2], 4), { shape: [2], dtype: 'int32' }],
      call: (x, index, source) => scatter(x, index, source, 0),
    },
  ],
})

/** Places of which none occurs twice on either axis. */
const distinctPlaces = { shape: [2, 3], dtype: 'int64', values: [0, 3, 1, 2, 0, 3] } as const

/** x, the index and the source of `op`, as a scatter's op takes them. A number as source stands at every place. */
export function scatterInputs(
  op: string,
  x: Operand,
  index: Operand,
  source: Operand,
  axis: number,
): readonly [inputs: readonly [Tensor, Tensor, Tensor], axis: number] {
  const [input, values] = toTensorPair(op, x, source)
  const given = toTensor(op, index)
  const at = normalizeAxis(op, axis, input.rank)
  requireIndex(op, given)
  const target = within(given, { subject: `${op}: index`, size: axisSize(input, at) })
  const used = typeof source === 'number' ? expand(values, target.shape) : underIndex(values, target)
  return [[input, target, used], at]
}

/**
 * x with source[i][j] in the place of [index[i][j]][j] for axis 0 of two, likewise for others; a number as source stands at
 * every place. Of repeated places the last one counts; its gradient goes, as in PyTorch, to all of them.
 */
export function scatter(x: Operand, index: Operand, source: Operand, axis: number): Tensor {
  return checked(() => {
    const [inputs, at] = scatterInputs('scatter', x, index, source, axis)
    return apply(scatterOp, inputs, { axis: at })
  })
}

/** An index of one axis as the index of a scatter of `shape`. */
export function alongAxis(index: Tensor, shape: Shape, axis: number): Tensor {
  return expand(
    reshape(
      index,
      shape.map((_, i) => (i === axis ? index.size : 1)),
    ),
    shape,
  )
}

/** x with the source's elements in the place of those at `index` of one axis; of repeated places the last one counts. */
export function indexCopy(x: Operand, index: Operand, source: Operand, axis: number): Tensor {
  const [input, values] = [toTensor('indexCopy', x), toTensor('indexCopy', source)]
  return checked(() => {
    const at = normalizeAxis('indexCopy', axis, input.rank)
    const given = toTensor('indexCopy', index)
    requireIndex('indexCopy', given)
    requireDType('indexCopy', 'source', values, [input.dtype])
    // A scalar is a vector of one element.
    const [target, rows] = [input, values].map((t) => (t.rank === 0 ? reshape(t, [1]) : t)) as [Tensor, Tensor]
    const shape = target.shape.map((size, i) => (i === at ? given.size : size))
    if (given.rank > 1 || !sameShape(rows.shape, shape)) {
      throw new ShapeError(
        `indexCopy: source must have the input's sizes and one element of axis ${at} for each of the index, found input ${formatShape(input.shape)}, index ${formatShape(given.shape)} and source ${formatShape(values.shape)}`,
      )
    }
    const size = sizeOf(target.shape, at)
    const along = alongAxis(within(given, { subject: 'indexCopy: index', size }), shape, at)
    return reshape(apply(scatterOp, [target, along, rows], { axis: at }), input.shape)
  })
}

/**
 * x with the elements of `source`, in their order, at the places where the mask holds, in row-major order; x and the mask
 * broadcast. An IndexError, when the graph runs, if the source has fewer elements than there are places.
 */
export function maskedScatter(x: Operand, mask: Operand, source: Operand): Tensor {
  const [input, values] = toTensorPair('maskedScatter', x, source)
  const given = toTensor('maskedScatter', mask)
  return checked(() => {
    requireDType('maskedScatter', 'mask', given, ['bool'])
    const shape = broadcastShapes('maskedScatter', [input.shape, given.shape])
    const [target, holds] = [expand(input, shape), expand(given, shape)]
    if (target.size === 0) return target
    // How many places before this one are filled: which element of the source this one is.
    const order = sub(cumsum(cast(reshape(holds, [-1]), 'int64'), 0), 1)
    const places = where(reshape(holds, [-1]), order, 0)
    const size = values.size
    const filled = indexSelect(
      reshape(values, [-1]),
      within(places, { subject: 'maskedScatter: element of source', size }),
      0,
    )
    return where(holds, reshape(filled, shape), target)
  })
}
