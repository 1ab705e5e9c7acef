/** Graph passes: each takes the roots of a graph and returns equal roots of a smaller one. */
import { rebuild, rewrite } from '../autodiff/graph.ts'
import * as gradientOps from '../ops/gradient-kit.ts'
import * as ops from '../ops/kit.ts'
import type { NDArray } from '../tensor/dtype.ts'
import { withOrigin } from '../tensor/origin.ts'
import { constant, type Tensor } from '../tensor/tensor.ts'

/** Which passes run. Default: all. */
export interface PassOptions {
  readonly simplify?: boolean
  readonly commonSubexpressions?: boolean
  readonly foldConstants?: boolean
  readonly fuseSums?: boolean
}

/** How often each pass changed something. */
export interface PassCounts {
  simplified: number
  merged: number
  folded: number
  fused: number
}

/** Applies the rules that ops declare (x + 0, transpose of a transpose, ...), repeatedly at each node. */
export function simplify(roots: readonly Tensor[], counts: PassCounts): Tensor[] {
  return rewrite(roots, (node, inputs) => {
    const op = ops.opOf(node)
    if (!op.simplify) return undefined
    const changed = inputs.some((input, i) => input !== node.inputs[i])
    const outputs = changed ? rebuild(node, inputs) : node.outputs
    const { simplify: rule } = op
    const simpler = withOrigin(node.origin, () => rule(gradientOps, { inputs, outputs, attributes: node.attributes }))
    if (!simpler) return changed ? outputs : undefined
    counts.simplified++
    return simpler
  })
}

function attributeKey(attributes: object): string {
  return JSON.stringify(attributes)
}

/** Merges nodes that apply one op to the same inputs with equal attributes, and equal small constants. */
export function mergeCommonSubexpressions(roots: readonly Tensor[], counts: PassCounts): Tensor[] {
  const identities = new Map<Tensor, number>()
  const constants = new Map<string, Tensor>()
  const idOf = (tensor: Tensor): number => {
    const id = identities.get(tensor) ?? identities.size
    identities.set(tensor, id)
    return id
  }
  const pooled = (tensor: Tensor): Tensor => {
    if (tensor.source.kind !== 'constant' || tensor.size > 16) return tensor
    const key = `${tensor}${Array.from(tensor.source.data as ArrayLike<number | bigint>).map((v) => (Object.is(v, -0) ? '-0' : String(v)))}`
    const known = constants.get(key)
    if (!known) constants.set(key, tensor)
    return known ?? tensor
  }
  const opIds = new Map<object, number>()
  const nodes = new Map<string, readonly Tensor[]>()
  return rewrite(roots, (node, given) => {
    const op = ops.opOf(node)
    if (op.opaque) return undefined
    const inputs = given.map(pooled)
    const opId = opIds.get(op) ?? opIds.size
    opIds.set(op, opId)
    const key = `${opId}(${inputs.map(idOf)})${attributeKey(node.attributes)}`
    const known = nodes.get(key)
    if (known) {
      counts.merged++
      return known
    }
    const outputs = inputs.some((input, i) => input !== node.inputs[i]) ? rebuild(node, inputs) : node.outputs
    nodes.set(key, outputs)
    return outputs
  })
}

// Folding must not blow up the model: an expanded constant is larger than the op that makes it.
const foldLimit = 65_536

/** Computes what depends on constants alone, with one run of the runtime. */
export async function foldConstants(
  roots: readonly Tensor[],
  counts: PassCounts,
  evaluate: (tensors: readonly Tensor[]) => Promise<readonly NDArray[]>,
): Promise<Tensor[]> {
  const constantTensors = new Set<Tensor>()
  const isConstant = (tensor: Tensor): boolean => tensor.source.kind === 'constant' || constantTensors.has(tensor)
  const foldable: Tensor[] = []
  const needed = new Set<Tensor>(roots)
  rewrite(roots, (node) => {
    const inputSize = node.inputs.reduce((sum, input) => sum + input.size, 0)
    const small = node.outputs.every((output) => output.size <= Math.max(foldLimit, inputSize))
    const folds = node.inputs.length > 0 && node.inputs.every(isConstant) && !ops.opOf(node).opaque
    for (const output of node.outputs)
      if (folds && small && output.size <= Math.max(16, inputSize)) constantTensors.add(output)
    // Only the last tensors of a constant region are worth evaluating.
    for (const input of node.inputs) if (!node.outputs.some((o) => constantTensors.has(o))) needed.add(input)
    return undefined
  })
  for (const tensor of constantTensors) if (needed.has(tensor)) foldable.push(tensor)
  if (foldable.length === 0) return [...roots]
  const values = await evaluate(foldable)
  const folded = new Map<Tensor, Tensor>()
  for (const [i, tensor] of foldable.entries()) {
    const value = values[i]
    if (value) folded.set(tensor, constant(value.data, tensor.shape, tensor.dtype))
  }
  counts.folded += folded.size
  const replaced = rewrite(roots, (node, inputs) => {
    if (!node.outputs.some((output) => folded.has(output))) return undefined
    const rest = inputs.some((input, i) => input !== node.inputs[i]) ? rebuild(node, inputs) : node.outputs
    return node.outputs.map((output, i) => folded.get(output) ?? rest[i] ?? output)
  })
  return replaced
}
