/** Embeddings reduced in bags. */
import { formatShape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFlag, requireOneOf } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { full, ones, zeros } from '../creation.ts'
import { checked, type Operand, requireDType, toTensor } from '../define.ts'
import { notEqual } from '../elementwise/arithmetic.ts'
import { div, greater, maximum, mul, sub } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { slice, unsqueeze } from '../movement/movement.ts'
import { max, sum } from '../reduction/reduce.ts'
import { cumsum } from '../reduction/scan.ts'
import { requireIndex, segmentSum } from './indexing.ts'
import { within } from './places.ts'
import { alongAxis } from './scatter.ts'
import { scatterReduce } from './scatter-reduce.ts'
import { embedding } from './selection.ts'

/** How the rows of a bag become one. */
export type BagMode = 'sum' | 'mean' | 'max'
const modes: readonly BagMode[] = ['sum', 'mean', 'max']

/** Options of `embeddingBag`. */
export interface EmbeddingBagOptions {
  /** Where each bag begins in a flat index [bags], ascending from 0. Default: the index is [bags, length]. */
  readonly offsets?: Operand
  /** Default: mean. */
  readonly mode?: BagMode
  /** Factors of the rows, of the index's shape; for sums only. */
  readonly perSampleWeights?: Operand
  /** The row that stands for padding: left out of its bags, without a gradient. Negative: from the end. Default: none. */
  readonly paddingIndex?: number
  /** Whether the last offset is the end of the last bag, not the start of another. Default: false. */
  readonly includeLastOffset?: boolean
}

/** Reductions of what belongs to the elements of an index: [...elements] or [...elements, width] to [bags] or [bags, width]. */
interface Bags {
  readonly total: (values: Tensor) => Tensor
  readonly largest: (rows: Tensor) => Tensor
}

/** Bags of one length: index [bags, length]. */
function evenBags(length: number): Bags {
  const nothing = (rows: Tensor): Tensor => zeros([sizeOf(rows.shape, 0), ...rows.shape.slice(2)])
  return { total: (values) => sum(values, 1), largest: (rows) => (length === 0 ? nothing(rows) : max(rows, 1)) }
}

/** Bags that begin at offsets [bags], or begin and end [bags + 1]. */
function bagsAt(length: number, offsets: Tensor, includeLastOffset: boolean): Bags {
  requireIndex('embeddingBag', offsets, 'offsets')
  if (offsets.rank !== 1 || (includeLastOffset && offsets.size === 0)) {
    throw new ShapeError(
      `embeddingBag: offsets must be [bags${includeLastOffset ? ' + 1' : ''}], found ${formatShape(offsets.shape)}`,
    )
  }
  // What lies behind the last end belongs to a bag that is left out.
  const segments = offsets.size
  const kept = (sums: Tensor): Tensor => (includeLastOffset ? slice(sums, [0, segments - 1], 0) : sums)
  const starts = within(offsets, { subject: 'embeddingBag: offset', size: length + 1 })
  const begun = cumsum(segmentSum(full([segments], 1, 'int64'), starts, length + 1, 0), 0)
  const bag = within(sub(slice(begun, [0, length], 0), 1), {
    subject: 'embeddingBag: bag of an element (the first offset must be 0)',
    size: segments,
  })
  return {
    total: (values) => kept(segmentSum(values, bag, segments, 0)),
    largest: (rows) => {
      const nothing = zeros([segments, sizeOf(rows.shape, 1)])
      return kept(scatterReduce(nothing, alongAxis(bag, rows.shape, 0), rows, 0, 'amax', { includeSelf: false }))
    },
  }
}

function bagsOf(index: Tensor, offsets: Operand | undefined, includeLastOffset: boolean): Bags {
  if (index.rank === 2 && offsets === undefined && !includeLastOffset) return evenBags(sizeOf(index.shape, 1))
  if (index.rank === 1 && offsets !== undefined)
    return bagsAt(index.size, toTensor('embeddingBag', offsets), includeLastOffset)
  throw new ShapeError(
    `embeddingBag: index must be [bags, length], or have one axis and offsets, found ${formatShape(index.shape)} ${offsets === undefined ? 'without' : 'with'} offsets`,
  )
}

function weighted(rows: Tensor, given: Operand, index: Tensor, mode: BagMode): Tensor {
  const weights = toTensor('embeddingBag', given)
  requireDType('embeddingBag', 'perSampleWeights', weights, ['float32'])
  if (mode !== 'sum') throw new ShapeError(`embeddingBag: perSampleWeights are for mode "sum", found mode "${mode}"`)
  if (!sameShape(weights.shape, index.shape)) {
    throw new ShapeError(
      `embeddingBag: perSampleWeights must have the index's shape ${formatShape(index.shape)}, found ${formatShape(weights.shape)}`,
    )
  }
  return mul(rows, unsqueeze(weights, -1))
}

/**
 * Sums, means or largest elements of rows of `weight` [entries, width] by bags of indices: [bags, width]. A bag of nothing
 * gives 0.
 */
export function embeddingBag(index: Operand, weight: Operand, options?: EmbeddingBagOptions): Tensor {
  const {
    offsets,
    mode = 'mean',
    perSampleWeights,
    paddingIndex,
    includeLastOffset = false,
  } = optionsOf('embeddingBag', options, {
    offsets: true,
    mode: true,
    perSampleWeights: true,
    paddingIndex: true,
    includeLastOffset: true,
  })
  const [given, table] = [toTensor('embeddingBag', index), toTensor('embeddingBag', weight)]
  return checked(() => {
    requireOneOf('embeddingBag', 'mode', mode, modes)
    requireFlag('embeddingBag', 'includeLastOffset', includeLastOffset)
    requireDType('embeddingBag', 'weight', table, ['float32'])
    const rows = embedding(given, table, paddingIndex === undefined ? {} : { paddingIndex })
    const bags = bagsOf(given, offsets, includeLastOffset)
    const padding =
      paddingIndex !== undefined && paddingIndex < 0 ? paddingIndex + sizeOf(table.shape, 0) : paddingIndex
    const counts = padding === undefined ? undefined : notEqual(given, padding)
    const scaled = perSampleWeights === undefined ? rows : weighted(rows, perSampleWeights, given, mode)
    const without = (value: number): Tensor => (counts ? where(unsqueeze(counts, -1), scaled, value) : scaled)
    if (mode === 'sum') return bags.total(without(0))
    const count = unsqueeze(bags.total(counts ? cast(counts, 'float32') : ones(given.shape)), -1)
    if (mode === 'mean') return div(bags.total(without(0)), maximum(count, 1))
    return where(greater(count, 0), bags.largest(without(Number.NEGATIVE_INFINITY)), 0)
  })
}
