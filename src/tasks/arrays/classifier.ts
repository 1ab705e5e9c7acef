/** Classification of named arrays, into one class or any number of them: what a step shows of a batch, and evaluation. */
import { compile } from '../../compile/compile.ts'
import type { BatchTensors, Dataset } from '../../data/dataset.ts'
import { DataLoader } from '../../data/loader.ts'
import type { Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { elementCount, toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Metrics } from '../../train/loop.ts'
import { accuracy, averagePrecision, type Evaluation, meanAveragePrecision } from '../../train/metrics.ts'
import { appendAll } from '../../util/lists.ts'
import { rowsOf } from '../../util/vectors.ts'
import type { ThreadOptions } from '../experiment.ts'
import type { StepScalars } from '../training.ts'
import type { ArrayFacts } from './facts.ts'

/** A model that gives logits [N, classes] for arrays by name. */
export type ArrayClassifier = Module & { forward(inputs: Readonly<Record<string, Tensor>>): Tensor }

/** What follows from the data. */
export type ClassFacts = Pick<ArrayFacts, 'classes_per_example' | 'windows' | 'labels'>

/** Probabilities of the classes, [N, classes]: they sum to 1, or each is one for itself. */
export function classProbabilities(logits: Tensor, kind: ArrayFacts['classes_per_example']): Tensor {
  return kind === 'one' ? ops.softmax(logits, -1) : ops.sigmoid(logits)
}

/** The loss of each example, [N]: cross entropy, or the mean over the classes of the sigmoid cross entropies. */
function lossesOf(logits: Tensor, label: Tensor, kind: ArrayFacts['classes_per_example'], labelSmoothing = 0): Tensor {
  if (kind === 'one') return ops.crossEntropy(logits, label, { reduction: 'none', labelSmoothing })
  return ops.mean(ops.bceWithLogits(logits, label, { reduction: 'none' }), -1)
}

/**
 * What a step shows of a batch: the loss, and of examples with one class the accuracy. `label`: int32 [N], or float32 [N, classes] of
 * 0 and 1. Smoothing is of single classes only.
 */
export function arrayScalars(
  model: ArrayClassifier,
  { label, ...inputs }: BatchTensors<'label'>,
  kind: ArrayFacts['classes_per_example'],
  labelSmoothing: number,
): StepScalars {
  const logits = model.forward(inputs)
  const loss = ops.mean(lossesOf(logits, label, kind, labelSmoothing))
  if (kind === 'any') return { loss }
  const right = ops.equal(ops.argmax(logits, -1), ops.cast(label, 'int64'))
  return { loss, accuracy: ops.mean(ops.cast(right, 'float32')) }
}

/** The results for every example, in order. */
export interface ArrayEvaluation {
  readonly metrics: Metrics
  /** Probabilities of each example's classes, the mean over its windows. */
  readonly scores: readonly (readonly number[])[]
  /** Class numbers of each example. */
  readonly truth: readonly (readonly number[])[]
}

/** Numbers in a batch of inputs: large models keep many values for each. */
const evaluationNumbers = 2 ** 21

/** Examples to evaluate at once: at most 500, fewer of large ones. */
function arrayBatchSize({ length, fields }: Dataset): number {
  const size = Object.values(fields).reduce((sum, { shape }) => sum + elementCount(shape), 0)
  return Math.max(1, Math.min(500, length, Math.floor(evaluationNumbers / size)))
}

/** The mean of each `windows` rows in a row. */
function averaged(rows: readonly (readonly number[])[], windows: number): number[][] {
  return Array.from({ length: rows.length / windows }, (_, i) => {
    const own = rows.slice(i * windows, (i + 1) * windows)
    return (own[0] ?? []).map((_, c) => own.reduce((sum, row) => sum + (row[c] ?? 0), 0) / windows)
  })
}

/** The place of the greatest number. */
function greatestOf(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > (values[best] ?? 0) ? i : best), 0)
}

/** Average precision of each class; NaN of a class that no example has. */
export function classPrecisions({ scores, truth }: ArrayEvaluation, classes: number): number[] {
  return Array.from({ length: classes }, (_, c) =>
    averagePrecision(
      scores.map((row) => row[c] ?? 0),
      truth.map((own) => own.includes(c)),
    ),
  )
}

/** Each example's most probable class, as metrics of single classes take it. */
export function singleClasses({ scores, truth, metrics }: ArrayEvaluation): Evaluation {
  const predicted = scores.map(greatestOf)
  return {
    labels: truth.map(([label = -1]) => label),
    predicted,
    confidence: scores.map((row, i) => row[predicted[i] ?? 0] ?? 0),
    metrics,
  }
}

/**
 * A function that runs a classifier over a data set in evaluation mode. Probabilities are averaged over the windows of an example; the
 * loss is the mean over all windows.
 */
export function arrayEvaluator(
  model: ArrayClassifier,
  { classes_per_example: kind, windows, labels: { length: classes } }: ClassFacts,
  options: ThreadOptions = {},
): (data: Dataset<'label'>) => Promise<ArrayEvaluation> {
  const score = compile(({ label, ...inputs }: BatchTensors<'label'>) => {
    const logits = model.forward(inputs)
    return { probabilities: classProbabilities(logits, kind), losses: lossesOf(logits, label, kind) }
  }, options)
  return async (data) => {
    const [probabilities, labels]: [number[], number[]] = [[], []]
    let loss = 0
    await model.inEvalMode(async () => {
      for await (const batch of new DataLoader(data, { batchSize: arrayBatchSize(data) })) {
        const found = await score(batch)
        appendAll(probabilities, toNumbers(found.probabilities.array.data))
        appendAll(labels, toNumbers(batch.label.data))
        loss = toNumbers(found.losses.array.data).reduce((sum, value) => sum + value, loss)
      }
    })
    const scores = averaged(rowsOf(probabilities, classes), windows)
    const ofRows = rowsOf(labels, labels.length / data.length).filter((_, row) => row % windows === 0)
    const truth = ofRows.map((row) => (kind === 'one' ? row : row.flatMap((value, c) => (value > 0 ? [c] : []))))
    const found = { scores, truth, metrics: {} }
    const meanLoss = loss / data.length
    return { scores, truth, metrics: { ...qualityOf(found, kind, classes), loss: meanLoss } }
  }
}

function qualityOf(found: ArrayEvaluation, kind: ArrayFacts['classes_per_example'], classes: number): Metrics {
  if (kind === 'any') return { mean_average_precision: meanAveragePrecision(classPrecisions(found, classes)) }
  const { predicted, labels } = singleClasses(found)
  return { accuracy: accuracy(predicted, labels) }
}

/** Classes of an example as text. */
export function namesOf(own: readonly number[], labels: readonly string[]): string {
  return own.map((c) => labels[c] ?? '?').join(', ') || 'none'
}
