/** Operators that reduce axes, or order what lies along one. */
import * as ops from '../../../ops/index.ts'
import { normalizeAxis } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { OnnxNode } from '../node.ts'
import type { Operators } from './types.ts'

type Reduce = (x: Tensor, axes: readonly number[] | undefined, options: { readonly keepDims: boolean }) => Tensor

function reduction(compute: Reduce) {
  return (node: OnnxNode): Tensor => {
    const x = node.tensor(0)
    const axes = node.list('axes') ?? node.numbers(1)
    const keepDims = node.flag('keepdims', true)
    const keepsAll = node.flag('noop_with_empty_axes', false)
    if (axes?.length) return compute(x, axes, { keepDims })
    return compute(x, keepsAll ? [] : undefined, { keepDims })
  }
}

/** Of no elements: what every number is above, or below; false, or true; 0, or 255. */
function extremum(compute: Reduce, empty: number): Reduce {
  return (x, axes, options) => {
    if (x.dtype === 'bool' || x.dtype === 'uint8') {
      const largest = x.dtype === 'bool' ? 1 : 255
      return ops.cast(extremum(compute, empty < 0 ? 0 : largest)(ops.cast(x, 'int32'), axes, options), x.dtype)
    }
    if (x.size > 0) return compute(x, axes, options)
    return ops.full(ops.sum(x, axes, options).shape, empty, x.dtype)
  }
}

function argument(find: typeof ops.argmax) {
  return (node: OnnxNode): Tensor => {
    const x = node.tensor(0)
    const axis = normalizeAxis(node.type, node.number('axis', 0), x.rank)
    const keepDims = node.flag('keepdims', true)
    if (!node.flag('select_last_index', false)) return find(x, axis, { keepDims })
    const last = (x.shape[axis] ?? 1) - 1
    return ops.sub(last, find(ops.flip(x, axis), axis, { keepDims }))
  }
}

function topK(node: OnnxNode): readonly Tensor[] {
  node.ignore('sorted')
  const x = node.tensor(0)
  const [count = 1] = node.requiredNumbers(1)
  return ops.topk(x, count, node.number('axis', -1), { largest: node.flag('largest', true) })
}

function cumulative(node: OnnxNode): Tensor {
  const x = node.tensor(0)
  const [given = 0] = node.requiredNumbers(1)
  const axis = normalizeAxis(node.type, given, x.rank)
  const total = ops.cumsum(x, axis, { reverse: node.flag('reverse', false) })
  return node.flag('exclusive', false) ? ops.sub(total, x) : total
}

const alongAxis =
  (compute: (x: Tensor, axis: number) => Tensor) =>
  (node: OnnxNode): Tensor =>
    compute(node.tensor(0), node.number('axis', -1))

function hardmax(x: Tensor, axis: number): Tensor {
  const at = normalizeAxis('Hardmax', axis, x.rank)
  const best = ops.argmax(x, at, { keepDims: true })
  const places = ops.reshape(
    ops.arange(x.shape[at] ?? 0),
    x.shape.map((size, i) => (i === at ? size : 1)),
  )
  return ops.cast(ops.equal(ops.cast(best, 'int64'), ops.cast(places, 'int64')), 'float32')
}

const abs = (x: Tensor): Tensor => (x.dtype === 'float32' ? ops.abs(x) : ops.maximum(x, ops.neg(x)))

export const reductions: Operators = {
  ReduceSum: reduction(ops.sum),
  ReduceMean: reduction(ops.mean),
  ReduceMax: reduction(extremum(ops.max, Number.NEGATIVE_INFINITY)),
  ReduceMin: reduction(extremum(ops.min, Number.POSITIVE_INFINITY)),
  ReduceProd: reduction(ops.prod),
  ReduceL1: reduction((x, axes, options) => ops.sum(abs(x), axes, options)),
  ReduceL2: reduction((x, axes, options) => ops.sqrt(ops.sum(ops.mul(x, x), axes, options))),
  ReduceSumSquare: reduction((x, axes, options) => ops.sum(ops.mul(x, x), axes, options)),
  ReduceLogSum: reduction((x, axes, options) => ops.log(ops.sum(x, axes, options))),
  ReduceLogSumExp: reduction(ops.logSumExp),
  ArgMax: argument(ops.argmax),
  ArgMin: argument(ops.argmin),
  TopK: topK,
  CumSum: cumulative,
  Softmax: alongAxis(ops.softmax),
  LogSoftmax: alongAxis(ops.logSoftmax),
  Hardmax: alongAxis(hardmax),
}
