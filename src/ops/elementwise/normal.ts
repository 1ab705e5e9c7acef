/**
 * The normal distribution function, its logarithm and its inverse, in float64. The polynomials were fitted to SciPy's functions at
 * Chebyshev's points; their relative errors are below 1e-10.
 */
import type { Tensor } from '../../tensor/tensor.ts'
import { apply, type OpDefinition, type Operand, toTensor } from '../define.ts'
import { type Doubles, defineInDoubles } from './doubles.ts'

type Unary = OpDefinition<Record<string, never>>

const infinity = Number.POSITIVE_INFINITY

// (1 + 2 z) erfcx(z) in t = (z - 3.75) / (z + 3.75), z from 0 to infinity (the form is Shepherd and Laframboise's, 1981).
const scaledTail = [
  1.237512630837793, -0.1402405985848882, 0.003585415492478705, 0.08227673845002414, -0.10880393037554,
  0.0923043218792076, -0.05869339555908307, 0.02836227151113361, -0.009746599580790988, 0.001755652139412173,
  0.0002937900716900342, -0.0002902238968599531, 5.147001448876037e-5, 2.249862647612306e-5, -1.118030084742494e-5,
  -1.089353146588485e-6, 1.509490214070536e-6, 1.275238673966312e-8, -1.265426785348866e-7,
]

/** e^(z^2) erfc(z) of z from 0 on. */
function emitScaled(d: Doubles, z: string): string {
  // Infinity by itself would be NaN.
  const bounded = d.of('Min', z, 1e300)
  const t = d.div(d.sub(bounded, 3.75), d.add(bounded, 3.75))
  return d.div(d.polynomial(t, scaledTail), d.add(d.mul(bounded, 2), 1))
}

export const erfcxOp: Unary = defineInDoubles('erfcx', erfcx, {
  gradient: (o, x, y, g) => o.mul(g, o.sub(o.mul(o.mul(x, y), 2), 2 / Math.sqrt(Math.PI))),
  // Below 0: 2 e^(x^2) - erfcx(-x).
  formula: (d, x) => {
    const scaled = emitScaled(d, d.of('Abs', x))
    const mirrored = d.sub(d.mul(d.of('Exp', d.mul(x, x)), 2), scaled)
    return d.where(d.of('Less', x, 0), mirrored, scaled)
  },
})

/** z = |x| / sqrt(2), e^-z^2 and erfcx(z): the tail of the distribution beyond |x| is half of their product. */
function emitTail(d: Doubles, x: string): { scaled: string; power: string; square: string } {
  const z = d.mul(d.of('Abs', x), Math.SQRT1_2)
  const square = d.mul(z, z)
  return { scaled: emitScaled(d, z), power: d.of('Exp', d.of('Neg', square)), square }
}

export const ndtrOp: Unary = defineInDoubles('ndtr', ndtr, {
  gradient: (o, x, _y, g) => o.mul(g, o.mul(o.exp(o.mul(o.mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI))),
  formula: (d, x) => {
    const { scaled, power } = emitTail(d, x)
    const tail = d.mul(scaled, power, 0.5)
    return d.where(d.of('Less', x, 0), tail, d.sub(1, tail))
  },
})

// Beyond, the distribution is 1 in float32.
const certain = 12

export const logNdtrOp: Unary = defineInDoubles('logNdtr', logNdtr, {
  // The density by the function: sqrt(2 / pi) / erfcx(-x / sqrt(2)). Where the function is 1, and erfcx soon infinite: the density.
  gradient: (o, x, _y, g) => {
    const scaled = o.erfcx(o.mul(o.minimum(x, certain), -Math.SQRT1_2))
    const density = o.mul(o.exp(o.mul(o.mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
    return o.mul(g, o.where(o.greater(x, certain), density, o.div(Math.sqrt(2 / Math.PI), scaled)))
  },
  formula: (d, x) => {
    const { scaled, power, square } = emitTail(d, x)
    const below = d.sub(d.of('Log', d.mul(scaled, 0.5)), square)
    const tail = d.mul(scaled, power, 0.5)
    // log(1 - tail) by what is left of the tail in 1 - tail: its digits are lost otherwise.
    const rest = d.sub(1, tail)
    const whole = d.of('Equal', rest, 1)
    const divisor = d.where(whole, 1, d.sub(1, rest))
    const above = d.where(whole, d.of('Neg', tail), d.div(d.mul(d.of('Log', rest), tail), divisor))
    return d.where(d.of('Less', x, 0), below, above)
  },
})

/** Where the central polynomial ends: 1/2 less this is the probability from which on the tail's is taken. */
const centre = 0.38
// x / q in t = 2 q^2 / 0.16 - 1, q = p - 1/2.
const centralQuantile = [
  2.764185948611777, 0.31925406212048, 0.08060594288094441, 0.02542322132789585, 0.008914340124505973,
  0.003325599691159381, 0.001291939903186201, 0.0005141202873967643, 0.0002093236041043608, 9.232464564453609e-5,
  3.963445989049448e-5, 9.689912184313364e-6, 3.555618268394613e-6, 6.301543315431553e-6, 2.909023229121756e-6,
]
// -x / r in t, linear in 1 / r, r = sqrt(-log p) from that of 0.12 to 10.3, beyond which float32 has no probability.
const tailQuantile = [
  1.164084104550867, -0.3035276360402518, -0.062439978208986, 0.01090087026777364, -0.002705536068982722,
  0.0008477366879152446, -0.0003209660785749816, 0.0001445940099064456, -7.194114354269739e-5, 2.179105306455697e-5,
  -5.621516432388638e-6, 3.079957933093934e-5, -2.433732420503837e-5, -1.581197659334862e-5, 1.364717292234266e-5,
  8.861724365069267e-6, -6.488029161074104e-6,
]
const [nearest, furthest] = [1 / Math.sqrt(-Math.log(0.5 - centre)), 1 / 10.3]

export const ndtriOp: Unary = defineInDoubles('ndtri', ndtri, {
  range: [0.1, 0.9],
  gradient: (o, _p, y, g) => o.mul(g, o.mul(o.exp(o.mul(o.mul(y, y), 0.5)), Math.sqrt(2 * Math.PI))),
  formula: (d, p) => {
    const q = d.sub(p, 0.5)
    const square = d.mul(q, q)
    const central = d.mul(q, d.polynomial(d.sub(d.mul(square, 2 / 0.16), 1), centralQuantile))
    const isAbove = d.of('Greater', q, 0)
    const tail = d.where(isAbove, d.sub(1, p), p)
    const r = d.of('Sqrt', d.of('Neg', d.of('Log', tail)))
    const t = d.sub(d.mul(d.sub(d.div(1, r), furthest), 2 / (nearest - furthest)), 1)
    const distance = d.where(d.of('Equal', tail, 0), infinity, d.mul(r, d.polynomial(t, tailQuantile)))
    const outer = d.where(isAbove, distance, d.of('Neg', distance))
    return d.where(d.of('Less', d.of('Abs', q), centre), central, outer)
  },
})

/** e^(x^2) erfc(x), which does not vanish where erfc does. */
export function erfcx(x: Operand): Tensor {
  return apply(erfcxOp, [toTensor('erfcx', x)], {})
}
/** The probability that a standard normal number is below x. */
export function ndtr(x: Operand): Tensor {
  return apply(ndtrOp, [toTensor('ndtr', x)], {})
}
/** log(ndtr(x)), finite where ndtr is 0. */
export function logNdtr(x: Operand): Tensor {
  return apply(logNdtrOp, [toTensor('logNdtr', x)], {})
}
/** The x with ndtr(x) = p; infinite at 0 and 1, NaN beyond. */
export function ndtri(p: Operand): Tensor {
  return apply(ndtriOp, [toTensor('ndtri', p)], {})
}
