/** Softmax and its logarithm. */
import { normalizeAxis } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { requirePositive } from '../../util/check.ts'
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
  toFloat,
  toTensor,
} from '../define.ts'
import { mul } from '../elementwise/binary.ts'
import { neg } from '../elementwise/unary.ts'
import { reshape } from '../movement/movement.ts'

interface AxisAttribute {
  readonly axis: number
}

function defineSoftmax(
  name: string,
  onnx: string,
  call: (x: Tensor, axis?: number) => Tensor,
  gradient: (o: Ops, y: Tensor, g: Tensor, axis: number) => Tensor,
  plain?: (emit: Emitter, x: string, axis: number) => string,
): OpDefinition<AxisAttribute> {
  return defineOp<AxisAttribute>({
    name,
    infer: (inputs) => {
      const x = inputAt(name, inputs, 0)
      requireDType(name, 'input', x, ['float32'])
      return [{ dtype: x.dtype, shape: x.shape }]
    },
    gradient: (o, { outputs, attributes }, [g]) => [g && gradient(o, inputAt(name, outputs, 0), g, attributes.axis)],
    lower: (emit, { inputs, attributes: { axis } }) =>
      plain && !emit.has(onnx) ? plain(emit, inputAt(name, inputs, 0), axis) : emit.node(onnx, inputs, { axis }),
    samples: () => [
      { inputs: [[2, 5]], call: (x) => call(x) },
      { inputs: [[3, 1, 4]], call: (x) => call(x, 0) },
      { inputs: [[2, 3, 2]], call: (x) => call(x, -2) },
      { inputs: [[]], call: (x) => call(x, 0) },
    ],
    errors: () => [
      { inputs: [[2, 3]], call: (x) => call(x, 2) },
      { inputs: [{ shape: [2], dtype: 'int32' }], call: (x) => call(x) },
    ],
  })
}

// dx = y (g - sum(g y))
export const softmaxOp = defineSoftmax('softmax', 'Softmax', softmax, (o, y, g, axis) =>
  o.mul(y, o.sub(g, o.sum(o.mul(g, y), axis, { keepDims: true }))),
)
/** x - max(x) - log(sum(e^(x - max(x)))), of kernels that every runtime has. */
function lowerLogSoftmax(emit: Emitter, x: string, axis: number): string {
  const along = (kernel: string, input: string): string =>
    emit.node(kernel, [input, emit.ints([axis])], { keepdims: 1 })
  const shifted = emit.node('Sub', [x, along('ReduceMax', x)])
  return emit.node('Sub', [shifted, emit.node('Log', [along('ReduceSum', emit.node('Exp', [shifted]))])])
}

// dx = g - exp(y) sum(g)
export const logSoftmaxOp = defineSoftmax(
  'logSoftmax',
  'LogSoftmax',
  logSoftmax,
  (o, y, g, axis) => o.sub(g, o.mul(o.exp(y), o.sum(g, axis, { keepDims: true }))),
  lowerLogSoftmax,
)

function along(op: OpDefinition<AxisAttribute>, x: Operand, axis: number): Tensor {
  const input = toTensor(op.name, x)
  return checked(() => {
    const at = normalizeAxis(op.name, axis, input.rank)
    // The kernels want an axis.
    return input.rank === 0
      ? reshape(apply(op, [reshape(input, [1])], { axis: at }), [])
      : apply(op, [input], { axis: at })
  })
}

/** e^x / sum(e^x) along an axis; -inf gives 0. Default axis: -1. */
export function softmax(x: Operand, axis = -1): Tensor {
  return along(softmaxOp, x, axis)
}

/** x - log(sum(e^x)) along an axis, without overflow. Default axis: -1. */
export function logSoftmax(x: Operand, axis = -1): Tensor {
  return along(logSoftmaxOp, x, axis)
}

/** softmax(-x). */
export function softmin(x: Operand, axis = -1): Tensor {
  return softmax(neg(toFloat('softmin', x)), axis)
}

/** softmax(x / temperature). */
export function softmaxWithTemperature(x: Operand, temperature: number, axis = -1): Tensor {
  const input = toFloat('softmaxWithTemperature', x)
  checked(() => requirePositive('softmaxWithTemperature', 'temperature', temperature))
  return softmax(mul(input, 1 / temperature), axis)
}
