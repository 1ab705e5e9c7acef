/**
 * What the embeddings of classes begin as: principal components of the drawings (as in Bojanowski et al. 2018, arXiv 1707.05776). Things that
 * look alike begin near each other, so that what is learned of one holds for the next.
 */
import { eigh } from '../../../linalg/index.ts'

/** Products of all rows of a matrix [rows, columns], without the mean row: [rows, rows]. */
function gram(matrix: Float32Array, rows: number): Float64Array {
  const columns = matrix.length / rows
  const centered = Float32Array.from(matrix)
  for (let j = 0; j < columns; j++) {
    let sum = 0
    for (let i = 0; i < rows; i++) sum += matrix[i * columns + j] ?? 0
    for (let i = 0; i < rows; i++) centered[i * columns + j] = (matrix[i * columns + j] ?? 0) - sum / rows
  }
  const products = new Float64Array(rows * rows)
  for (let a = 0; a < rows; a++) {
    const first = centered.subarray(a * columns, (a + 1) * columns)
    for (let b = 0; b <= a; b++) {
      const second = centered.subarray(b * columns, (b + 1) * columns)
      let sum = 0
      for (let j = 0; j < columns; j++) sum += (first[j] ?? 0) * (second[j] ?? 0)
      products[a * rows + b] = sum
    }
  }
  return products // the lower triangle is enough
}

/**
 * Codes [rows, width] of pictures [rows, numbers]: their largest components, less unequal than they are (each is as large as the root of its
 * share), a mean square of 1 in all. Undefined: there are too few pictures for so many components.
 */
export function principalCodes(pictures: Float32Array, rows: number, width: number): Float32Array | undefined {
  if (rows <= width) return undefined
  const { values, vectors } = eigh({ shape: [rows, rows], data: gram(pictures, rows) })
  const codes = new Float32Array(rows * width)
  let squares = 0
  for (let k = 0; k < width; k++) {
    const column = rows - 1 - k // ascending: the largest are the last
    const size = Math.max(0, Number(values.data[column])) ** 0.25
    for (let i = 0; i < rows; i++) {
      const value = size * Number(vectors.data[i * rows + column])
      codes[i * width + k] = value
      squares += value * value
    }
  }
  const scale = Math.sqrt(codes.length / Math.max(squares, 1e-12))
  return codes.map((value) => value * scale)
}

/** Means of 2 x 2 pixels of bytes [3, side, side], 0 to 1: detail is no matter of the largest components. */
export function halfSize(pixels: Uint8Array, side: number): Float32Array {
  const half = side / 2
  const small = new Float32Array(3 * half * half)
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const at = (c * half + (y >> 1)) * half + (x >> 1)
        small[at] = (small[at] ?? 0) + (pixels[(c * side + y) * side + x] ?? 0) / 1020
      }
    }
  }
  return small
}
