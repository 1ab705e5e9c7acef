/** Products whose left operand is stored transposed, where the runtime's kernels have AVX2 only. */
import { type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Emitter } from '../define.ts'

// Channels in a block where the vectors are those of AVX2.
const avx2Block = 8

// Below, the kernel's own transposes cost no more than a node's. Measured in docs/decisions/066-transposed-products.md.
const least = { rows: 512, rowsTurned: 1024, narrow: 64, wide: 256 }

/** How A^T B is made of a product without transposes: A's transpose times B, or the transpose of B's transpose times A. */
export type TransposedForm = 'left' | 'right'

/**
 * Which operand of A^T B, A [rows, m] and B [rows, n], a node of its own would best transpose: the smaller, since the kernel transposes A
 * again for every 128 columns of the result. undefined where the kernel is to do it.
 */
export function transposedForm(a: Shape, b: Shape): TransposedForm | undefined {
  if (a.length !== 2 || b.length !== 2) return undefined
  const [rows, m, n] = [sizeOf(a, 0), sizeOf(a, 1), sizeOf(b, 1)]
  if (Math.min(m, n) < least.narrow || Math.max(m, n) < least.wide) return undefined
  if (m <= n) return rows >= least.rows ? 'left' : undefined
  return rows >= least.rowsTurned ? 'right' : undefined
}

/** The form here: only where the runtime's products have AVX2 kernels. */
export function transposedFormHere(emit: Emitter, a: Shape, b: Shape): TransposedForm | undefined {
  return emit.channelBlock === avx2Block ? transposedForm(a, b) : undefined
}

/** A matrix, or a batch of them of that many axes, with the last two swapped. */
export function emitTranspose(emit: Emitter, x: string, rank = 2): string {
  const perm = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i))
  return emit.node('Transpose', [x], { perm })
}

/** scale A^T B in a form that transposes one operand before the product; `right` transposes the result back. */
export function emitTransposedProduct(
  emit: Emitter,
  a: string,
  b: string,
  scale: number,
  form: TransposedForm,
): string {
  const product = (x: string, y: string): string =>
    scale === 1
      ? emit.node('MatMul', [x, y])
      : emit.node('FusedMatMul', [x, y], { transA: 0, transB: 0, alpha: { float: scale } }, 'com.microsoft')
  if (form === 'left') return product(emitTranspose(emit, a), b)
  return emitTranspose(emit, product(emitTranspose(emit, b), a))
}
