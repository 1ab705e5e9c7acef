/** What all picture classifiers share: the training step, evaluation, prediction and export around a model. */
import { compile } from '../compile/compile.ts'
import type { Dataset } from '../data/dataset.ts'
import { DataLoader } from '../data/loader.ts'
import type { Module } from '../nn/index.ts'
import * as ops from '../ops/index.ts'
import { AdamW, cosineScheduleWithWarmup } from '../optim/index.ts'
import { toNumbers } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import type { Metrics, TrainingTask } from './loop.ts'

/** A model that gives logits [N, K] for pixels in [-1, 1], [N, C, H, W]. */
export type ClassifierModel = Module & { forward(images: Tensor): Tensor }

/** How a classifier is trained. */
export interface ClassifierSettings {
  readonly lr: number
  readonly weight_decay: number
  /** Largest norm of all gradients together; 0: not clipped. */
  readonly clip_norm: number
  readonly warmup_steps: number
  readonly label_smoothing: number
  readonly epochs: number
  readonly batch_size: number
}

/** What evaluation found for every example of a data set, in order. */
export interface Evaluation {
  readonly labels: readonly number[]
  readonly predicted: readonly number[]
  /** Probability of the predicted class. */
  readonly confidence: readonly number[]
  readonly metrics: Metrics
}

/** Runs a classifier over a data set. */
export type ClassifierEvaluator = (data: Dataset) => Promise<Evaluation>

/** How the classifier's compiled functions compute. */
export interface ThreadOptions {
  readonly threads?: number
}

/** uint8 pixels 0..255 to floats -1..1, as the official input pipelines do. */
export function normalizePixels(pixels: Tensor): Tensor {
  return ops.sub(ops.div(ops.cast(pixels, 'float32'), 127.5), 1)
}

/** A training task for a classifier on batches of `image` (uint8 [N, C, H, W]) and `label` (int32 [N]). */
export function classifierTask(
  model: ClassifierModel,
  data: { readonly train: Dataset; readonly test: Dataset },
  settings: ClassifierSettings,
  seed: number,
  random: ReadonlyMap<string, Variable>,
  evaluate: ClassifierEvaluator,
  options: ThreadOptions = {},
): TrainingTask {
  const loader = new DataLoader(data.train, { batchSize: settings.batch_size, shuffle: true, seed, dropLast: true })
  const totalSteps = settings.epochs * loader.stepsPerEpoch
  const optimizer = new AdamW(model.parameters(), {
    lr: cosineScheduleWithWarmup(settings.lr, {
      numWarmupSteps: settings.warmup_steps,
      numTrainingSteps: totalSteps,
    }),
    weightDecay: settings.weight_decay,
  })
  const step = compile((batch: Record<string, Tensor>) => {
    const { image, label } = batch as { image: Tensor; label: Tensor }
    const logits = model.forward(normalizePixels(image))
    const loss = ops.crossEntropy(logits, label, { labelSmoothing: settings.label_smoothing })
    optimizer.minimize(loss, settings.clip_norm > 0 ? { clipNorm: settings.clip_norm } : {})
    const accuracy = ops.mean(ops.cast(ops.equal(ops.argmax(logits, -1), ops.cast(label, 'int64')), 'float32'))
    return { loss, accuracy }
  }, options)
  return {
    variables: new Map([
      ...prefixed('model', model.variables()),
      ...prefixed('optimizer', optimizer.variables()),
      ...prefixed('random', random),
    ]),
    loader,
    step,
    evaluate: async () => (await evaluate(data.test)).metrics,
  }
}

function prefixed(prefix: string, variables: Iterable<readonly [string, Variable]>): [string, Variable][] {
  return [...variables].map(([name, variable]) => [`${prefix}.${name}`, variable])
}

/** A function that runs a classifier over a data set in evaluation mode. */
export function classifierEvaluator(model: ClassifierModel, options: ThreadOptions = {}): ClassifierEvaluator {
  const run = compile((batch: Record<string, Tensor>) => {
    const { image, label } = batch as { image: Tensor; label: Tensor }
    const logits = model.forward(normalizePixels(image))
    const probabilities = ops.softmax(logits, -1)
    return {
      predicted: ops.argmax(logits, -1),
      confidence: ops.max(probabilities, -1),
      losses: ops.crossEntropy(logits, label, { reduction: 'none' }),
    }
  }, options)
  return async (data) => {
    const wasTraining = model.training
    model.eval()
    const [labels, predicted, confidence]: number[][] = [[], [], []]
    let loss = 0
    for await (const batch of new DataLoader(data, { batchSize: Math.min(500, data.length) })) {
      const results = await run(batch)
      labels?.push(...toNumbers(batch.label?.data ?? new Int32Array()))
      predicted?.push(...toNumbers(results.predicted.array.data))
      confidence?.push(...toNumbers(results.confidence.array.data))
      loss = toNumbers(results.losses.array.data).reduce((sum, value) => sum + value, loss)
    }
    if (wasTraining) model.train()
    const right = labels?.filter((label, i) => label === predicted?.[i]).length ?? 0
    return {
      labels: labels ?? [],
      predicted: predicted ?? [],
      confidence: confidence ?? [],
      metrics: { accuracy: right / data.length, loss: loss / data.length },
    }
  }
}

/** counts[label][predicted] */
export function confusionCounts({ labels, predicted }: Evaluation, classes: number): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (const [i, label] of labels.entries()) {
    const row = counts[label]
    const column = predicted[i]
    if (row && column !== undefined) row[column] = (row[column] ?? 0) + 1
  }
  return counts
}

/** The examples that were wrong with the greatest confidence, worst first. */
export function worstMistakes({ labels, predicted, confidence }: Evaluation, count: number): number[] {
  return labels
    .flatMap((label, i) => (label === predicted[i] ? [] : [i]))
    .sort((a, b) => (confidence[b] ?? 0) - (confidence[a] ?? 0))
    .slice(0, count)
}
