/** Elementwise arithmetic, powers and logarithms made of other ops. */

import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFinite } from '../../util/check.ts'
import { customGradient, stopGradient } from '../control.ts'
import { checked, type Operand, scalar, toFloat, toTensor, toTensors } from '../define.ts'
import { add, div, equal, greater, less, logicalAnd, logicalOr, maximum, mul, pow, sub } from './binary.ts'
import { cast, where } from './choice.ts'
import { clamp, isFinite as isFiniteNumber } from './rounding.ts'
import { log1p } from './special.ts'
import { abs, cos, exp, isInf, log, logicalNot, neg, reciprocal, sin, sqrt } from './unary.ts'

/** x^2. */
export function square(x: Operand): Tensor {
  const input = toTensor('square', x)
  return mul(input, input)
}
/** 1 / sqrt(x). */
export function rsqrt(x: Operand): Tensor {
  return reciprocal(sqrt(toFloat('rsqrt', x)))
}
/** 2^x. */
export function exp2(x: Operand): Tensor {
  return pow(2, toFloat('exp2', x))
}
/** Logarithm to base 2. */
export function log2(x: Operand): Tensor {
  return mul(log(toFloat('log2', x)), Math.LOG2E)
}
/** Logarithm to base 10. */
export function log10(x: Operand): Tensor {
  return mul(log(toFloat('log10', x)), Math.LOG10E)
}

/**
 * log(x / (1 - x)), the inverse of sigmoid; NaN outside of [0, 1]. With `eps`, x is first clamped to [eps, 1 - eps], and has no gradient
 * outside of it. An eps above 1/2 makes the bounds cross: as in PyTorch, x < eps then becomes eps and any other x becomes 1 - eps.
 */
export function logit(x: Operand, options?: { readonly eps?: number }): Tensor {
  const { eps } = optionsOf('logit', options, { eps: true })
  if (eps !== undefined) checked(() => requireFinite('logit', 'eps', eps))
  const [least, most] = eps === undefined ? [0, 1] : [eps, 1 - eps]
  const inverse = customGradient(
    (given: Tensor) => {
      const limited = eps === undefined ? given : limit(given, least, most)
      return log(div(limited, sub(1, limited)))
    },
    (g, { inputs: [given] }) => {
      const isOutside = logicalOr(less(given, least), greater(given, most))
      return [where(isOutside, eps === undefined ? Number.NaN : 0, div(g, mul(given, sub(1, given))))]
    },
  )
  return inverse(toFloat('logit', x))
}
function limit(x: Tensor, least: number, most: number): Tensor {
  return least <= most ? clamp(x, least, most) : where(less(x, least), least, clamp(x, undefined, most))
}

/** sin(pi x) / (pi x), 1 at 0. */
export function sinc(x: Operand): Tensor {
  const withSlope = customGradient(
    (input: Tensor) => {
      const isZero = equal(input, 0)
      const angle = mul(where(isZero, 1, input), Math.PI)
      return where(isZero, 1, div(sin(angle), angle))
    },
    // The derivative by an angle a of sin(a) / a is -a h(a): as a quotient's derivative it would cancel near 0.
    (g, { inputs: [input] }) => [mul(g, mul(mul(input, sincSlope(mul(input, Math.PI))), -(Math.PI ** 2)))],
  )
  return withSlope(toFloat('sinc', x))
}

// (-1)^n / (n! 2^n 1 3 5 ... (2n + 3)), n = 0, 1, ...: within 1 the next term is below float32's resolution.
const slopeSeries = [1 / 3, -1 / 30, 1 / 840, -1 / 45360, 1 / 3991680]

/** h(a) = (sin(a) / a - cos(a)) / a^2, and its series near 0, where that cancels. */
function sincSlope(angle: Tensor): Tensor {
  const isSmall = less(abs(angle), 1)
  const z = square(angle)
  const series = slopeSeries.reduceRight((sum, c) => add(mul(sum, z), c), scalar(0))
  const large = where(isSmall, 1, angle)
  return where(isSmall, series, div(sub(div(sin(large), large), cos(large)), square(large)))
}

/** max(x, least) whose gradient is that of x, also below: PyTorch applies some bounds outside of its graph. */
export function raised(x: Operand, least: number): Tensor {
  const bound = customGradient(
    (input: Tensor) => maximum(input, least),
    (g) => [g],
  )
  return bound(toFloat('raised', x))
}

/** sqrt(x), whose gradient at 0 is 0 instead of infinite: for norms and standard deviations. */
export function sqrtOrZero(x: Operand): Tensor {
  const input = toFloat('sqrtOrZero', x)
  const isZero = equal(input, 0)
  return where(isZero, 0, sqrt(where(isZero, 1, input)))
}

/** a is not equal to b. */
export function notEqual(a: Operand, b: Operand): Tensor {
  return logicalNot(equal(a, b))
}

/** start + weight (end - start), from the nearer of the two; the weight is a number or a tensor. */
export function lerp(start: Operand, end: Operand, weight: Operand): Tensor {
  const [from, to, share] = toTensors('lerp', [start, end, weight])
  const difference = sub(to, from)
  const fromStart = (): Tensor => add(from, mul(share, difference))
  const fromEnd = (): Tensor => sub(to, mul(sub(1, share), difference))
  if (typeof weight === 'number') return Math.abs(weight) < 0.5 ? fromStart() : fromEnd()
  return where(less(abs(share), 0.5), fromStart(), fromEnd())
}
/** x + value a b. */
export function addcmul(x: Operand, a: Operand, b: Operand, options?: { readonly value?: number }): Tensor {
  const { value = 1 } = optionsOf('addcmul', options, { value: true })
  const [input, left, right, factor] = toTensors('addcmul', [x, a, b, value])
  return add(input, value === 1 ? mul(left, right) : mul(mul(left, right), factor))
}
/** x + value a / b. */
export function addcdiv(x: Operand, a: Operand, b: Operand, options?: { readonly value?: number }): Tensor {
  const { value = 1 } = optionsOf('addcdiv', options, { value: true })
  // As in PyTorch: integers have no quotient here.
  const quotient = div(toFloat('addcdiv', a, 'a'), toFloat('addcdiv', b, 'b'))
  return add(toFloat('addcdiv', x), mul(quotient, value))
}

/** sqrt(a^2 + b^2) without overflow of the squares. */
export function hypot(a: Operand, b: Operand): Tensor {
  const [x, y] = [toFloat('hypot', a), toFloat('hypot', b)]
  const larger = stopGradient(maximum(abs(x), abs(y)))
  const scale = where(logicalAnd(greater(larger, 0), isFiniteNumber(larger)), larger, 1)
  const root = sqrt(add(square(div(x, scale)), square(div(y, scale))))
  // An infinite side makes the other one irrelevant, even NaN.
  return where(logicalOr(isInf(x), isInf(y)), Number.POSITIVE_INFINITY, mul(scale, root))
}

/** log(e^a + e^b) without overflow. */
export function logAddExp(a: Operand, b: Operand): Tensor {
  const [x, y] = [toFloat('logAddExp', a), toFloat('logAddExp', b)]
  // Not maximum and abs: where both are equal these have kinks, the function has none.
  const isLess = less(x, y)
  const [larger, smaller] = [where(isLess, y, x), where(isLess, x, y)]
  // Equal infinities have no difference.
  const difference = where(logicalAnd(equal(x, y), isInf(x)), 0, sub(smaller, larger))
  return add(larger, log1p(exp(difference)))
}
/** log2(2^a + 2^b) without overflow. */
export function logAddExp2(a: Operand, b: Operand): Tensor {
  const [x, y] = [toFloat('logAddExp2', a), toFloat('logAddExp2', b)]
  return mul(logAddExp(mul(x, Math.LN2), mul(y, Math.LN2)), Math.LOG2E)
}

/** x log(y), 0 where x is 0 (unless y is NaN). */
export function xlogy(x: Operand, y: Operand): Tensor {
  const [factor, argument] = [toFloat('xlogy', x), toFloat('xlogy', y)]
  // Where log(y) is not finite, 0 log(y) would be NaN.
  const hasNoLog = logicalOr(
    less(argument, 0),
    logicalOr(equal(argument, 0), equal(argument, Number.POSITIVE_INFINITY)),
  )
  const isZero = logicalAnd(equal(factor, 0), hasNoLog)
  return where(isZero, 0, mul(factor, log(where(isZero, 1, argument))))
}

/** -x log(x), 0 at 0 and -infinity below: the share of one probability in an entropy. */
export function entr(x: Operand): Tensor {
  const withSlope = customGradient(
    (input: Tensor) => where(less(input, 0), Number.NEGATIVE_INFINITY, neg(xlogy(input, input))),
    (g, { inputs: [input] }) => [mul(g, sub(-1, log(input)))],
  )
  return withSlope(toFloat('entr', x))
}

/** 0 where x is below 0, 1 where it is above, and the value where it is 0; also 0 where x is NaN, as in PyTorch. No gradient by x. */
export function heaviside(x: Operand, values: Operand): Tensor {
  const [input, atZero] = toTensors('heaviside', [x, values])
  return where(equal(input, 0), atZero, cast(greater(input, 0), input.dtype))
}
