/** Activation functions of straight pieces, and hardswish, which is made of one. Gradients at the kinks are PyTorch's. */
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireAtLeast, requireFinite, requireNumber } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { customGradient } from '../control.ts'
import {
  apply,
  checked,
  defineOp,
  inputAt,
  type Operand,
  requireDType,
  toFloat,
  toTensor,
  toTensorPair,
} from '../define.ts'
import { reshape } from '../movement/movement.ts'
import { sumTo } from '../reduction/reduce.ts'
import { add, greater, lessOrEqual, mul, sub } from './binary.ts'
import { where } from './choice.ts'
import { clamp } from './rounding.ts'
import { abs, relu } from './unary.ts'

const kinked = [-1.3, -0.4, 0.2, 0.9]

/** A primitive: its kernel takes a twelfth of the time of a choice between x and slope x. */
export const leakyReluOp = defineOp<{ readonly slope: number }>({
  name: 'leakyRelu',
  infer: (inputs, { slope }) => {
    const x = inputAt('leakyRelu', inputs, 0)
    requireFinite('leakyRelu', 'negativeSlope', slope)
    requireDType('leakyRelu', 'input', x, ['float32'])
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  gradient: (o, { inputs, attributes }, [g]) => [
    g && o.where(o.greater(inputAt('leakyRelu', inputs, 0), 0), g, o.mul(g, attributes.slope)),
  ],
  lower: (emit, { inputs, attributes }) => emit.node('LeakyRelu', inputs, { alpha: { float: attributes.slope } }),
  samples: () => [
    { inputs: [{ shape: [2, 2], values: kinked }], call: (x) => leakyRelu(x), smooth: false },
    { inputs: [{ shape: [4, 1], values: kinked }], call: (x) => leakyRelu(x, { negativeSlope: -0.5 }), smooth: false },
  ],
  errors: () => [
    { inputs: [{ shape: [2], dtype: 'int32' }], call: (x) => leakyRelu(x) },
    { inputs: [[2]], call: (x) => leakyRelu(x, { negativeSlope: Number.NaN }) },
  ],
})

/** x for x > 0, else slope x. Default slope: 0.01. */
export function leakyRelu(x: Operand, options?: { readonly negativeSlope?: number }): Tensor {
  return apply(leakyReluOp, [toTensor('leakyRelu', x)], {
    slope: optionsOf('leakyRelu', options, { negativeSlope: true }).negativeSlope ?? 0.01,
  })
}

/** x for x > 0, else weight x; the weight is one number or one per channel (axis 1). */
export function prelu(x: Operand, weight: Operand): Tensor {
  const [input, slope] = [toFloat('prelu', x), toFloat('prelu', weight, 'weight')]
  return checked(() => {
    const channels = input.rank > 1 ? sizeOf(input.shape, 1) : 1
    if (slope.size !== 1 && slope.size !== channels) {
      throw new ShapeError(
        `prelu: the weight must have 1 element or one per channel (${channels}), found ${slope.size}`,
      )
    }
    const parametric = customGradient(
      (given: Tensor, factor: Tensor) => add(relu(given), mul(clamp(given, undefined, 0), factor)),
      (g, { inputs: [given, factor] }) => [
        where(greater(given, 0), g, mul(g, factor)),
        sumTo(mul(g, clamp(given, undefined, 0)), factor.shape),
      ],
    )
    return parametric(
      input,
      reshape(
        slope,
        input.shape.map((_, axis) => (axis === 1 ? slope.size : 1)),
      ),
    )
  })
}

/** min(max(x, min), max). Defaults: -1, 1. The gradient at the bounds is 0. */
export function hardtanh(x: Operand, options?: { readonly min?: number; readonly max?: number }): Tensor {
  const { min = -1, max = 1 } = optionsOf('hardtanh', options, { min: true, max: true })
  checked(() => {
    requireNumber('hardtanh', 'min', min)
    requireAtLeast('hardtanh', 'max', max, min)
  })
  return clamp(x, min, max)
}

/** min(max(x, 0), 6). */
export function relu6(x: Operand): Tensor {
  return clamp(x, 0, 6)
}

export interface HardsigmoidAttributes {
  readonly slope: number
  readonly offset: number
}

/** A primitive: one kernel, one pass over memory. */
export const hardsigmoidOp = defineOp<HardsigmoidAttributes>({
  name: 'hardsigmoid',
  infer: (inputs, { slope, offset }) => {
    const x = inputAt('hardsigmoid', inputs, 0)
    requireFinite('hardsigmoid', 'slope', slope)
    requireFinite('hardsigmoid', 'offset', offset)
    requireDType('hardsigmoid', 'input', x, ['float32'])
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  gradient: (o, { inputs, attributes: { slope, offset } }, [g]) => {
    const centred = o.add(inputAt('hardsigmoid', inputs, 0), (offset - 0.5) / slope)
    return [g && o.where(o.less(o.abs(centred), 0.5 / Math.abs(slope)), o.mul(g, slope), 0)]
  },
  lower: (emit, { inputs, attributes: { slope, offset } }) =>
    emit.node('HardSigmoid', inputs, { alpha: { float: slope }, beta: { float: offset } }),
  samples: () => [
    { inputs: [{ shape: [2, 2], values: kinked }], call: (x) => hardsigmoid(x), smooth: false },
    {
      inputs: [{ shape: [4], values: kinked }],
      call: (x) => hardsigmoid(x, { slope: -1, offset: 0.3 }),
      smooth: false,
    },
  ],
  errors: () => [
    { inputs: [{ shape: [2], dtype: 'int32' }], call: (x) => hardsigmoid(x) },
    { inputs: [[2]], call: (x) => hardsigmoid(x, { slope: Number.NaN }) },
  ],
})

/** min(max(slope x + offset, 0), 1). Default slope: 1 / 6, offset: 1 / 2. */
export function hardsigmoid(x: Operand, options?: Partial<HardsigmoidAttributes>): Tensor {
  const given = optionsOf('hardsigmoid', options, { slope: true, offset: true })
  return apply(hardsigmoidOp, [toTensor('hardsigmoid', x)], {
    slope: given.slope ?? 1 / 6,
    offset: given.offset ?? 0.5,
  })
}

/** x hardsigmoid(x): 0 below -3 and x above 3 (Howard et al. 2019). */
export function hardswish(x: Operand): Tensor {
  const input = toFloat('hardswish', x)
  return mul(input, hardsigmoid(input))
}

/** Moves x toward 0 by lambda, and to 0 within it. Default lambda: 0.5. */
export function softshrink(x: Operand, options?: { readonly lambda?: number }): Tensor {
  const lambda = optionsOf('softshrink', options, { lambda: true }).lambda ?? 0.5
  checked(() => requireAtLeast('softshrink', 'lambda', lambda, 0))
  const shrink = customGradient(
    (input: Tensor) => sub(input, clamp(input, -lambda, lambda)),
    (g, { inputs: [input] }) => [where(lessOrEqual(abs(input), lambda), 0, g)],
  )
  return shrink(toFloat('softshrink', x))
}

/** x where |x| > lambda, else 0. Default lambda: 0.5. */
export function hardshrink(x: Operand, options?: { readonly lambda?: number }): Tensor {
  const lambda = optionsOf('hardshrink', options, { lambda: true }).lambda ?? 0.5
  checked(() => requireAtLeast('hardshrink', 'lambda', lambda, 0))
  return where(lessOrEqual(abs(x), lambda), 0, x)
}

/** x where x > threshold, else value. */
export function threshold(x: Operand, limit: number, value: number): Tensor {
  const [input, other] = toTensorPair('threshold', x, value)
  checked(() => {
    requireNumber('threshold', 'limit', limit)
    requireNumber('threshold', 'value', value)
  })
  return where(lessOrEqual(input, limit), other, input)
}
