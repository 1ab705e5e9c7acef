/** Operators that read or write by index. */
import * as ops from '../../../ops/index.ts'
import { normalizeAxis, sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { OnnxNode } from '../node.ts'
import { asTensor, isKnown, known, simplest } from '../values.ts'
import type { Operators } from './types.ts'

/** The index of a node's input, counted from the front. */
function placesOf(node: OnnxNode, i: number, size: number): Tensor {
  const value = node.inputs[i]
  const simple = value && simplest(value)
  if (isKnown(simple)) {
    const places = simple.data.map((place) => (place < 0 ? place + size : place))
    return asTensor(known('int64', simple.shape, places))
  }
  const index = ops.cast(node.tensor(i), 'int64')
  return ops.where(ops.less(index, 0), ops.add(index, size), index)
}

function gather(node: OnnxNode): Tensor {
  const x = node.tensor(0)
  const axis = normalizeAxis(node.type, node.number('axis', 0), x.rank)
  const index = placesOf(node, 1, sizeOf(x.shape, axis))
  const found = ops.indexSelect(x, ops.reshape(index, [-1]), axis)
  return ops.reshape(found, [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)])
}

function gatherElements(node: OnnxNode): Tensor {
  const x = node.tensor(0)
  const axis = normalizeAxis(node.type, node.number('axis', 0), x.rank)
  return ops.gather(x, placesOf(node, 1, sizeOf(x.shape, axis)), axis)
}

/** The last axis of an index as an index of each of the axes. */
function components(index: Tensor): Tensor[] {
  return ops.split(index, 1, -1).map((part) => ops.squeeze(part, -1))
}

function gatherNd(node: OnnxNode): Tensor {
  const batch = node.number('batch_dims', 0)
  const [x, index] = [node.tensor(0), ops.cast(node.tensor(1), 'int64')]
  const shared = index.shape.slice(0, batch)
  const rest = index.rank - 1 - batch
  const rows = shared.map((size, axis) =>
    ops.cast(
      ops.reshape(ops.arange(size), [
        ...shared.map((_, i) => (i === axis ? size : 1)),
        ...new Array<number>(rest).fill(1),
      ]),
      'int64',
    ),
  )
  return ops.index(x, [...rows, ...components(index)])
}

const reductions = { add: 'sum', mul: 'prod', max: 'amax', min: 'amin' } as const

function scatterElements(node: OnnxNode): Tensor {
  const [x, source] = [node.tensor(0), node.tensor(2)]
  const axis = normalizeAxis(node.type, node.number('axis', 0), x.rank)
  const places = placesOf(node, 1, sizeOf(x.shape, axis))
  const reduction = node.text('reduction', 'none')
  if (reduction === 'none') return ops.scatter(x, places, source, axis)
  const kind = reductions[reduction as keyof typeof reductions]
  return kind
    ? ops.scatterReduce(x, places, source, axis, kind)
    : node.fail(`the reduction ${reduction} is not supported`)
}

function scatterNd(node: OnnxNode): Tensor {
  const [x, index, source] = [node.tensor(0), ops.cast(node.tensor(1), 'int64'), node.tensor(2)]
  const reduction = node.text('reduction', 'none')
  if (reduction !== 'none' && reduction !== 'add') node.fail(`the reduction ${reduction} is not supported`)
  return ops.indexPut(x, components(index), source, { accumulate: reduction === 'add' })
}

function oneHot(node: OnnxNode): Tensor {
  const [depth = 0] = node.requiredNumbers(1)
  const values = node.tensor(2)
  const index = ops.cast(node.tensor(0), 'int64')
  const axis = normalizeAxis(node.type, node.number('axis', -1), index.rank + 1)
  const places = ops.unsqueeze(ops.where(ops.less(index, 0), ops.add(index, depth), index), axis)
  const range = ops.reshape(
    ops.cast(ops.arange(depth), 'int64'),
    places.shape.map((_, i) => (i === axis ? depth : 1)),
  )
  const [off, on] = [0, 1].map((i) => ops.reshape(ops.slice(values, [i, i + 1], 0), []))
  return ops.where(ops.equal(places, range), on as Tensor, off as Tensor)
}

export const indexing: Operators = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
  OneHot: oneHot,
}
