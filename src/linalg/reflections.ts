/** Householder's reflections 1 - tau v v^T, one by one and many at once (Schreiber and Van Loan 1989). */
import { addProduct, mirrored, product, view } from './product.ts'

/** Reflections that are applied together. */
const block = 32

/**
 * The reflection that takes x = (alpha, rest) to (beta, 0): v = (1, rest / (alpha - beta)) with the sign of beta against alpha's. `rest` becomes
 * that of v.
 */
export function reflectionOf(alpha: number, rest: Float64Array): { tau: number; beta: number } {
  // By the largest, so that no square overflows or vanishes.
  let scale = 0
  for (const value of rest) scale = Math.max(scale, Math.abs(value))
  if (scale === 0) return { tau: 0, beta: alpha }
  scale = Math.max(scale, Math.abs(alpha))
  let sum = (alpha / scale) ** 2
  for (const value of rest) sum += (value / scale) ** 2
  const beta = (alpha > 0 ? -1 : 1) * scale * Math.sqrt(sum)
  for (let i = 0; i < rest.length; i++) rest[i] = (rest[i] as number) / (alpha - beta)
  return { tau: (beta - alpha) / beta, beta }
}

/** Reflections: vector k has its 1 in place k + `shift`, and stands in row k of v [count, n], 0 before. */
export interface Reflections {
  readonly v: Float64Array
  readonly tau: Float64Array
  readonly n: number
  readonly shift: number
}

/** The triangle t of a block: the product of its reflections is 1 - v^T t v, with v [size, n] by rows. */
function triangleOf({ v, tau, n }: Reflections, first: number, size: number): Float64Array {
  const rows = view(v, n, first)
  const dots = product(rows, mirrored(rows), [size, n, size])
  const t = new Float64Array(size * size)
  for (let k = 0; k < size; k++) {
    const factor = tau[first + k] as number
    for (let i = 0; i < k; i++) {
      let sum = 0
      for (let j = i; j < k; j++) sum += (t[i * size + j] as number) * (dots[j * size + k] as number)
      t[i * size + k] = -factor * sum
    }
    t[k * size + k] = factor
  }
  return t
}

/** c [n, columns] becomes H_first ... H_last c (or, backward, the transposed product), of the reflections in a range. */
function applyBlock(
  reflections: Reflections,
  [first, size]: readonly [number, number],
  c: Float64Array,
  columns: number,
  transpose: boolean,
): void {
  const { v, n, shift } = reflections
  const t = triangleOf(reflections, first, size)
  // Rows before the first 1 stay as they are.
  const top = first + shift
  const rows = n - top
  const part = view(v, n, first, top)
  const inside = view(c, columns, top)
  const dots = product(part, inside, [size, rows, columns])
  const triangle = view(t, size)
  const scaled = product(transpose ? mirrored(triangle) : triangle, view(dots, columns), [size, size, columns])
  addProduct(inside, mirrored(part), view(scaled, columns), [rows, size, columns], -1)
}

/** c [n, columns] becomes q c with q = H_0 H_1 ..., or q^T c. */
export function applyReflections(reflections: Reflections, c: Float64Array, columns: number, transpose: boolean): void {
  const count = reflections.tau.length
  const blocks = Math.ceil(count / block)
  for (let step = 0; step < blocks; step++) {
    const first = (transpose ? step : blocks - 1 - step) * block
    applyBlock(reflections, [first, Math.min(block, count - first)], c, columns, transpose)
  }
}

/** a [rows, columns] becomes r, upper triangular, with a = q r; the reflections make q. */
export function qrInPlace(a: Float64Array, rows: number, columns: number): Reflections {
  const count = Math.min(rows, columns)
  const reflections = { v: new Float64Array(count * rows), tau: new Float64Array(count), n: rows, shift: 0 }
  for (let first = 0; first < count; first += block) {
    const size = Math.min(block, count - first)
    for (let k = first; k < first + size; k++) factorColumn(a, columns, reflections, k, first + size)
    const rest = columns - first - size
    if (rest > 0) updateRest(a, rows, columns, reflections, [first, size])
  }
  return reflections
}

/** Makes reflection k from column k, and applies it to the columns up to `last`. */
function factorColumn(a: Float64Array, columns: number, { v, tau, n }: Reflections, k: number, last: number): void {
  const vector = v.subarray(k * n, (k + 1) * n)
  for (let i = k + 1; i < n; i++) vector[i] = a[i * columns + k] as number
  const reflection = reflectionOf(a[k * columns + k] as number, vector.subarray(k + 1))
  vector[k] = 1
  tau[k] = reflection.tau
  a[k * columns + k] = reflection.beta
  for (let i = k + 1; i < n; i++) a[i * columns + k] = 0
  const width = last - k - 1
  const dots = new Float64Array(width)
  for (let i = k; i < n; i++)
    for (let j = 0; j < width; j++)
      dots[j] = (dots[j] as number) + (vector[i] as number) * (a[i * columns + k + 1 + j] as number)
  for (let i = k; i < n; i++) {
    const factor = reflection.tau * (vector[i] as number)
    for (let j = 0; j < width; j++) {
      const at = i * columns + k + 1 + j
      a[at] = (a[at] as number) - factor * (dots[j] as number)
    }
  }
}

/** Applies a block of reflections, transposed, to the columns behind it. */
function updateRest(
  a: Float64Array,
  rows: number,
  columns: number,
  reflections: Reflections,
  [first, size]: readonly [number, number],
): void {
  const t = triangleOf(reflections, first, size)
  const behind = first + size
  const [height, rest] = [rows - first, columns - behind]
  const part = view(reflections.v, rows, first, first)
  const inside = view(a, columns, first, behind)
  const dots = product(part, inside, [size, height, rest])
  const scaled = product(mirrored(view(t, size)), view(dots, rest), [size, size, rest])
  addProduct(inside, mirrored(part), view(scaled, rest), [height, size, rest], -1)
}
