/** What the functions of `linalg` take and give, and how they go through batches of matrices. */
import { elementCount } from '../tensor/dtype.ts'
import { formatShape, type Shape } from '../tensor/shape.ts'
import { constant, Tensor } from '../tensor/tensor.ts'
import { shown } from '../util/check.ts'
import { LinalgError, ShapeError } from '../util/errors.ts'

/** Numbers with their shape: a concrete float32 tensor, what a compiled function returned, or float64 of one's own. */
export type MatrixInput = Tensor | { readonly shape: readonly number[]; readonly data: Float32Array | Float64Array }

/** Results: float64, row by row. `toTensor` makes float32 of them. */
export interface Matrices {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

/** A result of `linalg` as a float32 tensor. */
export function toTensor({ data, shape }: Matrices): Tensor {
  return constant(Float32Array.from(data), shape, 'float32')
}

/** Matrices [batch, rows, columns], copied: what follows may write into them. */
export interface Batch {
  /** The axes before those of the matrices. */
  readonly batch: Shape
  readonly count: number
  readonly rows: number
  readonly columns: number
  readonly data: Float64Array
  /** The relative distance of two neighbouring numbers of the input's type: below it nothing was known. */
  readonly resolution: number
}

/** The numbers of an argument in float64. Throws for what is no float32 or float64, and for NaN and infinities. */
export function readMatrices(op: string, argument: string, input: MatrixInput, least = 2): Batch {
  const { shape, data } = input instanceof Tensor ? input.array : input
  if (!(data instanceof Float32Array || data instanceof Float64Array) || data.length !== elementCount(shape)) {
    throw new ShapeError(`${op}: ${argument} must hold float32 or float64 numbers of its shape, found ${shown(input)}`)
  }
  if (shape.length < least) {
    const wanted = least === 2 ? '[..., rows, columns]' : '[..., n]'
    throw new ShapeError(`${op}: ${argument} must be ${wanted}, found ${formatShape(shape)}`)
  }
  const at = data.findIndex((value) => !Number.isFinite(value))
  if (at >= 0) throw new LinalgError(`${op}: ${argument} must be finite, found ${data[at]} at element ${at}`)
  const [rows = 1, columns = 1] = shape.length === 1 ? [shape[0], 1] : shape.slice(-2)
  const batch = shape.slice(0, -2)
  const resolution = data instanceof Float32Array ? 2 ** -23 : Number.EPSILON
  return { batch, count: elementCount(batch), rows, columns, data: Float64Array.from(data), resolution }
}

/** As above, of square matrices. */
export function readSquare(op: string, argument: string, input: MatrixInput): Batch {
  const read = readMatrices(op, argument, input)
  if (read.rows !== read.columns) {
    throw new ShapeError(`${op}: ${argument} must be square matrices [..., n, n], found ${formatShape(input.shape)}`)
  }
  return read
}

/** The numbers of matrix i. */
export function matrixAt({ data, rows, columns }: Batch, i: number): Float64Array {
  return data.subarray(i * rows * columns, (i + 1) * rows * columns)
}

/** `in matrix [1, 0]` for messages; nothing where there is only one matrix. */
export function placeOf({ batch }: Batch, i: number): string {
  if (batch.length === 0) return ''
  let rest = i
  const place = batch.toReversed().map((size) => {
    const at = rest % size
    rest = Math.floor(rest / size)
    return at
  })
  return ` of matrix ${formatShape(place.reverse())}`
}

/** Results of each matrix, one behind the other. */
export function gather(batch: Shape, shape: Shape, parts: readonly Float64Array[]): Matrices {
  const data = new Float64Array(elementCount([...batch, ...shape]))
  let at = 0
  for (const part of parts) {
    data.set(part, at)
    at += part.length
  }
  return { shape: [...batch, ...shape], data }
}

/** `each` of every matrix. */
export function mapMatrices<T>(read: Batch, each: (matrix: Float64Array, i: number) => T): T[] {
  return Array.from({ length: read.count }, (_, i) => each(matrixAt(read, i), i))
}

/** The matrix with rows and columns exchanged. */
export function transposed(x: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(x.length)
  const block = 32
  for (let i0 = 0; i0 < rows; i0 += block) {
    for (let j0 = 0; j0 < columns; j0 += block) {
      const [lastRow, lastColumn] = [Math.min(rows, i0 + block), Math.min(columns, j0 + block)]
      for (let i = i0; i < lastRow; i++)
        for (let j = j0; j < lastColumn; j++) out[j * rows + i] = x[i * columns + j] as number
    }
  }
  return out
}

/** The unit matrix of n rows. */
export function unitMatrix(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0))
}
