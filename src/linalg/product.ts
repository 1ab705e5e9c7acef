/**
 * Products of float64 matrices, the inner loop of every factorization here: operands are copied into blocks that stay in the cache, and
 * 4 x 4 results are summed at once (Goto and van de Geijn 2008).
 */

/** A matrix in an array: element (i, j) is data[offset + i row + j column]. */
export interface View {
  readonly data: Float64Array
  readonly offset: number
  readonly row: number
  readonly column: number
}

/** A matrix stored row by row, or a part of it that begins at (i, j). */
export function view(data: Float64Array, row: number, i = 0, j = 0): View {
  return { data, offset: i * row + j, row, column: 1 }
}

/** The same matrix, mirrored. */
export function mirrored({ data, offset, row, column }: View): View {
  return { data, offset, row: column, column: row }
}

const [blockRows, blockInner] = [64, 256]
const tile = 4

/** Copies rows [from, from + rows) and the inner range into panels of 4 rows side by side; missing rows are 0. */
function pack(into: Float64Array, x: View, from: number, rows: number, first: number, inner: number): void {
  const { data, row, column } = x
  let at = 0
  for (let panel = 0; panel < rows; panel += tile) {
    for (let r = 0; r < tile; r++) {
      let source = x.offset + (from + panel + r) * row + first * column
      const isThere = panel + r < rows
      for (let k = 0; k < inner; k++, source += column) into[at + k * tile + r] = isThere ? (data[source] as number) : 0
    }
    at += inner * tile
  }
}

/** Adds alpha times the product of two panels to the part of c that begins at `at`. */
function addTile(
  c: View,
  at: number,
  rows: number,
  columns: number,
  a: Float64Array,
  fromA: number,
  b: Float64Array,
  fromB: number,
  inner: number,
  alpha: number,
  sums: Float64Array,
): void {
  let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0]
  let [s20, s21, s22, s23, s30, s31, s32, s33] = [0, 0, 0, 0, 0, 0, 0, 0]
  for (let k = 0, i = fromA, j = fromB; k < inner; k++, i += tile, j += tile) {
    const [b0, b1, b2, b3] = [b[j] as number, b[j + 1] as number, b[j + 2] as number, b[j + 3] as number]
    const a0 = a[i] as number
    s00 += a0 * b0
    s01 += a0 * b1
    s02 += a0 * b2
    s03 += a0 * b3
    const a1 = a[i + 1] as number
    s10 += a1 * b0
    s11 += a1 * b1
    s12 += a1 * b2
    s13 += a1 * b3
    const a2 = a[i + 2] as number
    s20 += a2 * b0
    s21 += a2 * b1
    s22 += a2 * b2
    s23 += a2 * b3
    const a3 = a[i + 3] as number
    s30 += a3 * b0
    s31 += a3 * b1
    s32 += a3 * b2
    s33 += a3 * b3
  }
  sums.set([s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33])
  for (let r = 0; r < rows; r++) {
    for (let s = 0; s < columns; s++) {
      const place = at + r * c.row + s * c.column
      c.data[place] = (c.data[place] as number) + alpha * (sums[r * tile + s] as number)
    }
  }
}

/** c += alpha a b: a [rows, inner], b [inner, columns]. */
export function addProduct(
  c: View,
  a: View,
  b: View,
  [rows, inner, columns]: readonly [rows: number, inner: number, columns: number],
  alpha = 1,
): void {
  const across = mirrored(b)
  const depth = Math.min(inner, blockInner)
  const upTo4 = (count: number): number => Math.ceil(count / tile) * tile
  const packedB = new Float64Array(depth * upTo4(columns))
  const packedA = new Float64Array(depth * upTo4(Math.min(rows, blockRows)))
  const sums = new Float64Array(tile * tile)
  for (let k = 0; k < inner; k += blockInner) {
    const part = Math.min(blockInner, inner - k)
    pack(packedB, across, 0, columns, k, part)
    for (let i = 0; i < rows; i += blockRows) {
      const height = Math.min(blockRows, rows - i)
      pack(packedA, a, i, height, k, part)
      for (let s = 0; s < columns; s += tile) {
        for (let r = 0; r < height; r += tile) {
          const at = c.offset + (i + r) * c.row + s * c.column
          const [tall, wide] = [Math.min(tile, height - r), Math.min(tile, columns - s)]
          addTile(c, at, tall, wide, packedA, r * part, packedB, s * part, part, alpha, sums)
        }
      }
    }
  }
}

/** a b as a new matrix, row by row. */
export function product(
  a: View,
  b: View,
  sizes: readonly [rows: number, inner: number, columns: number],
): Float64Array {
  const out = new Float64Array(sizes[0] * sizes[2])
  addProduct(view(out, sizes[2]), a, b, sizes)
  return out
}
