/** Metrics of classification, and the results of evaluation. GLUE's as f_net/run_classifier.py computes them. */
import type { Metrics } from './loop.ts'

/** The results of evaluation for every example of a data set, in order. */
export interface Evaluation {
  readonly labels: readonly number[]
  readonly predicted: readonly number[]
  /** Probability of the predicted class. */
  readonly confidence: readonly number[]
  readonly metrics: Metrics
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

/** Keeps the denominators of precision, F1 and Matthews correlation from zero. */
const epsilon = 1e-6

/** Share of predictions that are right. */
export function accuracy(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  let right = 0
  for (let i = 0; i < labels.length; i++) if (predictions[i] === labels[i]) right++
  return right / Math.max(labels.length, 1)
}

function counts(predictions: ArrayLike<number>, labels: ArrayLike<number>, positive: number) {
  const count = { tp: 0, fp: 0, fn: 0, tn: 0 }
  for (let i = 0; i < labels.length; i++) {
    const [said, is] = [predictions[i] === positive, labels[i] === positive]
    count[said ? (is ? 'tp' : 'fp') : is ? 'fn' : 'tn']++
  }
  return count
}

/** F1 of one class: the harmonic mean of precision and recall. Default: class 1. */
export function f1Score(predictions: ArrayLike<number>, labels: ArrayLike<number>, positive = 1): number {
  const { tp, fp, fn } = counts(predictions, labels, positive)
  return (2 * tp) / (2 * tp + fp + fn + epsilon)
}

/** The mean of the classes' F1: of class 1 alone where there are two classes. */
export function macroF1(predictions: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number {
  if (classes === 2) return f1Score(predictions, labels)
  const scores = Array.from({ length: classes }, (_, positive) => f1Score(predictions, labels, positive))
  return scores.reduce((sum, score) => sum + score, 0) / Math.max(classes, 1)
}

/** Matthews correlation coefficient of two classes, -1 to 1. */
export function matthewsCorrelation(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  const { tp, fp, fn, tn } = counts(predictions, labels, 1)
  return (tp * tn - fp * fn) / (Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) + epsilon)
}

/** 1-based ranks; equal values share the mean of theirs. */
function ranks(values: ArrayLike<number>): number[] {
  const order = Array.from(values, (value, index) => ({ value, index })).sort((a, b) => a.value - b.value)
  const result = new Array<number>(values.length).fill(0)
  for (let start = 0; start < order.length; ) {
    let end = start + 1
    while (end < order.length && order[end]?.value === order[start]?.value) end++
    for (const { index } of order.slice(start, end)) result[index] = (start + end + 1) / 2
    start = end
  }
  return result
}

/** Spearman's rank correlation: Pearson's correlation of the ranks. */
export function spearmanCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [x, y] = [ranks(a), ranks(b)]
  const mean = (x.length + 1) / 2
  let [xy, xx, yy] = [0, 0, 0]
  for (const [i, value] of x.entries()) {
    const [dx, dy] = [value - mean, (y[i] ?? 0) - mean]
    xy += dx * dy
    xx += dx * dx
    yy += dy * dy
  }
  return xy / Math.sqrt(xx * yy)
}

/**
 * Average precision of one class from scores: the sum over distinct thresholds, from high to low, of the gain in recall times the
 * precision there; equal scores count together (as scikit-learn's average_precision_score). NaN where no example has the class.
 */
export function averagePrecision(scores: ArrayLike<number>, relevant: ArrayLike<boolean | number>): number {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => Number(scores[b]) - Number(scores[a]))
  const total = order.filter((i) => Boolean(relevant[i])).length
  let [found, precisionSum, gained] = [0, 0, 0]
  for (const [rank, i] of order.entries()) {
    if (relevant[i]) gained++
    const next = order[rank + 1]
    if (next !== undefined && scores[next] === scores[i]) continue
    found += gained
    precisionSum += gained * (found / (rank + 1))
    gained = 0
  }
  return precisionSum / total
}

/** The plain mean of the classes' average precision; classes that no example has are left out. */
export function meanAveragePrecision(perClass: readonly number[]): number {
  const known = perClass.filter((value) => !Number.isNaN(value))
  return known.reduce((sum, value) => sum + value, 0) / known.length
}
