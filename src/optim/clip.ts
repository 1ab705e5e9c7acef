/** Gradient clipping, as torch.nn.utils does it. */
import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** The norm of all tensors together: order 1, 2 (default), any p, or Infinity. */
export function totalNorm(tensors: readonly Tensor[], order = 2): Tensor {
  if (order === Number.POSITIVE_INFINITY) {
    return tensors.map((tensor) => ops.max(ops.abs(tensor))).reduce((a, b) => ops.maximum(a, b))
  }
  if (order === 2) return ops.sqrt(ops.addAll(tensors.map((tensor) => ops.sum(ops.mul(tensor, tensor)))))
  const powers = tensors.map((tensor) => ops.sum(ops.pow(ops.abs(tensor), order)))
  return ops.pow(ops.addAll(powers), 1 / order)
}

/** Scales all gradients by max / (norm + 1e-6) where that is below 1. Returns them and the norm before. */
export function clipGradNorm(
  gradients: readonly Tensor[],
  maximum: number,
  order = 2,
): { clipped: Tensor[]; norm: Tensor } {
  const norm = totalNorm(gradients, order)
  const factor = ops.minimum(ops.div(maximum, ops.add(norm, 1e-6)), 1)
  return { clipped: gradients.map((g) => ops.mul(g, factor)), norm }
}

/** Limits every element to [-limit, limit]. */
export function clipGradValue(gradients: readonly Tensor[], limit: number): Tensor[] {
  return gradients.map((g) => ops.clamp(g, -limit, limit))
}
