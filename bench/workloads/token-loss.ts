/** What the workloads on tokens minimize. */
import * as ops from '../../src/ops/index.ts'
import { sizeOf } from '../../src/tensor/shape.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

/** Mean cross entropy of logits [batch, tokens, vocabulary] for int32 ids [batch, tokens]. */
export function tokenLoss(logits: Tensor, ids: Tensor): Tensor {
  return ops.crossEntropy(ops.reshape(logits, [-1, sizeOf(logits.shape, -1)]), ops.reshape(ids, [-1]))
}
