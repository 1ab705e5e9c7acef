/** Splitting, joining and repeating: movement made of movement, and the split op. */
import { fromNumbers } from '../../tensor/dtype.ts'
import { formatShape, listOf, normalizeAxis, type Shape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { constant } from '../../tensor/tensor.ts'
import { requireCount, requireList, requireWhole } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { applyAll, checked, defineOp, inputAt, type Operand, toTensor, toTensorList } from '../define.ts'
import { indexSelect } from '../indexing/indexing.ts'
import { concat, expand, permute, reshape, slice, unsqueeze } from './movement.ts'

export interface SplitAttributes {
  readonly axis: number
  readonly sizes: readonly number[]
}

/** One op, not a slice for each piece: its gradient is one concat, not a sum of padded pieces. */
export const splitOp = defineOp<SplitAttributes>({
  name: 'split',
  infer: (inputs, { axis, sizes }) => {
    const x = inputAt('split', inputs, 0)
    const total = sizes.reduce((sum, size) => sum + size, 0)
    if (
      x.shape.length === 0 ||
      total !== sizeOf(x.shape, axis) ||
      !sizes.every((size) => Number.isInteger(size) && size >= 0)
    ) {
      throw new ShapeError(
        `split: sizes must sum to axis ${axis} of ${formatShape(x.shape)}, found ${formatShape(sizes)}`,
      )
    }
    return sizes.map((size) => ({ dtype: x.dtype, shape: x.shape.map((n, i) => (i === axis ? size : n)) }))
  },
  gradient: (o, { outputs, attributes }, gradients) => [
    o.concat(
      outputs.map((output, i) => gradients[i] ?? o.zerosLike(output)),
      attributes.axis,
    ),
  ],
  simplify: (_o, { inputs, attributes }) => (attributes.sizes.length === 1 ? inputs : undefined),
  lower: (emit, { inputs, attributes: { axis, sizes } }) =>
    emit.nodes('Split', [inputAt('split', inputs, 0), emit.ints(sizes)], sizes.length, { axis }),
  samples: () => [
    { inputs: [[2, 7]], call: (x) => split(x, [2, 4, 1], 1) },
    { inputs: [[5, 2]], call: (x) => split(x, 2) },
    { inputs: [[3]], call: (x) => split(x, [3], -1) },
    { inputs: [[2, 6]], call: (x) => inputAt('split', split(x, 2, -1), 1) },
  ],
  errors: () => [
    { inputs: [[2, 7]], call: (x) => split(x, [2, 4], 1) },
    { inputs: [[2, 7]], call: (x) => split(x, 0) },
    { inputs: [[]], call: (x) => split(x, 1) },
  ],
})
/** Cuts an axis into pieces of the given sizes, or of one size (the last may be smaller). */
export function split<const S extends readonly number[]>(
  x: Operand,
  sizes: S,
  axis?: number,
): { readonly [K in keyof S]: Tensor }
export function split(x: Operand, sizes: number | readonly number[], axis?: number): readonly Tensor[]
export function split(x: Operand, sizes: number | readonly number[], axis = 0): readonly Tensor[] {
  const input = toTensor('split', x)
  return checked(() => {
    const at = normalizeAxis('split', axis, input.rank)
    if (typeof sizes !== 'number') {
      requireList('split', 'sizes', sizes)
      for (const size of sizes) requireCount('split', 'size', size)
      return applyAll(splitOp, [input], { axis: at, sizes: [...sizes] })
    }
    requireCount('split', 'size', sizes, 1)
    const total = input.rank === 0 ? 0 : sizeOf(input.shape, at)
    const count = Math.max(1, Math.ceil(total / sizes))
    const pieces = Array.from({ length: count }, (_, i) => Math.min(sizes, total - i * sizes))
    return applyAll(splitOp, [input], { axis: at, sizes: pieces })
  })
}
/** Cuts an axis into at most `count` pieces of equal size, as PyTorch (the last may be smaller); an empty one into `count` empty pieces. */
export function chunk(x: Operand, count: 2, axis?: number): readonly [Tensor, Tensor]
export function chunk(x: Operand, count: 3, axis?: number): readonly [Tensor, Tensor, Tensor]
export function chunk(x: Operand, count: number, axis?: number): readonly Tensor[]
export function chunk(x: Operand, count: number, axis = 0): readonly Tensor[] {
  const input = toTensor('chunk', x)
  return checked(() => {
    const at = normalizeAxis('chunk', axis, input.rank)
    requireCount('chunk', 'count', count, 1)
    const total = input.rank === 0 ? 0 : sizeOf(input.shape, at)
    const sizes = total === 0 ? new Array<number>(count).fill(0) : Math.ceil(total / count)
    return split(input, sizes, at)
  })
}

/** Joins tensors of one shape along a new axis before position `axis` of the result. */
export function stack(tensors: readonly Operand[], axis = 0): Tensor {
  return checked(() => {
    const inputs = toTensorList('stack', 'tensors', tensors)
    const { shape, rank } = inputAt('stack', inputs, 0)
    const other = inputs.find((input) => !sameShape(input.shape, shape))
    if (other)
      throw new ShapeError(
        `stack: all inputs must have one shape, found ${formatShape(shape)} and ${formatShape(other.shape)}`,
      )
    const at = normalizeAxis('stack', axis, rank + 1)
    return concat(
      inputs.map((input) => unsqueeze(input, at)),
      at,
    )
  })
}

/** Merges the axes `startAxis` to `endAxis`, both included, into one. */
export function flatten(x: Operand, startAxis = 0, endAxis = -1): Tensor {
  const input = toTensor('flatten', x)
  return checked(() => {
    const start = normalizeAxis('flatten', startAxis, input.rank)
    const end = normalizeAxis('flatten', endAxis, input.rank)
    if (start > end)
      throw new ShapeError(`flatten: startAxis must not be after endAxis, found ${startAxis} and ${endAxis}`)
    const merged = input.shape.slice(start, end + 1).reduce((product, size) => product * size, 1)
    return reshape(input, [...input.shape.slice(0, start), merged, ...input.shape.slice(end + 1)])
  })
}

/** Moves axes to other positions; the others keep their order. */
export function moveAxis(
  x: Operand,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor {
  const input = toTensor('moveAxis', x)
  return checked(() => {
    const from = listOf(source).map((axis) => normalizeAxis('moveAxis', axis, input.rank))
    const to = listOf(destination).map((axis) => normalizeAxis('moveAxis', axis, input.rank))
    if (from.length !== to.length || new Set(from).size !== from.length || new Set(to).size !== to.length) {
      throw new ShapeError(
        `moveAxis: source and destination must be the same number of distinct axes, found [${source}] and [${destination}]`,
      )
    }
    const kept = input.shape.flatMap((_, axis) => (from.includes(axis) ? [] : [axis]))
    const free = input.shape.flatMap((_, position) => (to.includes(position) ? [] : [position]))
    const axes = input.shape.map((_, position) =>
      to.includes(position) ? sizeOf(from, to.indexOf(position)) : sizeOf(kept, free.indexOf(position)),
    )
    return permute(input, axes)
  })
}

/** Repeats x up to `shape` by NumPy's broadcasting rule. */
export function broadcastTo(x: Operand, shape: Shape): Tensor {
  return expand(x, shape)
}

/** Shifts the elements of axes in a circle: what leaves at the end enters at the front. Without axes: x flattened. */
export function roll(x: Operand, shifts: number | readonly number[], axes?: number | readonly number[]): Tensor {
  const input = toTensor('roll', x)
  return checked(() => {
    if (axes === undefined) return reshape(roll(reshape(input, [-1]), shifts, 0), input.shape)
    const [amounts, at] = [listOf(shifts), listOf(axes)]
    if (amounts.length !== at.length)
      throw new ShapeError(`roll: needs one shift for each axis, found shifts [${shifts}] and axes [${axes}]`)
    return at.reduce((result, axis, i) => rollAxis(result, amounts[i] ?? 0, axis), input)
  })
}

function rollAxis(x: Tensor, shift: number, axis: number): Tensor {
  const at = normalizeAxis('roll', axis, x.rank)
  const size = x.rank === 0 ? 1 : sizeOf(x.shape, at)
  requireWhole('roll', 'shifts', shift)
  const cut = size === 0 ? 0 : ((-shift % size) + size) % size
  return cut === 0 ? x : concat([slice(x, [cut], at), slice(x, [0, cut], at)], at)
}

/** The whole of x repeated along each axis; missing leading counts or axes are 1. */
export function tile(x: Operand, repeats: number | readonly number[]): Tensor {
  const input = toTensor('tile', x)
  return checked(() => {
    const counts = listOf(repeats)
    for (const count of counts) requireCount('tile', 'repeats', count)
    const rank = Math.max(counts.length, input.rank)
    const shape = [...new Array<number>(rank - input.rank).fill(1), ...input.shape]
    const times = [...new Array<number>(rank - counts.length).fill(1), ...counts]
    return reshape(
      expand(
        reshape(
          input,
          shape.flatMap((size) => [1, size]),
        ),
        shape.flatMap((size, i) => [sizeOf(times, i), size]),
      ),
      shape.map((size, i) => size * sizeOf(times, i)),
    )
  })
}

/**
 * Each element of an axis repeated in place: [a, b] becomes [a, a, b, b]. `repeats` is one count, or one for each
 * element. Without an axis x is flattened first.
 */
export function repeatInterleave(x: Operand, repeats: number | readonly number[], axis?: number): Tensor {
  const input = toTensor('repeatInterleave', x)
  if (axis === undefined) return repeatInterleave(reshape(input, [-1]), repeats, 0)
  return checked(() => {
    const at = normalizeAxis('repeatInterleave', axis, input.rank)
    for (const count of listOf(repeats)) requireCount('repeatInterleave', 'repeats', count)
    const size = input.rank === 0 ? 1 : sizeOf(input.shape, at)
    if (typeof repeats !== 'number') {
      if (repeats.length !== size)
        throw new ShapeError(
          `repeatInterleave: needs one count for each of the ${size} elements of axis ${at}, found ${repeats.length}`,
        )
      const sources = repeats.flatMap((count, i) => new Array<number>(count).fill(i))
      return indexSelect(input, constant(fromNumbers('int64', sources), [sources.length], 'int64'), at)
    }
    const shape = input.rank === 0 ? [1] : input.shape
    const target = shape.flatMap((n, i) => (i === at ? [n, repeats] : [n]))
    return reshape(
      expand(unsqueeze(reshape(input, shape), at + 1), target),
      shape.map((n, i) => (i === at ? n * repeats : n)),
    )
  })
}
