/**
 * The real part of a two-dimensional Fourier transform, computed two ways: `directTransform` and `fourStepTransform`; a third is in
 * `chirp.ts`.
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
function waves(size: number, rows: number, columns: number): Tensor {
  return table(`${size} ${rows} ${columns}`, [2, rows, columns], (kind, j, k) =>
    wave(kind === 0 ? 'cos' : 'sin', j * k, size),
  )
}

export const halfOf = (size: number): number => Math.floor(size / 2) + 1

/** cos and sin for the first H columns of N, [2, N, H]: the others mirror them. */
const columnWaves = (columns: number): Tensor => waves(columns, columns, halfOf(columns))

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

/** The first H numbers of the transforms of all rows, [..., 2, M, H]. */
export function transformColumns(x: Tensor): Tensor {
  return matmul(unsqueeze(x, -3), columnWaves(sizeOf(x.shape, -1)))
}

/**
 * The whole from its terms C_M x C_N and S_M x S_N, [..., 2, rows, H], of half of the frequencies: their differences are those rows, their
 * sums the opposite ones, which lie behind them. Row k of M is at place `order[k]` then.
 */
function bothHalves(terms: Tensor, columns: number, order: readonly number[]): Tensor {
  const [even, odd] = [select(terms, 0, -3), select(terms, 1, -3)]
  return completeColumns(concat([sub(even, odd), add(even, odd)], -2), columns, order)
}

/**
 * By products with matrices of cosines and sines: y = C_M x C_N - S_M x S_N. Rows k and M - k share both terms (C is even in k, S is
 * odd), and so do columns: a quarter of each term makes the whole. The transform of the shorter axis goes first, where it costs more.
 */
export function directTransform(x: Tensor): Tensor {
  const [rows, columns] = [sizeOf(x.shape, -2), sizeOf(x.shape, -1)]
  const half = halfOf(rows)
  const left = waves(rows, half, rows)
  const terms =
    rows > columns ? matmul(left, transformColumns(x)) : matmul(matmul(left, unsqueeze(x, -3)), columnWaves(columns)) // [..., 2, half, H]
  const order = Array.from({ length: rows }, (_, k) => (k < half ? k : half + rows - k))
  return bothHalves(terms, columns, order)
}

/** Products that four steps take for each number: M1 + 2 M2, and more for the rows that are their own conjugates. */
export function fourStepWork([first, second]: readonly [number, number]): number {
  return 2 * halfOf(first) * (1 + (2 * second) / first)
}

/** M1 and M2 with M1 M2 = M and the least work; a prime has only itself and 1. */
export function factorsOf(size: number): readonly [number, number] {
  let best: readonly [number, number] = [size, 1]
  for (let first = 1; first < size; first++) {
    const factors = [first, size / first] as const
    if (Number.isInteger(factors[1]) && fourStepWork(factors) < fourStepWork(best)) best = factors
  }
  return best
}

/**
 * By the four-step transform of the rows (Bailey 1990): row m = M2 m1 + m2, frequency k = k1 + M1 k2. Transforms of length M1 over m1,
 * then of length M2 over m2. The rotations by m2 k1 / M between the two are part of the second one's matrices, one for each k1: their angles
 * are exact and cost no pass over the data. x is real, so that frequency M - k is the conjugate of k: k1 up to M1 / 2 make all. Then
 * the columns: y = C_M x C_N - S_M x S_N, of rows k and M - k from the same two terms.
 */
export function fourStepTransform(x: Tensor, [first, second]: readonly [number, number]): Tensor {
  const [rows, columns] = [sizeOf(x.shape, -2), sizeOf(x.shape, -1)]
  const half = halfOf(first)
  const batch = x.shape.slice(0, -2)
  // Rows (k1, part) of a - i b, columns m1.
  const outer = table(`outer ${first}`, [1, 2 * half, first], (_, row, m1) =>
    wave(row % 2 === 0 ? 'cos' : 'sin', (row >> 1) * m1, first),
  )
  const partial = matmul(reshape(outer, [2 * half, first]), reshape(x, [...batch, first, second * columns]))
  // (a - i b)(cos - i sin) = (a cos - b sin) - i (a sin + b cos): for each part and k1, rows k2, columns (part, m2).
  const inner = table(`inner ${first} ${second}`, [2 * half, second, 2 * second], (place, k2, column) => {
    const [to, k1, from] = [Math.floor(place / half), place % half, Math.floor(column / second)]
    const product = (k1 + first * k2) * (column % second)
    if (to === from) return wave('cos', product, rows)
    return (to === 0 ? -1 : 1) * wave('sin', product, rows)
  })
  const transformed = matmul(
    reshape(inner, [2, half, second, 2 * second]),
    reshape(partial, [...batch, 1, half, 2 * second, columns]),
  ) // [..., 2, k1, k2, N]
  const terms = matmul(reshape(transformed, [...batch, 2, half * second, columns]), columnWaves(columns))
  // Row k1 + M1 k2 is the result (k1, k2), or the conjugate of the opposite row's.
  const placeOf = (k: number): number => (k % first) * second + Math.floor(k / first)
  const order = Array.from({ length: rows }, (_, k) =>
    k % first < half ? placeOf(k) : half * second + placeOf(rows - k),
  )
  return bothHalves(terms, columns, order)
}
