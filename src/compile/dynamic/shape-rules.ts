/** All sizes of a graph from those of its dynamic axes. */
import { checked, opOf } from '../../ops/define.ts'
import { withOrigin } from '../../tensor/origin.ts'
import { formatShape, sameShape } from '../../tensor/shape.ts'
import type { Tensor, TensorType } from '../../tensor/tensor.ts'
import { shapeAt } from './arrays.ts'
import type { SizedGraph } from './graphs.ts'
import { type Asker, describeSizes, notUnderstood, placeOf } from './messages.ts'
import type { SizeValues } from './sizes.ts'

/**
 * The sizes of all axes at new sizes of the dynamic ones, by every op's own shape rule: what an op refuses at these sizes is an error
 * here, as it would be if the function were traced with them.
 */
export function checkedSizes(graph: SizedGraph, sizes: readonly number[], asker: Asker): SizeValues {
  const values = { sizes, axes: [] as number[] }
  const types = new Map<Tensor, TensorType>()
  const typeOf = (tensor: Tensor): TensorType => {
    const shape = graph.leaves.get(tensor)
    return types.get(tensor) ?? (shape ? { dtype: tensor.dtype, shape: shapeAt(shape, values) } : tensor)
  }
  for (const { node, attributes, shapes } of graph.nodes) {
    const inferred = withOrigin(node.origin, () =>
      checked(() => opOf(node).infer(node.inputs.map(typeOf), attributes(values))),
    )
    for (const [i, type] of inferred.entries()) {
      const expected = shapes[i] ?? []
      // The first axis of such a size defines it.
      for (const [axis, size] of expected.entries())
        if (size.kind === 'axis') values.axes[size.id] ??= type.shape[axis] ?? 0
      if (!sameShape(type.shape, shapeAt(expected, values))) {
        const at = describeSizes(asker.names, sizes)
        throw notUnderstood(asker, `the result of ${placeOf(node)}, ${formatShape(type.shape)} at ${at},`)
      }
      const output = node.outputs[i]
      if (output) types.set(output, type)
    }
  }
  return values
}
