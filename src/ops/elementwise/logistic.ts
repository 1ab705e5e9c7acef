/** The logistic function and its product with the input (docs/decisions/040-elementwise-accuracy.md). */
import type { Tensor } from '../../tensor/tensor.ts'
import { apply, applyAll, defineOp, type Emitter, inputAt, type Operand, requireDType, toTensor } from '../define.ts'

type NoAttributes = Record<string, never>

/** Greater powers of e are taken for this one: 1 + it is it, so that p / (1 + p) is 1, never a rounding more, nor infinity by infinity. */
const largestPower = 2 ** 24

/** Powers beyond, infinite ones too, have a gradient of 0, not one of 0 times infinity. */
const largestSloped = 2 ** 127

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
    const byPower = gPower && o.mul(gPower, o.minimum(power, largestSloped))
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

/** Outputs: y = x sigmoid(beta x) and the sigmoid, which the gradient uses. */
export const swishOp = defineOp<{ readonly beta: number }>({
  name: 'swish',
  infer: (inputs) => {
    const x = inputAt('swish', inputs, 0)
    requireDType('swish', 'input', x, ['float32'])
    return [x, x].map(({ shape }) => ({ dtype: 'float32', shape }))
  },
  // With s = sigmoid(beta x): dy/dx = s + beta s (x - y), in which x - y is 0 where s is 1; ds/dx = beta s (1 - s).
  gradient: (o, { inputs, outputs, attributes: { beta } }, [g, gSigmoid]) => {
    const [x, y, s] = [inputAt('swish', inputs, 0), inputAt('swish', outputs, 0), inputAt('swish', outputs, 1)]
    const byValue = g && o.mul(g, o.add(s, o.mul(o.mul(s, o.sub(x, y)), beta)))
    const bySigmoid = gSigmoid && o.mul(gSigmoid, o.mul(o.mul(s, o.sub(1, s)), beta))
    return [byValue && bySigmoid ? o.add(byValue, bySigmoid) : (byValue ?? bySigmoid)]
  },
  lower: (emit, { inputs, attributes: { beta } }) => {
    const x = inputAt('swish', inputs, 0)
    const scaled = beta === 1 ? x : emit.node('Mul', [x, emit.scalar(beta, 'float32')])
    const s = emit.fused ? emitFromPower(emit, emit.node('Exp', [scaled])) : emit.node('Sigmoid', [scaled])
    return [emit.node('Mul', [x, s]), s]
  },
  samples: () => [
    { inputs: [{ shape: [2, 5], range: [-3, 3] }], call: (x) => silu(x) },
    { inputs: [{ shape: [1, 4, 1], range: [-3, 3] }], call: (x) => quickGelu(x) },
    { inputs: [[]], call: (x) => quickGelu(x) },
  ],
  errors: () => [{ inputs: [{ shape: [2], dtype: 'int32' }], call: (x) => silu(x) }],
})

function swish(x: Tensor, beta: number): Tensor {
  return inputAt('swish', applyAll(swishOp, [x], { beta }), 0)
}

/** x sigmoid(x), also called swish. */
export function silu(x: Operand): Tensor {
  return swish(toTensor('silu', x), 1)
}

/** x sigmoid(1.702 x), as in CLIP. */
export function quickGelu(x: Operand): Tensor {
  return swish(toTensor('quickGelu', x), 1.702)
}
