/** Smooth activation functions. relu and tanh are in `unary.ts`, sigmoid in `logistic.ts`, the piecewise linear ones in `piecewise.ts`. */
import { formatShape, normalizeAxis, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFinite, requireNumber, requireOneOf, requirePositive } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { customGradient } from '../control.ts'
import { apply, checked, defineOp, inputAt, type Operand, requireDType, toFloat, toTensor } from '../define.ts'
import { split } from '../movement/rearrange.ts'
import { add, div, greater, lessOrEqual, mul, sub } from './binary.ts'
import { where } from './choice.ts'
import { sigmoid, silu } from './logistic.ts'
import { clamp } from './rounding.ts'
import { expm1, log1p } from './special.ts'
import { abs, exp, neg, reciprocal, relu, tanh } from './unary.ts'

/** Which of the two functions called GELU: `none` uses erf, `tanh` its approximation. Official models differ. */
export type GeluForm = 'none' | 'tanh'

const { SQRT1_2, PI, sqrt: root } = Math
const cubic = 0.044715
const tanhScale = root(2 / PI)

/** A primitive because one kernel takes one pass over memory where the formula takes six. */
export const geluOp = defineOp<{ readonly approximate: GeluForm }>({
  name: 'gelu',
  infer: (inputs, { approximate }) => {
    const x = inputAt('gelu', inputs, 0)
    requireDType('gelu', 'input', x, ['float32'])
    requireOneOf('gelu', 'approximate', approximate, ['none', 'tanh'])
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  gradient: (o, { inputs, outputs, attributes }, [g]) => {
    if (!g) return []
    const [x, y] = [inputAt('gelu', inputs, 0), inputAt('gelu', outputs, 0)]
    if (attributes.approximate === 'none') {
      // d = Phi(x) + x phi(x); with z = x / sqrt(2): phi(x) = e^(-z^2) / sqrt(2 pi) = e^(-log(2 pi) / 2 - z^2)
      const z = o.mul(x, SQRT1_2)
      // (erf + 1) / 2 is within 0 and 1: nothing is cut, and one kernel does it.
      const cumulative = o.hardsigmoid(o.erf(z), { slope: 0.5, offset: 0.5 })
      const density = o.exp(o.sub(-0.5 * Math.log(2 * PI), o.mul(z, z)))
      return [o.mul(g, o.add(cumulative, o.mul(x, density)))]
    }
    // With s = sigmoid(2u), u = sqrt(2/pi)(x + 0.044715 x^3): y = x s, d = s + x s (1 - s) 2u' = s + s (x - y) 2u', where what
    // overflows first, u, makes s 0 before 2u' is infinite.
    const square = o.mul(x, x)
    const s = o.sigmoid(o.mul(x, o.add(o.mul(square, 2 * tanhScale * cubic), 2 * tanhScale)))
    const inner = o.add(o.mul(square, 6 * tanhScale * cubic), 2 * tanhScale)
    return [o.mul(g, o.add(s, o.mul(o.mul(s, o.sub(x, y)), inner)))]
  },
  lower: (emit, { inputs, attributes }) => emit.node('Gelu', inputs, { approximate: attributes.approximate }),
  samples: () =>
    (['none', 'tanh'] as const).flatMap((approximate) => [
      { inputs: [{ shape: [2, 5], range: [-3, 3] as const }], call: (x: Tensor) => gelu(x, { approximate }) },
      { inputs: [{ shape: [], range: [-1, 1] as const }], call: (x: Tensor) => gelu(x, { approximate }) },
    ]),
  errors: () => [
    { inputs: [{ shape: [2], dtype: 'int32' }], call: (x) => gelu(x) },
    // From JavaScript, or from a file: the type system does not help there.
    { inputs: [[2]], call: (x) => gelu(x, { approximate: JSON.parse('"fast"') as GeluForm }) },
  ],
})

/** x Phi(x), with Phi the standard normal distribution's cumulative function (Hendrycks and Gimpel 2016). Default: erf. */
export function gelu(x: Operand, options?: { readonly approximate?: GeluForm }): Tensor {
  return apply(geluOp, [toTensor('gelu', x)], {
    approximate: optionsOf('gelu', options, { approximate: true }).approximate ?? 'none',
  })
}

/** max(x, 0) + alpha (e^(rate min(x, 0)) - 1), all times `scale`. */
interface EluShape {
  readonly alpha: number
  readonly rate: number
  readonly scale: number
}

function scaledElu(op: string, x: Operand, { alpha, rate, scale }: EluShape): Tensor {
  const input = toFloat(op, x)
  checked(() => requireFinite(op, 'alpha', alpha))
  const elu = customGradient(
    (input: Tensor) => {
      const negative = mul(expm1(mul(clamp(input, undefined, 0), rate)), alpha)
      return mul(add(relu(input), negative), scale)
    },
    (g, { inputs: [input] }) => {
      const steepness = mul(exp(mul(clamp(input, undefined, 0), rate)), alpha * rate * scale)
      return [mul(g, where(lessOrEqual(input, 0), steepness, scale))]
    },
  )
  return elu(input)
}

/** x for x > 0, else alpha (e^x - 1). Default alpha: 1. */
export function elu(x: Operand, options?: { readonly alpha?: number }): Tensor {
  return scaledElu('elu', x, { alpha: optionsOf('elu', options, { alpha: true }).alpha ?? 1, rate: 1, scale: 1 })
}

/** max(x, 0) + min(0, alpha (e^(x/alpha) - 1)). Default alpha: 1. */
export function celu(x: Operand, options?: { readonly alpha?: number }): Tensor {
  const alpha = optionsOf('celu', options, { alpha: true }).alpha ?? 1
  checked(() => {
    requireFinite('celu', 'alpha', alpha)
    requirePositive('celu', '|alpha|', Math.abs(alpha))
  })
  return scaledElu('celu', x, { alpha, rate: 1 / alpha, scale: 1 })
}

/** Self-normalising elu (Klambauer et al. 2017). */
export function selu(x: Operand): Tensor {
  return scaledElu('selu', x, { alpha: 1.6732632423543772, rate: 1, scale: 1.0507009873554805 })
}

// From here on log(1 + e^z) is z in float32: e^-15 is less than half of the distance between numbers near 15.
const linearFrom = 15

/** log(1 + e^(beta x)) / beta, and x itself where beta x exceeds the threshold. Defaults: 1, 20. */
export function softplus(x: Operand, options?: { readonly beta?: number; readonly threshold?: number }): Tensor {
  const { beta = 1, threshold: limit = 20 } = optionsOf('softplus', options, { beta: true, threshold: true })
  checked(() => {
    requireFinite('softplus', 'beta', beta)
    requireNumber('softplus', 'threshold', limit)
  })
  const isCut = limit < linearFrom
  const soft = customGradient(
    (input: Tensor) => {
      // log(1 + e^z) = max(z, 0) + log(1 + e^-|z|): nothing overflows.
      const z = mul(input, beta)
      const value = mul(add(relu(z), log1p(exp(neg(abs(z))))), 1 / beta)
      return isCut ? where(greater(z, limit), input, value) : value
    },
    (g, { inputs: [input] }) => {
      const z = mul(input, beta)
      const product = mul(g, sigmoid(z))
      return [isCut ? where(greater(z, limit), g, product) : product]
    },
  )
  return soft(toFloat('softplus', x))
}

/** log(sigmoid(x)), without overflow. */
export function logSigmoid(x: Operand): Tensor {
  return neg(softplus(neg(toFloat('logSigmoid', x))))
}

/** x tanh(softplus(x)) (Misra 2019). */
export function mish(x: Operand): Tensor {
  const input = toFloat('mish', x)
  return mul(input, tanh(softplus(input)))
}

/** x / (1 + |x|). */
export function softsign(x: Operand): Tensor {
  const soft = customGradient(
    (input: Tensor) => div(input, add(abs(input), 1)),
    (g, { inputs: [input] }) => {
      const inverse = reciprocal(add(abs(input), 1))
      return [mul(g, mul(inverse, inverse))]
    },
  )
  return soft(toFloat('softsign', x))
}

/** x - tanh(x). */
export function tanhshrink(x: Operand): Tensor {
  const input = toFloat('tanhshrink', x)
  return sub(input, tanh(input))
}

function gated(op: string, x: Operand, axis: number, gate: (x: Tensor) => Tensor): Tensor {
  const input = toFloat(op, x)
  return checked(() => {
    const at = normalizeAxis(op, axis, input.rank)
    const size = input.rank === 0 ? 1 : sizeOf(input.shape, at)
    if (size % 2 !== 0) {
      throw new ShapeError(`${op}: axis ${axis} must have an even size to be halved, found ${formatShape(input.shape)}`)
    }
    const halves = split(input, [size / 2, size / 2], at)
    return mul(inputAt(op, halves, 0), gate(inputAt(op, halves, 1)))
  })
}

/** a sigmoid(b) with a and b the halves of an axis (Dauphin et al. 2017). Default axis: -1. */
export function glu(x: Operand, axis = -1): Tensor {
  return gated('glu', x, axis, sigmoid)
}
/** a gelu(b) with a and b the halves of an axis (Shazeer 2020). Default axis: -1. */
export function geglu(x: Operand, axis = -1): Tensor {
  return gated('geglu', x, axis, (gate) => gelu(gate))
}
/** a silu(b) with a and b the halves of an axis (Shazeer 2020). Default axis: -1. */
export function swiglu(x: Operand, axis = -1): Tensor {
  return gated('swiglu', x, axis, silu)
}
