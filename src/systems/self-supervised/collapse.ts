/**
 * Whether embeddings have collapsed: alignment and uniformity (Wang and Isola 2020, arXiv 2005.10242) as tensors, which may be trained with, and
 * the spread, rank and correlation of a set of embeddings as numbers.
 *
 * Shapes: N embeddings of D dimensions.
 */
import { eigvalsh, svd } from '../../linalg/index.ts'
import * as ops from '../../ops/index.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { sizeOf, sizes } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import { dot } from '../../util/vectors.ts'

/** mean |x - y|^alpha over pairs of embeddings of length 1, [N, D] each: small where views of one picture agree. */
export function alignment(x: Tensor, y: Tensor, alpha = 2): Tensor {
  const squared = ops.sum(ops.square(ops.sub(x, y)), 1)
  return ops.mean(alpha === 2 ? squared : ops.pow(squared, alpha / 2))
}

/** log mean over pairs i < j of exp(-t |x_i - x_j|^2): 0 where all are equal, the lower the more evenly they lie on the sphere. [N, D]. */
export function uniformity(x: Tensor, t = 2): Tensor {
  const n = sizeOf(x.shape, 0)
  if (n < 2) throw new ShapeError(`uniformity: there must be at least two embeddings, found ${n}`)
  const lengths = ops.sum(ops.square(x), 1, { keepDims: true }) // [N, 1]
  const products = ops.matmul(x, ops.transpose(x))
  const squared = ops.relu(ops.sub(ops.add(lengths, ops.transpose(lengths)), ops.mul(products, 2))) // [N, N]
  const above = ops.triu(ops.exp(ops.mul(squared, -t)), 1)
  return ops.log(ops.div(ops.sum(above), (n * (n - 1)) / 2))
}

/** What is known of a set of embeddings. */
export interface Spread {
  /** Standard deviation of each dimension of the embeddings at length 1, unbiased. */
  readonly std_per_dim: readonly number[]
  /** Their mean: about 1 / sqrt(D) without collapse, 0 of embeddings that are all equal. */
  readonly mean_std: number
  /** Mean standard deviation of the dimensions of the embeddings as they are: 0 where a squared distance has collapsed. */
  readonly raw_std: number
  /** 1 / sqrt(D). */
  readonly std_ref: number
  /** Of the unbiased covariance of the embeddings at length 1, descending. */
  readonly cov_eigenvalues: readonly number[]
  /** (sum of the eigenvalues)^2 / sum of their squares: how many directions are used, 1 to D. */
  readonly participation_ratio: number
  /** exp of the entropy of the singular values (Garrido et al. 2022, arXiv 2210.02885): the effective rank of the embeddings as they are. */
  readonly rankme: number
  /** Of the embeddings as they are, descending. */
  readonly singular_values: readonly number[]
  /** Mean cosine of different embeddings: 1 of embeddings that are all equal. */
  readonly mean_cosine_offdiag: number
  /** Mean |correlation| of different dimensions. */
  readonly mean_abs_corr_offdiag: number
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)

/** Columns of a matrix less their means. */
function centredColumns(rows: readonly (readonly number[])[], width: number): number[][] {
  return Array.from({ length: width }, (_, j) => {
    const column = rows.map((row) => row[j] ?? 0)
    const mean = total(column) / column.length
    return column.map((value) => value - mean)
  })
}

/** Mean of f over the pairs i < j below n. */
function overPairs(n: number, f: (i: number, j: number) => number): number {
  let sum = 0
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) sum += f(i, j)
  return sum / ((n * (n - 1)) / 2)
}

/** The diagnostics of embeddings [N, D], N at least 2, in float64. */
export function spreadOf(embeddings: NDArray): Spread {
  const [n, d] = sizes(embeddings.shape, 2)
  if (n < 2) throw new ShapeError(`spreadOf: there must be at least two embeddings, found ${n}`)
  const values = toNumbers(embeddings.data)
  const raw = Array.from({ length: n }, (_, i) => values.slice(i * d, (i + 1) * d))
  const unit = raw.map((row) => {
    const length = Math.max(Math.sqrt(dot(row, row)), 1e-12)
    return row.map((value) => value / length)
  })
  const columns = centredColumns(unit, d)
  const covariance = Float64Array.from({ length: d * d }, (_, k) => {
    const [i, j] = [Math.floor(k / d), k % d]
    return dot(columns[i] ?? [], columns[j] ?? []) / (n - 1)
  })
  const std_per_dim = columns.map((column) => Math.sqrt(dot(column, column) / (n - 1)))
  const cov_eigenvalues = Array.from(eigvalsh({ shape: [d, d], data: covariance }).data).reverse()
  const singular_values = Array.from(svd({ shape: [n, d], data: Float64Array.from(values) }).s.data)
  const shares = singular_values.map((value) => value / Math.max(total(singular_values), Number.MIN_VALUE) + 1e-7)
  const rawColumns = centredColumns(raw, d)
  const correlation = (i: number, j: number): number => {
    const [a, b] = [rawColumns[i] ?? [], rawColumns[j] ?? []]
    return Math.abs(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)))
  }
  return {
    std_per_dim,
    mean_std: total(std_per_dim) / d,
    raw_std: total(rawColumns.map((column) => Math.sqrt(dot(column, column) / (n - 1)))) / d,
    std_ref: 1 / Math.sqrt(d),
    cov_eigenvalues,
    participation_ratio: total(cov_eigenvalues) ** 2 / dot(cov_eigenvalues, cov_eigenvalues),
    rankme: Math.exp(-total(shares.map((share) => share * Math.log(share)))),
    singular_values,
    mean_cosine_offdiag: overPairs(n, (i, j) => dot(unit[i] ?? [], unit[j] ?? [])),
    mean_abs_corr_offdiag: overPairs(d, correlation),
  }
}
