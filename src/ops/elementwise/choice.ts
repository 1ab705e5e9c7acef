/** Choice between tensors, and conversion of their elements. */

import type { DType } from '../../tensor/dtype.ts'
import { dtypes, isFloat } from '../../tensor/dtype.ts'
import { broadcastShapes } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { apply, defineOp, inputAt, type Operand, requireDType, toTensor, toTensors } from '../define.ts'
import { comparable, inferBroadcast } from './binary.ts'

type NoAttributes = Record<string, never>
const none: NoAttributes = {}

export const whereOp = defineOp<NoAttributes>({
  name: 'where',
  infer: (inputs) => {
    const condition = inputAt('where', inputs, 0)
    requireDType('where', 'condition', condition, ['bool'])
    const value = inferBroadcast('where', inputs.slice(1), comparable)
    return [{ dtype: value.dtype, shape: broadcastShapes('where', [condition.shape, value.shape]) }]
  },
  gradient: (o, { inputs }, [g]) => {
    const [condition, a, b] = [inputAt('where', inputs, 0), inputAt('where', inputs, 1), inputAt('where', inputs, 2)]
    return [undefined, g && o.sumTo(o.where(condition, g, 0), a.shape), g && o.sumTo(o.where(condition, 0, g), b.shape)]
  },
  lower: (emit, { inputs, inputTypes, outputTypes }) => {
    if (outputTypes[0]?.dtype !== 'bool') return emit.node('Where', inputs)
    const [condition = '', a = '', b = ''] = inputs
    void inputTypes
    return emit.cast(emit.node('Where', [condition, emit.cast(a, 'uint8'), emit.cast(b, 'uint8')]), 'bool')
  },
  samples: () => {
    const call = (condition: Tensor, a: Tensor, b: Tensor): Tensor => where(condition, a, b)
    return [
      { inputs: [{ shape: [2, 3], dtype: 'bool' }, [2, 3], [2, 3]], call },
      { inputs: [{ shape: [3], dtype: 'bool' }, [2, 1], []], call },
    ]
  },
  errors: () => [
    { inputs: [[2], [2], [2]], call: (c, a, b) => where(c, a, b) },
    { inputs: [{ shape: [3], dtype: 'bool' }, [2], [2]], call: (c, a, b) => where(c, a, b) },
  ],
})
/** a where the condition holds, else b. Shapes broadcast; no gradient flows to the side that was not chosen. */
export function where(condition: Operand, a: Operand, b: Operand): Tensor {
  return apply(whereOp, [toTensor('where', condition), ...toTensors('where', [a, b])], none)
}

export const castOp = defineOp<{ readonly to: DType }>({
  name: 'cast',
  keepsValues: true,
  infer: (inputs, { to }) => {
    if (!dtypes.includes(to)) {
      throw new ShapeError(`cast: the dtype must be one of ${dtypes.join(', ')}, found ${shown(to)}`)
    }
    return [{ dtype: to, shape: inputAt('cast', inputs, 0).shape }]
  },
  gradient: (_o, { inputs, attributes }, [g]) => [
    g && isFloat(attributes.to) && isFloat(inputAt('cast', inputs, 0).dtype) ? g : undefined,
  ],
  simplify: (_o, { inputs, attributes }) => (inputs[0]?.dtype === attributes.to ? inputs : undefined),
  lower: (emit, { inputs, attributes }) => emit.cast(inputAt('cast', inputs, 0), attributes.to),
  samples: () => [
    { inputs: [{ shape: [2, 3], range: [0, 9] }], call: (x) => cast(x, 'int32'), smooth: false },
    { inputs: [{ shape: [4], dtype: 'bool' }], call: (x) => cast(x, 'float32') },
  ],
  // From JavaScript, or from a file: the type system does not help there.
  errors: () => [{ inputs: [[2]], call: (x) => cast(x, JSON.parse('"float16"') as DType) }],
})
/** Converts to another dtype. To bool: anything but 0 is true; to integers: truncated toward zero. */
export function cast(x: Operand, to: DType): Tensor {
  const input = toTensor('cast', x)
  return input.dtype === to ? input : apply(castOp, [input], { to })
}
