/** Classification of token sequences: training and evaluation of any model that gives logits. */
import { compile } from '../../compile/compile.ts'
import type { Dataset } from '../../data/dataset.ts'
import { DataLoader } from '../../data/loader.ts'
import type { Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { accuracy, type Evaluation, macroF1 } from '../../train/metrics.ts'
import { appendAll } from '../../util/lists.ts'
import type { ThreadOptions } from '../experiment.ts'

/** Batches of `input_ids`, `type_ids` int32 [N, L] and `label` int32 [N]. */
interface LabelledBatch extends Record<string, Tensor> {
  readonly input_ids: Tensor
  readonly type_ids: Tensor
  readonly label: Tensor
}

/** A model that gives logits [N, classes] for token ids and kinds of segments, int32 [N, L]. */
export interface SequenceClassifier extends Module {
  forward(inputIds: Tensor, typeIds: Tensor): Tensor
}

/** What a step shows of a batch: the cross entropy of the labels, which is minimized, and the accuracy. */
export function classificationScalars(model: SequenceClassifier, batch: Readonly<Record<string, Tensor>>) {
  const { input_ids, type_ids, label } = batch as LabelledBatch
  const logits = model.forward(input_ids, type_ids)
  const right = ops.equal(ops.argmax(logits, -1), ops.cast(label, 'int64'))
  return { loss: ops.crossEntropy(logits, label), accuracy: ops.mean(ops.cast(right, 'float32')) }
}

/** Runs the classifier over labelled sequences; besides accuracy and loss: F1, and the share of the most frequent class. */
export function classificationEvaluator(
  model: SequenceClassifier,
  classes: number,
  options: ThreadOptions = {},
): (data: Dataset) => Promise<Evaluation> {
  const run = compile((batch: Record<string, Tensor>) => {
    const { input_ids, type_ids, label } = batch as LabelledBatch
    const logits = model.forward(input_ids, type_ids)
    return {
      predicted: ops.argmax(logits, -1),
      confidence: ops.max(ops.softmax(logits, -1), -1),
      losses: ops.crossEntropy(logits, label, { reduction: 'none' }),
    }
  }, options)
  return async (data) => {
    const wasTraining = model.training
    model.eval()
    const labels: number[] = []
    const predicted: number[] = []
    const confidence: number[] = []
    let loss = 0
    for await (const batch of new DataLoader(data, { batchSize: Math.min(64, data.length) })) {
      const results = await run(batch)
      appendAll(labels, toNumbers(batch.label?.data ?? new Int32Array()))
      appendAll(predicted, toNumbers(results.predicted.array.data))
      appendAll(confidence, toNumbers(results.confidence.array.data))
      loss = toNumbers(results.losses.array.data).reduce((sum, value) => sum + value, loss)
    }
    if (wasTraining) model.train()
    const metrics = {
      accuracy: accuracy(predicted, labels),
      f1: macroF1(predicted, labels, classes),
      loss: loss / data.length,
    }
    return { labels, predicted, confidence, metrics }
  }
}

/** What always saying the most frequent class of the training data reaches on the test data. */
export function majorityAccuracy(train: readonly number[], test: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const label of train) counts.set(label, (counts.get(label) ?? 0) + 1)
  const [most] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0] ?? [0]
  return accuracy(
    test.map(() => most),
    test,
  )
}
