/**
 * What the embeddings of classes begin as: principal components of the drawings (as in Bojanowski et al. 2018, arXiv 1707.05776). Things that
 * look alike begin near each other, so that what is learned of one holds for the next.
 */
import { eigh } from '../../../linalg/index.ts'

/** Products of all rows of a matrix [rows, columns]: the lower triangle of [rows, rows]. */
function gram(centered: Float32Array, rows: number): Float64Array {
  const columns = centered.length / rows
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
  return products
}

/** The largest principal components of pictures. */
export interface Components {
  /** [numbers] */
  readonly mean: Float32Array
  /** What a component of 1 adds, [width, numbers]. */
  readonly directions: Float32Array
  /** Of each picture, of variance 1 in each component: [rows, width]. */
  readonly codes: Float32Array
  /** How far pictures vary along each, descending: [width]. */
  readonly deviations: Float32Array
}

/** Of pictures [rows, numbers] the `width` largest components, fewer than there are rows; pictures are about mean + codes directions. */
export function principalComponents(pictures: Float32Array, rows: number, width: number): Components {
  const numbers = pictures.length / rows
  const mean = new Float32Array(numbers)
  for (const [i, value] of pictures.entries()) mean[i % numbers] = (mean[i % numbers] ?? 0) + value / rows
  const centered = pictures.map((value, i) => value - (mean[i % numbers] ?? 0))
  const { values, vectors } = eigh({ shape: [rows, rows], data: gram(centered, rows) })
  const [codes, directions, deviations] = [
    new Float32Array(rows * width),
    new Float32Array(width * numbers),
    new Float32Array(width),
  ]
  for (let k = 0; k < width; k++) {
    const column = rows - 1 - k // ascending: the largest are the last
    deviations[k] = Math.sqrt(Math.max(0, values.data[column] ?? 0) / rows)
    const direction = directions.subarray(k * numbers, (k + 1) * numbers)
    for (let i = 0; i < rows; i++) {
      const code = Math.sqrt(rows) * (vectors.data[i * rows + column] ?? 0)
      codes[i * width + k] = code
      for (let j = 0; j < numbers; j++)
        direction[j] = (direction[j] ?? 0) + (code * (centered[i * numbers + j] ?? 0)) / rows
    }
  }
  return { mean, directions, codes, deviations }
}

/**
 * Codes [rows, width] of pictures [rows, numbers]: their largest components, less unequal than they are (each varies by the root of its
 * deviation), a mean square of 1 in all. Undefined: there are too few pictures for so many components.
 */
export function principalCodes(pictures: Float32Array, rows: number, width: number): Float32Array | undefined {
  if (rows <= width) return undefined
  const { codes, deviations } = principalComponents(pictures, rows, width)
  const sizes = deviations.map(Math.sqrt)
  const scale = Math.sqrt(
    width /
      Math.max(
        1e-12,
        sizes.reduce((sum, size) => sum + size * size, 0),
      ),
  )
  return codes.map((code, i) => code * scale * (sizes[i % width] ?? 0))
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
