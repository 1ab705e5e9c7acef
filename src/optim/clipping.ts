/** Limits on gradients, as in `torch.nn.utils`. */
import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { optionsOf, requireAtLeast, requireList, requireNumber } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'

/** Limits on gradients. */
export interface ClipOptions {
  /** Scale all gradients down by one factor, so that their joint norm is at most this. Default: no limit. */
  readonly clipNorm?: number
  /** Order of that norm, such as 1, 2 or Infinity. Default: 2. */
  readonly normType?: number
  /** Clamp each element to [-clipValue, clipValue]; after the scaling, if both are given. Default: no limit. */
  readonly clipValue?: number
}

function checkLimit(name: string, limit: number): void {
  requireAtLeast(name, 'the limit', limit, 0, UsageError)
}

/** The norm of all elements of all tensors, computed as the norm of the tensors' norms: a scalar. */
export function totalNorm(tensors: readonly Tensor[], normType = 2): Tensor {
  requireList('totalNorm', 'tensors', tensors, UsageError)
  requireNumber('totalNorm', 'normType', normType, UsageError)
  const joined = (reduce: (tensor: Tensor) => Tensor): Tensor =>
    ops.concat(tensors.map((tensor) => ops.reshape(reduce(tensor), [1])))
  if (tensors.length === 0) return ops.full([], 0)
  if (normType === 2) return ops.sqrt(ops.sum(joined((tensor) => ops.sum(ops.square(tensor)))))
  return ops.vectorNorm(
    joined((tensor) => ops.vectorNorm(tensor, normType)),
    normType,
  )
}

/**
 * Scales gradients by maxNorm / (norm + 1e-6) if that is below 1, where norm is the joint norm of all gradients
 * (PyTorch's `clip_grad_norm_`). Returns the scaled gradients and the norm before scaling.
 */
export function clipGradNorm(
  gradients: readonly Tensor[],
  maxNorm: number,
  options?: { readonly normType?: number },
): { readonly gradients: Tensor[]; readonly norm: Tensor } {
  checkLimit('clipGradNorm', maxNorm)
  const { normType } = optionsOf('clipGradNorm', options, { normType: true }, UsageError)
  const norm = totalNorm(gradients, normType)
  const factor = ops.minimum(ops.div(maxNorm, ops.add(norm, 1e-6)), 1)
  return { gradients: gradients.map((gradient) => ops.mul(gradient, factor)), norm }
}

/** Clamps every element of the gradients to [-clipValue, clipValue] (PyTorch's `clip_grad_value_`). */
export function clipGradValue(gradients: readonly Tensor[], clipValue: number): Tensor[] {
  checkLimit('clipGradValue', clipValue)
  requireList('clipGradValue', 'gradients', gradients, UsageError)
  return gradients.map((gradient) => ops.clamp(gradient, -clipValue, clipValue))
}

/** Applies the limits that are given. */
export function clipGradients(
  gradients: readonly Tensor[],
  { clipNorm, clipValue, normType = 2 }: ClipOptions,
): { readonly gradients: readonly Tensor[]; readonly norm: Tensor } {
  const scaled =
    clipNorm === undefined
      ? { gradients, norm: totalNorm(gradients, normType) }
      : clipGradNorm(gradients, clipNorm, { normType })
  return {
    gradients: clipValue === undefined ? scaled.gradients : clipGradValue(scaled.gradients, clipValue),
    norm: scaled.norm,
  }
}
