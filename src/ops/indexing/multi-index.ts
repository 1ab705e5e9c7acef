/** Indexing by several index tensors at once, x[i, j], for reading and for writing (NumPy's advanced indexing). */
import { elementCount } from '../../tensor/dtype.ts'
import { broadcastShapes, formatShape, type Shape, sameShape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFlag, requireList, shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { apply, checked, type Operand, requireDType, scalar, toTensor, toTensorPair } from '../define.ts'
import { add, less, mul } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { addAll } from '../elementwise/composite.ts'
import { expand, permute, reshape } from '../movement/movement.ts'
import { indexSelectOp, requireIndex, scatterAddOp } from './indexing.ts'
import { certainlyWithin, within } from './places.ts'
import { alongAxis, scatterOp } from './scatter.ts'

/** An index of one axis, or null: all of the axis. */
export type AxisIndex = Operand | null

/** What several indices read, as an index of one axis. */
interface Plan {
  /** The axes in the order in which the indexed ones lie side by side. */
  readonly order: readonly number[]
  /** How many axes lie before the indexed ones. */
  readonly before: number
  /** The sizes of the axes before, of those that are indexed, and of those behind. */
  readonly parts: readonly [Shape, Shape, Shape]
  /** The common shape of the indices. */
  readonly shape: Shape
  /** Places in the indexed axes as one, flat. */
  readonly places: Tensor
}

/** The places of one axis that an index names: negative ones are counted from the end. */
function placesOf(op: string, index: Tensor, size: number, axis: number): Tensor {
  if (index.dtype === 'bool') {
    throw new ShapeError(`${op}: an index must be int64 or int32, found a mask, whose places only its values tell`, {
      hint: 'no shape may depend on values: where, maskedFill and maskedScatter take masks',
    })
  }
  requireIndex(op, index)
  const marked = within(index, { subject: `${op}: index of axis ${axis}`, size, fromEnd: true })
  return where(less(marked, 0), add(marked, size), marked)
}

/** A number is an index without axes. */
function toIndex(op: string, index: Operand): Tensor {
  return typeof index === 'number' ? scalar(index, 'int64', op) : toTensor(op, index)
}

function planOf(op: string, x: Tensor, indices: readonly AxisIndex[]): Plan {
  requireList(op, 'indices', indices)
  const given = indices.flatMap((index, axis) => (index === null ? [] : [{ axis, index: toIndex(op, index) }]))
  if (given.length === 0 || indices.length > x.rank) {
    throw new ShapeError(
      `${op}: needs an index, and at most one for each of the axes of ${formatShape(x.shape)}, found ${shown(indices.map((index) => (index === null ? 'null' : 'an index')))}`,
    )
  }
  const dtype = given.every(({ index }) => index.dtype === 'int32') ? 'int32' : 'int64'
  const shape = broadcastShapes(
    op,
    given.map(({ index }) => index.shape),
  )
  const axes = given.map(({ axis }) => axis)
  const isAdjacent = axes.every((axis, i) => i === 0 || axis === sizeOf(axes, i - 1) + 1)
  // NumPy's rule: what stands apart comes first.
  const before = isAdjacent ? sizeOf(axes, 0) : 0
  const rest = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]))
  const order = [...rest.slice(0, before), ...axes, ...rest.slice(before)]
  const sizesOf = (list: readonly number[]): Shape => list.map((axis) => sizeOf(x.shape, axis))
  const strides = stridesOf(sizesOf(axes))
  const terms = given.map(({ axis, index }, i) => {
    const places = cast(placesOf(op, index, sizeOf(x.shape, axis), axis), dtype)
    return sizeOf(strides, i) === 1 ? places : mul(places, sizeOf(strides, i))
  })
  const count = elementCount(sizesOf(axes))
  return {
    order,
    before,
    parts: [sizesOf(rest.slice(0, before)), sizesOf(axes), sizesOf(rest.slice(before))],
    shape,
    places: certainlyWithin(reshape(expand(addAll(terms), shape), [-1]), count),
  }
}

/** x with the indexed axes side by side and as one: [...before, indexed, ...behind]. */
function gathered(x: Tensor, { order, parts: [before, indexed, behind] }: Plan): Tensor {
  const ordered = order.every((axis, i) => axis === i) ? x : permute(x, order)
  return reshape(ordered, [...before, elementCount(indexed), ...behind])
}

/**
 * x[i, j, ...]: the indices of the leading axes broadcast, and their common shape takes the place of these axes; null leaves an
 * axis whole, and if such a one lies between indexed ones, the indices' shape comes first (NumPy's rule). Negative indices count
 * from the end. Gradients of elements that are read twice are added.
 */
export function index(x: Operand, indices: readonly AxisIndex[]): Tensor {
  const input = toTensor('index', x)
  return checked(() => {
    const plan = planOf('index', input, indices)
    const [before, , behind] = plan.parts
    const read = apply(indexSelectOp, [gathered(input, plan), plan.places], { axis: plan.before, ignored: null })
    return reshape(read, [...before, ...plan.shape, ...behind])
  })
}

/** Options of `indexPut`. */
export interface IndexPutOptions {
  /** Adds the values to what is there; those of one place accumulate. Default: false. */
  readonly accumulate?: boolean
}

/**
 * x with values, which broadcast, in the place of x[i, j, ...] (see `index`). Of several values for one place the last one
 * counts, unless they accumulate; its gradient goes, as in PyTorch, to all of them.
 */
export function indexPut(
  x: Operand,
  indices: readonly AxisIndex[],
  values: Operand,
  options?: IndexPutOptions,
): Tensor {
  const { accumulate = false } = optionsOf('indexPut', options, { accumulate: true })
  const [input, written] = toTensorPair('indexPut', x, values)
  return checked(() => {
    requireFlag('indexPut', 'accumulate', accumulate)
    requireDType('indexPut', 'values', written, [input.dtype])
    const plan = planOf('indexPut', input, indices)
    const { order, before: axis, parts, shape, places } = plan
    const [before, indexed, behind] = parts
    const region = [...before, ...shape, ...behind]
    if (!sameShape(broadcastShapes('indexPut', [written.shape, region]), region)) {
      throw new ShapeError(
        `indexPut: values must broadcast to the indexed part, ${formatShape(region)}, found ${formatShape(written.shape)}`,
      )
    }
    const target = gathered(input, plan)
    const rows = reshape(expand(written, region), [...before, places.size, ...behind])
    const op = accumulate ? scatterAddOp : scatterOp
    const result = apply(op, [target, alongAxis(places, rows.shape, axis), rows], { axis })
    const ordered = reshape(result, [...before, ...indexed, ...behind])
    return permute(
      ordered,
      order.map((_, from) => order.indexOf(from)),
    )
  })
}
