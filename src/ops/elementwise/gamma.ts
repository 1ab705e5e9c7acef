/** The logarithm of the gamma function and its derivatives, in float64 (docs/decisions/050-linear-algebra.md). */
import type { Tensor } from '../../tensor/tensor.ts'
import { requireCount, requireWithin } from '../../util/check.ts'
import {
  apply,
  checked,
  defineOp,
  inputAt,
  type OpDefinition,
  type Operand,
  requireDType,
  toTensor,
} from '../define.ts'
import { type Doubles, defineInDoubles, lowerInDoubles } from './doubles.ts'

const infinity = Number.POSITIVE_INFINITY

/** B_2, B_4, ...: the Bernoulli numbers, by which functions of a large argument go on behind their first terms. */
const bernoulli = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510]

// Below this the argument is raised, one by one: there the terms of the series are below float64's resolution of the sum.
const raisedBy = 9

/** x (x + 1) ... (x + 8), its coefficients from the constant on: Stirling numbers of the first kind. */
const risingFactorial = [0, 40320, 109584, 118124, 67284, 22449, 4536, 546, 36, 1]
const risingSlope = risingFactorial.slice(1).map((c, i) => c * (i + 1))

/** z for which the function is computed directly: 1 - x where x is below 0 (reflection). */
function reflected(
  d: Doubles,
  x: string,
): { isBelow: string; isPole: string; z: string; sine: string; cosine: string } {
  const isBelow = d.of('Less', x, 0)
  const isPole = d.of('And', isBelow, d.of('Equal', d.of('Round', x), x))
  // pi by what x is off the nearest whole number: exactly 0 at the poles, and the cosine exactly 0 halfway between them.
  const rest = d.sub(x, d.of('Round', x))
  const sine = d.of('Sin', d.mul(rest, Math.PI))
  const cosine = d.of('Sin', d.mul(d.sub(0.5, d.of('Abs', rest)), Math.PI))
  return { isBelow, isPole, z: d.where(isBelow, d.sub(1, x), x), sine, cosine }
}

export const lgammaOp = defineInDoubles('lgamma', lgamma, {
  range: [0.3, 3],
  gradient: (o, x, _y, g) => o.mul(g, o.digamma(x)),
  // Stirling's series of z + 9, less the logarithm of z ... (z + 8); log(pi / |sin(pi x)|) - lgamma(1 - x) below 0.
  formula: (d, x) => {
    const { isBelow, z, sine } = reflected(d, x)
    const raised = d.add(z, raisedBy)
    const inverse = d.div(1, raised)
    const series = d.polynomial(
      d.mul(inverse, inverse),
      bernoulli.map((b, k) => b / ((2 * k + 2) * (2 * k + 1))),
    )
    const main = d.sub(d.mul(d.sub(raised, 0.5), d.of('Log', raised)), raised)
    const direct = d.sub(
      d.add(main, 0.5 * Math.log(2 * Math.PI), d.mul(series, inverse)),
      // Beyond, it is nothing beside the rest, and its power of 9 no number.
      d.where(d.of('Less', z, 1e30), d.of('Log', d.polynomial(z, risingFactorial)), 0),
    )
    const mirrored = d.sub(Math.log(Math.PI), d.add(d.of('Log', d.of('Abs', sine)), direct))
    const value = d.where(isBelow, mirrored, direct)
    // The zeros at 1 and 2, exactly.
    const isZero = d.of('Equal', d.mul(d.sub(x, 1), d.sub(x, 2)), 0)
    return d.where(d.of('Equal', d.of('Abs', x), infinity), infinity, d.where(isZero, 0, value))
  },
})

export const digammaOp: OpDefinition<Record<string, never>> = defineInDoubles('digamma', digamma, {
  range: [0.3, 3],
  gradient: (o, x, _y, g) => o.mul(g, o.polygamma(1, x)),
  // log z - 1 / (2 z) - sum B_2k / (2k z^2k) of z + 9, less 1 / z + ... + 1 / (z + 8); minus pi / tan(pi x) below 0.
  formula: (d, x) => {
    const { isBelow, isPole, z, sine, cosine } = reflected(d, x)
    const raised = d.add(z, raisedBy)
    const inverse = d.div(1, raised)
    const square = d.mul(inverse, inverse)
    const series = d.polynomial(
      square,
      bernoulli.map((b, k) => b / (2 * k + 2)),
    )
    const sums = d.div(d.polynomial(z, risingSlope), d.polynomial(z, risingFactorial))
    const direct = d.sub(
      d.sub(d.of('Log', raised), d.add(d.mul(inverse, 0.5), d.mul(series, square))),
      d.where(d.of('Less', z, 1e30), sums, 0),
    )
    const mirrored = d.sub(direct, d.mul(d.div(cosine, sine), Math.PI))
    const value = d.where(isBelow, mirrored, direct)
    // At 0 the sign of zero says which of the infinities; whole numbers below have one on either side.
    const atZero = d.where(d.of('Equal', x, 0), d.div(-1, x), value)
    return d.where(isPole, Number.NaN, atZero)
  },
})

/** Coefficients of the n-th derivative of cot as a polynomial in cot: cot' = -(1 + cot^2). */
function cotangentDerivative(n: number): number[] {
  let coefficients = [0, 1]
  for (let order = 0; order < n; order++) {
    const slope = coefficients.slice(1).map((c, i) => c * (i + 1))
    coefficients = Array.from({ length: slope.length + 2 }, (_, i) => -(slope[i] ?? 0) - (slope[i - 2] ?? 0))
  }
  return coefficients
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1)
}

/** sum over i >= 0 of 1 / (z + i)^s, z above 0 (Hurwitz's zeta function): by Euler and Maclaurin from z + 9 on. */
function hurwitz(d: Doubles, z: string, s: number): string {
  const power = (base: string, exponent: number): string => d.of('Pow', base, exponent)
  const first = Array.from({ length: raisedBy }, (_, i) => power(d.add(z, i), -s))
  const raised = d.add(z, raisedBy)
  const inverse = d.div(1, raised)
  // B_2k / (2k)! s (s + 1) ... (s + 2k - 2) z^(1 - 2k)
  const terms = bernoulli.map((b, i) => {
    const k = i + 1
    const rising = Array.from({ length: 2 * k - 1 }, (_, j) => s + j).reduce((product, factor) => product * factor, 1)
    return (b * rising) / factorial(2 * k)
  })
  const series = d.mul(d.polynomial(d.mul(inverse, inverse), terms), inverse)
  const tail = d.mul(power(raised, 1 - s), d.add(1 / (s - 1), d.mul(inverse, d.add(series, 0.5))))
  return d.add(...first, tail)
}

/** The largest order whose results and derivatives float64 holds. */
const highestOrder = 30

export const polygammaOp: OpDefinition<{ readonly n: number }> = defineOp<{ readonly n: number }>({
  name: 'polygamma',
  infer: (inputs, { n }) => {
    const x = inputAt('polygamma', inputs, 0)
    requireCount('polygamma', 'n', n, 1)
    requireDType('polygamma', 'input', x, ['float32'])
    return [{ dtype: 'float32', shape: x.shape }]
  },
  gradient: (o, { inputs, attributes: { n } }, [g]) => [
    g && o.mul(g, apply(polygammaOp, [inputAt('polygamma', inputs, 0)], { n: n + 1 })),
  ],
  // (-1)^(n + 1) n! zeta(n + 1, x); below 0 (-1)^n of that of 1 - x, less pi^(n + 1) cot^(n)(pi x).
  lower: (emit, { inputs, attributes: { n } }) =>
    lowerInDoubles(emit, inputAt('polygamma', inputs, 0), (d, x) => {
      const { isBelow, isPole, z, sine, cosine } = reflected(d, x)
      const sign = n % 2 === 0 ? 1 : -1
      const direct = d.mul(hurwitz(d, z, n + 1), -sign * factorial(n))
      const cotangent = d.div(cosine, sine)
      const poles = d.mul(d.polynomial(cotangent, cotangentDerivative(n)), Math.PI ** (n + 1))
      const value = d.where(isBelow, d.sub(d.mul(direct, sign), poles), direct)
      // Those of odd orders are infinite on both sides.
      return sign === 1 ? d.where(isPole, Number.NaN, value) : value
    }),
  samples: () => [
    { inputs: [{ shape: [2, 3], range: [0.6, 3] }], call: (x) => polygamma(1, x) },
    { inputs: [{ shape: [3], range: [1.5, 3] }], call: (x) => polygamma(2, x) },
  ],
  errors: () => [
    { inputs: [[2]], call: (x) => polygamma(-1, x) },
    { inputs: [[2]], call: (x) => polygamma(0.5, x) },
    { inputs: [{ shape: [2], dtype: 'int32' }], call: (x) => polygamma(1, x) },
  ],
})

/** log |gamma(x)|; infinite at 0, -1, -2, ... */
export function lgamma(x: Operand): Tensor {
  return apply(lgammaOp, [toTensor('lgamma', x)], {})
}
/** The derivative of lgamma; NaN at -1, -2, ..., infinite at 0. */
export function digamma(x: Operand): Tensor {
  return apply(digammaOp, [toTensor('digamma', x)], {})
}
/** The n-th derivative of digamma, n from 0 to 30. */
export function polygamma(n: number, x: Operand): Tensor {
  return checked(() => {
    requireCount('polygamma', 'n', n)
    requireWithin('polygamma', 'n', n, [0, highestOrder])
    return n === 0 ? digamma(x) : apply(polygammaOp, [toTensor('polygamma', x)], { n })
  })
}
