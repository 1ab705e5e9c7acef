/** What all picture classifiers share: what a step shows of a batch, and evaluation. */
import { compile } from '../../compile/compile.ts'
import type { BatchTensors, Dataset } from '../../data/dataset.ts'
import type { PictureFields } from '../../data/layout.ts'
import type { Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { elementCount } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { classScores, evaluateClasses } from '../evaluate-classes.ts'
import type { ThreadOptions } from '../experiment.ts'
import type { StepScalars } from '../training.ts'

/** A model that gives logits [N, K] for pixels in [-1, 1], [N, C, H, W]. */
export type ClassifierModel = Module & { forward(images: Tensor): Tensor }

/** How the loss of a classifier is computed. */
export interface ClassifierLoss {
  readonly label_smoothing: number
  /** Parameter p of mixup's Beta(p, p); 0: no mixup. */
  readonly mixup: number
}

/** Runs a classifier over a data set. */
export type ClassifierEvaluator = (data: Dataset<PictureFields>) => ReturnType<typeof evaluateClasses>

/** uint8 pixels 0..255 to floats -1..1, as the official input pipelines do. */
export function normalizePixels(pixels: Tensor): Tensor {
  return ops.sub(ops.div(ops.cast(pixels, 'float32'), 127.5), 1)
}

/** Two batches as one: share x + (1 - share) (x moved by one example). */
function mixed(x: Tensor, share: Tensor): Tensor {
  return ops.add(ops.mul(x, share), ops.mul(ops.roll(x, 1, 0), ops.sub(1, share)))
}

/** Mixup's share of the first picture, one for the batch: max(a, 1 - a), a of Beta(p, p) (big_vision's `get_mixup`). */
function mixupShare(p: number): Tensor {
  const a = ops.randomBeta([], p, p)
  return ops.maximum(a, ops.sub(1, a))
}

/**
 * What a step shows of a batch of `image` (uint8 [N, C, H, W]) and `label` (int32 [N]): the loss and the accuracy. With mixup the
 * accuracy is that against the label that has the greater share.
 */
export function classifierScalars(
  model: ClassifierModel,
  { image, label }: BatchTensors<PictureFields>,
  { label_smoothing: labelSmoothing, mixup }: ClassifierLoss,
): StepScalars {
  const pixels = normalizePixels(image)
  const share = mixup > 0 ? mixupShare(mixup) : undefined
  const logits = model.forward(share ? mixed(pixels, share) : pixels)
  const target = share ? mixed(ops.oneHot(label, sizeOf(logits.shape, 1), 'float32'), share) : label
  const loss = ops.crossEntropy(logits, target, { labelSmoothing })
  const accuracy = ops.mean(ops.cast(ops.equal(ops.argmax(logits, -1), ops.cast(label, 'int64')), 'float32'))
  return { loss, accuracy }
}

/** Numbers in a batch of pictures: large models keep many values for each. */
const evaluationNumbers = 2 ** 21

/** Examples to evaluate at once: at most 500, fewer of large pictures. */
export function evaluationBatchSize({ length, fields }: Dataset<'image'>): number {
  const size = elementCount(fields.image.shape)
  return Math.max(1, Math.min(500, length, Math.floor(evaluationNumbers / size)))
}

/** A function that runs a classifier over a data set in evaluation mode. */
export function classifierEvaluator(model: ClassifierModel, options: ThreadOptions = {}): ClassifierEvaluator {
  const score = compile(
    ({ image, label }: BatchTensors<PictureFields>) => classScores(model.forward(normalizePixels(image)), label),
    options,
  )
  return (data) => evaluateClasses(model, score, data, evaluationBatchSize(data))
}
