/** Elementwise functions of one tensor. */
import type { DType } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireWhole, requireWithin } from '../../util/check.ts'
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
  toTensor,
} from '../define.ts'
import { div, mul } from './binary.ts'
import { emitLog } from './not-a-number.ts'

type NoAttributes = Record<string, never>
const none: NoAttributes = {}

const float: readonly DType[] = ['float32']
const number: readonly DType[] = ['float32', 'int32', 'int64']

interface UnaryOptions {
  readonly onnx?: string
  readonly dtypes?: readonly DType[]
  /** d loss / d x from x, y = f(x) and g = d loss / d y. */
  readonly gradient?: (o: Ops, x: Tensor, y: Tensor, g: Tensor) => Tensor
  readonly result?: DType
  readonly range?: readonly [number, number]
  readonly smooth?: boolean
  /** ONNX nodes of a function that ONNX lacks. */
  readonly lower?: (emit: Emitter, x: string, dtype: DType) => string
}

/** Declares an elementwise function: one ONNX node, or the nodes that `lower` writes. */
export function defineUnary(
  name: string,
  call: (x: Tensor) => Tensor,
  options: UnaryOptions,
): OpDefinition<NoAttributes> {
  const { onnx = '', gradient, result, range, smooth, lower } = options
  const allowed = options.dtypes ?? float
  const sample = (shape: readonly number[]): Sample => ({
    inputs: [{ shape, dtype: allowed[0] ?? 'float32', range: range ?? [-2, 2] }],
    call,
    smooth: smooth ?? true,
  })
  return defineOp<NoAttributes>({
    name,
    infer: (inputs) => {
      const x = inputAt(name, inputs, 0)
      requireDType(name, 'input', x, allowed)
      return [{ dtype: result ?? x.dtype, shape: x.shape }]
    },
    ...(gradient && {
      gradient: (o, { inputs, outputs }, [g]) => [
        g && gradient(o, inputAt(name, inputs, 0), inputAt(name, outputs, 0), g),
      ],
    }),
    lower: (emit, { inputs, inputTypes }) =>
      lower ? lower(emit, inputAt(name, inputs, 0), inputAt(name, inputTypes, 0).dtype) : emit.node(onnx, inputs),
    samples: () => [sample([]), sample([2, 3]), sample([1, 4, 1])],
    errors: () => [{ inputs: [{ shape: [2], dtype: allowed.includes('bool') ? 'float32' : 'bool' }], call }],
  })
}

export const negOp = defineUnary('neg', neg, { onnx: 'Neg', dtypes: number, gradient: (o, _x, _y, g) => o.neg(g) })
export const absOp = defineUnary('abs', abs, {
  onnx: 'Abs',
  dtypes: number,
  smooth: false,
  gradient: (o, x, _y, g) => o.mul(g, o.sign(x)),
})
export const signOp = defineUnary('sign', sign, {
  dtypes: number,
  // ONNX Runtime 1.30 looks at the lower 32 bits of an int64 only.
  lower: (emit, x, dtype) => {
    if (dtype !== 'int64') return emit.node('Sign', [x])
    const indicator = (type: 'Greater' | 'Less'): string =>
      emit.cast(emit.node(type, [x, emit.scalar(0, dtype)]), dtype)
    return emit.node('Sub', [indicator('Greater'), indicator('Less')])
  },
})
export const expOp = defineUnary('exp', exp, { onnx: 'Exp', gradient: (o, _x, y, g) => o.mul(g, y) })
export const logOp = defineUnary('log', log, {
  lower: emitLog,
  range: [0.3, 3],
  gradient: (o, x, _y, g) => o.div(g, x),
})
export const sqrtOp = defineUnary('sqrt', sqrt, {
  onnx: 'Sqrt',
  range: [0.3, 3],
  gradient: (o, _x, y, g) => o.div(o.mul(g, 0.5), y),
})
export const reciprocalOp = defineUnary('reciprocal', reciprocal, {
  onnx: 'Reciprocal',
  range: [0.3, 3],
  gradient: (o, _x, y, g) => o.neg(o.mul(g, o.mul(y, y))),
})
export const sinOp = defineUnary('sin', sin, { onnx: 'Sin', gradient: (o, x, _y, g) => o.mul(g, o.cos(x)) })
export const cosOp = defineUnary('cos', cos, { onnx: 'Cos', gradient: (o, x, _y, g) => o.neg(o.mul(g, o.sin(x))) })
export const tanOp = defineUnary('tan', tan, {
  onnx: 'Tan',
  range: [-1, 1],
  gradient: (o, _x, y, g) => o.mul(g, o.add(o.mul(y, y), 1)),
})
export const asinOp = defineUnary('asin', asin, {
  onnx: 'Asin',
  range: [-0.8, 0.8],
  gradient: (o, x, _y, g) => o.div(g, o.sqrt(o.sub(1, o.mul(x, x)))),
})
export const acosOp = defineUnary('acos', acos, {
  onnx: 'Acos',
  range: [-0.8, 0.8],
  gradient: (o, x, _y, g) => o.neg(o.div(g, o.sqrt(o.sub(1, o.mul(x, x))))),
})
export const atanOp = defineUnary('atan', atan, {
  onnx: 'Atan',
  gradient: (o, x, _y, g) => o.div(g, o.add(o.mul(x, x), 1)),
})
export const sinhOp = defineUnary('sinh', sinh, { onnx: 'Sinh', gradient: (o, x, _y, g) => o.mul(g, o.cosh(x)) })
export const coshOp = defineUnary('cosh', cosh, { onnx: 'Cosh', gradient: (o, x, _y, g) => o.mul(g, o.sinh(x)) })
export const asinhOp = defineUnary('asinh', asinh, {
  onnx: 'Asinh',
  gradient: (o, x, _y, g) => o.div(g, o.sqrt(o.add(o.mul(x, x), 1))),
})
export const acoshOp = defineUnary('acosh', acosh, {
  onnx: 'Acosh',
  range: [1.3, 3],
  gradient: (o, x, _y, g) => o.div(g, o.sqrt(o.sub(o.mul(x, x), 1))),
})
export const atanhOp = defineUnary('atanh', atanh, {
  onnx: 'Atanh',
  range: [-0.8, 0.8],
  gradient: (o, x, _y, g) => o.div(g, o.sub(1, o.mul(x, x))),
})
export const tanhOp = defineUnary('tanh', tanh, {
  // ONNX Runtime's kernel is up to two roundings above 1 between 8 and 9: 1 - y^2 must not be below 0.
  lower: (emit, x) => {
    const y = emit.node('Tanh', [x])
    return emit.fused ? emit.node('Clip', [y, emit.scalar(-1, 'float32'), emit.scalar(1, 'float32')]) : y
  },
  gradient: (o, _x, y, g) => o.mul(g, o.sub(1, o.mul(y, y))),
})
export const erfOp = defineUnary('erf', erf, {
  onnx: 'Erf',
  gradient: (o, x, _y, g) => o.mul(g, o.mul(o.exp(o.neg(o.mul(x, x))), 2 / Math.sqrt(Math.PI))),
})
export const reluOp = defineUnary('relu', relu, {
  lower: (emit, x) => {
    if (emit.has('Relu')) return emit.node('Relu', [x])
    const zero = emit.scalar(0, 'float32')
    return emit.node('Where', [emit.node('Less', [x, zero]), zero, x])
  },
  smooth: false,
  // A product with 0 and 1: a choice takes several times as long.
  gradient: (o, _x, y, g) => o.mul(g, o.unitStep(y)),
})
/** The largest float32: its product with any normal number is above 1. */
const steepest = (2 - 2 ** -23) * 2 ** 127
export const unitStepOp = defineUnary('unitStep', unitStep, {
  smooth: false,
  // One pass over memory where a comparison and a cast take three times as long.
  lower: (emit, x) => emit.node('HardSigmoid', [x], { alpha: { float: steepest }, beta: { float: 0 } }),
})
export const floorOp = defineUnary('floor', floor, { onnx: 'Floor', smooth: false })
export const ceilOp = defineUnary('ceil', ceil, { onnx: 'Ceil', smooth: false })
export const roundOp = defineUnary('round', round, { onnx: 'Round', smooth: false })
export const isNanOp = defineUnary('isNan', isNan, { onnx: 'IsNaN', result: 'bool' })
export const isInfOp = defineUnary('isInf', isInf, { onnx: 'IsInf', result: 'bool' })
export const logicalNotOp = defineUnary('logicalNot', logicalNot, { onnx: 'Not', dtypes: ['bool'] })

/** -x. */
export function neg(x: Operand): Tensor {
  return apply(negOp, [toTensor('neg', x)], none)
}
/** |x|; the gradient at 0 is 0. */
export function abs(x: Operand): Tensor {
  return apply(absOp, [toTensor('abs', x)], none)
}
/** -1, 0 or 1; no gradient. */
export function sign(x: Operand): Tensor {
  return apply(signOp, [toTensor('sign', x)], none)
}
/** e^x. */
export function exp(x: Operand): Tensor {
  return apply(expOp, [toTensor('exp', x)], none)
}
/** Natural logarithm. */
export function log(x: Operand): Tensor {
  return apply(logOp, [toTensor('log', x)], none)
}
export function sqrt(x: Operand): Tensor {
  return apply(sqrtOp, [toTensor('sqrt', x)], none)
}
/** 1 / x. */
export function reciprocal(x: Operand): Tensor {
  return apply(reciprocalOp, [toTensor('reciprocal', x)], none)
}
export function sin(x: Operand): Tensor {
  return apply(sinOp, [toTensor('sin', x)], none)
}
export function cos(x: Operand): Tensor {
  return apply(cosOp, [toTensor('cos', x)], none)
}
export function tan(x: Operand): Tensor {
  return apply(tanOp, [toTensor('tan', x)], none)
}
export function asin(x: Operand): Tensor {
  return apply(asinOp, [toTensor('asin', x)], none)
}
export function acos(x: Operand): Tensor {
  return apply(acosOp, [toTensor('acos', x)], none)
}
export function atan(x: Operand): Tensor {
  return apply(atanOp, [toTensor('atan', x)], none)
}
export function sinh(x: Operand): Tensor {
  return apply(sinhOp, [toTensor('sinh', x)], none)
}
export function cosh(x: Operand): Tensor {
  return apply(coshOp, [toTensor('cosh', x)], none)
}
export function asinh(x: Operand): Tensor {
  return apply(asinhOp, [toTensor('asinh', x)], none)
}
export function acosh(x: Operand): Tensor {
  return apply(acoshOp, [toTensor('acosh', x)], none)
}
export function atanh(x: Operand): Tensor {
  return apply(atanhOp, [toTensor('atanh', x)], none)
}
export function tanh(x: Operand): Tensor {
  return apply(tanhOp, [toTensor('tanh', x)], none)
}
/** erf(x) = 2/sqrt(pi) * integral of exp(-t^2) from 0 to x. */
export function erf(x: Operand): Tensor {
  return apply(erfOp, [toTensor('erf', x)], none)
}
/** 1 where x is above 0, else 0, in x's dtype; its gradient is 0. Below 2^-128 (subnormal numbers) it is between 0 and 1. */
export function unitStep(x: Operand): Tensor {
  return apply(unitStepOp, [toTensor('unitStep', x)], none)
}
/** max(x, 0); the gradient at 0 is 0. */
export function relu(x: Operand): Tensor {
  return apply(reluOp, [toTensor('relu', x)], none)
}
export function floor(x: Operand): Tensor {
  return apply(floorOp, [toTensor('floor', x)], none)
}
export function ceil(x: Operand): Tensor {
  return apply(ceilOp, [toTensor('ceil', x)], none)
}
/** To the nearest multiple of 10^-decimals (default: whole numbers), halves to the even one; no gradient. */
export function round(x: Operand, options?: { readonly decimals?: number }): Tensor {
  const { decimals = 0 } = optionsOf('round', options, { decimals: true })
  checked(() => {
    requireWhole('round', 'decimals', decimals)
    // Beyond, 10^decimals is not a float32.
    requireWithin('round', 'decimals', decimals, [-38, 38])
  })
  if (decimals === 0) return apply(roundOp, [toTensor('round', x)], none)
  // Powers of ten with whole exponents are exact in float32, their reciprocals are not.
  const scale = 10 ** Math.abs(decimals)
  return decimals > 0 ? div(round(mul(x, scale)), scale) : mul(round(div(x, scale)), scale)
}
export function isNan(x: Operand): Tensor {
  return apply(isNanOp, [toTensor('isNan', x)], none)
}
export function isInf(x: Operand): Tensor {
  return apply(isInfOp, [toTensor('isInf', x)], none)
}
export function logicalNot(x: Operand): Tensor {
  return apply(logicalNotOp, [toTensor('logicalNot', x)], none)
}
