/**
 * Elementwise functions that ONNX lacks and that a formula of other ops would compute, or differentiate, inaccurately:
 * each is written as ONNX nodes and has its gradient in closed form.
 */
import type { Tensor } from '../../tensor/tensor.ts'
import { apply, type Emitter, inputAt, type Operand, toTensor, toTensors } from '../define.ts'
import { defineBinary } from './binary.ts'
import { emitLog } from './not-a-number.ts'
import { defineUnary } from './unary.ts'

const none: Record<string, never> = {}

/** Nodes of c0 + c1 t + c2 t^2 + ..., by Horner's rule. */
function polynomial(emit: Emitter, t: string, coefficients: readonly number[]): string {
  const constants = coefficients.map((c) => emit.scalar(c, 'float32'))
  const highest = inputAt('polynomial', constants, constants.length - 1)
  return constants.slice(0, -1).reduceRight((sum, c) => emit.node('Add', [emit.node('Mul', [sum, t]), c]), highest)
}

export const expm1Op = defineUnary('expm1', expm1, {
  // Not y + 1, in which what is left near -1 cancels.
  gradient: (o, x, _y, g) => o.mul(g, o.exp(x)),
  // e^x - 1 = tanh(x/2) (e^x + 1): nothing cancels near 0.
  lower: (emit, x) => {
    const half = emit.node('Mul', [x, emit.scalar(0.5, 'float32')])
    const sum = emit.node('Add', [emit.node('Exp', [x]), emit.scalar(1, 'float32')])
    const product = emit.node('Mul', [emit.node('Tanh', [half]), sum])
    // Roundings do not lead below -1.
    return emit.node('Clip', [product, emit.scalar(-1, 'float32'), emit.scalar(Number.POSITIVE_INFINITY, 'float32')])
  },
})

export const log1pOp = defineUnary('log1p', log1p, {
  range: [-0.6, 2],
  gradient: (o, x, _y, g) => o.div(g, o.add(x, 1)),
  // log u + (x - (u - 1)) / u with u = 1 + x as rounded. The correction, 0 beyond these bounds, stays finite by them.
  lower: (emit, x) => {
    const one = emit.scalar(1, 'float32')
    const bounded = emit.node('Clip', [x, emit.scalar(-0.999999, 'float32'), emit.scalar(1e8, 'float32')])
    const u = emit.node('Add', [bounded, one])
    const lost = emit.node('Sub', [bounded, emit.node('Sub', [u, one])])
    return emit.node('Add', [emitLog(emit, emit.node('Add', [x, one])), emit.node('Div', [lost, u])])
  },
})

// Chebyshev fit of Press et al., Numerical Recipes, 3rd ed., section 6.2.2 (erfcc): relative error below 1.2e-7.
const erfcCoefficients = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
]

export const erfcOp = defineUnary('erfc', erfc, {
  gradient: (o, x, _y, g) => o.mul(g, o.mul(o.exp(o.neg(o.mul(x, x))), -2 / Math.sqrt(Math.PI))),
  // erfc(z) = t e^(P(t) - z^2) with t = 1 / (1 + z/2), z = |x|; erfc(-z) = 2 - erfc(z). The square of a multiple h of 1/16 is exact:
  // z^2 = h^2 + (z - h)(z + h), of which the second part is small, and so is its rounding.
  lower: (emit, x) => {
    const z = emit.node('Abs', [x])
    const half = emit.node('Mul', [z, emit.scalar(0.5, 'float32')])
    const t = emit.node('Reciprocal', [emit.node('Add', [half, emit.scalar(1, 'float32')])])
    const sixteen = emit.scalar(16, 'float32')
    // Beyond 16 all is 0; infinity has no difference from its multiple.
    const bounded = emit.node('Clip', [z, emit.scalar(0, 'float32'), sixteen])
    const coarse = emit.node('Div', [emit.node('Round', [emit.node('Mul', [bounded, sixteen])]), sixteen])
    const rest = emit.node('Mul', [emit.node('Sub', [bounded, coarse]), emit.node('Add', [bounded, coarse])])
    const powers = [
      emit.node('Neg', [emit.node('Mul', [coarse, coarse])]),
      emit.node('Sub', [polynomial(emit, t, erfcCoefficients), rest]),
    ].map((exponent) => emit.node('Exp', [exponent]))
    const tail = emit.node('Mul', [t, emit.node('Mul', powers)])
    const negative = emit.node('Less', [x, emit.scalar(0, 'float32')])
    return emit.node('Where', [negative, emit.node('Sub', [emit.scalar(2, 'float32'), tail]), tail])
  },
})

// Giles, Approximating the erfinv function, GPU Computing Gems (2011), table 5: polynomials in w = -log(1 - x^2).
const erfinvCentre = [
  1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.00021858087, -4.39150654e-6, -3.5233877e-6, 3.43273939e-7,
  2.81022636e-8,
]
const erfinvTail = [
  2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773, -0.00367342844, 0.00134934322, 0.000100950558,
  -0.000200214257,
]

export const erfinvOp = defineUnary('erfinv', erfinv, {
  range: [-0.8, 0.8],
  gradient: (o, _x, y, g) => o.mul(g, o.mul(o.exp(o.mul(y, y)), Math.sqrt(Math.PI) / 2)),
  lower: (emit, x) => {
    const one = emit.scalar(1, 'float32')
    const product = emit.node('Mul', [emit.node('Sub', [one, x]), emit.node('Add', [one, x])])
    const w = emit.node('Neg', [emit.node('Log', [product])])
    const centre = polynomial(emit, emit.node('Sub', [w, emit.scalar(2.5, 'float32')]), erfinvCentre)
    const root = emit.node('Sqrt', [w])
    const tail = polynomial(emit, emit.node('Sub', [root, emit.scalar(3, 'float32')]), erfinvTail)
    const isCentre = emit.node('Less', [w, emit.scalar(5, 'float32')])
    const factor = emit.node('Where', [isCentre, centre, tail])
    // At -1 and 1 the polynomial has no limit of the right sign.
    const isEnd = emit.node('Equal', [product, emit.scalar(0, 'float32')])
    const infinite = emit.scalar(Number.POSITIVE_INFINITY, 'float32')
    return emit.node('Mul', [x, emit.node('Where', [isEnd, infinite, factor])])
  },
})

export const atan2Op = defineBinary('atan2', atan2, {
  dtypes: ['float32'],
  ranges: [
    [0.3, 2],
    [-2, -0.3],
  ],
  // d/dy = x / (x^2 + y^2), d/dx = -y / (x^2 + y^2); at the origin, which has no angle, 0 as in PyTorch.
  gradient: (o, y, x, _angle, g) => {
    const square = o.add(o.mul(x, x), o.mul(y, y))
    const scaled = o.div(g, o.where(o.equal(square, 0), 1, square))
    return [o.mul(scaled, x), o.neg(o.mul(scaled, y))]
  },
  // The angle of the first octant, then mirrored at the diagonal and at the axes.
  lower: (emit, [y = '', x = '']) => {
    const zero = emit.scalar(0, 'float32')
    // -0 counts as below 0: v + 1 / v has the sign of v, also where v is a zero or infinite.
    const isNegative = (v: string): string =>
      emit.node('Less', [emit.node('Add', [v, emit.node('Reciprocal', [v])]), zero])
    const [absY, absX] = [emit.node('Abs', [y]), emit.node('Abs', [x])]
    const [low, high] = [emit.node('Min', [absY, absX]), emit.node('Max', [absY, absX])]
    // Equal sizes may be 0 / 0 (the angle 0) or infinity / infinity (45 degrees).
    const equal = emit.node('Equal', [low, high])
    const ratio = emit.node('Where', [equal, emit.node('Sign', [high]), emit.node('Div', [low, high])])
    const octant = emit.node('Atan', [ratio])
    const steep = emit.node('Greater', [absY, absX])
    const complement = emit.node('Sub', [emit.scalar(Math.PI / 2, 'float32'), octant])
    const quadrant = emit.node('Where', [steep, complement, octant])
    const supplement = emit.node('Sub', [emit.scalar(Math.PI, 'float32'), quadrant])
    const upper = emit.node('Where', [isNegative(x), supplement, quadrant])
    return emit.node('Where', [isNegative(y), emit.node('Neg', [upper]), upper])
  },
})

/** e^x - 1, accurate near 0. */
export function expm1(x: Operand): Tensor {
  return apply(expm1Op, [toTensor('expm1', x)], none)
}
/** log(1 + x), accurate near 0. */
export function log1p(x: Operand): Tensor {
  return apply(log1pOp, [toTensor('log1p', x)], none)
}
/** 1 - erf(x), accurate where erf(x) is almost 1. */
export function erfc(x: Operand): Tensor {
  return apply(erfcOp, [toTensor('erfc', x)], none)
}
/** The x with erf(x) = y; infinite at -1 and 1, NaN beyond. */
export function erfinv(y: Operand): Tensor {
  return apply(erfinvOp, [toTensor('erfinv', y)], none)
}
/** Angle of the point (x, y), in (-pi, pi]. */
export function atan2(y: Operand, x: Operand): Tensor {
  return apply(atan2Op, toTensors('atan2', [y, x]), none)
}
