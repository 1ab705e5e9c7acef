import * as gradientOps from '../ops/gradient-kit.ts'
import * as ops from '../ops/kit.ts'
import { withOrigin } from '../tensor/origin.ts'
import { formatShape } from '../tensor/shape.ts'
import type { GraphNode, Tensor } from '../tensor/tensor.ts'
import { Variable } from '../tensor/variable.ts'
import { shown } from '../util/check.ts'
import { ShapeError } from '../util/errors.ts'
import { nodesBetween } from './graph.ts'

/** A tensor for each target: a list for a list, a tuple for a tuple. */
export type TensorsFor<T extends readonly unknown[]> = { -readonly [K in keyof T]: Tensor }

/**
 * d loss / d each target, by one walk backward over the graph. The results are tensors like any other: they can be
 * differentiated again. A target the loss does not depend on gets zeros.
 * loss: one float32 element. targets: tensors or variables. A variable means every value it has had in the trace, so that
 * a loss that was computed before an update (of two that share a forward pass) still reaches it; no gradient flows
 * through the update itself.
 */
export function gradient<const T extends readonly (Tensor | Variable)[]>(
  loss: Tensor | Variable,
  targets: T,
): TensorsFor<T> {
  const total = ops.toTensor('gradient', loss)
  requireTargets('gradient', targets)
  if (total.size !== 1 || total.dtype !== 'float32') {
    throw new ShapeError(`gradient: the loss must be one float32 number, found ${total}`, {
      hint: total.dtype === 'float32' ? 'take its mean or sum first' : 'cast it to float32',
    })
  }
  return vectorJacobianProduct([total], [ops.full(total.shape, 1)], targets)
}

function requireTargets(owner: string, targets: readonly unknown[]): void {
  const hint = 'write gradient(loss, [x]), or gradient(loss, model.parameters())'
  if (!Array.isArray(targets))
    throw new ShapeError(`${owner}: targets must be a list of tensors or variables, found ${shown(targets)}`, { hint })
  const i = targets.findIndex((target) => !ops.isTensorLike(target))
  if (i >= 0)
    throw new ShapeError(`${owner}: target ${i} must be a tensor or a variable, found ${shown(targets[i])}`, { hint })
}

/**
 * The gradients of sum_i <outputs_i, cotangents_i> with respect to the targets: cotangents have the outputs' shapes. They are
 * total: what reaches a target through another target counts too.
 */
export function vectorJacobianProduct<const T extends readonly (Tensor | Variable)[]>(
  outputs: readonly Tensor[],
  cotangents: readonly Tensor[],
  targets: T,
): TensorsFor<T> {
  requireTargets('vectorJacobianProduct', targets)
  const variables = targets.filter((target) => target instanceof Variable)
  return walkBack(outputs, cotangents, targets, new Set(variables.flatMap(({ values }) => values)))
}

/** `vectorJacobianProduct` with every target taken as independent of the others: the gradients of a part of a graph. */
export function partialProduct(
  outputs: readonly Tensor[],
  cotangents: readonly Tensor[],
  targets: readonly Tensor[],
): readonly Tensor[] {
  return walkBack(outputs, cotangents, targets, new Set(targets))
}

/** `stop`: tensors through which no gradient flows on. */
function walkBack<const T extends readonly (Tensor | Variable)[]>(
  outputs: readonly Tensor[],
  cotangents: readonly Tensor[],
  targets: T,
  stop: ReadonlySet<Tensor>,
): TensorsFor<T> {
  const wanted = targets.map((target) => (target instanceof Variable ? target.values : [target]))
  const contributions = new Map<Tensor, Tensor[]>()
  const contribute = (tensor: Tensor, value: Tensor): void => {
    const list = contributions.get(tensor)
    if (list) list.push(value)
    else contributions.set(tensor, [value])
  }
  for (const [i, output] of outputs.entries()) {
    const cotangent = cotangents[i]
    if (!cotangent || cotangent.shape.join() !== output.shape.join()) {
      throw new ShapeError(
        `gradient: output ${i} of shape ${formatShape(output.shape)} needs a cotangent of that shape, found ${cotangent ?? 'none'}`,
      )
    }
    contribute(output, cotangent)
  }

  const targetSet = new Set(wanted.flat())
  const total = (tensor: Tensor): Tensor | undefined => {
    const list = contributions.get(tensor)
    if (!list) return undefined
    const sum = ops.addAll(list)
    contributions.set(tensor, [sum])
    return sum
  }
  const path = nodesBetween(targetSet, outputs, stop)
  const needed = new Set([...targetSet, ...path.flatMap((node) => node.outputs)])
  for (const node of path.reverse()) {
    const outputGradients = node.outputs.map((output) => (stop.has(output) ? undefined : total(output)))
    if (outputGradients.every((g) => g === undefined)) continue
    const found = inputGradientsOf(node, outputGradients)
    const late = ops.lateInputs(node)
    for (const [input, value] of found) if (!late.has(input)) contribute(input, value)
    // With the sums so far, everything that was computed for them is let go before the walk goes on.
    const sums = [...found.keys()].flatMap((input) =>
      needed.has(input) && !late.has(input) ? (total(input) ?? []) : [],
    )
    for (const [input, value] of found) if (late.has(input)) contribute(input, ops.runAfterAll(value, sums))
  }
  const gradients = wanted.map((tensors) => {
    const found = tensors.flatMap((tensor) => total(tensor) ?? [])
    return found.length > 0 ? ops.addAll(found) : ops.full(ops.first(tensors).shape, 0)
  })
  // One for each target, in their order.
  return gradients as TensorsFor<T>
}

/** The gradients that reach the inputs of a node; of an input that occurs twice their sum. */
function inputGradientsOf(node: GraphNode, outputGradients: readonly (Tensor | undefined)[]): Map<Tensor, Tensor> {
  const found = new Map<Tensor, Tensor>()
  const op = ops.opOf(node)
  if (!op.gradient) return found
  const { gradient } = op
  const inputGradients = withOrigin(node.origin, () => gradient(gradientOps, node, outputGradients))
  for (const [i, input] of node.inputs.entries()) {
    const value = inputGradients[i]
    if (!value) continue
    if (value.shape.join() !== input.shape.join()) {
      throw new ShapeError(
        `${op.name}: gradient of input ${i} has shape ${formatShape(value.shape)}, expected ${formatShape(input.shape)}`,
      )
    }
    const other = found.get(input)
    found.set(input, other ? ops.add(other, value) : value)
  }
  return found
}
