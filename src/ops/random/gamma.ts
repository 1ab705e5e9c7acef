/** The Gamma distribution, and how its numbers follow its shape. */
import { randomState } from '../../tensor/random-state.ts'
import { type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFinite, requirePositive } from '../../util/check.ts'
import { gammaNumbers } from '../../util/distributions.ts'
import { customGradient } from '../control.ts'
import { fullLike } from '../creation.ts'
import { checked, isTensorLike, type Operand, toFloat } from '../define.ts'
import {
  add,
  div,
  greater,
  greaterOrEqual,
  less,
  lessOrEqual,
  logicalAnd,
  logicalOr,
  maximum,
  mul,
  pow,
  sub,
} from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { digamma } from '../elementwise/gamma.ts'
import { log1p } from '../elementwise/special.ts'
import { abs, exp, isNan, log, logicalNot, neg, reciprocal, sqrt } from '../elementwise/unary.ts'
import { select } from '../indexing/selection.ts'
import { drawn, parameterOf, type RandomOptions, randomExponential, randomNames, randomNormal } from './random.ts'

/** The smallest positive number of float32 at full precision: no number of the distribution is 0 (PyTorch). */
const smallestNormal = 2 ** -126
/** Rounds of proposals. One is refused with a probability of less than 0.05, all of them with 2e-8: then it is the mode. */
const rounds = 6

/**
 * Gamma with a shape parameter `concentration` and rate 1: a number, or a tensor that broadcasts to the shape. By a tensor it has
 * PyTorch's gradient, that of a number whose quantile stays the same. With a rate: `div(randomGamma(shape, a), rate)`.
 */
export function randomGamma(shape: Shape, concentration: Operand, options?: RandomOptions): Tensor {
  const { state = randomState() } = optionsOf('randomGamma', options, randomNames)
  if (!isTensorLike(concentration)) {
    checked(() => {
      requirePositive('randomGamma', 'concentration', concentration)
      requireFinite('randomGamma', 'concentration', concentration)
    })
    return drawn('randomGamma', state, 'float32', shape, ({ generator }, count) =>
      gammaNumbers(generator(), concentration, count),
    )
  }
  const sampled = customGradient(
    (alpha: Tensor) => propose(alpha, { state }),
    (g, { inputs: [alpha], output }) => [mul(g, gammaSlope(alpha, output))],
  )
  return sampled(parameterOf('randomGamma', 'concentration', concentration, shape))
}

/** Marsaglia and Tsang (2000): d v with v = (1 + c x)^3, x normal, of the first of some proposals that is accepted. */
function propose(alpha: Tensor, options: RandomOptions): Tensor {
  // Gamma(a) is Gamma(a + 1) u^(1 / a).
  const isSmall = less(alpha, 1)
  const boost = where(isSmall, div(randomExponential(alpha.shape, options), alpha), 0)
  const d = sub(add(alpha, cast(isSmall, 'float32')), 1 / 3)
  const c = reciprocal(sqrt(mul(d, 9)))
  const normals = randomNormal([rounds, ...alpha.shape], options)
  const exponentials = randomExponential([rounds, ...alpha.shape], options)
  let chosen = fullLike(alpha, 1)
  for (let round = rounds - 1; round >= 0; round--) {
    const [x, logU] = [select(normals, round, 0), neg(select(exponentials, round, 0))]
    const root = add(mul(c, x), 1)
    const isPositive = greater(root, 0)
    const v = where(isPositive, mul(mul(root, root), root), 1)
    const bound = add(mul(mul(x, x), 0.5), mul(d, add(sub(1, v), log(v))))
    chosen = where(logicalAnd(isPositive, less(logU, bound)), v, chosen)
  }
  const numbers = maximum(mul(mul(d, chosen), exp(neg(boost))), smallestNormal)
  // No distribution has such a parameter.
  return where(logicalOr(isNan(alpha), less(alpha, 0)), Number.NaN, numbers)
}

/** c0 + c1 t + c2 t^2 + ..., of tensors or numbers. */
function polynomial(t: Tensor, coefficients: readonly Operand[]): Tensor {
  return coefficients.reduceRight<Tensor>((sum, c) => add(mul(sum, t), c), fullLike(t, 0))
}

/**
 * Near 0: from the power series of the distribution function, whose terms of 1 / alpha^2, which cancel, are left out: digamma(alpha)
 * is digamma(alpha + 1) - 1 / alpha.
 */
function slopeOfSmall(alpha: Tensor, x: Tensor): Tensor {
  let [term, sum, rest] = [fullLike(x, 1), reciprocal(alpha), fullLike(x, 0)]
  for (let i = 1; i <= 5; i++) {
    term = mul(term, mul(x, -1 / i))
    const inverse = reciprocal(add(alpha, i))
    sum = add(sum, mul(term, inverse))
    rest = add(rest, mul(mul(term, i), mul(inverse, inverse)))
  }
  const byShape = add(mul(sub(log(x), digamma(add(alpha, 1))), sum), div(rest, alpha))
  // The density's power of x has gone into the quotient: alone it would leave float32's range.
  return neg(mul(mul(byShape, x), exp(x)))
}

/** d - log(1 + d): near 0, where that cancels, from log(1 + d) = 2 atanh(d / (2 + d)). */
function logDistance(d: Tensor, log1pOfD: Tensor): Tensor {
  const isSmall = less(abs(d), 0.5)
  const small = where(isSmall, d, 0.5)
  const u = div(small, add(small, 2))
  const odd = mul(u, polynomial(mul(u, u), [0, 2 / 3, 2 / 5, 2 / 7, 2 / 9, 2 / 11, 2 / 13]))
  return where(isSmall, sub(mul(small, u), odd), sub(d, log1pOfD))
}

/** At large shapes: Rice's saddle-point expansion, and near the mean, where that cancels, its series; in r = x / alpha. */
function slopeOfLarge(alpha: Tensor, x: Tensor): Tensor {
  const inverse = reciprocal(alpha)
  const ratio = mul(x, inverse)
  const isNear = logicalAnd(greaterOrEqual(ratio, 0.9), lessOrEqual(ratio, 1.1))
  const scale = polynomial(inverse, [1, 1 / 12, 1 / 288])
  const near = mul(
    mul(scale, 1 / 4320),
    add(polynomial(ratio, [1440, 3600, -720]), mul(inverse, polynomial(ratio, [107, 318, -65]))),
  )
  // r - 1 from the difference, which is exact where r is near 1.
  const beyond = where(isNear, -0.5, mul(sub(x, alpha), inverse))
  const [r, logR] = [add(beyond, 1), log1p(beyond)]
  const root = pow(logDistance(beyond, logR), -1.5)
  const sum = add(div(-Math.sqrt(8), beyond), mul(inverse, where(less(beyond, 0), neg(root), root)))
  const curvature = mul(mul(inverse, Math.SQRT2), div(add(r, 1), mul(beyond, beyond)))
  const far = mul(
    mul(polynomial(inverse, [1, 1 / 12, 1 / 288]), mul(r, -1 / Math.sqrt(8))),
    sub(mul(logR, sum), curvature),
  )
  return where(isNear, near, far)
}

/** Of what degree in log(x / alpha) (0 to 2) each coefficient of the numerator (4) and the denominator (4) in log(alpha) is. */
const fit = [
  [0.16009398, -0.094634809, 0.025146376, -0.0030648343, 1, 0.32668115, 0.10406089, 0.0014179084],
  [0.53487893, 0.1298071, 0.065735949, -0.0015649758, 0.16639465, 0.020070113, -0.0035938915, -0.00058392623],
  [0.040121004, -0.0065914022, -0.0026286047, -0.0013441777, 0.017050642, -0.0021309326, 0.00085092367, -1.5247877e-7],
] as const

/** In between: a rational function fitted to it. */
function slopeOfMedium(alpha: Tensor, x: Tensor): Tensor {
  const [u, v] = [log(div(x, alpha)), log(alpha)]
  const coefficients = fit[0].map((_, i) =>
    polynomial(
      u,
      fit.map((row) => sizeOf(row, i)),
    ),
  )
  return exp(div(polynomial(v, coefficients.slice(0, 4)), polynomial(v, coefficients.slice(4))))
}

/**
 * dx / d alpha of a number x of Gamma(alpha), alpha > 0, whose quantile stays the same (implicit reparameterisation, Figurnov et al.
 * 2018), within 6e-4 of its size: the approximations of PyTorch's _standard_gamma_grad. Its own gradient is that of these.
 */
export function gammaSlope(alpha: Operand, x: Operand): Tensor {
  const [shape, value] = [toFloat('gammaSlope', alpha, 'alpha'), toFloat('gammaSlope', x)]
  const isSmall = less(value, 0.8)
  const isLarge = logicalAnd(greater(shape, 8), logicalNot(isSmall))
  const isMedium = logicalNot(logicalOr(isSmall, isLarge))
  // Each on numbers that it is made for, also where another one is taken: no NaN comes back from there.
  const small = slopeOfSmall(shape, where(isSmall, value, 0.5))
  const medium = slopeOfMedium(where(isMedium, shape, 1), where(isMedium, value, 1))
  const large = slopeOfLarge(where(isLarge, shape, 10), where(isLarge, value, 10))
  return where(isSmall, small, where(isLarge, large, medium))
}
