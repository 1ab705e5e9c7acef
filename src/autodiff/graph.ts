import { type GraphNode, Tensor } from '../tensor/tensor.ts'

/** Every node that the roots depend on, inputs before users. Nothing before a tensor of `stop` is visited. */
export function topologicalNodes(roots: readonly Tensor[], stop?: ReadonlySet<Tensor>): GraphNode[] {
  const order: GraphNode[] = []
  const state = new Map<GraphNode, 'open' | 'done'>()
  // An explicit stack: graphs of unrolled recurrences are deeper than the call stack allows.
  const stack: GraphNode[] = []
  const visit = (tensor: Tensor): void => {
    if (tensor.source.kind === 'node' && !stop?.has(tensor) && !state.has(tensor.source.node))
      stack.push(tensor.source.node)
  }
  for (const root of roots) {
    visit(root)
    for (let node = stack.at(-1); node; node = stack.at(-1)) {
      if (state.has(node)) {
        stack.pop()
        if (state.get(node) === 'open') order.push(node)
        state.set(node, 'done')
        continue
      }
      state.set(node, 'open')
      for (const input of node.inputs.toReversed()) visit(input)
    }
  }
  return order
}

/** Nodes through which something in `sources` reaches the roots, inputs before users. Nothing before a tensor of `stop` counts. */
export function nodesBetween(
  sources: ReadonlySet<Tensor>,
  roots: readonly Tensor[],
  stop: ReadonlySet<Tensor> = sources,
): GraphNode[] {
  const reached = new Set(sources)
  const between: GraphNode[] = []
  for (const node of topologicalNodes(roots, stop)) {
    if (!node.inputs.some((input) => reached.has(input))) continue
    for (const output of node.outputs) reached.add(output)
    between.push(node)
  }
  return between
}

/** The same op applied to other inputs, keeping the place it came from. */
export function rebuild(node: GraphNode, inputs: readonly Tensor[]): readonly Tensor[] {
  const outputs: Tensor[] = []
  const copy: GraphNode = { op: node.op, inputs, attributes: node.attributes, outputs, origin: node.origin }
  for (const [index, { dtype, shape }] of node.outputs.entries())
    outputs.push(new Tensor(dtype, shape, { kind: 'node', node: copy, index }))
  return outputs
}

/** Leaves (inputs, variables, feeds, constants) that the roots depend on, in order of first use. */
export function leavesOf(roots: readonly Tensor[]): Tensor[] {
  const leaves = new Set<Tensor>()
  for (const node of topologicalNodes(roots))
    for (const input of node.inputs) if (input.source.kind !== 'node') leaves.add(input)
  for (const root of roots) if (root.source.kind !== 'node') leaves.add(root)
  return [...leaves]
}

/**
 * Copies the graph of the roots with some nodes replaced. `replace` gets each node with its already rewritten
 * inputs and returns tensors for its outputs, or undefined to keep the node as it is.
 */
export function rewrite(
  roots: readonly Tensor[],
  replace: (node: GraphNode, inputs: readonly Tensor[]) => readonly Tensor[] | undefined,
): Tensor[] {
  const renamed = new Map<Tensor, Tensor>()
  const current = (tensor: Tensor): Tensor => renamed.get(tensor) ?? tensor
  for (const node of topologicalNodes(roots)) {
    const inputs = node.inputs.map(current)
    const changed = inputs.some((input, i) => input !== node.inputs[i])
    const outputs = replace(node, inputs) ?? (changed ? rebuild(node, inputs) : node.outputs)
    for (const [i, output] of node.outputs.entries()) {
      const replacement = outputs[i]
      if (replacement && replacement !== output) renamed.set(output, replacement)
    }
  }
  return roots.map(current)
}
