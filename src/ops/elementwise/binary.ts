/** Elementwise functions of two tensors: arithmetic, comparison, logic. Inputs broadcast as in NumPy. */
import { type DType, holdsNumber, wholeRanges } from '../../tensor/dtype.ts'
import { broadcastShapes, sameShape } from '../../tensor/shape.ts'
import type { Tensor, TensorType } from '../../tensor/tensor.ts'
import { Variable } from '../../tensor/variable.ts'
import { ShapeError } from '../../util/errors.ts'
import {
  apply,
  checked,
  constantValue,
  defineOp,
  type Emitter,
  inputAt,
  isTensorLike,
  type OpDefinition,
  type Operand,
  type Ops,
  requireDType,
  type Sample,
  type SampleInput,
  scalar,
  toTensors,
} from '../define.ts'
import { expand, expandOp } from '../movement/movement.ts'

type NoAttributes = Record<string, never>
const none: NoAttributes = {}

const float: readonly DType[] = ['float32']
const number: readonly DType[] = ['float32', 'int32', 'int64']

/** Both operands must have one dtype; the error says how to convert. */
export function inferBroadcast(name: string, inputs: readonly TensorType[], dtypes: readonly DType[]): TensorType {
  const a = inputAt(name, inputs, 0)
  for (const input of inputs) {
    requireDType(name, 'input', input, dtypes)
    if (input.dtype !== a.dtype) {
      throw new ShapeError(`${name}: operands must have one dtype, found ${inputs.map((t) => t.dtype).join(' and ')}`, {
        hint: 'convert one of them with cast(x, dtype)',
      })
    }
  }
  return {
    dtype: a.dtype,
    shape: broadcastShapes(
      name,
      inputs.map((t) => t.shape),
    ),
  }
}

/** The tensor before an expand, which broadcasts to the same values. */
function withoutExpand(tensor: Tensor): Tensor {
  if (tensor.source.kind !== 'node' || tensor.source.node.op !== expandOp) return tensor
  return inputAt('expand', tensor.source.node.inputs, 0)
}

interface BinaryOptions {
  readonly onnx?: string
  readonly dtypes?: readonly DType[]
  readonly result?: DType
  /** Gradients of a and b before they are summed back to the operands' shapes. */
  readonly gradient?: (
    o: Ops,
    a: Tensor,
    b: Tensor,
    y: Tensor,
    g: Tensor,
  ) => readonly [Tensor | undefined, Tensor | undefined]
  readonly lower?: (emit: Emitter, inputs: readonly string[], types: readonly TensorType[]) => string
  readonly simplify?: (o: Ops, a: Tensor, b: Tensor, y: Tensor) => Tensor | undefined
  /** Ranges of the sample values of a and b, where the function is defined and differentiable. */
  readonly ranges?: readonly [readonly [number, number], readonly [number, number]]
  readonly smooth?: boolean
}

/** Declares an elementwise function of two tensors: one ONNX node, or the nodes that `lower` writes. */
export function defineBinary(
  name: string,
  call: (a: Tensor, b: Tensor) => Tensor,
  options: BinaryOptions,
): OpDefinition<NoAttributes> {
  const { onnx = '', result, gradient, lower, simplify, ranges, smooth } = options
  const dtypes = options.dtypes ?? number
  const input = (shape: readonly number[], operand: 0 | 1): SampleInput => ({
    shape,
    dtype: dtypes[0] ?? 'float32',
    range: ranges?.[operand] ?? [-2, 2],
  })
  const sample = (a: readonly number[], b: readonly number[]): Sample => ({
    inputs: [input(a, 0), input(b, 1)],
    call,
    smooth: smooth ?? true,
  })
  return defineOp<NoAttributes>({
    name,
    infer: (inputs) => {
      const type = inferBroadcast(name, inputs, dtypes)
      return [{ dtype: result ?? type.dtype, shape: type.shape }]
    },
    ...(gradient && {
      gradient: (o, { inputs, outputs }, [g]) => {
        const [a, b] = [inputAt(name, inputs, 0), inputAt(name, inputs, 1)]
        if (!g) return []
        const [ga, gb] = gradient(o, a, b, inputAt(name, outputs, 0), g)
        return [ga && o.sumTo(ga, a.shape), gb && o.sumTo(gb, b.shape)]
      },
    }),
    simplify: (o, { inputs, outputs }) => {
      const [a, b, y] = [inputAt(name, inputs, 0), inputAt(name, inputs, 1), inputAt(name, outputs, 0)]
      const simpler = simplify?.(o, a, b, y)
      // An identity with a broadcast operand would change the shape, so it is not a simplification.
      if (simpler && sameShape(simpler.shape, y.shape)) return [simpler]
      const [narrowA, narrowB] = [withoutExpand(a), withoutExpand(b)]
      // The op broadcasts by itself: what was expanded for it need not be stored at full size.
      if (narrowA !== a && sameShape(broadcastShapes(name, [narrowA.shape, b.shape]), y.shape))
        return [call(narrowA, b)]
      if (narrowB !== b && sameShape(broadcastShapes(name, [a.shape, narrowB.shape]), y.shape))
        return [call(a, narrowB)]
      return undefined
    },
    lower: (emit, { inputs, inputTypes }) => (lower ? lower(emit, inputs, inputTypes) : emit.node(onnx, inputs)),
    samples: () => [sample([2, 3], [2, 3]), sample([2, 1, 3], [4, 1]), sample([], [2, 2]), sample([1], [1])],
    errors: () => [
      sample([2, 3], [2, 4]),
      { inputs: [input([2], 0), { shape: [2], dtype: dtypes[0] === 'bool' ? 'float32' : 'bool' }], call },
    ],
  })
}

export const addOp = defineBinary('add', add, {
  onnx: 'Add',
  gradient: (_o, _a, _b, _y, g) => [g, g],
  simplify: (_o, a, b) => (constantValue(b) === 0 ? a : constantValue(a) === 0 ? b : undefined),
})
export const subOp = defineBinary('sub', sub, {
  onnx: 'Sub',
  gradient: (o, _a, _b, _y, g) => [g, o.neg(g)],
  simplify: (o, a, b) => (constantValue(b) === 0 ? a : constantValue(a) === 0 ? o.neg(b) : undefined),
})
export const mulOp = defineBinary('mul', mul, {
  onnx: 'Mul',
  gradient: (o, a, b, _y, g) => [o.mul(g, b), o.mul(g, a)],
  simplify: (_o, a, b) => (constantValue(b) === 1 ? a : constantValue(a) === 1 ? b : undefined),
})
/** Quotients of integers; by -1 the processor would stop at the lowest one. */
function lowerWholeQuotient(emit: Emitter, [a = '', b = '']: readonly string[], dtype: DType): string {
  const isMinusOne = emit.node('Equal', [b, emit.scalar(-1, dtype)])
  const quotient = emit.node('Div', [a, emit.node('Where', [isMinusOne, emit.scalar(1, dtype), b])])
  return emit.node('Where', [isMinusOne, emit.node('Neg', [a]), quotient])
}
export const divOp = defineBinary('div', div, {
  lower: (emit, inputs, [type]) =>
    type === undefined || type.dtype === 'float32'
      ? emit.node('Div', inputs)
      : lowerWholeQuotient(emit, inputs, type.dtype),
  ranges: [
    [0.5, 2],
    [0.5, 2],
  ],
  gradient: (o, _a, b, y, g) => {
    const ga = o.div(g, b)
    return [ga, o.neg(o.mul(ga, y))]
  },
  simplify: (_o, a, b) => (constantValue(b) === 1 ? a : undefined),
})
export const powOp = defineBinary('pow', pow, {
  lower: (emit, [a = '', b = '']) => {
    const y = emit.node('Pow', [a, b])
    if (emit.has('Pow')) return y
    const isWhole = emit.node('Equal', [b, emit.node('Floor', [b])])
    const ofNegative = emit.node('Where', [isWhole, y, emit.scalar(Number.NaN, 'float32')])
    return emit.node('Where', [emit.node('GreaterOrEqual', [a, emit.scalar(0, 'float32')]), y, ofNegative])
  },
  dtypes: float,
  ranges: [
    [0.5, 2],
    [0.5, 2],
  ],
  gradient: (o, a, b, y, g) => {
    // d/da = b a^(b-1), 0 where b = 0; d/db = y log a, 0 where a = 0 and b >= 0 (as PyTorch).
    const exponent = constantValue(b)
    const slope = (): Tensor => o.mul(b, o.pow(a, exponent === undefined ? o.sub(b, 1) : exponent - 1))
    // A constant: no gradient of a power that is left out, which would be 0 times infinity at 0.
    const da = exponent === undefined ? o.where(o.equal(b, 0), 0, slope()) : exponent === 0 ? undefined : slope()
    const db = o.where(o.logicalAnd(o.equal(a, 0), o.greaterOrEqual(b, 0)), 0, o.mul(y, o.log(a)))
    return [da && o.mul(g, da), o.mul(g, db)]
  },
  simplify: (o, a, b) => {
    const exponent = constantValue(b)
    if (exponent === 1) return a
    if (exponent === 2) return o.mul(a, a)
    if (exponent === 0.5) return o.sqrt(a)
    if (exponent === -1) return o.reciprocal(a)
    return undefined
  },
})
/** Half of the gradient goes to each operand where they are equal, as in PyTorch. */
function extremumGradient(o: Ops, wins: Tensor, equal: Tensor, g: Tensor): readonly [Tensor, Tensor] {
  const half = o.mul(g, 0.5)
  return [o.where(equal, half, o.where(wins, g, 0)), o.where(equal, half, o.where(wins, 0, g))]
}
/**
 * The larger (`Greater`) or the smaller (`Less`) of two. ONNX Runtime 1.30 compares int64 in 32 bits here: its Max of 1 and 2^31
 * is 1. Its comparisons are right.
 */
export function emitExtremum(
  emit: Emitter,
  comparison: 'Greater' | 'Less',
  inputs: readonly string[],
  dtype: DType,
): string {
  const kernel = comparison === 'Greater' ? 'Max' : 'Min'
  return dtype === 'int64' ? emit.node('Where', [emit.node(comparison, inputs), ...inputs]) : emit.node(kernel, inputs)
}
export const maximumOp = defineBinary('maximum', maximum, {
  lower: (emit, inputs, types) => emitExtremum(emit, 'Greater', inputs, inputAt('maximum', types, 0).dtype),
  smooth: false,
  gradient: (o, a, b, _y, g) => extremumGradient(o, o.greater(a, b), o.equal(a, b), g),
})
export const minimumOp = defineBinary('minimum', minimum, {
  lower: (emit, inputs, types) => emitExtremum(emit, 'Less', inputs, inputAt('minimum', types, 0).dtype),
  smooth: false,
  gradient: (o, a, b, _y, g) => extremumGradient(o, o.less(a, b), o.equal(a, b), g),
})
/**
 * C's remainder of int64. With `fmod` the kernel computes in float64, without it the remainder has the sign of b, and by -1 the
 * processor would stop at the lowest number.
 */
function lowerWholeRemainder(emit: Emitter, a: string, b: string): string {
  const [zero, one] = [emit.scalar(0, 'int64'), emit.scalar(1, 'int64')]
  const divisor = emit.node('Where', [emit.node('Equal', [b, emit.scalar(-1, 'int64')]), one, b])
  const rest = emit.node('Mod', [a, divisor])
  const signsDiffer = emit.node('Xor', [emit.node('Less', [a, zero]), emit.node('Less', [rest, zero])])
  const isOpposite = emit.node('And', [emit.node('Not', [emit.node('Equal', [rest, zero])]), signsDiffer])
  return emit.node('Where', [isOpposite, emit.node('Sub', [rest, divisor]), rest])
}
/** a - b * trunc(a / b) computed as C's fmod; the remainder has the sign of the dividend. */
export const fmodOp = defineBinary('fmod', fmod, {
  onnx: 'Mod',
  ranges: [
    [1.2, 1.4],
    [0.8, 1],
  ],
  smooth: false,
  lower: (emit, inputs, types) => {
    const [a = '', b = ''] = inputs
    return types[0]?.dtype === 'int64' ? lowerWholeRemainder(emit, a, b) : emit.node('Mod', inputs, { fmod: 1 })
  },
  gradient: (o, a, b, y, g) => {
    // Not trunc(a / b): the quotient as rounded may be the next whole number. By 0 there is no remainder to take off.
    const quotient = o.where(o.equal(b, 0), o.div(a, b), o.round(o.div(o.sub(a, y), b)))
    return [g, o.neg(o.mul(g, quotient))]
  },
})
/** The dtypes that can be compared and chosen between: all of them. */
export const comparable: readonly DType[] = ['float32', 'int32', 'int64', 'uint8', 'bool']
/** uint8 and bool are compared as int32: the kernels lack them. */
function lowerComparison(type: string) {
  return (emit: Emitter, inputs: readonly string[], types: readonly TensorType[]): string => {
    const small = types[0]?.dtype === 'uint8' || types[0]?.dtype === 'bool'
    return emit.node(type, small ? inputs.map((name) => emit.cast(name, 'int32')) : inputs)
  }
}
function defineComparison(
  name: string,
  call: (a: Tensor, b: Tensor) => Tensor,
  onnx: string,
): OpDefinition<NoAttributes> {
  return defineBinary(name, call, { onnx, dtypes: comparable, result: 'bool', lower: lowerComparison(onnx) })
}
export const equalOp = defineComparison('equal', equal, 'Equal')
export const lessOp = defineComparison('less', less, 'Less')
export const lessOrEqualOp = defineComparison('lessOrEqual', lessOrEqual, 'LessOrEqual')
export const greaterOp = defineComparison('greater', greater, 'Greater')
export const greaterOrEqualOp = defineComparison('greaterOrEqual', greaterOrEqual, 'GreaterOrEqual')
/** The comparison with its operands exchanged. */
const mirrored = {
  equal: 'equal',
  less: 'greater',
  lessOrEqual: 'greaterOrEqual',
  greater: 'less',
  greaterOrEqual: 'lessOrEqual',
} as const
type Comparison = keyof typeof mirrored
const comparisons: Readonly<Record<Comparison, OpDefinition<NoAttributes>>> = {
  equal: equalOp,
  less: lessOp,
  lessOrEqual: lessOrEqualOp,
  greater: greaterOp,
  greaterOrEqual: greaterOrEqualOp,
}

/** x compared with a number that its dtype (an integer's or bool) does not hold: the answer for the number as it is. */
function compareBeyond(name: Comparison, x: Tensor, value: number, dtype: Exclude<DType, 'float32'>): Tensor {
  const everywhere = (answer: boolean): Tensor => expand(scalar(Number(answer), 'bool'), x.shape)
  const isWhole = Number.isInteger(value)
  // Beyond 2^53 int64 still holds the number; a comparison needs no arithmetic with it.
  if (dtype === 'int64' && isWhole && BigInt.asIntN(64, BigInt(value)) === BigInt(value))
    return apply(comparisons[name], [x, scalar(BigInt(value), dtype)], none)
  if (name === 'equal' || Number.isNaN(value)) return everywhere(false)
  const isLess = name.startsWith('less')
  const [low, high] = wholeRanges[dtype]
  if (value > high) return everywhere(isLess)
  if (value < low) return everywhere(!isLess)
  // A fraction: smaller integers are at or below the whole number before it.
  return apply(isLess ? lessOrEqualOp : greaterOp, [x, scalar(Math.floor(value), dtype)], none)
}

function compare(name: Comparison, a: Operand, b: Operand): Tensor {
  const [x, value, side] = typeof a === 'number' ? [b, a, mirrored[name]] : [a, b, name]
  if (typeof value === 'number' && isTensorLike(x) && x.dtype !== 'float32' && !holdsNumber(x.dtype, value))
    return compareBeyond(side, x instanceof Variable ? x.value : x, value, x.dtype)
  return apply(comparisons[name], toTensors(name, [a, b]), none)
}

const bool: readonly DType[] = ['bool']
export const logicalAndOp = defineBinary('logicalAnd', logicalAnd, { onnx: 'And', dtypes: bool })
export const logicalOrOp = defineBinary('logicalOr', logicalOr, { onnx: 'Or', dtypes: bool })
export const logicalXorOp = defineBinary('logicalXor', logicalXor, { onnx: 'Xor', dtypes: bool })

/** The operands of a quotient: division of integers by 0 is refused here, with a clearer message than the runtime's. */
export function withoutZero(op: string, operands: readonly [Tensor, Tensor]): readonly [Tensor, Tensor] {
  const [, divisor] = operands
  const { source, dtype } = divisor
  return checked(() => {
    if (dtype !== 'float32' && source.kind === 'constant' && Array.from(source.data, Number).includes(0))
      throw new ShapeError(`${op}: integers cannot be divided by 0, found ${divisor} with a 0`)
    return operands
  })
}

/** a + b. */
export function add(a: Operand, b: Operand): Tensor {
  return apply(addOp, toTensors('add', [a, b]), none)
}
/** a - b. */
export function sub(a: Operand, b: Operand): Tensor {
  return apply(subOp, toTensors('sub', [a, b]), none)
}
/** a * b. */
export function mul(a: Operand, b: Operand): Tensor {
  return apply(mulOp, toTensors('mul', [a, b]), none)
}
/** a / b; for integers the quotient is truncated toward zero. */
export function div(a: Operand, b: Operand): Tensor {
  return apply(divOp, withoutZero('div', toTensors('div', [a, b])), none)
}
/** a^b. */
export function pow(a: Operand, b: Operand): Tensor {
  return apply(powOp, toTensors('pow', [a, b]), none)
}
/** The larger of a and b; where equal, each gets half of the gradient. */
export function maximum(a: Operand, b: Operand): Tensor {
  return apply(maximumOp, toTensors('maximum', [a, b]), none)
}
/** The smaller of a and b; where equal, each gets half of the gradient. */
export function minimum(a: Operand, b: Operand): Tensor {
  return apply(minimumOp, toTensors('minimum', [a, b]), none)
}
/** Remainder of a / b truncated toward zero: it has the sign of a. */
export function fmod(a: Operand, b: Operand): Tensor {
  return apply(fmodOp, withoutZero('fmod', toTensors('fmod', [a, b])), none)
}
export function equal(a: Operand, b: Operand): Tensor {
  return compare('equal', a, b)
}
export function less(a: Operand, b: Operand): Tensor {
  return compare('less', a, b)
}
export function lessOrEqual(a: Operand, b: Operand): Tensor {
  return compare('lessOrEqual', a, b)
}
export function greater(a: Operand, b: Operand): Tensor {
  return compare('greater', a, b)
}
export function greaterOrEqual(a: Operand, b: Operand): Tensor {
  return compare('greaterOrEqual', a, b)
}
export function logicalAnd(a: Operand, b: Operand): Tensor {
  return apply(logicalAndOp, toTensors('logicalAnd', [a, b]), none)
}
export function logicalOr(a: Operand, b: Operand): Tensor {
  return apply(logicalOrOp, toTensors('logicalOr', [a, b]), none)
}
export function logicalXor(a: Operand, b: Operand): Tensor {
  return apply(logicalXorOp, toTensors('logicalXor', [a, b]), none)
}
