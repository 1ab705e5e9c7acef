/** From optimised graphs to ONNX models for this machine. */
import { hasKernel } from '#runtime'
import { leavesOf } from '../autodiff/graph.ts'
import { reshapeOp } from '../ops/movement/movement.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { fetchVariables, type Variable } from '../tensor/variable.ts'
import { channelBlockFor } from './channel-blocks.ts'
import { type EmittedGraph, emitGraph, type ModelOptions, modelBytes } from './onnx.ts'
import type { WrittenModel } from './written-model.ts'

/** An output's numbers are the same in any shape; the runtime would copy them to give them another. */
function withoutReshape(output: Tensor): Tensor {
  const { source } = output
  const input = source.kind === 'node' && source.node.op === reshapeOp ? source.node.inputs[0] : undefined
  return input?.source.kind === 'node' ? withoutReshape(input) : output
}

/** The variables that values depend on. */
export function variablesOf(roots: readonly Tensor[]): Variable[] {
  return leavesOf(roots).flatMap(({ source }) => (source.kind === 'variable' ? [source.variable] : []))
}

/** What of a compilation's options the nodes depend on. */
export interface WritingOptions {
  readonly fused?: boolean
  readonly frozen?: boolean
  readonly oneSize?: boolean
}

/** Writes the graph behind the roots. */
export async function writeGraph(roots: readonly Tensor[], options: WritingOptions): Promise<EmittedGraph> {
  let frozenCount = 0
  const bare = roots.map(withoutReshape)
  const fused = options.fused ?? true
  if (options.frozen) await fetchVariables(variablesOf(bare))
  return emitGraph(bare, {
    fused,
    hasKernel,
    oneSize: options.oneSize ?? true,
    channelBlock: fused ? await channelBlockFor(bare) : 1,
    ...(options.frozen && {
      frozen: (leaf: Tensor) =>
        leaf.source.kind === 'variable' ? { name: `w${frozenCount++}`, data: leaf.source.variable.data } : undefined,
    }),
  })
}

/** The model of a written graph. `dimensionNames`: symbolic sizes. */
export function writtenModel(
  graph: EmittedGraph,
  dimensionNames: NonNullable<ModelOptions['dimensionNames']> = {},
): WrittenModel {
  return {
    bytes: modelBytes(graph, { dimensionNames }),
    inputs: graph.inputs.map(({ tensor }) => tensor),
    outputs: graph.outputs.map(({ name }) => name),
    shapes: graph.outputs.map(({ tensor }) => tensor.shape),
    origins: graph.origins,
    nodes: graph.nodes.length,
  }
}
