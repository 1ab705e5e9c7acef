/** Pre-training: hidden words and the order of sentences (paper, section 4.1; official f_net/run_pretraining.py). */
import { compile } from '../../compile/compile.ts'
import type { BatchTensors, Dataset } from '../../data/dataset.ts'
import { DataLoader } from '../../data/loader.ts'
import * as ops from '../../ops/index.ts'
import type { ThreadOptions } from '../../tasks/experiment.ts'
import type { MaskedFields } from '../../tasks/language/masked-pairs.ts'
import type { StepScalars } from '../../tasks/training.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Metrics } from '../../train/loop.ts'
import type { FNetForPreTraining } from './model.ts'

/** Sums over a batch, which divided by the counts give the metrics of any number of batches. */
interface PretrainingSums {
  readonly [name: string]: Tensor
  /** Weighted cross entropies of the hidden tokens, and how many are predicted right. */
  readonly masked_loss: Tensor
  readonly masked_right: Tensor
  readonly masked_count: Tensor
  readonly order_loss: Tensor
  readonly order_right: Tensor
}

/** float32 1 where the largest logit is the label's. */
function rightOnes(logits: Tensor, labels: Tensor): Tensor {
  return ops.cast(ops.equal(ops.argmax(logits, -1), ops.cast(labels, 'int64')), 'float32')
}

/** B pairs of L tokens, P of them hidden, V tokens in the vocabulary. */
function pretrainingSums(model: FNetForPreTraining, batch: BatchTensors<MaskedFields>): PretrainingSums {
  const { input_ids, type_ids, masked_lm_positions, masked_lm_ids, masked_lm_weights, next_sentence_labels } = batch
  const { maskedLmLogits, nextSentenceLogits } = model.forward(input_ids, type_ids, { positions: masked_lm_positions })
  const [rows, predictions, vocabulary] = maskedLmLogits.sizes(3) // [B, P, V]
  const logits = ops.reshape(maskedLmLogits, [rows * predictions, vocabulary]) // [B P, V]
  const ids = ops.reshape(masked_lm_ids, [rows * predictions]) // [B P]
  const weights = ops.reshape(masked_lm_weights, [rows * predictions]) // [B P]
  return {
    masked_loss: ops.sum(ops.mul(ops.crossEntropy(logits, ids, { reduction: 'none' }), weights)),
    masked_right: ops.sum(ops.mul(rightOnes(logits, ids), weights)),
    masked_count: ops.sum(weights),
    order_loss: ops.crossEntropy(nextSentenceLogits, next_sentence_labels, { reduction: 'sum' }),
    order_right: ops.sum(rightOnes(nextSentenceLogits, next_sentence_labels)),
  }
}

export type PretrainingEvaluator = (data: Dataset<MaskedFields>) => Promise<Metrics>

/** Runs the model over held-out pairs: mean losses and accuracies of hidden words and of next sentences. */
export function pretrainingEvaluator(model: FNetForPreTraining, options: ThreadOptions = {}): PretrainingEvaluator {
  const run = compile((batch: BatchTensors<MaskedFields>) => pretrainingSums(model, batch), options)
  return async (data) => {
    const totals: Record<string, number> = {}
    await model.inEvalMode(async () => {
      for await (const batch of new DataLoader(data, { batchSize: Math.min(64, data.length) })) {
        for (const [name, sum] of Object.entries(await run(batch))) {
          totals[name] = (totals[name] ?? 0) + (toNumbers(sum.array.data)[0] ?? 0)
        }
      }
    })
    const { masked_loss = 0, masked_right = 0, masked_count = 1, order_loss = 0, order_right = 0 } = totals
    const [mlm_loss, nsp_loss] = [masked_loss / masked_count, order_loss / data.length]
    return {
      mlm_accuracy: masked_right / masked_count,
      mlm_loss,
      nsp_accuracy: order_right / data.length,
      nsp_loss,
      loss: mlm_loss + nsp_loss,
    }
  }
}

/** What a step shows; its loss is the mean over the hidden tokens plus that of the next sentence. */
export function pretrainingScalars(model: FNetForPreTraining, batch: BatchTensors<MaskedFields>): StepScalars {
  const sums = pretrainingSums(model, batch)
  const [pairs] = batch.next_sentence_labels.sizes(1)
  // Of several processes each divides by as many as its pairs would have, had all pairs as many: the mean of their losses by pairs is
  // then that of the whole batch.
  const masked = ops.mul(ops.meanOverRanks(ops.div(sums.masked_count, pairs), pairs), pairs)
  const mlm_loss = ops.div(sums.masked_loss, masked)
  return {
    loss: ops.add(mlm_loss, ops.div(sums.order_loss, pairs)),
    mlm_loss,
    mlm_accuracy: ops.div(sums.masked_right, masked),
    nsp_accuracy: ops.div(sums.order_right, pairs),
  }
}
