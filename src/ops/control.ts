/** Ops that change how gradients flow, not values. */
import type { Tensor } from '../tensor/tensor.ts'
import { ShapeError } from '../util/errors.ts'
import { apply, applyAll, defineOp, inputAt, type Operand, toTensor } from './define.ts'

type NoAttributes = Record<string, never>

export const stopGradientOp = defineOp<NoAttributes>({
  name: 'stopGradient',
  infer: (inputs) => [inputAt('stopGradient', inputs, 0)].map(({ dtype, shape }) => ({ dtype, shape })),
  lower: (_emit, { inputs }) => inputs,
  simplify: (_o, { inputs }) => inputs,
  samples: () => [{ inputs: [[2, 3]], call: (x) => stopGradient(x), smooth: false }],
})

/** The same values; no gradient flows back through them. */
export function stopGradient(x: Operand): Tensor {
  return apply(stopGradientOp, [toTensor(x)], {})
}

/** Gradients of the inputs from the outputs' (zeros where nothing flows). */
export type Backward = (
  outputGradients: readonly Tensor[],
  outputs: readonly Tensor[],
) => readonly (Tensor | undefined)[]

interface CustomAttributes {
  readonly count: number
  readonly backward: Backward
}

/** Inputs: first the `count` outputs of the forward function, then the inputs that gradients are for. */
export const customGradientOp = defineOp<CustomAttributes>({
  name: 'customGradient',
  opaque: true,
  infer: (inputs, { count }) => inputs.slice(0, count).map(({ dtype, shape }) => ({ dtype, shape })),
  gradient: (o, { inputs, outputs, attributes }, gradients) => {
    const { count, backward } = attributes
    const incoming = outputs.map((output, i) => gradients[i] ?? o.full(output.shape, 0))
    const given = backward(incoming, outputs)
    if (given.length !== inputs.length - count) {
      throw new ShapeError(
        `customGradient: backward must return ${inputs.length - count} gradients, found ${given.length}`,
      )
    }
    return [...inputs.slice(0, count).map(() => undefined), ...given]
  },
  lower: (_emit, { inputs, attributes }) => inputs.slice(0, attributes.count),
  samples: () => [
    {
      inputs: [{ shape: [3], range: [0.5, 2] }],
      call: (x) =>
        customGradient(
          [x],
          ([y]) => [y as Tensor],
          ([g]) => [g],
        ),
    },
  ],
})

/**
 * The outputs of `forward(inputs)` with gradients computed by `backward` instead of by its ops. `backward` gets the
 * outputs' gradients and the outputs, and returns a gradient (or undefined) for each input.
 */
export function customGradient(
  inputs: readonly Tensor[],
  forward: (inputs: readonly Tensor[]) => readonly Tensor[],
  backward: Backward,
): readonly Tensor[] {
  const outputs = forward(inputs)
  return applyAll(customGradientOp, [...outputs, ...inputs], { count: outputs.length, backward })
}
