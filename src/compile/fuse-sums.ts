/** A pass: sums of products become products that add. */
import { rewrite, topologicalNodes } from '../autodiff/graph.ts'
import * as ops from '../ops/kit.ts'
import type { MatmulAttributes } from '../ops/products/matmul.ts'
import { withOrigin } from '../tensor/origin.ts'
import { sameShape } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { PassCounts } from './passes.ts'

/** How many nodes and results use each tensor. */
function useCounts(roots: readonly Tensor[]): Map<Tensor, number> {
  const uses = new Map<Tensor, number>()
  const count = (tensor: Tensor): void => void uses.set(tensor, (uses.get(tensor) ?? 0) + 1)
  for (const node of topologicalNodes(roots)) node.inputs.forEach(count)
  roots.forEach(count)
  return uses
}

/** a B + c as one Gemm, if a B is a product of two matrices. */
function withProduct(product: Tensor, added: Tensor): Tensor | undefined {
  if (product.source.kind !== 'node' || product.source.node.op !== ops.matmulOp || product.dtype !== 'float32')
    return undefined
  const [a, b] = product.source.node.inputs
  if (!a || !b || a.rank !== 2 || b.rank !== 2) return undefined
  const { transposeA, transposeB, scale } = product.source.node.attributes as MatmulAttributes
  return ops.addmmWith(added, a, b, { transposeA, transposeB, alpha: scale })
}

/**
 * x + a b as one Gemm, where nothing else uses the product: it starts from x instead of from zeros, and the pass over
 * memory for the sum is saved. Gradients that several places contribute to are such sums.
 */
export function fuseSums(roots: readonly Tensor[], counts: PassCounts): Tensor[] {
  const uses = useCounts(roots)
  return rewrite(roots, (node, [left, right]) => {
    const [output] = node.outputs
    if (node.op !== ops.addOp || !left || !right || !output || !sameShape(left.shape, right.shape)) return undefined
    const alone = (i: number): boolean => uses.get(node.inputs[i] as Tensor) === 1
    const fused = withOrigin(
      node.origin,
      () => (alone(1) ? withProduct(right, left) : undefined) ?? (alone(0) ? withProduct(left, right) : undefined),
    )
    if (!fused) return undefined
    counts.fused++
    return [fused]
  })
}
