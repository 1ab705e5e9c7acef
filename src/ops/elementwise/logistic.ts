/** The logistic function and its product with the input (docs/decisions/040-elementwise-accuracy.md). */
import type { Tensor } from '../../tensor/tensor.ts'
import { apply, applyAll, defineOp, type Emitter, inputAt, type Operand, requireDType, toTensor } from '../define.ts'

type NoAttributes = Record<string, never>

/** Greater powers of e are taken for this one: 1 + it is it, so that p / (1 + p) is 1, never a rounding more, nor infinity by infinity. */
const largestPower = 2 ** 24

/**
 * Nodes of 1 / (1 + e^-x) from the power e^x. ONNX Runtime's own kernel is 0 below -18 and twice too large at -17; Softsign, p / (1 + |p|),
 * of the power is right to the last digits of the smallest number and takes no longer.
 */
function emitFromPower(emit: Emitter, power: string): string {
  const bounded = emit.node('Clip', [power, emit.scalar(0, 'float32'), emit.scalar(largestPower, 'float32')])
  return emit.node('Softsign', [bounded])
}

/** Outputs: y = 1 / (1 + e^-x) and e^x, by which the gradient is exact where 1 - y is not. */
export const sigmoidOp = defineOp<NoAttributes>({
  name: 'sigmoid',
  infer: (inputs) => {
    const x = inputAt('sigmoid', inputs, 0)
    requireDType('sigmoid', 'input', x, ['float32'])
    return [x, x].map(({ shape }) => ({ dtype: 'float32', shape }))
  },
  // dy/dx = y (1 - y) = y / (1 + e^x)
  gradient: (o, { outputs }, [g, gPower]) => {
    const [y, power] = [inputAt('sigmoid', outputs, 0), inputAt('sigmoid', outputs, 1)]
    const byValue = g && o.mul(g, o.div(y, o.add(power, 1)))
    const byPower = gPower && o.mul(gPower, power)
    return [byValue && byPower ? o.add(byValue, byPower) : (byValue ?? byPower)]
  },
  lower: (emit, { inputs, used }) => {
    // In a model for others the standard's own op, which they know and fuse.
    if (!emit.fused) return [emit.node('Sigmoid', inputs), used[1] ? emit.node('Exp', inputs) : '']
    const power = emit.node('Exp', inputs)
    return [emitFromPower(emit, power), power]
  },
  samples: () => [[], [2, 3], [1, 4, 1]].map((shape) => ({ inputs: [{ shape, range: [-2, 2] }], call: sigmoid })),
  errors: () => [{ inputs: [{ shape: [2], dtype: 'int32' }], call: sigmoid }],
})

/** 1 / (1 + e^-x). */
export function sigmoid(x: Operand): Tensor {
  return apply(sigmoidOp, [toTensor('sigmoid', x)], {})
}

/** x sigmoid(beta x). A primitive so that only x is kept for its gradient. */
export const swishOp = defineOp<{ readonly beta: number }>({
  name: 'swish',
  infer: (inputs) => {
    const x = inputAt('swish', inputs, 0)
    requireDType('swish', 'input', x, ['float32'])
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  // With s = sigmoid(beta x): d = s + beta x s (1 - s), where 1 - s = 1 / (1 + e^(beta x)) is exact in this form.
  gradient: (o, { inputs, attributes: { beta } }, [g]) => {
    const x = inputAt('swish', inputs, 0)
    const [s, power] = applyAll(sigmoidOp, [o.mul(x, beta)], {})
    if (!g || !s || !power) return []
    return [o.mul(g, o.add(s, o.mul(o.mul(s, o.div(x, o.add(power, 1))), beta)))]
  },
  lower: (emit, { inputs, attributes: { beta } }) => {
    const x = inputAt('swish', inputs, 0)
    const scaled = beta === 1 ? x : emit.node('Mul', [x, emit.scalar(beta, 'float32')])
    const s = emit.fused ? emitFromPower(emit, emit.node('Exp', [scaled])) : emit.node('Sigmoid', [scaled])
    return emit.node('Mul', [x, s])
  },
  samples: () => [
    { inputs: [{ shape: [2, 5], range: [-3, 3] }], call: (x) => silu(x) },
    { inputs: [{ shape: [1, 4, 1], range: [-3, 3] }], call: (x) => quickGelu(x) },
    { inputs: [[]], call: (x) => quickGelu(x) },
  ],
  errors: () => [{ inputs: [{ shape: [2], dtype: 'int32' }], call: (x) => silu(x) }],
})

/** x sigmoid(x), also called swish. */
export function silu(x: Operand): Tensor {
  return apply(swishOp, [toTensor('silu', x)], { beta: 1 })
}

/** x sigmoid(1.702 x), as in CLIP. */
export function quickGelu(x: Operand): Tensor {
  return apply(swishOp, [toTensor('quickGelu', x)], { beta: 1.702 })
}
