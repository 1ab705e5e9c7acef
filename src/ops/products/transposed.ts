/** How products of matrices with transposed operands are written, and which are better transposed before where the runtime's kernels have AVX2 only. */
import { type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Emitter } from '../define.ts'

export interface Transposes {
  /** Whether the last two axes of the operand are swapped before the product. */
  readonly transposeA: boolean
  readonly transposeB: boolean
}

export interface MatmulAttributes extends Transposes {
  /** Factor on the product. */
  readonly scale: number
}

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

/** Whether there is a kernel that transposes and scales float32 operands itself. */
export function hasFusedProduct(emit: Emitter): boolean {
  return emit.fused && emit.has('FusedMatMul')
}

/** scale A B by the kernel that transposes and scales by itself. */
export function emitFusedProduct(
  emit: Emitter,
  a: string,
  b: string,
  { transposeA, transposeB, scale }: MatmulAttributes,
): string {
  const attributes = { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: scale } }
  return emit.node('FusedMatMul', [a, b], attributes, 'com.microsoft')
}

/** A B of float32 matrices, or of batches of them, of `rank` axes; not scaled. */
export function emitProduct(emit: Emitter, a: string, b: string, transposes: Partial<Transposes>, rank = 2): string {
  const { transposeA = false, transposeB = false } = transposes
  if (hasFusedProduct(emit)) return emitFusedProduct(emit, a, b, { transposeA, transposeB, scale: 1 })
  const left = transposeA ? emitTranspose(emit, a, rank) : a
  return emit.node('MatMul', [left, transposeB ? emitTranspose(emit, b, rank) : b])
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
      : emitFusedProduct(emit, x, y, { transposeA: false, transposeB: false, scale })
  if (form === 'left') return product(emitTranspose(emit, a), b)
  return emitTranspose(emit, product(emitTranspose(emit, b), a))
}
