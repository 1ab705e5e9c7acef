/** Choosing and counting by index: embeddings, one-hot vectors, masks, histograms. */
import type { DType } from '../../tensor/dtype.ts'
import { formatShape, normalizeAxis, type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireCount, requireFinite, shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { arange, full, requireElements } from '../creation.ts'
import { apply, checked, type Operand, toTensor, toTensorPair } from '../define.ts'
import { add, equal, less, lessOrEqual, logicalAnd, logicalOr, minimum, mul, sub } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { isNan } from '../elementwise/unary.ts'
import { reshape, slice, squeeze, unsqueeze } from '../movement/movement.ts'
import { sum } from '../reduction/reduce.ts'
import { gather, indexSelectOp, requireIndex, segmentSum } from './indexing.ts'
import { certainlyWithin, within } from './places.ts'

/** Element `index` of one axis, which is dropped; negative ones count from the end. */
export function select(x: Operand, index: number, axis: number): Tensor {
  const input = toTensor('select', x)
  return checked(() => {
    const at = normalizeAxis('select', axis, input.rank)
    const size = input.rank === 0 ? 0 : sizeOf(input.shape, at)
    if (!Number.isInteger(index) || index < -size || index >= size) {
      throw new ShapeError(
        `select: index must be a whole number in [${-size}, ${size - 1}] on axis ${at} of ${formatShape(input.shape)}, found ${shown(index)}`,
      )
    }
    const start = index < 0 ? index + size : index
    return squeeze(slice(input, [start, start + 1], at), at)
  })
}

/** The embedding's options. */
export interface EmbeddingOptions {
  /** The row that stands for padding: it gets no gradient. Negative ones count from the end. Default: none. */
  readonly paddingIndex?: number
}

/** Rows of `weight` [entries, width] at `index` [...]: [..., width]. */
export function embedding(index: Operand, weight: Operand, options?: EmbeddingOptions): Tensor {
  const { paddingIndex } = optionsOf('embedding', options, { paddingIndex: true })
  const [table, given] = [toTensor('embedding', weight), toTensor('embedding', index)]
  return checked(() => {
    if (table.rank !== 2)
      throw new ShapeError(`embedding: weight must be [entries, width], found ${formatShape(table.shape)}`)
    const entries = sizeOf(table.shape, 0)
    if (
      paddingIndex !== undefined &&
      !(Number.isInteger(paddingIndex) && paddingIndex >= -entries && paddingIndex < entries)
    )
      throw new ShapeError(`embedding: paddingIndex must be one of the ${entries} rows, found ${shown(paddingIndex)}`)
    const ignored = paddingIndex === undefined ? null : paddingIndex < 0 ? paddingIndex + entries : paddingIndex
    requireIndex('embedding', given)
    const places = within(given, { subject: 'embedding: index', size: entries })
    return apply(indexSelectOp, [table, places], { axis: 0, ignored })
  })
}

/** Vectors of `classes` elements that are 1 at the index and 0 elsewhere: [..., classes]. */
export function oneHot(index: Operand, classes: number, dtype: DType = 'int64'): Tensor {
  const given = toTensor('oneHot', index)
  return checked(() => {
    requireCount('oneHot', 'classes', classes)
    requireElements('oneHot', [...given.shape, classes])
    requireIndex('oneHot', given)
    const places = within(given, { subject: 'oneHot: index', size: classes })
    return cast(equal(unsqueeze(places, -1), arange(0, classes, { dtype: places.dtype })), dtype)
  })
}

/** x with `value` where the mask holds. */
export function maskedFill(x: Operand, mask: Operand, value: Operand): Tensor {
  const [fill, input] = toTensorPair('maskedFill', value, x)
  return where(mask, fill, input)
}

/** x plus `alpha` times the source's elements, each added at its index of one axis. Repeated indices accumulate. */
export function indexAdd(
  x: Operand,
  index: Operand,
  source: Operand,
  axis: number,
  options?: { readonly alpha?: number },
): Tensor {
  const { alpha = 1 } = optionsOf('indexAdd', options, { alpha: true })
  const input = toTensor('indexAdd', x)
  return checked(() => {
    const at = normalizeAxis('indexAdd', axis, input.rank)
    requireFinite('indexAdd', 'alpha', alpha)
    const [, factor] = toTensorPair('indexAdd', input, alpha)
    const given = toTensor('indexAdd', index)
    requireIndex('indexAdd', given)
    const size = input.rank === 0 ? 1 : sizeOf(input.shape, at)
    const places = within(given, { subject: 'indexAdd: index', size })
    const sums = segmentSum(source, places, size, at)
    return add(input, alpha === 1 ? sums : mul(sums, factor))
  })
}

/**
 * How often each number of 0 ... length - 1 occurs (int64), or the sum of the weights of its occurrences. All elements
 * must be smaller than `length`: shapes do not depend on values.
 */
export function bincount(x: Operand, length: number, options?: { readonly weights?: Operand }): Tensor {
  const { weights } = optionsOf('bincount', options, { weights: true })
  const given = reshape(x, [-1])
  return checked(() => {
    requireCount('bincount', 'length', length)
    requireElements('bincount', [length])
    requireIndex('bincount', given, 'x')
    const places = within(given, { subject: 'bincount: element', size: length })
    const counted = weights === undefined ? full(places.shape, 1, 'int64') : reshape(weights, [-1])
    return segmentSum(counted, places, length, 0)
  })
}

/**
 * Where each value would be inserted into a row of `sorted` so that it stays sorted: before equal elements, or after
 * them if `right`; NaN after all. sorted: [n], or [..., n] with the leading axes of values. Result: int64, the shape of values.
 */
export function searchsorted(sorted: Operand, values: Operand, options?: { readonly right?: boolean }): Tensor {
  const { right = false } = optionsOf('searchsorted', options, { right: true })
  const [rows, sought] = toTensorPair('searchsorted', sorted, values)
  return checked(() => {
    const isSame = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i])
    if (rows.rank !== 1 && !isSame(rows.shape.slice(0, -1), sought.shape.slice(0, -1))) {
      throw new ShapeError(
        `searchsorted: sorted must have one axis or the leading axes of values, found ${formatShape(rows.shape)} and ${formatShape(sought.shape)}`,
      )
    }
    const isSmaller = right ? lessOrEqual : less
    // NaN is larger than all numbers, as it is sorted.
    const isBefore = (element: Tensor, value: Tensor): Tensor => {
      const isIt = isSmaller(element, value)
      return value.dtype === 'float32' ? logicalOr(isIt, isNan(value)) : isIt
    }
    if (sizeOf(rows.shape, -1) > mostCompared && sought.size > 0) return searchedByHalves(rows, sought, isBefore)
    const candidates = rows.rank === 1 ? rows : unsqueeze(rows, -2)
    return sum(cast(isBefore(candidates, unsqueeze(sought, -1)), 'int64'), -1)
  })
}

/** In rows longer than this a place is found in log2(length) steps; in others each value is compared with all elements. */
const mostCompared = 16

/** How many elements of an ascending row lie before each value: as many as a power of two, as long as the last of these does. */
function searchedByHalves(rows: Tensor, sought: Tensor, isBefore: (a: Tensor, b: Tensor) => Tensor): Tensor {
  const length = sizeOf(rows.shape, -1)
  const values = rows.rank === 1 ? reshape(sought, [-1]) : sought
  let count = full(values.shape, 0, 'int64')
  for (let step = 2 ** Math.floor(Math.log2(length)); step >= 1; step /= 2) {
    const candidate = add(count, step)
    const last = certainlyWithin(minimum(sub(candidate, 1), length - 1), length)
    const fits = logicalAnd(lessOrEqual(candidate, length), isBefore(gather(rows, last, -1), values))
    count = where(fits, candidate, count)
  }
  return reshape(count, sought.shape)
}
