/** A pass: sums of products become products that add. */
import { rewrite, topologicalNodes } from '../autodiff/graph.ts'
import * as ops from '../ops/kit.ts'
import { withoutSwap } from '../ops/products/matmul.ts'
import { type MatmulAttributes, transposedForm } from '../ops/products/transposed.ts'
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

/** A product of two float matrices; undefined if the tensor is something else. */
function productOf(tensor: Tensor): { a: Tensor; b: Tensor; attributes: MatmulAttributes } | undefined {
  if (tensor.source.kind !== 'node' || tensor.source.node.op !== ops.matmulOp || tensor.dtype !== 'float32')
    return undefined
  const { inputs, attributes } = tensor.source.node
  const [a, b] = inputs
  if (!a || !b || a.rank !== 2 || b.rank !== 2) return undefined
  return { a, b, attributes: attributes as MatmulAttributes }
}

/** The transpose of a matrix for nothing: what it is the transpose of, or A^T B, which nothing else uses, as B^T A. */
function turned(tensor: Tensor, isAlone: boolean): Tensor | undefined {
  const before = withoutSwap(tensor)
  if (before) return before
  const product = isAlone ? productOf(tensor) : undefined
  return product?.attributes.transposeA && !product.attributes.transposeB
    ? ops.matmulWith(product.b, product.a, product.attributes)
    : undefined
}

/** a B + c as one Gemm, if a B is a product of two matrices; whether nothing else uses c. */
function withProduct(product: Tensor, added: Tensor, isAlone: boolean): Tensor | undefined {
  const found = productOf(product)
  if (!found) return undefined
  const { a, b, attributes } = found
  const { transposeA, transposeB, scale: alpha } = attributes
  // The smaller operand is the one to transpose (docs/decisions/066-transposed-products.md): then the sum is one of transposes.
  const isTurned = transposeA && !transposeB && a.size > b.size && transposedForm(b.shape, a.shape) === 'left'
  const start = isTurned ? turned(added, isAlone) : undefined
  if (start) return ops.transpose(ops.addmmWith(start, b, a, { transposeA, transposeB, alpha }))
  return ops.addmmWith(added, a, b, { transposeA, transposeB, alpha })
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
      () =>
        (alone(1) ? withProduct(right, left, alone(0)) : undefined) ??
        (alone(0) ? withProduct(left, right, alone(1)) : undefined),
    )
    if (!fused) return undefined
    counts.fused++
    return [fused]
  })
}
