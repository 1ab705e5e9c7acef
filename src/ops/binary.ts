/** Elementwise functions of two tensors: arithmetic, comparison, logic. Inputs broadcast as in NumPy. */
import type { DType } from '../tensor/dtype.ts'
import { broadcastShapes, sameShape } from '../tensor/shape.ts'
import type { Tensor, TensorType } from '../tensor/tensor.ts'
import { ShapeError } from '../util/errors.ts'
import {
  apply,
  constantValue,
  defineOp,
  type Emitter,
  inputAt,
  type OpDefinition,
  type Operand,
  type Ops,
  requireDType,
  type Sample,
  type SampleInput,
  toTensors,
} from './define.ts'

import { expandOp } from './movement.ts'

type NoAttributes = Record<string, never>
const none: NoAttributes = {}

const float: readonly DType[] = ['float32']
const number: readonly DType[] = ['float32', 'int32', 'int64']

/** Both operands must have one dtype; the error names the cure. */
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

/** The tensor behind an expand, which broadcasts to the same values. */
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
      // An identity with a broadcast operand would change the shape: then it is no simplification.
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
export const divOp = defineBinary('div', div, {
  onnx: 'Div',
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
  onnx: 'Pow',
  dtypes: float,
  ranges: [
    [0.5, 2],
    [0.5, 2],
  ],
  gradient: (o, a, b, y, g) => {
    // d/da = b a^(b-1), 0 where b = 0; d/db = y log a, 0 where a = 0 and b >= 0 (as PyTorch).
    const da = o.where(o.equal(b, 0), 0, o.mul(b, o.pow(a, o.sub(b, 1))))
    const db = o.where(o.logicalAnd(o.equal(a, 0), o.greaterOrEqual(b, 0)), 0, o.mul(y, o.log(a)))
    return [o.mul(g, da), o.mul(g, db)]
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
export const maximumOp = defineBinary('maximum', maximum, {
  onnx: 'Max',
  smooth: false,
  gradient: (o, a, b, _y, g) => extremumGradient(o, o.greater(a, b), o.equal(a, b), g),
})
export const minimumOp = defineBinary('minimum', minimum, {
  onnx: 'Min',
  smooth: false,
  gradient: (o, a, b, _y, g) => extremumGradient(o, o.less(a, b), o.equal(a, b), g),
})
/** a - b * trunc(a / b) computed as C's fmod; the remainder has the sign of the dividend. */
export const fmodOp = defineBinary('fmod', fmod, {
  onnx: 'Mod',
  ranges: [
    [1.2, 1.4],
    [0.8, 1],
  ],
  smooth: false,
  lower: (emit, inputs) => emit.node('Mod', inputs, { fmod: 1 }),
  // Not trunc(a / b): the quotient as rounded may be the next whole number.
  gradient: (o, a, b, y, g) => [g, o.neg(o.mul(g, o.round(o.div(o.sub(a, y), b))))],
})
/** What can be compared and chosen between: everything. */
export const comparable: readonly DType[] = ['float32', 'int32', 'int64', 'uint8', 'bool']
/** Kernels compare int32 where they know neither uint8 nor bool. */
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
const bool: readonly DType[] = ['bool']
export const logicalAndOp = defineBinary('logicalAnd', logicalAnd, { onnx: 'And', dtypes: bool })
export const logicalOrOp = defineBinary('logicalOr', logicalOr, { onnx: 'Or', dtypes: bool })
export const logicalXorOp = defineBinary('logicalXor', logicalXor, { onnx: 'Xor', dtypes: bool })

/** a + b. */
export function add(a: Operand, b: Operand): Tensor {
  return apply(addOp, toTensors([a, b]), none)
}
/** a - b. */
export function sub(a: Operand, b: Operand): Tensor {
  return apply(subOp, toTensors([a, b]), none)
}
/** a * b. */
export function mul(a: Operand, b: Operand): Tensor {
  return apply(mulOp, toTensors([a, b]), none)
}
/** a / b; for integers the quotient is truncated toward zero. */
export function div(a: Operand, b: Operand): Tensor {
  return apply(divOp, toTensors([a, b]), none)
}
/** a^b. */
export function pow(a: Operand, b: Operand): Tensor {
  return apply(powOp, toTensors([a, b]), none)
}
/** The larger of a and b; where equal, each gets half of the gradient. */
export function maximum(a: Operand, b: Operand): Tensor {
  return apply(maximumOp, toTensors([a, b]), none)
}
/** The smaller of a and b; where equal, each gets half of the gradient. */
export function minimum(a: Operand, b: Operand): Tensor {
  return apply(minimumOp, toTensors([a, b]), none)
}
/** Remainder of a / b truncated toward zero: it has the sign of a. */
export function fmod(a: Operand, b: Operand): Tensor {
  return apply(fmodOp, toTensors([a, b]), none)
}
export function equal(a: Operand, b: Operand): Tensor {
  return apply(equalOp, toTensors([a, b]), none)
}
export function less(a: Operand, b: Operand): Tensor {
  return apply(lessOp, toTensors([a, b]), none)
}
export function lessOrEqual(a: Operand, b: Operand): Tensor {
  return apply(lessOrEqualOp, toTensors([a, b]), none)
}
export function greater(a: Operand, b: Operand): Tensor {
  return apply(greaterOp, toTensors([a, b]), none)
}
export function greaterOrEqual(a: Operand, b: Operand): Tensor {
  return apply(greaterOrEqualOp, toTensors([a, b]), none)
}
export function logicalAnd(a: Operand, b: Operand): Tensor {
  return apply(logicalAndOp, toTensors([a, b]), none)
}
export function logicalOr(a: Operand, b: Operand): Tensor {
  return apply(logicalOrOp, toTensors([a, b]), none)
}
export function logicalXor(a: Operand, b: Operand): Tensor {
  return apply(logicalXorOp, toTensors([a, b]), none)
}
