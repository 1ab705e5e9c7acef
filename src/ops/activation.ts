/** Activation functions. relu, sigmoid and tanh are in `unary.ts`. */
import type { Tensor } from '../tensor/tensor.ts'
import { ShapeError } from '../util/errors.ts'
import { logAddExp } from './arithmetic.ts'
import { add, greater, greaterOrEqual, less, lessOrEqual, logicalAnd, mul, sub } from './binary.ts'
import { where } from './choice.ts'
import { apply, defineOp, inputAt, type Operand, requireDType, toTensor } from './define.ts'
import { reshape } from './movement.ts'
import { chunk } from './rearrange.ts'
import { clamp } from './rounding.ts'
import { expm1 } from './special.ts'
import { abs, neg, reciprocal, sigmoid, tanh } from './unary.ts'

/** Which of the two functions called GELU: `none` uses erf, `tanh` its approximation. Official models differ. */
export type GeluForm = 'none' | 'tanh'

const { SQRT1_2, PI, sqrt: root } = Math
const cubic = 0.044715
const tanhScale = root(2 / PI)

/** A primitive because one kernel takes one pass over memory where the formula takes six. */
export const geluOp = defineOp<{ readonly approximate: GeluForm }>({
  name: 'gelu',
  infer: (inputs) => {
    const x = inputAt('gelu', inputs, 0)
    requireDType('gelu', 'input', x, ['float32'])
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  gradient: (o, { inputs, attributes }, [g]) => {
    if (!g) return []
    const x = inputAt('gelu', inputs, 0)
    if (attributes.approximate === 'none') {
      // d = Phi(x) + x phi(x)
      const cumulative = o.mul(o.add(o.erf(o.mul(x, SQRT1_2)), 1), 0.5)
      const density = o.mul(o.exp(o.mul(o.mul(x, x), -0.5)), 1 / root(2 * PI))
      return [o.mul(g, o.add(cumulative, o.mul(x, density)))]
    }
    // With s = sigmoid(2u), u = sqrt(2/pi)(x + 0.044715 x^3): gelu = x s, d = s + x s (1 - s) 2u'
    const square = o.mul(x, x)
    const s = o.sigmoid(o.mul(x, o.add(o.mul(square, 2 * tanhScale * cubic), 2 * tanhScale)))
    const inner = o.add(o.mul(square, 6 * tanhScale * cubic), 2 * tanhScale)
    return [o.mul(g, o.mul(s, o.add(o.mul(o.mul(x, o.sub(1, s)), inner), 1)))]
  },
  lower: (emit, { inputs, attributes }) => emit.node('Gelu', inputs, { approximate: attributes.approximate }),
  samples: () =>
    (['none', 'tanh'] as const).flatMap((approximate) => [
      { inputs: [{ shape: [2, 5], range: [-3, 3] as const }], call: (x: Tensor) => gelu(x, { approximate }) },
      { inputs: [{ shape: [], range: [-1, 1] as const }], call: (x: Tensor) => gelu(x, { approximate }) },
    ]),
  errors: () => [{ inputs: [{ shape: [2], dtype: 'int32' }], call: (x) => gelu(x) }],
})

/** x Phi(x), with Phi the standard normal distribution's cumulative function (Hendrycks and Gimpel 2016). Default: erf. */
export function gelu(x: Operand, options: { readonly approximate?: GeluForm } = {}): Tensor {
  return apply(geluOp, [toTensor(x)], { approximate: options.approximate ?? 'none' })
}

/** x sigmoid(1.702 x), as in CLIP. */
export function quickGelu(x: Operand): Tensor {
  return mul(x, sigmoid(mul(x, 1.702)))
}

/** x sigmoid(x), also called swish. */
export function silu(x: Operand): Tensor {
  return mul(x, sigmoid(x))
}

/** min(max(x, 0), 6). */
export function relu6(x: Operand): Tensor {
  return hardtanh(x, { min: 0, max: 6 })
}

/** x for x > 0, else slope x. Default slope: 0.01. */
export function leakyRelu(x: Operand, options: { readonly negativeSlope?: number } = {}): Tensor {
  return where(greater(x, 0), x, mul(x, options.negativeSlope ?? 0.01))
}

/** x for x > 0, else weight x; the weight is one number or one per channel (axis 1). */
export function prelu(x: Operand, weight: Operand): Tensor {
  const [input, slope] = [toTensor(x), toTensor(weight)]
  if (slope.size !== 1 && slope.size !== input.shape[1]) {
    throw new ShapeError(
      `prelu: the weight must have 1 element or one per channel (${input.shape[1]}), found ${slope.size}`,
    )
  }
  const shape = input.rank > 1 ? input.shape.map((_, axis) => (axis === 1 ? slope.size : 1)) : [1]
  return where(greater(input, 0), input, mul(input, reshape(slope, shape)))
}

/** x for x > 0, else alpha (e^x - 1). Default alpha: 1. */
export function elu(x: Operand, options: { readonly alpha?: number } = {}): Tensor {
  return where(greater(x, 0), x, mul(expm1(where(greater(x, 0), 0, x)), options.alpha ?? 1))
}

/** max(x, 0) + min(0, alpha (e^(x/alpha) - 1)). Default alpha: 1. */
export function celu(x: Operand, options: { readonly alpha?: number } = {}): Tensor {
  const alpha = options.alpha ?? 1
  return where(greater(x, 0), x, mul(expm1(mul(where(greater(x, 0), 0, x), 1 / alpha)), alpha))
}

/** Self-normalising elu (Klambauer et al. 2017). */
export function selu(x: Operand): Tensor {
  return mul(elu(x, { alpha: 1.6732632423543772 }), 1.0507009873554805)
}

/** log(1 + e^(beta x)) / beta, and x itself where beta x exceeds the threshold. Defaults: 1, 20. */
export function softplus(x: Operand, options: { readonly beta?: number; readonly threshold?: number } = {}): Tensor {
  const { beta = 1, threshold: limit = 20 } = options
  const scaled = mul(x, beta)
  // Replaced inside so that the branch that is not taken neither overflows nor poisons the gradient.
  const inner = Number.isFinite(limit) ? where(greater(scaled, limit), 0, scaled) : scaled
  const value = mul(logAddExp(inner, 0), 1 / beta)
  return where(greater(scaled, limit), x, value)
}

/** log(sigmoid(x)), without overflow. */
export function logSigmoid(x: Operand): Tensor {
  return neg(softplus(neg(x), { threshold: Number.POSITIVE_INFINITY }))
}

/** x tanh(softplus(x)) (Misra 2019). */
export function mish(x: Operand): Tensor {
  return mul(x, tanh(softplus(x)))
}

/** min(max(x, min), max). Defaults: -1, 1. The gradient at the bounds is 0. */
export function hardtanh(x: Operand, options: { readonly min?: number; readonly max?: number } = {}): Tensor {
  const { min = -1, max = 1 } = options
  const inside = logicalAnd(greater(x, min), less(x, max))
  return where(inside, x, clamp(x, min, max))
}

/** min(max(x / 6 + 1/2, 0), 1). */
export function hardsigmoid(x: Operand): Tensor {
  return mul(hardtanh(add(x, 3), { min: 0, max: 6 }), 1 / 6)
}

/** x hardsigmoid(x), 0 below -3 and x above 3. */
export function hardswish(x: Operand): Tensor {
  const inner = mul(mul(x, add(x, 3)), 1 / 6)
  return where(lessOrEqual(x, -3), 0, where(greaterOrEqual(x, 3), x, inner))
}

/** x / (1 + |x|). */
export function softsign(x: Operand): Tensor {
  const input = toTensor(x)
  return mul(input, reciprocal(add(abs(input), 1)))
}

/** x - tanh(x). */
export function tanhshrink(x: Operand): Tensor {
  return sub(x, tanh(x))
}

/** Moves x toward 0 by lambda, and to 0 within it. Default lambda: 0.5. */
export function softshrink(x: Operand, options: { readonly lambda?: number } = {}): Tensor {
  const lambda = options.lambda ?? 0.5
  return where(greater(x, lambda), sub(x, lambda), where(less(x, -lambda), add(x, lambda), 0))
}

/** x where |x| > lambda, else 0. Default lambda: 0.5. */
export function hardshrink(x: Operand, options: { readonly lambda?: number } = {}): Tensor {
  return where(greater(abs(x), options.lambda ?? 0.5), x, 0)
}

/** x where x > threshold, else value. */
export function threshold(x: Operand, limit: number, value: number): Tensor {
  return where(greater(x, limit), x, value)
}

function gated(x: Operand, axis: number, gate: (x: Tensor) => Tensor): Tensor {
  const [value, control] = chunk(x, 2, axis)
  if (!value || !control) throw new ShapeError('glu: the axis must have an even size')
  return mul(value, gate(control))
}

/** a sigmoid(b) with a and b the halves of an axis. Default axis: -1. */
export function glu(x: Operand, axis = -1): Tensor {
  return gated(x, axis, sigmoid)
}
/** a gelu(b) with a and b the halves of the last axis. */
export function geglu(x: Operand, axis = -1): Tensor {
  return gated(x, axis, gelu)
}
/** a silu(b) with a and b the halves of the last axis. */
export function swiglu(x: Operand, axis = -1): Tensor {
  return gated(x, axis, silu)
}
