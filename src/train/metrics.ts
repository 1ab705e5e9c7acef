/** Metrics of classification, by scikit-learn's conventions, and the results of evaluation. */
import { checkedArray, type NDArray } from '../tensor/dtype.ts'
import { sizes } from '../tensor/shape.ts'
import { shown } from '../util/check.ts'
import { IndexError, ShapeError, UsageError } from '../util/errors.ts'
import { meanOf } from '../util/vectors.ts'
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
export function confusionCounts(
  { labels, predicted }: Pick<Evaluation, 'labels' | 'predicted'>,
  classes: number,
): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (const [i, label] of labels.entries()) {
    const row = counts[label]
    const column = predicted[i]
    if (row === undefined || column === undefined || !(column in row))
      throw new IndexError(`confusionCounts: classes must be from 0 to ${classes - 1}, found ${row ? column : label}`)
    row[column] = (row[column] ?? 0) + 1
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

/** Share of predictions that are right. */
export function accuracy(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  requireEqual('accuracy', 'predictions', predictions.length, labels)
  let right = 0
  for (let i = 0; i < labels.length; i++) if (predictions[i] === labels[i]) right++
  return right / Math.max(labels.length, 1)
}

/**
 * Share of examples whose label is among the k classes of the highest score; of equal scores the higher class comes first
 * (scikit-learn's top_k_accuracy_score). scores: [examples, classes].
 */
export function topKAccuracy(scores: NDArray, labels: ArrayLike<number>, k: number): number {
  const [examples, classes] = sizes(checkedArray('topKAccuracy: scores', scores).shape, 2)
  requireEqual('topKAccuracy', 'rows of scores', examples, labels)
  const right = Array.from({ length: examples }, (_, i) => {
    const row = scores.data.subarray(i * classes, (i + 1) * classes)
    const label = labels[i] ?? 0
    const own = Number(row[label])
    let before = 0
    for (let c = 0; c < classes; c++) if (Number(row[c]) > own || (Number(row[c]) === own && c > label)) before++
    return before < k
  })
  return right.filter(Boolean).length / Math.max(examples, 1)
}

function requireEqual(owner: string, what: string, count: number, labels: ArrayLike<unknown>): void {
  if (count === labels.length) return
  throw new ShapeError(`${owner}: there must be as many labels as ${what}, ${count}, found ${labels.length}`)
}

function counts(predictions: ArrayLike<number>, labels: ArrayLike<number>, positive: number) {
  requireEqual('metrics', 'predictions', predictions.length, labels)
  const count = { tp: 0, fp: 0, fn: 0, tn: 0 }
  for (let i = 0; i < labels.length; i++) {
    const [said, is] = [predictions[i] === positive, labels[i] === positive]
    count[said ? (is ? 'tp' : 'fp') : is ? 'fn' : 'tn']++
  }
  return count
}

/** 0 / 0 is 0, as with scikit-learn's zero_division. */
function ratio(part: number, whole: number): number {
  return part === 0 ? 0 : part / whole
}

/** Of the examples that were said to be of one class, the share that are. Default: class 1. */
export function precision(predictions: ArrayLike<number>, labels: ArrayLike<number>, positive = 1): number {
  const { tp, fp } = counts(predictions, labels, positive)
  return ratio(tp, tp + fp)
}

/** Of the examples of one class, the share that were said to be. Default: class 1. */
export function recall(predictions: ArrayLike<number>, labels: ArrayLike<number>, positive = 1): number {
  const { tp, fn } = counts(predictions, labels, positive)
  return ratio(tp, tp + fn)
}

/** How F1 and Matthews correlation are computed. */
export interface ClassMetricOptions {
  /** The class that counts. Default: 1. */
  readonly positive?: number
  /** Added to the denominator: some published evaluations do. Default: 0. */
  readonly epsilon?: number
}

/** F1 of one class: the harmonic mean of precision and recall, 0 where nothing of the class is said or there. */
export function f1Score(
  predictions: ArrayLike<number>,
  labels: ArrayLike<number>,
  { positive = 1, epsilon = 0 }: ClassMetricOptions = {},
): number {
  const { tp, fp, fn } = counts(predictions, labels, positive)
  return ratio(2 * tp, 2 * tp + fp + fn + epsilon)
}

/** The plain mean of the F1 of classes 0 to classes - 1. */
export function macroF1(predictions: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number {
  const scores = Array.from({ length: classes }, (_, positive) => f1Score(predictions, labels, { positive }))
  return scores.reduce((sum, score) => sum + score, 0) / Math.max(classes, 1)
}

/** Matthews correlation coefficient of a class against the others, -1 to 1; 0 where all are predicted alike. */
export function matthewsCorrelation(
  predictions: ArrayLike<number>,
  labels: ArrayLike<number>,
  { positive = 1, epsilon = 0 }: ClassMetricOptions = {},
): number {
  const { tp, fp, fn, tn } = counts(predictions, labels, positive)
  return ratio(tp * tn - fp * fn, Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) + epsilon)
}

/** exp of the mean negative log-likelihood of tokens, in nats; NaN of none. */
export function perplexity(losses: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < losses.length; i++) sum += losses[i] ?? 0
  return Math.exp(sum / losses.length)
}

/** Scores that are compared: NaN is neither above nor below another. */
function requireScores(owner: string, argument: string, scores: ArrayLike<number>): void {
  for (let i = 0; i < scores.length; i++) {
    if (!Number.isNaN(Number(scores[i]))) continue
    throw new UsageError(`${owner}: ${argument} must be numbers, found ${shown(scores[i])} at ${i}`)
  }
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
  if (a.length !== b.length)
    throw new ShapeError(`spearmanCorrelation: both lists must be equally long, found ${a.length} and ${b.length}`)
  requireScores('spearmanCorrelation', 'the first list', a)
  requireScores('spearmanCorrelation', 'the second list', b)
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
 * Area under the ROC curve: the probability that an example of the class has a higher score than one of the others, equal scores counted
 * half (scikit-learn's roc_auc_score). NaN where there are none, or nothing but, of the class.
 */
export function rocAuc(scores: ArrayLike<number>, relevant: ArrayLike<boolean | number>): number {
  requireEqual('rocAuc', 'scores', scores.length, relevant)
  requireScores('rocAuc', 'scores', scores)
  const place = ranks(scores)
  let [positive, rankSum] = [0, 0]
  for (const [i, rank] of place.entries()) {
    if (!relevant[i]) continue
    positive++
    rankSum += rank
  }
  return (rankSum - (positive * (positive + 1)) / 2) / (positive * (place.length - positive))
}

/**
 * Average precision of one class from scores: the sum over distinct thresholds, from high to low, of the gain in recall times the
 * precision there; equal scores count together (as scikit-learn's average_precision_score). NaN where no example has the class.
 */
export function averagePrecision(scores: ArrayLike<number>, relevant: ArrayLike<boolean | number>): number {
  requireEqual('averagePrecision', 'scores', scores.length, relevant)
  requireScores('averagePrecision', 'scores', scores)
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
  return meanOf(known)
}
