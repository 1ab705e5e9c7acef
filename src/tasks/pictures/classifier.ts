/** What all picture classifiers share: the training step, evaluation, prediction and export around a model. */
import { compile } from '../../compile/compile.ts'
import type { BatchTensors, Dataset } from '../../data/dataset.ts'
import type { PictureFields } from '../../data/layout.ts'
import { DataLoader } from '../../data/loader.ts'
import type { Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { AdamW, cosineScheduleWithWarmup, ExponentialMovingAverage, type Optimizer, SGD } from '../../optim/index.ts'
import { elementCount } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { defineTask, type TrainingTask } from '../../train/loop.ts'
import type { Evaluation } from '../../train/metrics.ts'
import { checkpointVariables } from '../../train/store.ts'
import type { TrainingSets } from '../define.ts'
import { classScores, evaluateClasses } from '../evaluate-classes.ts'
import type { ThreadOptions } from '../experiment.ts'

/** A model that gives logits [N, K] for pixels in [-1, 1], [N, C, H, W]. */
export type ClassifierModel = Module & { forward(images: Tensor): Tensor }

/** How a classifier is trained. */
export interface ClassifierSettings {
  /** `sgd` has momentum 0.9. Default: adamw. */
  readonly optimizer?: 'adamw' | 'sgd'
  /** The highest learning rate: reached at the end of the warm-up, from where it falls to 0 along half a cosine. */
  readonly lr: number
  /** Of matrices and convolution kernels; biases and norms are not decayed. */
  readonly weight_decay: number
  /** Largest norm of all gradients together; 0: not clipped. */
  readonly clip_norm: number
  readonly warmup_steps: number
  readonly label_smoothing: number
  readonly epochs: number
  readonly batch_size: number
  /** Parameter p of mixup's Beta(p, p); 0: no mixup. Default: 0. */
  readonly mixup?: number
  /** Share of the old average that an update keeps (`averaged` model); reached by min(decay, (1 + k) / (10 + k)). */
  readonly ema_decay?: number
}

/** Runs a classifier over a data set. */
export type ClassifierEvaluator = (data: Dataset<PictureFields>) => Promise<Evaluation>

export interface ClassifierTaskOptions extends ThreadOptions {
  /** A second model of the same configuration, which follows the trained one as an average and is the one to use. */
  readonly averaged?: ClassifierModel
}

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

/** Kernels are decayed, biases and norms are not (big_vision decays what is named `kernel`). */
function makeOptimizer(model: ClassifierModel, settings: ClassifierSettings, totalSteps: number): Optimizer {
  const lr = cosineScheduleWithWarmup(settings.lr, {
    numWarmupSteps: settings.warmup_steps,
    numTrainingSteps: totalSteps,
  })
  const parameters = model.parameters()
  const groups = [
    { parameters: parameters.filter(({ shape }) => shape.length > 1), weightDecay: settings.weight_decay },
    { parameters: parameters.filter(({ shape }) => shape.length <= 1), weightDecay: 0 },
  ].filter((group) => group.parameters.length > 0)
  return settings.optimizer === 'sgd' ? new SGD(groups, { lr, momentum: 0.9 }) : new AdamW(groups, { lr })
}

/** The average of a model's weights in a second one's; frozen weights are equal in both and stay. */
function averageInto(averaged: ClassifierModel, model: ClassifierModel, decay: number): ExponentialMovingAverage {
  const copies = averaged.variables()
  const moving = [...model.variables()].filter(([, { dtype, frozen }]) => dtype === 'float32' && !frozen)
  return new ExponentialMovingAverage(
    moving.map(([, variable]) => variable),
    { decay, warmup: true, averages: moving.flatMap(([name]) => copies.get(name) ?? []) },
  )
}

/**
 * A training task for a classifier on batches of `image` (uint8 [N, C, H, W]) and `label` (int32 [N]). Its checkpoints hold
 * the model to use as `model.*`: the averaged one if there is one, and then the trained one as `trained.*`.
 */
export function classifierTask(
  model: ClassifierModel,
  data: TrainingSets<PictureFields>,
  settings: ClassifierSettings,
  seed: number,
  random: ReadonlyMap<string, Variable>,
  evaluate: ClassifierEvaluator,
  options: ClassifierTaskOptions = {},
): TrainingTask {
  const { averaged, ...threads } = options
  const loader = new DataLoader(data.train, { batchSize: settings.batch_size, shuffle: true, seed, dropLast: true })
  const optimizer = makeOptimizer(model, settings, settings.epochs * loader.stepsPerEpoch)
  const average = averaged && averageInto(averaged, model, settings.ema_decay ?? 0.999)
  const mixup = settings.mixup ?? 0
  const step = compile(({ image, label }: BatchTensors<PictureFields>) => {
    const pixels = normalizePixels(image)
    const share = mixup > 0 ? mixupShare(mixup) : undefined
    const logits = model.forward(share ? mixed(pixels, share) : pixels)
    const target = share ? mixed(ops.oneHot(label, sizeOf(logits.shape, 1), 'float32'), share) : label
    const loss = ops.crossEntropy(logits, target, { labelSmoothing: settings.label_smoothing })
    optimizer.minimize(loss, settings.clip_norm > 0 ? { clipNorm: settings.clip_norm } : {})
    average?.update()
    // With mixup: against the label that has the greater share.
    const accuracy = ops.mean(ops.cast(ops.equal(ops.argmax(logits, -1), ops.cast(label, 'int64')), 'float32'))
    return { loss, accuracy }
  }, threads)
  return defineTask({
    variables: checkpointVariables({
      model: (averaged ?? model).variables(),
      trained: averaged ? model.variables() : [],
      average: average?.variables() ?? [],
      optimizer: optimizer.variables(),
      random,
    }),
    loader,
    step,
    evaluate: async () => (await evaluate(data.test)).metrics,
    learningRate: () => optimizer.lr,
  })
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
