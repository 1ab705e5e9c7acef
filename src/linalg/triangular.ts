/** Factorizations into triangular matrices, in place and by blocks: Cholesky, and LU with the largest pivots. */
import { addProduct, mirrored, view } from './product.ts'

/** Columns that are factorized before the rest is brought up to date by one product. */
const block = 48

/** The part of row i of x that row k of l times x makes: x_i -= l x_k over `count` columns. */
function subtractRow(x: Float64Array, i: number, k: number, factor: number, count: number): void {
  for (let j = 0; j < count; j++) x[i + j] = (x[i + j] as number) - factor * (x[k + j] as number)
}

/**
 * The lower triangle of a [n, n] becomes l with a = l l^T; above it 0. The row whose pivot is not above 0, with that pivot: undefined if
 * there is none.
 */
export function choleskyInPlace(a: Float64Array, n: number): { row: number; pivot: number } | undefined {
  for (let first = 0; first < n; first += block) {
    const last = Math.min(n, first + block)
    for (let j = first; j < last; j++) {
      let pivot = a[j * n + j] as number
      for (let k = first; k < j; k++) pivot -= (a[j * n + k] as number) ** 2
      if (!(pivot > 0)) return { row: j, pivot }
      const root = Math.sqrt(pivot)
      a[j * n + j] = root
      for (let i = j + 1; i < n; i++) {
        let sum = a[i * n + j] as number
        for (let k = first; k < j; k++) sum -= (a[i * n + k] as number) * (a[j * n + k] as number)
        a[i * n + j] = sum / root
      }
    }
    // What is below: only the lower triangle, row by row of blocks.
    for (let i = last; i < n; i += block) {
      const height = Math.min(block, n - i)
      const across = mirrored(view(a, n, last, first))
      addProduct(view(a, n, i, last), view(a, n, i, first), across, [height, last - first, i + height - last], -1)
    }
  }
  for (let i = 0; i < n; i++) a.fill(0, i * n + i + 1, (i + 1) * n)
  return undefined
}

/** Rows of a in the order in which they were taken, whether that order is odd, and the first column without a pivot. */
export interface Pivots {
  readonly order: Int32Array
  readonly odd: boolean
  /** -1: none, a is regular. */
  readonly singular: number
}

function swapRows(a: Float64Array, n: number, i: number, j: number): void {
  const row = a.slice(i * n, (i + 1) * n)
  a.copyWithin(i * n, j * n, (j + 1) * n)
  a.set(row, j * n)
}

/** a [n, n] becomes l below the diagonal (1 on it) and u from it on, with the rows of a in some order = l u. */
export function luInPlace(a: Float64Array, n: number): Pivots {
  const order = Int32Array.from({ length: n }, (_, i) => i)
  let [odd, singular] = [false, -1]
  for (let first = 0; first < n; first += block) {
    const last = Math.min(n, first + block)
    for (let j = first; j < last; j++) {
      let best = j
      for (let i = j + 1; i < n; i++)
        if (Math.abs(a[i * n + j] as number) > Math.abs(a[best * n + j] as number)) best = i
      if (best !== j) {
        swapRows(a, n, j, best)
        ;[order[j], order[best]] = [order[best] as number, order[j] as number]
        odd = !odd
      }
      const pivot = a[j * n + j] as number
      if (pivot === 0) {
        if (singular < 0) singular = j
        continue
      }
      for (let i = j + 1; i < n; i++) {
        const factor = (a[i * n + j] as number) / pivot
        a[i * n + j] = factor
        if (factor !== 0) subtractRow(a, i * n + j + 1, j * n + j + 1, factor, last - j - 1)
      }
    }
    for (let j = first; j < last; j++)
      for (let k = first; k < j; k++) subtractRow(a, j * n + last, k * n + last, a[j * n + k] as number, n - last)
    const rest = n - last
    addProduct(view(a, n, last, last), view(a, n, last, first), view(a, n, first, last), [rest, last - first, rest], -1)
  }
  return { order, odd, singular }
}

/** Which triangle of a matrix counts, and whether its diagonal is taken as 1. */
export interface Triangle {
  readonly upper: boolean
  readonly unit: boolean
}

/** x [n, columns] becomes the solution of t x = b, where it held b. The row with a 0 on the diagonal; -1: none. */
export function solveTriangleInPlace(
  t: Float64Array,
  x: Float64Array,
  n: number,
  columns: number,
  { upper, unit }: Triangle,
): number {
  const blocks = Math.ceil(n / block)
  for (let step = 0; step < blocks; step++) {
    const first = (upper ? blocks - 1 - step : step) * block
    const last = Math.min(n, first + block)
    // What is solved already, by one product.
    const [from, to] = upper ? [last, n] : [0, first]
    addProduct(
      view(x, columns, first),
      view(t, n, first, from),
      view(x, columns, from),
      [last - first, to - from, columns],
      -1,
    )
    for (let k = 0; k < last - first; k++) {
      const i = upper ? last - 1 - k : first + k
      const [start, end] = upper ? [i + 1, last] : [first, i]
      for (let j = start; j < end; j++) subtractRow(x, i * columns, j * columns, t[i * n + j] as number, columns)
      if (unit) continue
      const pivot = t[i * n + i] as number
      if (pivot === 0) return i
      for (let c = 0; c < columns; c++) x[i * columns + c] = (x[i * columns + c] as number) / pivot
    }
  }
  return -1
}
