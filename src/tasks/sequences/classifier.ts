/** Classification of token sequences: training and evaluation of any model that gives logits. */
import { compile } from '../../compile/compile.ts'
import type { BatchTensors, Dataset } from '../../data/dataset.ts'
import type { Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { accuracy, type Evaluation, f1Score, macroF1 } from '../../train/metrics.ts'
import { classScores, evaluateClasses } from '../evaluate-classes.ts'
import type { ThreadOptions } from '../experiment.ts'
import type { SequenceFields } from './dataset.ts'

/** A model that gives logits [N, classes] for token ids and kinds of segments, int32 [N, L]. */
export interface SequenceClassifier extends Module {
  forward(inputIds: Tensor, typeIds: Tensor): Tensor
}

/**
 * What a step reports of a batch of `input_ids`, `type_ids` int32 [N, L] and `label` int32 [N]: the cross entropy of the labels,
 * which is minimized, and the accuracy.
 */
export function classificationScalars(
  model: SequenceClassifier,
  { input_ids, type_ids, label }: BatchTensors<SequenceFields>,
) {
  const logits = model.forward(input_ids, type_ids)
  const right = ops.equal(ops.argmax(logits, -1), ops.cast(label, 'int64'))
  return { loss: ops.crossEntropy(logits, label), accuracy: ops.mean(ops.cast(right, 'float32')) }
}

/** Runs the classifier over labelled sequences; besides accuracy and loss: F1, of class 1 where there are two classes (as GLUE has it), else the classes' mean. */
export function classificationEvaluator(
  model: SequenceClassifier,
  classes: number,
  options: ThreadOptions = {},
): (data: Dataset<SequenceFields>) => Promise<Evaluation> {
  const score = compile(
    ({ input_ids, type_ids, label }: BatchTensors<SequenceFields>) =>
      classScores(model.forward(input_ids, type_ids), label),
    options,
  )
  return async (data) => {
    const found = await evaluateClasses(model, score, data, Math.min(64, data.length))
    const { labels, predicted, metrics } = found
    const f1 = classes === 2 ? f1Score(predicted, labels) : macroF1(predicted, labels, classes)
    return { ...found, metrics: { accuracy: metrics.accuracy, f1, loss: metrics.loss } }
  }
}

/** The test accuracy of always predicting the most frequent class of the training data. */
export function majorityAccuracy(train: readonly number[], test: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const label of train) counts.set(label, (counts.get(label) ?? 0) + 1)
  const [most] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0] ?? [0]
  return accuracy(
    test.map(() => most),
    test,
  )
}
