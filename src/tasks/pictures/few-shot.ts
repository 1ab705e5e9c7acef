/** Few-shot evaluation: L2-regularised least squares from frozen features to labels (big_vision's fewshot_lsr). */
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { TenfoldError } from '../../util/errors.ts'
import { largest } from '../../util/lists.ts'
import { deriveSeed, Generator } from '../../util/random.ts'
import { dot, meanOf } from '../../util/vectors.ts'

export interface FewShotProblem {
  /** [examples, width] */
  readonly trainFeatures: NDArray
  readonly trainLabels: readonly number[]
  readonly testFeatures: NDArray
  readonly testLabels: readonly number[]
  /** Rows of the training features that are used. */
  readonly selected: readonly number[]
  readonly classes: number
  /** Weight of the regulariser. Official default: 1024. */
  readonly l2: number
  /** A constant feature of this size stands for the bias, so that it is hardly regularised. */
  readonly biasConstant: number
  readonly stdEpsilon: number
}

export interface FewShotResult {
  readonly mean: readonly number[]
  readonly std: readonly number[]
  /** [width + 1, classes], row-major; the last row belongs to the constant feature. */
  readonly weights: readonly number[]
  /** [test examples, classes] */
  readonly scores: readonly number[]
  readonly predictions: readonly number[]
  readonly accuracy: number
}

/**
 * For each class the first `shots` rows of a seeded permutation of its rows, class by class; of a class with fewer rows all. More
 * shots of the same seed contain the fewer.
 */
export function selectShots(labels: readonly number[], shots: number, seed: number): number[] {
  const rows = new Map<number, number[]>()
  for (const [row, label] of labels.entries()) {
    const known = rows.get(label)
    if (known) known.push(row)
    else rows.set(label, [row])
  }
  return [...rows]
    .sort(([a], [b]) => a - b)
    .flatMap(([label, own]) => {
      const order = new Generator(deriveSeed(seed, 'few-shot', label)).permutation(own.length)
      return Array.from(order.subarray(0, shots), (place) => own[place] ?? 0)
    })
}

function rowsOf({ shape: [rows = 0, width = 0], data }: NDArray): number[][] {
  const values = toNumbers(data)
  return Array.from({ length: rows }, (_, i) => values.slice(i * width, (i + 1) * width))
}

/** Solves A X = B for a symmetric positive definite A, in float64, by Cholesky's factorisation. */
export function solvePositiveDefinite(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
): number[][] {
  const n = a.length
  const lower = a.map((row) => Float64Array.from(row))
  const at = (i: number, j: number): number => lower[i]?.[j] ?? 0
  for (const [i, row] of lower.entries()) {
    for (let j = 0; j <= i; j++) {
      let sum = row[j] ?? 0
      for (let k = 0; k < j; k++) sum -= (row[k] ?? 0) * at(j, k)
      if (i !== j) row[j] = sum / at(j, j)
      else if (sum > 0) row[j] = Math.sqrt(sum)
      else throw new TenfoldError('the matrix is not positive definite', { hint: 'use a larger l2' })
    }
  }
  const x = b.map((row) => [...row])
  const columns = x[0]?.length ?? 0
  const eliminate = (i: number, k: number, factor: number): void => {
    const [target, source] = [x[i], x[k]]
    if (target && source) for (let c = 0; c < columns; c++) target[c] = (target[c] ?? 0) - factor * (source[c] ?? 0)
  }
  const scale = (i: number): void => {
    x[i] = x[i]?.map((value) => value / at(i, i)) ?? []
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) eliminate(i, k, at(i, k))
    scale(i)
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) eliminate(i, k, at(k, i))
    scale(i)
  }
  return x
}

function transposed(rows: readonly (readonly number[])[]): number[][] {
  return (rows[0] ?? []).map((_, j) => rows.map((row) => row[j] ?? 0))
}

/** rows rows^T + l2 I */
function regularisedGram(rows: readonly (readonly number[])[], l2: number): number[][] {
  return rows.map((row, i) => rows.map((other, j) => dot(row, other) + (i === j ? l2 : 0)))
}

/** w = (X'X + l2 I)^-1 X'Y, or the equal X'(XX' + l2 I)^-1 Y where that is the smaller system. */
function ridge(x: readonly (readonly number[])[], y: readonly (readonly number[])[], l2: number): number[][] {
  const columns = transposed(x)
  const targets = transposed(y)
  if (x.length < columns.length) {
    const dual = transposed(solvePositiveDefinite(regularisedGram(x, l2), y))
    return columns.map((column) => dual.map((weights) => dot(column, weights)))
  }
  const right = columns.map((column) => targets.map((target) => dot(column, target)))
  return solvePositiveDefinite(regularisedGram(columns, l2), right)
}

/** Fits on the selected rows, standardised by their own statistics, and predicts the test rows. */
export function fewShot(problem: FewShotProblem): FewShotResult {
  const { selected, classes, l2, biasConstant, stdEpsilon, testLabels } = problem
  const all = rowsOf(problem.trainFeatures)
  const chosen = selected.map((index) => all[index] ?? [])
  const columns = transposed(chosen)
  const mean = columns.map((column) => meanOf(column))
  const std = columns.map((column, j) => {
    const center = mean[j] ?? 0
    return Math.sqrt(column.reduce((sum, value) => sum + (value - center) ** 2, 0) / column.length) + stdEpsilon
  })
  const prepared = (row: readonly number[]): number[] => [
    ...row.map((value, j) => (value - (mean[j] ?? 0)) / (std[j] ?? 1)),
    biasConstant,
  ]
  const targets = selected.map((index) =>
    Array.from({ length: classes }, (_, k) => (problem.trainLabels[index] === k ? 1 : -1)),
  )
  const weights = ridge(chosen.map(prepared), targets, l2)
  const perClass = transposed(weights)
  const scores = rowsOf(problem.testFeatures).map((row) => {
    const x = prepared(row)
    return perClass.map((column) => dot(x, column))
  })
  const predictions = scores.map((row) => row.indexOf(largest(row)))
  const right = predictions.filter((prediction, i) => prediction === testLabels[i]).length
  return {
    mean,
    std,
    weights: weights.flat(),
    scores: scores.flat(),
    predictions,
    accuracy: right / predictions.length,
  }
}
