/** The forms of `segmentSum`: rows added at equal indices. Measured in docs/decisions/010-scattered-sums.md. */
import { elementCount } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { TensorType } from '../../tensor/tensor.ts'
import { type Emitter, emitReshape } from '../define.ts'
import { emitSortedSums } from './sorted-sums.ts'

export interface SegmentSumAttributes {
  readonly axis: number
  readonly size: number
}

/** What is added, at which indices: values and types. */
export interface SegmentRows {
  readonly source: string
  readonly index: string
  readonly type: TensorType
  readonly indexType: TensorType
}

// With fewer rows or columns, sorting and its small nodes cost more than they save; with more rows, the matrix over blocks (16 MB) would.
const sortedRows = { least: 512, most: 65_536 }
const leastColumns = 32

/** Sums over equal indices, in the form that is fastest at these sizes. */
export function emitSegmentSum(emit: Emitter, rows: SegmentRows, attributes: SegmentSumAttributes): string {
  const { dtype, shape } = rows.type
  const { axis, size } = attributes
  if (dtype !== 'float32') return emitScatter(emit, rows, attributes)
  const columns = elementCount(shape.filter((_, i) => i !== axis))
  const isLeading = elementCount(shape.slice(0, axis)) === 1
  const count = sizeOf(shape, axis)
  const canSort = isLeading && count >= sortedRows.least && count <= sortedRows.most && columns >= leastColumns
  // For each row: the multiplications of the product with its matrix of 0 and 1, and how many take the time of the other form.
  const [product, scatter, sorted] = [size * (columns + 40), 400 * columns, 25_000 + 120 * columns]
  if (product < (canSort ? Math.min(scatter, sorted) : scatter)) return emitProduct(emit, rows, attributes)
  return canSort ? emitSorted(emit, rows, attributes) : emitScatter(emit, rows, attributes)
}

function shapeOfSums({ type }: SegmentRows, { axis, size }: SegmentSumAttributes): number[] {
  return type.shape.map((n, i) => (i === axis ? size : n))
}

/** One kernel, on one thread. ScatterND would suit it, but its threads overwrite each other's sums. */
function emitScatter(emit: Emitter, rows: SegmentRows, attributes: SegmentSumAttributes): string {
  const { source, index, type } = rows
  const { axis } = attributes
  const zeros = emit.node('Expand', [emit.scalar(0, type.dtype), emit.ints(shapeOfSums(rows, attributes))])
  const column = emitReshape(
    emit,
    index,
    type.shape.map((_, i) => (i === axis ? -1 : 1)),
  )
  const everywhere = emit.node('Expand', [column, emit.ints(type.shape)])
  return emit.node('ScatterElements', [zeros, everywhere, source], { axis, reduction: 'add' })
}

/** oneHot^T source, over source folded to [before, rows, after]: where sums are few. */
function emitProduct(emit: Emitter, rows: SegmentRows, attributes: SegmentSumAttributes): string {
  const { axis, size } = attributes
  const { shape } = rows.type
  const [before, after] = [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis + 1))]
  const folded = emitReshape(emit, rows.source, [before, sizeOf(shape, axis), after])
  const every = emit.cast(emit.ints(Array.from({ length: size }, (_, i) => i)), rows.indexType.dtype)
  const matches = emit.node('Equal', [emitReshape(emit, every, [size, 1]), rows.index])
  const product = emit.node('MatMul', [emit.cast(matches, 'float32'), folded])
  return emitReshape(emit, product, shapeOfSums(rows, attributes))
}

function emitSorted(emit: Emitter, rows: SegmentRows, attributes: SegmentSumAttributes): string {
  const { shape } = rows.type
  const [count, columns] = [sizeOf(shape, attributes.axis), elementCount(shape.slice(attributes.axis + 1))]
  const folded = emitReshape(emit, rows.source, [count, columns])
  const index = rows.indexType.dtype === 'int64' ? rows.index : emit.cast(rows.index, 'int64')
  const sums = emitSortedSums(emit, folded, index, [count, columns, attributes.size])
  return emitReshape(emit, sums, shapeOfSums(rows, attributes))
}
