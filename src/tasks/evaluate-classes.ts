/** Evaluation of any classifier: its prediction for every example, with accuracy and loss. */
import type { Batch, Dataset } from '../data/dataset.ts'
import { DataLoader } from '../data/loader.ts'
import type { Module } from '../nn/index.ts'
import * as ops from '../ops/index.ts'
import { toNumbers } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { accuracy, type Evaluation } from '../train/metrics.ts'
import { appendAll } from '../util/lists.ts'

/** What is kept of a batch: tensors [N]. */
export interface ClassScores {
  readonly [name: string]: Tensor
  readonly predicted: Tensor
  /** Probability of the predicted class. */
  readonly confidence: Tensor
  readonly losses: Tensor
}

/** The scores of logits [N, classes] for the labels int32 [N]. */
export function classScores(logits: Tensor, label: Tensor): ClassScores {
  return {
    predicted: ops.argmax(logits, -1),
    confidence: ops.max(ops.softmax(logits, -1), -1),
    losses: ops.crossEntropy(logits, label, { reduction: 'none' }),
  }
}

/** Runs `score`, a compiled function of a batch, over a data set while the model is in evaluation mode. */
export async function evaluateClasses<Name extends string>(
  model: Module,
  score: (batch: Batch<Name | 'label'>) => Promise<ClassScores>,
  data: Dataset<Name | 'label'>,
  batchSize: number,
): Promise<Evaluation & { readonly metrics: { readonly accuracy: number; readonly loss: number } }> {
  const [labels, predicted, confidence]: [number[], number[], number[]] = [[], [], []]
  let loss = 0
  await model.inEvalMode(async () => {
    for await (const batch of new DataLoader(data, { batchSize })) {
      const scores = await score(batch)
      appendAll(labels, toNumbers(batch.label.data))
      appendAll(predicted, toNumbers(scores.predicted.array.data))
      appendAll(confidence, toNumbers(scores.confidence.array.data))
      loss = toNumbers(scores.losses.array.data).reduce((sum, value) => sum + value, loss)
    }
  })
  return {
    labels,
    predicted,
    confidence,
    metrics: { accuracy: accuracy(predicted, labels), loss: loss / data.length },
  }
}
