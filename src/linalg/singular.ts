/**
 * Singular values: the eigenvectors v of a^T a make columns of a v that are orthogonal but for roundings of the largest value's square, and
 * one-sided Jacobi rotations (Hestenes 1958) take away what is left, so that small values are as exact as large ones.
 */
import { inOrder, symmetricEigen } from './eigen.ts'
import { transposed } from './matrices.ts'
import { mirrored, product, view } from './product.ts'
import { applyReflections, qrInPlace } from './reflections.ts'

/** a = u diag(values) v^T with u [rows, k], v [columns, k], k = min(rows, columns), values descending. */
export interface Singular {
  readonly u: Float64Array
  readonly values: Float64Array
  readonly v: Float64Array
}

/** The singular values and vectors of a [rows, columns]. `resolution`: how near to orthogonal the input's digits allow. */
export function singularValues(a: Float64Array, rows: number, columns: number, resolution: number): Singular {
  if (rows < columns) {
    const { u, values, v } = singularValues(transposed(a, rows, columns), columns, rows, resolution)
    return { u: v, values, v: u }
  }
  if (columns === 0) return { u: new Float64Array(0), values: new Float64Array(0), v: new Float64Array(0) }
  const size = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
  const scaled = a.map((value) => value / size)
  const gram = product(mirrored(view(scaled, columns)), view(scaled, columns), [columns, rows, columns])
  const { vectors } = symmetricEigen(gram, columns, true)
  // By rows, so that what is rotated lies side by side; the largest first.
  const vRows = transposed(vectors, columns, columns).reverse()
  for (let i = 0; i < columns; i++) vRows.subarray(i * columns, (i + 1) * columns).reverse()
  const uRows = product(view(vRows, columns), mirrored(view(scaled, columns)), [columns, columns, rows])
  // Roundings of sums, or, where it is larger, a part of what the input's type tells apart.
  const tolerance = Math.max(16 * Math.sqrt(columns) * Number.EPSILON, resolution / 16)
  orthogonalize(uRows, vRows, rows, columns, tolerance)
  return completed(uRows, vRows, rows, columns, size)
}

function dot(x: Float64Array, i: number, j: number, count: number): number {
  let sum = 0
  for (let k = 0; k < count; k++) sum += (x[i + k] as number) * (x[j + k] as number)
  return sum
}

function rotate(x: Float64Array, i: number, j: number, count: number, c: number, s: number): void {
  for (let k = 0; k < count; k++) {
    const [a, b] = [x[i + k] as number, x[j + k] as number]
    x[i + k] = c * a - s * b
    x[j + k] = s * a + c * b
  }
}

// Ten times as many as are ever needed: convergence is quadratic.
const mostSweeps = 30

/** Rotates pairs of rows of w [n, width], and of v [n, n] likewise, until all are orthogonal. */
function orthogonalize(w: Float64Array, v: Float64Array, width: number, n: number, tolerance: number): void {
  for (let sweep = 0; sweep < mostSweeps; sweep++) {
    const dots = product(view(w, width), mirrored(view(w, width)), [n, width, n])
    const norms = Float64Array.from({ length: n }, (_, i) => Math.sqrt(dots[i * (n + 1)] as number))
    const floor = norms.reduce((most, norm) => Math.max(most, norm), 0) * Number.EPSILON * n
    let turned = false
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        const bound = tolerance * (norms[i] as number) * (norms[j] as number)
        if (Math.min(norms[i] as number, norms[j] as number) <= floor) continue
        if (Math.abs(dots[i * n + j] as number) > bound) turned = turnPair(w, v, [i, j], width, n, tolerance) || turned
      }
    }
    if (!turned) return
  }
}

/** Makes two rows orthogonal, by their numbers as they are now. Whether they were not. */
function turnPair(
  w: Float64Array,
  v: Float64Array,
  [i, j]: readonly [number, number],
  width: number,
  n: number,
  tolerance: number,
): boolean {
  const [a, b] = [dot(w, i * width, i * width, width), dot(w, j * width, j * width, width)]
  const both = dot(w, i * width, j * width, width)
  if (Math.abs(both) <= tolerance * Math.sqrt(a) * Math.sqrt(b)) return false
  const slope = (b - a) / (2 * both)
  const t = (slope >= 0 ? 1 : -1) / (Math.abs(slope) + Math.hypot(1, slope))
  const c = 1 / Math.sqrt(1 + t * t)
  rotate(w, i * width, j * width, width, c, c * t)
  rotate(v, i * n, j * n, n, c, c * t)
  return true
}

/** Values in descending order, with vectors of length 1; those of values that are 0 complete the others. */
function completed(w: Float64Array, vRows: Float64Array, rows: number, n: number, size: number): Singular {
  const lengths = Array.from({ length: n }, (_, i) => Math.sqrt(dot(w, i * rows, i * rows, rows)))
  const order = Array.from(lengths.keys()).sort((i, j) => (lengths[j] as number) - (lengths[i] as number))
  const values = Float64Array.from(order, (i) => lengths[i] as number)
  const floor = (values[0] as number) * Number.EPSILON * n
  const rank = values.findIndex((value) => value <= floor)
  const u = inOrder(transposed(w, n, rows), n, order)
  for (let r = 0; r < rows; r++)
    for (let k = 0; k < n; k++) u[r * n + k] = (u[r * n + k] as number) / ((values[k] as number) || 1)
  if (rank >= 0) completeColumns(u, rows, n, rank)
  return { u, values: values.map((value) => value * size), v: inOrder(transposed(vRows, n, n), n, order) }
}

/** Columns of u from `rank` on become orthogonal to those before, and to each other. */
function completeColumns(u: Float64Array, rows: number, n: number, rank: number): void {
  const kept = inOrder(
    u,
    n,
    Array.from({ length: rank }, (_, k) => k),
  )
  const reflections = qrInPlace(kept, rows, rank)
  const basis = new Float64Array(rows * n)
  for (let k = 0; k < n; k++) basis[k * n + k] = 1
  applyReflections(reflections, basis, n, false)
  for (let r = 0; r < rows; r++) for (let k = rank; k < n; k++) u[r * n + k] = basis[r * n + k] as number
}
