/** Writing at places given by index tensors with what falls on one place combined: PyTorch's scatter_reduce. */
import { type DType, elementCount, type TypedArray } from '../../tensor/dtype.ts'
import type { Shape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFlag, requireOneOf } from '../../util/check.ts'
import { onesLike, zerosLike } from '../creation.ts'
import { apply, checked, defineOp, inputAt, type OpDefinition, type Operand, type Ops, scalar } from '../define.ts'
import { div, maximum } from '../elementwise/binary.ts'
import { floorDivide } from '../elementwise/rounding.ts'
import { expand } from '../movement/movement.ts'
import { places, scatterAdd } from './indexing.ts'
import { inferScatter, scatterInputs, scatterOp } from './scatter.ts'

const number: readonly DType[] = ['float32', 'int32', 'int64']

interface AxisAttributes {
  readonly axis: number
}

interface ExtremumAttributes extends AxisAttributes {
  /** Whether x's own element at a place of the index counts. */
  readonly includeSelf: boolean
}

/** The gradient of an extremum is shared equally by the elements that are it; x's among them, also where, as in PyTorch, it did not count. */
function shareScattered(
  o: Ops,
  [x, index, source]: readonly [Tensor, Tensor, Tensor],
  y: Tensor,
  g: Tensor,
  axis: number,
): readonly [Tensor, Tensor] {
  const isExtremum = (value: Tensor, extremum: Tensor): Tensor => o.cast(o.equal(value, extremum), 'float32')
  const [ofX, ofSource] = [isExtremum(x, y), isExtremum(source, o.gather(y, index, axis))]
  // A place whose extremum is NaN has no element that equals it, and passes nothing.
  const share = o.div(g, o.maximum(o.scatterAdd(ofX, index, ofSource, axis), 1))
  return [o.mul(ofX, share), o.mul(ofSource, o.gather(share, index, axis))]
}

/** What no element is beyond: where a largest (smallest) element is looked for among none. */
function lowest(dtype: DType, kind: 'max' | 'min'): TypedArray {
  if (dtype === 'float32') return Float32Array.of(kind === 'max' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY)
  if (dtype === 'int64') return BigInt64Array.of(kind === 'max' ? -(2n ** 63n) : 2n ** 63n - 1n)
  return Int32Array.of(kind === 'max' ? -(2 ** 31) : 2 ** 31 - 1)
}

/** Numbers of a sample that lie apart: multiples of 0.1, those of another offset in between. */
function spaced(shape: Shape, offset: number): { shape: Shape; values: number[] } {
  const values = Array.from({ length: elementCount(shape) }, (_, i) => ((i * 29 + 7) % 31) / 10 + offset / 100)
  return { shape, values }
}

function defineScatterExtremum(kind: 'max' | 'min'): OpDefinition<ExtremumAttributes> {
  const name = kind === 'max' ? 'scatterMax' : 'scatterMin'
  const reduce = kind === 'max' ? 'amax' : 'amin'
  return defineOp<ExtremumAttributes>({
    name,
    infer: (inputs, { axis }) => inferScatter('scatterReduce', inputs, axis, number),
    gradient: (o, { inputs, outputs, attributes: { axis, includeSelf } }, [g]) => {
      if (!g) return []
      const [x, index, source] = [inputAt(name, inputs, 0), inputAt(name, inputs, 1), inputAt(name, inputs, 2)]
      const [byX, bySource] = shareScattered(o, [x, index, source], inputAt(name, outputs, 0), g, axis)
      return [includeSelf ? byX : o.scatter(byX, index, 0, axis), undefined, bySource]
    },
    lower: (emit, { inputs: [x = '', index = '', source = ''], inputTypes, attributes: { axis, includeSelf } }) => {
      const [{ dtype }, { shape }] = [inputAt(name, inputTypes, 0), inputAt(name, inputTypes, 1)]
      const without = (): string => {
        const neutral = emit.node('Expand', [emit.constant(dtype, [], lowest(dtype, kind)), emit.ints(shape)])
        return emit.node('ScatterElements', [x, index, neutral], { axis })
      }
      const base = includeSelf ? x : without()
      const extremum = emit.node('ScatterElements', [base, index, source], { axis, reduction: kind })
      if (dtype !== 'float32') return extremum
      // The kernel passes over NaN, depending on where it stands. Within bounds only NaN makes a sum NaN.
      const bounded = (values: string): string =>
        emit.node('Clip', [values, emit.scalar(-1, 'float32'), emit.scalar(1, 'float32')])
      const total = emit.node('ScatterElements', [bounded(base), index, bounded(source)], { axis, reduction: 'add' })
      return emit.node('Where', [emit.node('IsNaN', [total]), total, extremum])
    },
    samples: () => [
      {
        inputs: [spaced([4, 5], 1), places([3, 5], 4), spaced([3, 5], 6)],
        call: (x, i, s) => scatterReduce(x, i, s, 0, reduce),
        smooth: false,
      },
      {
        inputs: [spaced([3, 4], 1), places([2, 6], 4), spaced([3, 7], 6)],
        call: (x, i, s) => scatterReduce(x, i, s, -1, reduce),
        smooth: false,
      },
      {
        inputs: [{ shape: [3], dtype: 'int64' }, places([4], 3, 'int32'), { shape: [4], dtype: 'int64' }],
        call: (x, i, s) => scatterReduce(x, i, s, 0, reduce),
      },
      {
        inputs: [[3], places([4], 2), [4]],
        call: (x, i, s) => scatterReduce(x, i, s, 0, reduce, { includeSelf: false }),
        smooth: false,
      },
    ],
    errors: () => [
      { inputs: [[4, 5], places([3, 6], 4), [3, 6]], call: (x, i, s) => scatterReduce(x, i, s, 0, reduce) },
      {
        inputs: [[4], places([2], 4), { shape: [2], dtype: 'int32' }],
        call: (x, i, s) => scatterReduce(x, i, s, 0, reduce),
      },
    ],
  })
}
export const scatterMaxOp = defineScatterExtremum('max')
export const scatterMinOp = defineScatterExtremum('min')

/** y / factor where the factor is not 0; else the product of the others, which the caller gives. */
function quotient(o: Ops, product: Tensor, factor: Tensor, isZero: Tensor, others: Tensor): Tensor {
  return o.where(isZero, others, o.div(product, o.where(isZero, 1, factor)))
}

export const scatterProdOp = defineOp<AxisAttributes>({
  name: 'scatterProd',
  infer: (inputs, { axis }) => inferScatter('scatterReduce', inputs, axis, number),
  // The product of all other factors of a place: the quotient, but where a factor is 0.
  gradient: (o, { inputs, outputs, attributes: { axis } }, [g]) => {
    if (!g) return []
    const [x, index] = [inputAt('scatterProd', inputs, 0), inputAt('scatterProd', inputs, 1)]
    const [source, y] = [inputAt('scatterProd', inputs, 2), inputAt('scatterProd', outputs, 0)]
    const [xIsZero, sourceIsZero] = [o.equal(x, 0), o.equal(source, 0)]
    const product = (base: Tensor, factors: Tensor): Tensor => o.scatterReduce(base, index, factors, axis, 'prod')
    const withoutX = product(o.onesLike(x), source)
    const zeros = o.scatterAdd(o.zerosLike(x), index, o.cast(sourceIsZero, 'float32'), axis)
    const isOnlyZero = o.logicalAnd(sourceIsZero, o.equal(o.gather(zeros, index, axis), 1))
    const withoutZero = o.gather(product(x, o.where(isOnlyZero, 1, source)), index, axis)
    const others = o.where(isOnlyZero, withoutZero, 0)
    return [
      o.mul(g, quotient(o, y, x, xIsZero, withoutX)),
      undefined,
      o.mul(o.gather(g, index, axis), quotient(o, o.gather(y, index, axis), source, sourceIsZero, others)),
    ]
  },
  lower: (emit, { inputs, attributes: { axis } }) => emit.node('ScatterElements', inputs, { axis, reduction: 'mul' }),
  samples: () => [
    {
      inputs: [{ shape: [4, 5], range: [0.5, 2] }, places([3, 5], 4), { shape: [3, 5], range: [0.5, 2] }],
      call: (x, i, s) => scatterReduce(x, i, s, 0, 'prod'),
    },
    {
      inputs: [{ shape: [3], values: [0, 2, -1] }, places([4], 3, 'int32'), { shape: [4], values: [3, 0, 2, -2] }],
      call: (x, i, s) => scatterReduce(x, i, s, -1, 'prod'),
      smooth: false,
    },
    {
      inputs: [{ shape: [3], dtype: 'int64' }, places([4], 3), { shape: [4], dtype: 'int64' }],
      call: (x, i, s) => scatterReduce(x, i, s, 0, 'prod'),
    },
  ],
  errors: () => [
    { inputs: [[4, 5], places([3, 5], 4), [2, 5]], call: (x, i, s) => scatterReduce(x, i, s, 0, 'prod') },
    {
      inputs: [[4], places([2], 4), { shape: [2], dtype: 'int32' }],
      call: (x, i, s) => scatterReduce(x, i, s, 0, 'prod'),
    },
  ],
})

/** How `scatterReduce` combines what falls on one place. */
export type ScatterReduction = 'sum' | 'prod' | 'mean' | 'amax' | 'amin'
const reductions: readonly ScatterReduction[] = ['sum', 'prod', 'mean', 'amax', 'amin']

/** Options of `scatterReduce`. */
export interface ScatterReduceOptions {
  /** Whether x's own element is one of those that are combined at a place that occurs in the index. Default: true. */
  readonly includeSelf?: boolean
}

/** The mean of what falls on each place: sums divided by how many there were; whole numbers are rounded down. */
function scatterMean(
  [x, index, source]: readonly [Tensor, Tensor, Tensor],
  axis: number,
  includeSelf: boolean,
): Tensor {
  const counted = scatterAdd(includeSelf ? onesLike(x) : zerosLike(x), index, onesLike(source), axis)
  const count = maximum(counted, scalar(1, x.dtype))
  const total = scatterAdd(x, index, source, axis)
  return x.dtype === 'float32' ? div(total, count) : floorDivide(total, count)
}

/**
 * x with the source's elements combined at their places, as `scatterAdd` does with sums (`scatter_reduce` of PyTorch). Elements
 * that are the extremum of their place share its gradient equally.
 */
export function scatterReduce(
  x: Operand,
  index: Operand,
  source: Operand,
  axis: number,
  reduce: ScatterReduction,
  options?: ScatterReduceOptions,
): Tensor {
  const { includeSelf = true } = optionsOf('scatterReduce', options, { includeSelf: true })
  return checked(() => {
    requireOneOf('scatterReduce', 'reduce', reduce, reductions)
    requireFlag('scatterReduce', 'includeSelf', includeSelf)
    const [[given, target, used], at] = scatterInputs('scatterReduce', x, index, source, axis)
    inferScatter('scatterReduce', [given, target, used], at, number)
    if (reduce === 'amax' || reduce === 'amin') {
      const op = reduce === 'amax' ? scatterMaxOp : scatterMinOp
      return apply(op, [given, target, used], { axis: at, includeSelf })
    }
    const neutral = expand(scalar(reduce === 'prod' ? 1 : 0, given.dtype), target.shape)
    const input = includeSelf ? given : apply(scatterOp, [given, target, neutral], { axis: at })
    if (reduce === 'prod') return apply(scatterProdOp, [input, target, used], { axis: at })
    return reduce === 'sum' ? scatterAdd(input, target, used, at) : scatterMean([input, target, used], at, includeSelf)
  })
}
