/** Rematerialisation: intermediate results are computed twice instead of being kept until the backward pass. */
import * as ops from '../ops/kit.ts'
import { isFloat } from '../tensor/dtype.ts'
import type { GraphNode, Tensor } from '../tensor/tensor.ts'
import { partialProduct } from './gradient.ts'
import { nodesBetween, rebuild } from './graph.ts'

/**
 * `fn(...inputs)`, whose gradient computes the inside of `fn` again from its inputs: memory for one more forward pass
 * (Chen et al. 2016, arXiv 1604.06174). What `fn` reads besides its inputs (parameters, masks, random draws) keeps its
 * value and gets its gradient as usual; what it assigns is assigned once. Parts of `fn` that do not depend on the inputs
 * are not repeated.
 */
export function checkpoint<A extends readonly Tensor[], R extends Tensor | readonly Tensor[]>(
  fn: (...inputs: A) => R,
  ...inputs: A
): R {
  ops.requireFunction('checkpoint', 'fn', fn)
  // Fresh names for the inputs: whatever depends on them was made by `fn`.
  const entries = inputs.map((input) => ops.alias(input))
  const result = fn(...(entries as unknown as A))
  const values = ops.requireResult('checkpoint', 'fn', result)
  const inside = nodesBetween(new Set(entries), values)
  const captured = capturedTensors(inside, entries, values)
  const backward: ops.Backward = (outputGradients, given) => {
    const known = outputGradients.flatMap((gradient, i) => (gradient ? [{ gradient, value: values[i] as Tensor }] : []))
    const [start] = known
    const late = given.map((input, i) => (start && i < inputs.length ? ops.runAfter(input, start.gradient) : input))
    const renamed = new Map([...entries, ...captured].map((tensor, i) => [tensor, late[i] as Tensor]))
    const again = recompute(inside, renamed)
    const targets = late.filter((tensor) => isFloat(tensor.dtype))
    const gradients = partialProduct(
      known.map(({ value }) => again(value)),
      known.map(({ gradient }) => gradient),
      targets,
    )
    return late.map((tensor) => gradients[targets.indexOf(tensor)])
  }
  const outputs = ops.withBackward(values, [...inputs, ...captured], backward, inputs.length)
  // A list for a list, one tensor for one: the form of R.
  return (Array.isArray(result) ? outputs : outputs[0]) as R
}

/** What may need a gradient among the tensors that the nodes (or the values themselves) take from outside. */
function capturedTensors(
  inside: readonly GraphNode[],
  entries: readonly Tensor[],
  values: readonly Tensor[],
): Tensor[] {
  const known = new Set([...entries, ...inside.flatMap((node) => node.outputs)])
  const used = new Set([...inside.flatMap((node) => node.inputs), ...values])
  return [...used].filter((tensor) => !known.has(tensor) && isFloat(tensor.dtype) && tensor.source.kind !== 'constant')
}

/** Copies the nodes with some tensors renamed; returns what became of a tensor. */
function recompute(nodes: readonly GraphNode[], renamed: Map<Tensor, Tensor>): (tensor: Tensor) => Tensor {
  const current = (tensor: Tensor): Tensor => renamed.get(tensor) ?? tensor
  for (const node of nodes) {
    const outputs = rebuild(node, node.inputs.map(current))
    for (const [i, output] of node.outputs.entries()) renamed.set(output, outputs[i] as Tensor)
  }
  return current
}
