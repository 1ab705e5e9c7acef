/**
 * The real part of a two-dimensional Fourier transform, computed two ways: `directTransform` and `fourStepTransform`; a third is in
 * `fourier-chirp.ts`.
 * M rows, N columns, H = floor(N / 2) + 1. A complex number a - i b is the pair (a, b) on an axis of its own: that sign makes every
 * part of exp(-i t) = cos t - i sin t come out with a plus.
 */
import { sizeOf } from '../../tensor/shape.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { add, sub } from '../elementwise/binary.ts'
import { selectPlaces } from '../indexing/indexing.ts'
import { select } from '../indexing/selection.ts'
import { concat, flip, reshape, slice, unsqueeze } from '../movement/movement.ts'
import { pad } from '../movement/padding.ts'
import { matmul } from '../products/matmul.ts'

// Equal tables are one tensor, so that a model with many transforms stores each once.
const tables = new Map<string, Tensor>()

/** A table of that shape, made once: `fill` gets the position and gives the element. */
export function table(
  key: string,
  shape: readonly [number, number, number],
  fill: (i: number, j: number, k: number) => number,
) {
  const known = tables.get(key)
  if (known) return known
  const [planes, rows, columns] = shape
  const data = new Float32Array(planes * rows * columns)
  let place = 0
  for (let i = 0; i < planes; i++)
    for (let j = 0; j < rows; j++) for (let k = 0; k < columns; k++) data[place++] = fill(i, j, k)
  const made = constant(data, shape, 'float32')
  tables.set(key, made)
  return made
}

/** cos or sin of 2 pi product / size, in float64; the product is reduced first: large angles would lose digits. */
export function wave(kind: 'cos' | 'sin', product: number, size: number): number {
  return Math[kind]((product % size) * ((2 * Math.PI) / size))
}

/** cos and sin of 2 pi j k / size for the first rows and columns, [2, rows, columns]. */
export function waves(size: number, rows: number, columns: number): Tensor {
  return table(`${size} ${rows} ${columns}`, [2, rows, columns], (kind, j, k) =>
    wave(kind === 0 ? 'cos' : 'sin', j * k, size),
  )
}

export const halfOf = (size: number): number => Math.floor(size / 2) + 1

/** All N columns from the first H: y[k, N - l] = y[(M - k) mod M, l]. w [..., rows, H] has row k of M at place `order[k]`. */
export function completeColumns(w: Tensor, columns: number, order: readonly number[]): Tensor {
  const mirrored = columns - sizeOf(w.shape, -1)
  if (mirrored === 0) return selectPlaces(w, order, -2)
  const opposite = order.map((_, k) => order[(order.length - k) % order.length] ?? 0)
  if (columns % 2 === 0) {
    // The mirror image is the whole row's: halves of rows are put in order, the right ones from the opposite row.
    const halves = [...w.shape.slice(0, -2), 2 * sizeOf(w.shape, -2), columns / 2]
    const places = order.flatMap((place, k) => [2 * place, 2 * (opposite[k] ?? 0) + 1])
    const whole = selectPlaces(reshape(pad(w, [0, mirrored], { mode: 'reflect' }), halves), places, -2)
    return reshape(whole, [...w.shape.slice(0, -2), order.length, columns])
  }
  return concat([selectPlaces(w, order, -2), selectPlaces(flip(slice(w, [1, mirrored + 1], -1), -1), opposite, -2)], -1)
}

// Narrower than this, adding the two halves of a row takes longer than the products that it saves.
const narrowestFolded = 512

/**
 * The first H numbers of the transforms of all rows, [..., 2, M, H]. cos is even in n and sin is odd: of wide rows, the sums and
 * the differences of x[n] and x[N - n] are transformed, half as many numbers.
 */
export function transformColumns(x: Tensor): Tensor {
  const columns = sizeOf(x.shape, -1)
  const width = halfOf(columns)
  if (columns < narrowestFolded) return matmul(unsqueeze(x, -3), waves(columns, columns, width))
  // x[0], and x[N / 2] of an even N, are their own opposites, and counted twice.
  const half = (kind: 'cos' | 'sin'): Tensor =>
    table(
      `folded ${kind} ${columns}`,
      [1, width, width],
      (_, n, l) => wave(kind, n * l, columns) * ((2 * n) % columns === 0 ? 0.5 : 1),
    )
  const first = slice(x, [0, width], -1)
  const opposite = concat([slice(x, [0, 1], -1), flip(slice(x, [columns - width + 1, columns], -1), -1)], -1)
  const even = matmul(unsqueeze(add(first, opposite), -3), half('cos'))
  const odd = matmul(unsqueeze(sub(first, opposite), -3), half('sin'))
  return concat([even, odd], -3)
}

/**
 * By products with matrices of cosines and sines: y = C_M x C_N - S_M x S_N. Rows k and M - k share both terms (C is even in k, S is
 * odd), and so do columns: a quarter of each term makes the whole. The transform of the shorter axis goes first, where it costs more.
 */
export function directTransform(x: Tensor): Tensor {
  const [rows, columns] = [sizeOf(x.shape, -2), sizeOf(x.shape, -1)]
  const half = halfOf(rows)
  const left = waves(rows, half, rows)
  const both =
    rows > columns
      ? matmul(left, transformColumns(x))
      : matmul(matmul(left, unsqueeze(x, -3)), waves(columns, columns, halfOf(columns))) // [..., 2, half, H]
  const [even, odd] = [select(both, 0, -3), select(both, 1, -3)]
  const order = Array.from({ length: rows }, (_, k) => (k < half ? k : half + rows - k))
  return completeColumns(concat([sub(even, odd), add(even, odd)], -2), columns, order)
}

/** M1 and M2 with M1 M2 = M and the least work, 2 M1 + M2 products a number; a prime has only 1 and itself. */
export function factorsOf(size: number): readonly [number, number] {
  let best: readonly [number, number] = [1, size]
  for (let first = 2; first < size; first++) {
    const second = size / first
    if (Number.isInteger(second) && 2 * first + second < 2 * best[0] + best[1]) best = [first, second]
  }
  return best
}

/**
 * By the four-step transform of the rows (Bailey 1990): row m = M2 m1 + m2, result k = k1 + M1 k2. Transforms of length M1 over m1 and
 * then of length M2 over m2, M (2 M1 + M2) products a column instead of M^2 / 2. The rotations by m2 k1 / M between the two are
 * part of the second one's matrices, of which there are M1: their angles are exact and cost no pass over the data.
 */
export function fourStepTransform(x: Tensor, [first, second]: readonly [number, number]): Tensor {
  const [rows, columns] = [sizeOf(x.shape, -2), sizeOf(x.shape, -1)]
  const width = halfOf(columns)
  const batch = x.shape.slice(0, -2)
  const inner = transformColumns(x) // [..., 2, M, H]
  // (a - i b)(cos - i sin) = (a cos - b sin) - i (a sin + b cos): rows (k1, part), columns (part, m1).
  const outer = table(`outer ${first}`, [1, 2 * first, 2 * first], (_, row, column) => {
    const [k, part] = [Math.floor(row / 2), row % 2]
    const [from, m] = [Math.floor(column / first), column % first]
    if (part === from) return wave('cos', k * m, first)
    return (part === 0 ? -1 : 1) * wave('sin', k * m, first)
  })
  const partial = matmul(reshape(outer, [2 * first, 2 * first]), reshape(inner, [...batch, 2 * first, second * width]))
  // The real part of the rest: k1, then rows k2, columns (part, m2).
  const last = table(`last ${first} ${second}`, [first, second, 2 * second], (k1, k2, column) => {
    const product = (k1 + first * k2) * (column % second)
    return column < second ? wave('cos', product, rows) : -wave('sin', product, rows)
  })
  const parts = matmul(last, reshape(partial, [...batch, first, 2 * second, width])) // [..., M1, M2, H]
  // Row k1 + M1 k2 is the result (k1, k2).
  const order = Array.from({ length: rows }, (_, k) => (k % first) * second + Math.floor(k / first))
  return completeColumns(reshape(parts, [...batch, rows, width]), columns, order)
}
