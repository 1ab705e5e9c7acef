/** Symmetric matrices of double precision, row by row: a factor of them, and their eigenvalues. */

/** An n x n matrix. */
export interface SquareMatrix {
  readonly size: number
  /** n^2 numbers */
  readonly data: Float64Array
}

/** Below this share of the largest diagonal element a matrix has no further rank. */
const negligible = 1e-14

/**
 * C with C C^T = A, for a positive semi-definite A: Cholesky's factor with pivoting, which stops at the rank of A.
 * Returns the columns of C.
 */
export function semidefiniteFactor({ size, data }: SquareMatrix): Float64Array[] {
  const diagonal = Float64Array.from({ length: size }, (_, i) => data[i * size + i] ?? 0)
  const largest = diagonal.reduce((most, value) => Math.max(most, value), 0)
  const columns: Float64Array[] = []
  const used = new Uint8Array(size)
  for (let rank = 0; rank < size; rank++) {
    let pivot = -1
    for (let i = 0; i < size; i++) {
      if (used[i] === 0 && (pivot < 0 || (diagonal[i] ?? 0) > (diagonal[pivot] ?? 0))) pivot = i
    }
    const left = diagonal[pivot] ?? 0
    if (!(left > negligible * largest)) break
    used[pivot] = 1
    const root = Math.sqrt(left)
    const column = new Float64Array(size)
    for (let i = 0; i < size; i++) {
      if (used[i] === 1 && i !== pivot) continue
      let value = data[pivot * size + i] ?? 0
      for (const earlier of columns) value -= (earlier[pivot] ?? 0) * (earlier[i] ?? 0)
      column[i] = value / root
      diagonal[i] = (diagonal[i] ?? 0) - (column[i] ?? 0) ** 2
    }
    columns.push(column)
  }
  return columns
}

/** Eigenvalues in ascending order: Householder reflections to a tridiagonal matrix, then the QL algorithm with implicit shifts. */
export function symmetricEigenvalues(matrix: SquareMatrix): Float64Array {
  return tridiagonalEigenvalues(tridiagonal(matrix)).sort()
}

interface Tridiagonal {
  readonly diagonal: Float64Array
  /** Beside it: element i couples rows i and i + 1; the last is 0. */
  readonly beside: Float64Array
}

function tridiagonal({ size, data }: SquareMatrix): Tridiagonal {
  const a = Float64Array.from(data)
  const at = (i: number, j: number): number => a[i * size + j] ?? 0
  const beside = new Float64Array(size)
  for (let k = 0; k + 2 < size; k++) {
    // Reflects column k onto its first element below the diagonal.
    let norm = 0
    for (let i = k + 1; i < size; i++) norm = Math.hypot(norm, at(i, k))
    if (norm === 0) continue
    const target = at(k + 1, k) > 0 ? -norm : norm
    const v = new Float64Array(size)
    for (let i = k + 1; i < size; i++) v[i] = at(i, k)
    v[k + 1] = (v[k + 1] ?? 0) - target
    const squared = v.reduce((sum, value) => sum + value * value, 0)
    if (squared > 0) reflect(a, size, k, v, squared)
    beside[k] = target
  }
  if (size >= 2) beside[size - 2] = at(size - 1, size - 2)
  return { diagonal: Float64Array.from({ length: size }, (_, i) => at(i, i)), beside }
}

/** A := H A H below and right of k, with H = 1 - 2 v v^T / v^T v. */
function reflect(a: Float64Array, size: number, k: number, v: Float64Array, squared: number): void {
  const p = new Float64Array(size)
  let inner = 0
  for (let i = k + 1; i < size; i++) {
    let sum = 0
    for (let j = k + 1; j < size; j++) sum += (a[i * size + j] ?? 0) * (v[j] ?? 0)
    p[i] = (2 * sum) / squared
    inner += (p[i] ?? 0) * (v[i] ?? 0)
  }
  const half = inner / squared
  for (let i = k + 1; i < size; i++) p[i] = (p[i] ?? 0) - half * (v[i] ?? 0)
  for (let i = k + 1; i < size; i++) {
    for (let j = k + 1; j < size; j++) {
      const place = i * size + j
      a[place] = (a[place] ?? 0) - (v[i] ?? 0) * (p[j] ?? 0) - (p[i] ?? 0) * (v[j] ?? 0)
    }
  }
}

/** Steps of QL for one eigenvalue: two or three are usual. */
const mostSteps = 60

function tridiagonalEigenvalues({ diagonal: d, beside: e }: Tridiagonal): Float64Array {
  const size = d.length
  const value = (list: Float64Array, i: number): number => list[i] ?? 0
  for (let l = 0; l < size; l++) {
    for (let step = 0; step < mostSteps; step++) {
      let m = l
      while (m < size - 1) {
        const scale = Math.abs(value(d, m)) + Math.abs(value(d, m + 1))
        if (Math.abs(value(e, m)) <= Number.EPSILON * scale) break
        m++
      }
      if (m === l) break
      const slope = (value(d, l + 1) - value(d, l)) / (2 * value(e, l))
      const root = Math.hypot(slope, 1)
      let g = value(d, m) - value(d, l) + value(e, l) / (slope + (slope >= 0 ? root : -root))
      let [s, c, p] = [1, 1, 0]
      let i = m - 1
      for (; i >= l; i--) {
        const [f, b] = [s * value(e, i), c * value(e, i)]
        const r = Math.hypot(f, g)
        e[i + 1] = r
        if (r === 0) {
          d[i + 1] = value(d, i + 1) - p
          e[m] = 0
          break
        }
        s = f / r
        c = g / r
        g = value(d, i + 1) - p
        const t = (value(d, i) - g) * s + 2 * c * b
        p = s * t
        d[i + 1] = g + p
        g = c * t - b
      }
      if (i >= l) continue
      d[l] = value(d, l) - p
      e[l] = g
      e[m] = 0
    }
  }
  return d
}
