/**
 * How good generated examples are, from features of theirs and of real ones, [count, width] each: Frechet distance (Heusel et al. 2017),
 * inception score (Salimans et al. 2016), precision and recall (Kynkaanniemi et al. 2019), as OpenAI's evaluator computes them.
 * The names FID, sFID and inception score mean features of one network, Inception-V3; with others the numbers are not comparable.
 */
import { type SquareMatrix, semidefiniteFactor, symmetricEigenvalues } from '../linalg/symmetric.ts'
import type { NDArray } from '../tensor/dtype.ts'
import { formatShape, sameShape, sizeOf } from '../tensor/shape.ts'
import { ShapeError } from '../util/errors.ts'
import { dot } from '../util/vectors.ts'

/** Mean and covariance of features. */
export interface FeatureStatistics {
  readonly mean: Float64Array
  /** Divided by count - 1. */
  readonly covariance: SquareMatrix
}

/** Rows of numbers, checked. */
function rowsOf(name: string, { shape, data }: NDArray): Float64Array[] {
  const [count, width] = [sizeOf(shape, 0), sizeOf(shape, -1)]
  if (shape.length !== 2 || count === 0)
    throw new ShapeError(`${name}: features must be [count, width], found ${formatShape(shape)}`)
  return Array.from({ length: count }, (_, i) => Float64Array.from(data.subarray(i * width, (i + 1) * width), Number))
}

/** Mean and covariance of features [count, width], count at least 2. */
export function featureStatistics(features: NDArray): FeatureStatistics {
  const rows = rowsOf('featureStatistics', features)
  if (rows.length < 2) throw new ShapeError('featureStatistics: there must be at least 2 examples, found 1')
  const size = sizeOf(features.shape, 1)
  const mean = new Float64Array(size)
  for (const row of rows) for (let i = 0; i < size; i++) mean[i] = (mean[i] ?? 0) + (row[i] ?? 0) / rows.length
  const data = new Float64Array(size * size)
  for (const row of rows) {
    const centered = row.map((value, i) => value - (mean[i] ?? 0))
    for (let i = 0; i < size; i++) {
      const factor = (centered[i] ?? 0) / (rows.length - 1)
      for (let j = 0; j < size; j++) data[i * size + j] = (data[i * size + j] ?? 0) + factor * (centered[j] ?? 0)
    }
  }
  return { mean, covariance: { size, data } }
}

/**
 * |mu1 - mu2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2) of two normal distributions. The last trace is the sum of the singular values of
 * C1^T C2 with S = C C^T, which exist whatever the rank: no square root of a product is taken, and nothing is added to a diagonal.
 */
export function frechetDistance(a: FeatureStatistics, b: FeatureStatistics): number {
  if (a.mean.length !== b.mean.length) {
    throw new ShapeError(
      `frechetDistance: both must have features of one width, found ${a.mean.length} and ${b.mean.length}`,
    )
  }
  const apart = a.mean.reduce((sum, value, i) => sum + (value - (b.mean[i] ?? 0)) ** 2, 0)
  return apart + trace(a.covariance) + trace(b.covariance) - 2 * traceOfRoot(a.covariance, b.covariance)
}

function trace({ size, data }: SquareMatrix): number {
  let sum = 0
  for (let i = 0; i < size; i++) sum += data[i * size + i] ?? 0
  return sum
}

/** tr (A B)^(1/2) */
function traceOfRoot(a: SquareMatrix, b: SquareMatrix): number {
  const [first, second] = [semidefiniteFactor(a), semidefiniteFactor(b)]
  const product = first.map((column) => Float64Array.from(second, (other) => dot(column, other)))
  const size = product.length
  const data = new Float64Array(size * size)
  for (const [i, row] of product.entries())
    for (const [j, other] of product.entries()) data[i * size + j] = dot(row, other)
  return symmetricEigenvalues({ size, data }).reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0)
}

/** The mean over consecutive parts of exp(mean KL(p(y | x) || p(y))), for probabilities [count, classes]. Default: parts of 5,000. */
export function inceptionScore(probabilities: NDArray, splitSize = 5000): number {
  const rows = rowsOf('inceptionScore', probabilities)
  const scores: number[] = []
  for (let start = 0; start < rows.length; start += splitSize) {
    const part = rows.slice(start, start + splitSize)
    const marginal = Array.from({ length: sizeOf(probabilities.shape, 1) }, (_, c) =>
      part.reduce((sum, row) => sum + (row[c] ?? 0) / part.length, 0),
    )
    const divergence = (row: Float64Array): number =>
      row.reduce((sum, p, c) => sum + (p > 0 ? p * (Math.log(p) - Math.log(marginal[c] ?? 1)) : 0), 0)
    scores.push(Math.exp(part.reduce((sum, row) => sum + divergence(row) / part.length, 0)))
  }
  return scores.reduce((sum, score) => sum + score, 0) / scores.length
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2
  return sum
}

/**
 * For each example the squared distance of its k-th nearest neighbour among the others, for each k: [count][ks]. With a percentile,
 * radii above that percentile of their k become 0.
 */
export function manifoldRadii(features: NDArray, ks: readonly number[] = [3], clampToPercentile?: number): number[][] {
  const rows = rowsOf('manifoldRadii', features)
  const most = Math.max(...ks)
  if (rows.length <= most) {
    throw new ShapeError(
      `manifoldRadii: there must be more than ${most} examples for ${most} neighbours, found ${rows.length}`,
    )
  }
  const radii = rows.map((row) => {
    const distances = Float64Array.from(rows, (other) => squaredDistance(row, other)).sort()
    return ks.map((k) => distances[k] ?? 0) // element 0 is the example itself
  })
  if (clampToPercentile === undefined) return radii
  const limits = ks.map((_, i) =>
    percentile(
      radii.map((each) => each[i] ?? 0),
      clampToPercentile,
    ),
  )
  return radii.map((each) => each.map((radius, i) => (radius > (limits[i] ?? 0) ? 0 : radius)))
}

/** Between the two nearest ranks, as NumPy has it. */
function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = (percent / 100) * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0]
  return low + (high - low) * (place - Math.floor(place))
}

/** Which examples lie in a manifold. */
export interface ManifoldMembers {
  /** [examples][ks] */
  readonly inside: readonly (readonly boolean[])[]
  /** The nearest of the manifold's examples, for each. */
  readonly nearest: readonly number[]
}

/** Which examples lie within the radius of at least one example of a manifold. */
export function manifoldMembers(
  manifold: NDArray,
  radii: readonly (readonly number[])[],
  examples: NDArray,
): ManifoldMembers {
  if (!sameShape(manifold.shape.slice(1), examples.shape.slice(1))) {
    throw new ShapeError(
      `manifoldMembers: both must have features of one width, found ${formatShape(manifold.shape)} and ${formatShape(examples.shape)}`,
    )
  }
  const known = rowsOf('manifoldMembers', manifold)
  const found = rowsOf('manifoldMembers', examples).map((row) => {
    const distances = known.map((other) => squaredDistance(row, other))
    const ks = radii[0]?.length ?? 0
    return {
      inside: Array.from({ length: ks }, (_, k) => distances.some((distance, i) => distance <= (radii[i]?.[k] ?? 0))),
      nearest: distances.reduce((best, distance, i) => (distance < (distances[best] ?? 0) ? i : best), 0),
    }
  })
  return { inside: found.map(({ inside }) => inside), nearest: found.map(({ nearest }) => nearest) }
}

/** The share of generated examples inside the manifold of real ones, and the reverse, for each k; radii as in `manifoldRadii`. */
export function precisionAndRecall(
  real: NDArray,
  generated: NDArray,
  ks: readonly number[] = [3],
  clampToPercentile?: number,
): { readonly precision: readonly number[]; readonly recall: readonly number[] } {
  const share = (manifold: NDArray, examples: NDArray): number[] => {
    const { inside } = manifoldMembers(manifold, manifoldRadii(manifold, ks, clampToPercentile), examples)
    return ks.map((_, k) => inside.filter((each) => each[k]).length / inside.length)
  }
  return { precision: share(real, generated), recall: share(generated, real) }
}
