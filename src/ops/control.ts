/** Control over gradients and order: values that stop gradients, replace them, or are computed late. */
import { elementCount } from '../tensor/dtype.ts'
import { formatShape, sameShape } from '../tensor/shape.ts'
import { type GraphNode, Tensor } from '../tensor/tensor.ts'
import { shown } from '../util/check.ts'
import { ShapeError } from '../util/errors.ts'
import { zerosLike } from './creation.ts'
import { apply, applyAll, defineOp, inputAt, type Operand, toTensor } from './define.ts'
import { cast } from './elementwise/choice.ts'
import { concat, reshape, slice } from './movement/movement.ts'

type NoAttributes = Record<string, never>

export const stopGradientOp = defineOp<NoAttributes>({
  name: 'stopGradient',
  infer: (inputs) => [inputAt('stopGradient', inputs, 0)].map(({ dtype, shape }) => ({ dtype, shape })),
  // Gradients are made while tracing, before anything is simplified: from then on it equals its input.
  simplify: (_o, { inputs }) => inputs,
  lower: (_emit, { inputs }) => inputs,
  samples: () => [{ inputs: [[2, 3]], call: (x) => stopGradient(x) }],
  errors: 'every tensor is valid',
})
/** The same values; no gradient flows back through them. */
export function stopGradient(x: Operand): Tensor {
  return apply(stopGradientOp, [toTensor('stopGradient', x)], {})
}

/** A second node for a tensor, which marks where a part of a graph begins. */
export const aliasOp = defineOp<NoAttributes>({
  name: 'alias',
  infer: (inputs) => [inputAt('alias', inputs, 0)].map(({ dtype, shape }) => ({ dtype, shape })),
  gradient: (_o, _context, [g]) => [g],
  simplify: (_o, { inputs }) => inputs,
  lower: (_emit, { inputs }) => inputs,
  samples: () => [{ inputs: [[2, 3]], call: (x) => alias(x) }],
  errors: 'every tensor is valid',
})
/** The same tensor as a new node. */
export function alias(x: Operand): Tensor {
  return apply(aliasOp, [toTensor('alias', x)], {})
}

/**
 * Joins x with no elements of `after`: one copy of x, which neither our passes nor ONNX Runtime's see through, so that
 * what is computed from it is neither merged with what is computed from x nor run before `after` is there.
 */
export const runAfterOp = defineOp<NoAttributes>({
  name: 'runAfter',
  infer: (inputs) => {
    const [x] = [inputAt('runAfter', inputs, 0), inputAt('runAfter', inputs, 1)]
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  gradient: (_o, _context, [g]) => [g, undefined],
  lower: (emit, { inputs, inputTypes }) => {
    const [x, after] = [inputAt('runAfter', inputTypes, 0), inputAt('runAfter', inputTypes, 1)]
    const flat = inputs.map((name, i) =>
      // Without allowzero a 0 would mean the input's size.
      emit.node('Reshape', [name, emit.ints([elementCount((i === 0 ? x : after).shape)])], { allowzero: 1 }),
    )
    const nothing = emit.node('Slice', [inputAt('runAfter', flat, 1), emit.ints([0]), emit.ints([0])])
    const joined = emit.node('Concat', [inputAt('runAfter', flat, 0), emit.cast(nothing, x.dtype)], { axis: 0 })
    return emit.node('Reshape', [joined, emit.ints(x.shape)], { allowzero: 1 })
  },
  samples: () => [
    { inputs: [[2, 3], [4]], call: (x, after) => runAfter(x, after) },
    { inputs: [{ shape: [3], dtype: 'int32' }, []], call: (x, after) => runAfter(x, after) },
    { inputs: [[], { shape: [2], dtype: 'bool' }], call: (x, after) => runAfter(x, after) },
    { inputs: [[2], [2, 0]], call: (x, after) => runAfter(x, after) },
  ],
  errors: 'every tensor is valid',
})
/** The same values as x, but not there before `after` has been computed. */
export function runAfter(x: Operand, after: Operand): Tensor {
  return apply(runAfterOp, [toTensor('runAfter', x), toTensor('runAfter', after)], {})
}

/** The same values as x, but not there before any of `others` has been computed. */
export function runAfterAll(x: Tensor, others: readonly Tensor[]): Tensor {
  if (others.length === 0) return x
  // One element of each: joined, they wait for all.
  const elements = others.map((other) => cast(slice(reshape(other, [-1]), [0, Math.min(1, other.size)], 0), x.dtype))
  return runAfter(x, concat(elements, 0))
}

/**
 * Gradients of the inputs from those of the outputs (undefined: nothing depends on that output). Takes tensors from its arguments
 * only: what it captured belongs to the first computation, which a checkpoint must not keep.
 */
export type Backward = (
  outputGradients: readonly (Tensor | undefined)[],
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
) => readonly (Tensor | undefined)[]

interface BackwardAttributes {
  /** How many of the inputs are the values that pass through; the others are what gradients are for. */
  readonly count: number
  readonly backward: Backward
  /** How many of these, from the first one on, have gradients that wait until those of the others are added up. */
  readonly late: number
}

export const withBackwardOp = defineOp<BackwardAttributes>({
  name: 'withBackward',
  infer: (inputs, { count }) => inputs.slice(0, count).map(({ dtype, shape }) => ({ dtype, shape })),
  gradient: (_o, { inputs, outputs, attributes: { count, backward } }, outputGradients) => {
    const gradients = backward(outputGradients, inputs.slice(count), outputs)
    const wrong = Array.isArray(gradients) ? gradients.find((g) => g && !(g instanceof Tensor)) : gradients
    if (!Array.isArray(gradients) || wrong !== undefined)
      throw new ShapeError(`customGradient: backward must return a list of gradients, tensors, found ${shown(wrong)}`)
    if (gradients.length !== inputs.length - count) {
      throw new ShapeError(
        `customGradient: backward must return ${inputs.length - count} gradients, one for each input, found ${gradients.length}`,
      )
    }
    for (const [i, found] of gradients.entries()) {
      const { shape } = inputAt('customGradient', inputs, count + i)
      if (found && !sameShape(found.shape, shape))
        throw new ShapeError(
          `customGradient: the gradient of input ${i} must have its shape, ${formatShape(shape)}, found ${formatShape(found.shape)}`,
        )
    }
    return [...new Array<undefined>(count).fill(undefined), ...gradients]
  },
  simplify: (_o, { inputs, attributes }) => inputs.slice(0, attributes.count),
  lower: (_emit, { inputs, attributes }) => inputs.slice(0, attributes.count),
  samples: () => [{ inputs: [[3]], call: (x) => withBackward([x], [x], ([g]) => [g]) }],
  errors: 'every tensor is valid',
})
/**
 * `values` as functions of `inputs` with the gradients that `backward` gives, whatever they were computed by. The gradients of the
 * first `late` inputs wait until those of the others are added up: for a backward pass that computes much again.
 */
export function withBackward(
  values: readonly Tensor[],
  inputs: readonly Tensor[],
  backward: Backward,
  late = 0,
): readonly Tensor[] {
  return applyAll(withBackwardOp, [...values, ...inputs], { count: values.length, backward, late })
}

/** The inputs of a node whose gradients wait for those of the others. */
export function lateInputs({ op, inputs, attributes }: GraphNode): ReadonlySet<Tensor> {
  if (op !== withBackwardOp) return new Set()
  const { count, late } = attributes as BackwardAttributes // of this op
  return new Set(inputs.slice(count, count + late))
}

/** What a function returns: one tensor or several. */
type Result = Tensor | readonly Tensor[]

/** Throws a ShapeError unless it is a function. */
export function requireFunction(owner: string, argument: string, value: unknown): void {
  if (typeof value !== 'function')
    throw new ShapeError(`${owner}: ${argument} must be a function, found ${shown(value)}`)
}

/** The tensors that a function gave, one or a list. Throws a ShapeError for anything else. */
export function requireResult(owner: string, argument: string, result: unknown): readonly Tensor[] {
  const values: unknown[] = Array.isArray(result) ? result : [result]
  const wrong = values.findIndex((value) => !(value instanceof Tensor))
  if (wrong === -1 && values.length > 0) return values as Tensor[]
  throw new ShapeError(`${owner}: ${argument} must return a tensor or a list of them, found ${shown(values[wrong])}`)
}

/** What `customGradient` passes to `backward` besides the gradient. Using these keeps second derivatives right. */
export interface BackwardContext<A, R> {
  readonly inputs: A
  readonly output: R
}

/**
 * A function with a gradient of its own. `backward` gets the gradient of what `forward` returned, in the same form, and
 * returns one gradient for each input (undefined: none flows). Straight-through rounding:
 * `customGradient((x: Tensor) => ops.round(x), (g) => [g])`.
 */
export function customGradient<A extends readonly Tensor[], R extends Result>(
  forward: (...inputs: A) => R,
  backward: (gradient: R, context: BackwardContext<A, R>) => readonly (Tensor | undefined)[],
): (...inputs: A) => R {
  requireFunction('customGradient', 'forward', forward)
  requireFunction('customGradient', 'backward', backward)
  return (...inputs) => {
    const result = forward(...inputs)
    // A list for a list, one tensor for one: the form of R.
    const inForm = (tensors: readonly Tensor[]): R => (Array.isArray(result) ? tensors : tensors[0]) as R
    const values = requireResult('customGradient', 'forward', result)
    const outputs = withBackward(values, inputs, (gradients, given, outputs) => {
      const incoming = outputs.map((output, i) => gradients[i] ?? zerosLike(output))
      return backward(inForm(incoming), { inputs: given as A, output: inForm(outputs) })
    })
    return inForm(outputs)
  }
}
