/**
 * Eigenvalues and eigenvectors of symmetric matrices: Householder's reduction to three diagonals, one pass over what is left of the matrix a
 * column, then implicit QL steps (Bowdler et al. 1968), whose rotations are applied many steps at a time.
 */
import { unitMatrix } from './matrices.ts'
import { applyReflections, type Reflections, reflectionOf } from './reflections.ts'

interface Tridiagonal {
  readonly diagonal: Float64Array
  /** Beside the diagonal; the last element is not used. */
  readonly beside: Float64Array
  readonly reflections: Reflections
}

/** Takes rank 2 of the step before from row i, v w^T + w v^T, and adds the row's part to p = a x: the lower triangle stands for both. */
function updateRow(
  a: Float64Array,
  at: number,
  i: number,
  from: number,
  old: readonly [Float64Array, Float64Array],
  x: Float64Array,
  p: Float64Array,
): void {
  const [v, w] = old
  const [vi, wi, xi] = [v[i] as number, w[i] as number, x[i] as number]
  let sum = 0
  for (let j = from; j < i; j++) {
    const value = (a[at + j] as number) - vi * (w[j] as number) - wi * (v[j] as number)
    a[at + j] = value
    sum += value * (x[j] as number)
    p[j] = (p[j] as number) + value * xi
  }
  const own = (a[at + i] as number) - 2 * vi * wi
  a[at + i] = own
  p[i] = (p[i] as number) + sum + own * xi
}

/** q^T a q, of which only the lower triangle of a [n, n] is read; a is overwritten. */
function tridiagonalize(a: Float64Array, n: number): Tridiagonal {
  const count = Math.max(0, n - 2)
  const reflections = { v: new Float64Array(count * n), tau: new Float64Array(count), n, shift: 1 }
  const [diagonal, beside] = [new Float64Array(n), new Float64Array(n)]
  let [v, w] = [new Float64Array(n), new Float64Array(n)]
  const p = new Float64Array(n)
  for (let k = 0; k < n; k++) {
    // Column k as the step before leaves it.
    const column = new Float64Array(n)
    for (let i = k; i < n; i++)
      column[i] = (a[i * n + k] as number) - (v[i] as number) * (w[k] as number) - (w[i] as number) * (v[k] as number)
    diagonal[k] = column[k] as number
    if (k === n - 1) break
    const x = k < count ? reflections.v.subarray(k * n, (k + 1) * n) : new Float64Array(n)
    if (k === count) {
      // Two rows are left, which are tridiagonal already.
      beside[k] = column[k + 1] as number
      updateRow(a, (k + 1) * n, k + 1, k + 1, [v, w], x, p)
      diagonal[k + 1] = a[(k + 1) * n + k + 1] as number
      break
    }
    x.set(column.subarray(k + 2), k + 2)
    const { tau, beta } = reflectionOf(column[k + 1] as number, x.subarray(k + 2))
    x[k + 1] = 1
    reflections.tau[k] = tau
    beside[k] = beta
    p.fill(0)
    for (let i = k + 1; i < n; i++) updateRow(a, i * n, i, k + 1, [v, w], x, p)
    // w = tau p - (tau^2 / 2) (p x) x
    let dot = 0
    for (let i = k + 1; i < n; i++) dot += (p[i] as number) * (x[i] as number)
    const next = new Float64Array(n)
    const share = 0.5 * tau * tau * dot
    for (let i = k + 1; i < n; i++) next[i] = tau * (p[i] as number) - share * (x[i] as number)
    ;[v, w] = [x, next]
  }
  return { diagonal, beside, reflections }
}

/** Rotations of neighbouring columns, kept until there are enough to go through the rows once. */
class Rotations {
  readonly #q: Float64Array | undefined
  readonly #n: number
  readonly #cosines: Float64Array
  readonly #sines: Float64Array
  readonly #places: Int32Array
  #count = 0

  constructor(q: Float64Array | undefined, n: number) {
    this.#q = q
    this.#n = n
    // What the second cache holds.
    const capacity = Math.max(n, 1 << 14)
    this.#cosines = new Float64Array(capacity)
    this.#sines = new Float64Array(capacity)
    this.#places = new Int32Array(capacity)
  }

  /** Columns i and i + 1: (x, y) becomes (c x - s y, s x + c y). */
  add(i: number, c: number, s: number): void {
    if (!this.#q) return
    if (this.#count === this.#cosines.length) this.flush()
    this.#cosines[this.#count] = c
    this.#sines[this.#count] = s
    this.#places[this.#count++] = i
  }

  /** Applies what was kept, to four rows at a time: each rotation waits for the one before it, but not for those of other rows. */
  flush(): void {
    const [q, n, count] = [this.#q, this.#n, this.#count]
    this.#count = 0
    if (!q || count === 0) return
    // Side by side: rows whose distance is a multiple of 4096 bytes would wait for each other, too.
    const four = new Float64Array(4 * n)
    for (let row = 0; row < n; row += 4) {
      const rows = Math.min(4, n - row)
      for (let r = 0; r < rows; r++) for (let i = 0; i < n; i++) four[4 * i + r] = q[(row + r) * n + i] as number
      this.#rotate(four, count)
      for (let r = 0; r < rows; r++) for (let i = 0; i < n; i++) q[(row + r) * n + i] = four[4 * i + r] as number
    }
  }

  #rotate(four: Float64Array, count: number): void {
    const [cosines, sines, places] = [this.#cosines, this.#sines, this.#places]
    // The column that the next rotation most likely needs: not stored before another one is.
    let held = 4 * (places[0] as number) + 4
    let [y0, y1, y2, y3] = [
      four[held] as number,
      four[held + 1] as number,
      four[held + 2] as number,
      four[held + 3] as number,
    ]
    for (let k = 0; k < count; k++) {
      const [c, s] = [cosines[k] as number, sines[k] as number]
      const at = 4 * (places[k] as number)
      if (at + 4 !== held) {
        four[held] = y0
        four[held + 1] = y1
        four[held + 2] = y2
        four[held + 3] = y3
        y0 = four[at + 4] as number
        y1 = four[at + 5] as number
        y2 = four[at + 6] as number
        y3 = four[at + 7] as number
      }
      const x0 = four[at] as number
      const x1 = four[at + 1] as number
      const x2 = four[at + 2] as number
      const x3 = four[at + 3] as number
      four[at + 4] = s * x0 + c * y0
      four[at + 5] = s * x1 + c * y1
      four[at + 6] = s * x2 + c * y2
      four[at + 7] = s * x3 + c * y3
      y0 = c * x0 - s * y0
      y1 = c * x1 - s * y1
      y2 = c * x2 - s * y2
      y3 = c * x3 - s * y3
      held = at
    }
    four[held] = y0
    four[held + 1] = y1
    four[held + 2] = y2
    four[held + 3] = y3
  }
}

/** Eigenvalues into d, rotations of the vectors into `rotations`. Thirty steps an eigenvalue are ten times what it takes. */
function qlInPlace(d: Float64Array, e: Float64Array, rotations: Rotations): void {
  const n = d.length
  const mostSteps = 30 * n
  let steps = 0
  for (let l = 0; l < n; l++) {
    for (;;) {
      let m = l
      while (m < n - 1 && !isNegligible(e[m] as number, d[m] as number, d[m + 1] as number)) m++
      // Always ends: what is left of an element beside the diagonal vanishes cubically.
      if (m === l || steps++ > mostSteps) break
      qlStep(d, e, l, m, rotations)
    }
  }
}

function isNegligible(beside: number, a: number, b: number): boolean {
  const size = Math.abs(a) + Math.abs(b)
  return Math.abs(beside) <= Number.EPSILON * size || size + Math.abs(beside) === size
}

/** One implicit step with Wilkinson's shift on rows l to m. */
function qlStep(d: Float64Array, e: Float64Array, l: number, m: number, rotations: Rotations): void {
  const slope = ((d[l + 1] as number) - (d[l] as number)) / (2 * (e[l] as number))
  const root = Math.hypot(slope, 1)
  let g = (d[m] as number) - (d[l] as number) + (e[l] as number) / (slope + (slope >= 0 ? root : -root))
  let [s, c, p] = [1, 1, 0]
  for (let i = m - 1; i >= l; i--) {
    const f = s * (e[i] as number)
    const b = c * (e[i] as number)
    const r = Math.sqrt(f * f + g * g)
    e[i + 1] = r
    if (r === 0) {
      d[i + 1] = (d[i + 1] as number) - p
      e[m] = 0
      return
    }
    s = f / r
    c = g / r
    g = (d[i + 1] as number) - p
    const turned = ((d[i] as number) - g) * s + 2 * c * b
    p = s * turned
    d[i + 1] = g + p
    g = c * turned - b
    rotations.add(i, c, s)
  }
  d[l] = (d[l] as number) - p
  e[l] = g
  e[m] = 0
}

/** Ascending eigenvalues of a symmetric matrix [n, n] and, if asked for, its eigenvectors as columns; a is overwritten. */
export function symmetricEigen(
  a: Float64Array,
  n: number,
  withVectors: boolean,
): { values: Float64Array; vectors: Float64Array } {
  // By the largest element, so that no square overflows or vanishes.
  const size = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
  for (let i = 0; i < a.length; i++) a[i] = (a[i] as number) / size
  const { diagonal, beside, reflections } = tridiagonalize(a, n)
  const vectors = withVectors ? unitMatrix(n) : new Float64Array(0)
  if (withVectors) applyReflections(reflections, vectors, n, false)
  const rotations = new Rotations(withVectors ? vectors : undefined, n)
  qlInPlace(diagonal, beside, rotations)
  rotations.flush()
  const order = Array.from(diagonal.keys()).sort((i, j) => (diagonal[i] as number) - (diagonal[j] as number))
  const values = Float64Array.from(order, (i) => (diagonal[i] as number) * size)
  return { values, vectors: withVectors ? inOrder(vectors, n, order) : vectors }
}

/** The columns in another order. */
export function inOrder(x: Float64Array, columns: number, order: readonly number[]): Float64Array {
  const rows = columns === 0 ? 0 : x.length / columns
  const out = new Float64Array(rows * order.length)
  for (let r = 0; r < rows; r++)
    for (const [to, from] of order.entries()) out[r * order.length + to] = x[r * columns + from] as number
  return out
}
