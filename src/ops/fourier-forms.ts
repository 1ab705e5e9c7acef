/**
 * The real part of a two-dimensional Fourier transform, computed two ways: `directTransform` and `fourStepTransform`; a third is in
 * `fourier-chirp.ts`.
 * M rows, N columns, H = floor(N / 2) + 1. A complex number a - i b is the pair (a, b) on an axis of its own: that sign makes every
 * part of exp(-i t) = cos t - i sin t come out with a plus.
 */
import { sizeOf } from '../tensor/shape.ts'
import { constant, type Tensor } from '../tensor/tensor.ts'
import { add, sub } from './binary.ts'
import { matmul } from './matmul.ts'
import { concat, flip, reshape, slice, unsqueeze } from './movement.ts'
import { moveAxis } from './rearrange.ts'
import { select } from './selection.ts'

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

/** All N columns from the first H: y[k, N - l] = y[(M - k) mod M, l]. w [..., M, H]. */
export function completeColumns(w: Tensor, columns: number): Tensor {
  const mirrored = columns - sizeOf(w.shape, -1)
  if (mirrored === 0) return w
  const others = flip(slice(w, [1, mirrored + 1], -1), -1)
  const rest = sizeOf(w.shape, -2) > 1 ? [flip(slice(others, [1, null], -2), -2)] : []
  return concat([w, concat([slice(others, [0, 1], -2), ...rest], -2)], -1)
}

/**
 * By products with matrices of cosines and sines: y = C_M x C_N - S_M x S_N. Rows k and M - k share both terms (C is even in k, S is
 * odd), and so do columns: a quarter of each term makes the whole. The transform of the shorter axis goes first, where it costs more.
 */
export function directTransform(x: Tensor): Tensor {
  const [rows, columns] = [sizeOf(x.shape, -2), sizeOf(x.shape, -1)]
  const [half, width] = [halfOf(rows), halfOf(columns)]
  const [left, right] = [waves(rows, half, rows), waves(columns, columns, width)]
  const pair = unsqueeze(x, -3) // [..., 1, M, N]
  const both = rows > columns ? matmul(left, matmul(pair, right)) : matmul(matmul(left, pair), right) // [..., 2, half, H]
  const [even, odd] = [select(both, 0, -3), select(both, 1, -3)]
  const upper = sub(even, odd)
  if (rows < 3) return completeColumns(upper, columns)
  const lower = flip(slice(add(even, odd), [1, rows - half + 1], -2), -2)
  return completeColumns(concat([upper, lower], -2), columns)
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
  const inner = matmul(unsqueeze(x, -3), waves(columns, columns, width)) // [..., 2, M, H]
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
  return completeColumns(reshape(moveAxis(parts, -2, -3), [...batch, rows, width]), columns)
}
