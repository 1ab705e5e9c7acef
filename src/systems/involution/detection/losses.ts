/** Losses of detectors, as mmdet normalises them. */
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'

/** true as 1, false as 0. */
export function ones(mask: Tensor): Tensor {
  return ops.cast(mask, 'float32')
}

/** How many are true, at least 1. */
export function countOf(mask: Tensor): Tensor {
  return ops.maximum(ops.sum(ones(mask)), 1)
}

/**
 * Focal loss (Lin et al. 2017): binary cross-entropy times (alpha or 1 - alpha) and how wrong the probability is to the power gamma.
 * logits and targets of one shape -> one loss each.
 */
export function focalLoss(logits: Tensor, targets: Tensor, gamma = 2, alpha = 0.25): Tensor {
  const p = ops.sigmoid(logits)
  const wrong = ops.add(ops.mul(ops.sub(1, p), targets), ops.mul(p, ops.sub(1, targets)))
  const share = ops.add(ops.mul(targets, alpha), ops.mul(ops.sub(1, targets), 1 - alpha))
  const losses = ops.bceWithLogits(logits, targets, { reduction: 'none' })
  return ops.mul(losses, ops.mul(share, ops.pow(wrong, gamma)))
}

/** The sum of absolute differences of rows [..., 4] where `mask` [...] is true. */
export function l1OfRows(found: Tensor, wanted: Tensor, mask: Tensor): Tensor {
  const losses = ops.l1Loss(found, wanted, { reduction: 'none' })
  return ops.sum(ops.mul(losses, ops.unsqueeze(ones(mask), -1)))
}
