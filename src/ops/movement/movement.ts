/** Ops that move data without computing: reshape, permute, expand, slice, concat, and what is made of them. */
import { elementCount } from '../../tensor/dtype.ts'
import {
  broadcastShapes,
  checkShape,
  formatShape,
  listOf,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
} from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { requireList, requireWhole, shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { apply, checked, defineOp, inputAt, type Operand, toTensor, toTensorList } from '../define.ts'

export const reshapeOp = defineOp<{ readonly shape: Shape }>({
  name: 'reshape',
  keepsValues: true,
  infer: (inputs, { shape }) => {
    const x = inputAt('reshape', inputs, 0)
    checkShape('reshape', shape)
    if (elementCount(shape) !== elementCount(x.shape)) {
      throw new ShapeError(
        `reshape: ${formatShape(x.shape)} has ${elementCount(x.shape)} elements, ${formatShape(shape)} needs ${elementCount(shape)}`,
      )
    }
    return [{ dtype: x.dtype, shape }]
  },
  gradient: (o, { inputs }, [g]) => [g && o.reshape(g, inputAt('reshape', inputs, 0).shape)],
  simplify: (o, { inputs, attributes }) => {
    const x = inputAt('reshape', inputs, 0)
    if (sameShape(x.shape, attributes.shape)) return [x]
    if (x.source.kind !== 'node' || x.source.node.op !== reshapeOp) return undefined
    return [o.reshape(inputAt('reshape', x.source.node.inputs, 0), attributes.shape)]
  },
  lower: (emit, { inputs, attributes }) =>
    // Without allowzero a 0 would mean the input's size.
    emit.node(
      'Reshape',
      [inputAt('reshape', inputs, 0), emit.ints(attributes.shape)],
      attributes.shape.includes(0) ? { allowzero: 1 } : {},
    ),
  samples: () => [
    { inputs: [[2, 6]], call: (x) => reshape(x, [3, -1]) },
    { inputs: [[1]], call: (x) => reshape(x, []) },
  ],
  errors: () => [
    { inputs: [[2, 6]], call: (x) => reshape(x, [5, 2]) },
    { inputs: [[2, 6]], call: (x) => reshape(x, [-1, -1]) },
    { inputs: [[2, 6]], call: (x) => reshape(x, [5, -1]) },
  ],
})
/** The same elements in row-major order under another shape; one size may be -1 (what remains). */
export function reshape(x: Operand, shape: Shape): Tensor {
  const input = toTensor('reshape', x)
  checked(() => requireList('reshape', 'shape', shape))
  const unknown = shape.indexOf(-1)
  if (unknown < 0) return apply(reshapeOp, [input], { shape: [...shape] })
  const known = elementCount(shape.filter((_, i) => i !== unknown))
  return checked(() => {
    if (shape.lastIndexOf(-1) !== unknown || known <= 0 || input.size % known !== 0) {
      throw new ShapeError(
        `reshape: ${formatShape(input.shape)} has ${input.size} elements, which cannot fill ${formatShape(shape)}`,
        {
          hint: 'one size may be -1, and the others must divide the number of elements',
        },
      )
    }
    return apply(reshapeOp, [input], { shape: shape.map((size, i) => (i === unknown ? input.size / known : size)) })
  })
}

export const permuteOp = defineOp<{ readonly axes: readonly number[] }>({
  name: 'permute',
  keepsValues: true,
  infer: (inputs, { axes }) => {
    const x = inputAt('permute', inputs, 0)
    if (axes.length !== x.shape.length || new Set(axes).size !== axes.length) {
      throw new ShapeError(
        `permute: axes must name each of the ${x.shape.length} axes of ${formatShape(x.shape)} once, found ${shown(axes)}`,
      )
    }
    return [{ dtype: x.dtype, shape: axes.map((axis) => sizeOf(x.shape, axis)) }]
  },
  gradient: (o, { attributes }, [g]) => {
    const inverse = attributes.axes.map((_, i) => attributes.axes.indexOf(i))
    return [g && o.permute(g, inverse)]
  },
  simplify: (o, { inputs, attributes, outputs }) => {
    const x = inputAt('permute', inputs, 0)
    if (attributes.axes.every((axis, i) => axis === i)) return [x]
    if (x.source.kind === 'node' && x.source.node.op === permuteOp) {
      const inner = (x.source.node.attributes as { axes: readonly number[] }).axes
      return [
        o.permute(
          inputAt('permute', x.source.node.inputs, 0),
          attributes.axes.map((axis) => sizeOf(inner, axis)),
        ),
      ]
    }
    // Moving only axes of size 1 changes no element's place: a reshape, which copies nothing.
    const moved = attributes.axes.filter((axis) => x.shape[axis] !== 1)
    const ordered = moved.every((axis, i) => i === 0 || axis > (moved[i - 1] ?? -1))
    return ordered ? [o.reshape(x, inputAt('permute', outputs, 0).shape)] : undefined
  },
  lower: (emit, { inputs, attributes }) => emit.node('Transpose', inputs, { perm: attributes.axes }),
  samples: () => [
    { inputs: [[2, 3, 4]], call: (x) => permute(x, [2, 0, -2]) },
    { inputs: [[2, 1, 4]], call: (x) => permute(x, [1, 0, 2]) },
    { inputs: [[]], call: (x) => permute(x, []) },
  ],
  errors: () => [
    { inputs: [[2, 3]], call: (x) => permute(x, [0]) },
    { inputs: [[2, 3]], call: (x) => permute(x, [0, 0]) },
    { inputs: [[2, 3]], call: (x) => permute(x, [0, 2]) },
  ],
})
/** Reorders the axes: axis i of the result is axis `axes[i]` of x. */
export function permute(x: Operand, axes: readonly number[]): Tensor {
  const input = toTensor('permute', x)
  return checked(() => {
    requireList('permute', 'axes', axes)
    const normal = axes.map((axis) => normalizeAxis('permute', axis, input.rank))
    return apply(permuteOp, [input], { axes: normal })
  })
}

/** Swaps two axes; by default the last two. */
export function transpose(x: Operand, axis0 = -2, axis1 = -1): Tensor {
  const input = toTensor('transpose', x)
  return checked(() => {
    const a = normalizeAxis('transpose', axis0, input.rank)
    const b = normalizeAxis('transpose', axis1, input.rank)
    const axes = input.shape.map((_, i) => (i === a ? b : i === b ? a : i))
    return apply(permuteOp, [input], { axes })
  })
}

export const expandOp = defineOp<{ readonly shape: Shape }>({
  name: 'expand',
  keepsValues: true,
  infer: (inputs, { shape }) => {
    const x = inputAt('expand', inputs, 0)
    checkShape('expand', shape)
    if (!sameShape(broadcastShapes('expand', [x.shape, shape]), shape)) {
      throw new ShapeError(`expand: ${formatShape(x.shape)} does not broadcast to ${formatShape(shape)}`)
    }
    return [{ dtype: x.dtype, shape }]
  },
  gradient: (o, { inputs }, [g]) => [g && o.sumTo(g, inputAt('expand', inputs, 0).shape)],
  simplify: (_o, { inputs, attributes }) =>
    sameShape(inputAt('expand', inputs, 0).shape, attributes.shape) ? inputs : undefined,
  lower: (emit, { inputs, inputTypes, attributes: { shape } }) => {
    // ONNX Runtime's optimizer removes an Expand of size 1 to size 0.
    const isEmpty = elementCount(shape) === 0
    const source = isEmpty ? emit.scalar(0, inputAt('expand', inputTypes, 0).dtype) : inputAt('expand', inputs, 0)
    return emit.node('Expand', [source, emit.ints(shape)])
  },
  samples: () => [
    { inputs: [[3, 1]], call: (x) => expand(x, [2, 3, 4]) },
    { inputs: [[]], call: (x) => expand(x, [2]) },
  ],
  errors: () => [{ inputs: [[3, 2]], call: (x) => expand(x, [3, 4]) }],
})
/** Repeats axes of size 1 (and new leading axes) up to `shape`; -1 keeps a size. Also `broadcastTo`. */
export function expand(x: Operand, shape: Shape): Tensor {
  const input = toTensor('expand', x)
  checked(() => requireList('expand', 'shape', shape))
  const offset = shape.length - input.rank
  const target = shape.map((size, i) => (size === -1 ? (input.shape[i - offset] ?? -1) : size))
  return apply(expandOp, [input], { shape: target })
}

export interface SliceAttributes {
  /** First index of each axis, and the step; the count follows from the output's shape. */
  readonly starts: readonly number[]
  readonly steps: readonly number[]
  readonly sizes: readonly number[]
}

/** ONNX's end index: for a backward slice that ends with element 0 the end lies before the array. */
function sliceEnd(start: number, step: number, size: number): number {
  const end = start + step * size
  return end < 0 ? -(2 ** 31) : end
}

export const sliceOp = defineOp<SliceAttributes>({
  name: 'slice',
  keepsValues: true,
  infer: (inputs, { starts, steps, sizes }) => {
    const { dtype, shape } = inputAt('slice', inputs, 0)
    checkShape('slice', sizes)
    for (const [axis, size] of sizes.entries()) {
      const [first, all] = [sizeOf(starts, axis), sizeOf(shape, axis)]
      const last = first + sizeOf(steps, axis) * (size - 1)
      if (size > 0 && (Math.min(first, last) < 0 || Math.max(first, last) >= all))
        throw new ShapeError(`slice: axis ${axis} of ${formatShape(shape)} has no elements ${first} to ${last}`)
    }
    return [{ dtype, shape: sizes }]
  },
  gradient: (o, { inputs, attributes }, [g]) => {
    if (!g) return []
    const x = inputAt('slice', inputs, 0)
    const { starts, steps, sizes } = attributes
    let result = g
    for (const [axis, step] of steps.entries()) {
      const [start, size] = [sizeOf(starts, axis), sizeOf(sizes, axis)]
      if (step === 1 && start === 0 && size === x.shape[axis]) continue
      const lowest = step > 0 ? start : start + step * (size - 1)
      const spread = o.dilate(step > 0 ? result : o.flip(result, axis), axis, Math.abs(step))
      const after = sizeOf(x.shape, axis) - lowest - sizeOf(spread.shape, axis)
      result = o.padAxis(spread, axis, size === 0 ? 0 : lowest, size === 0 ? sizeOf(x.shape, axis) : after)
    }
    return [result]
  },
  simplify: (_o, { inputs, attributes }) =>
    sameShape(inputAt('slice', inputs, 0).shape, attributes.sizes) && attributes.steps.every((step) => step === 1)
      ? inputs
      : undefined,
  lower: (emit, { inputs, attributes, inputTypes }) => {
    const { starts, steps, sizes } = attributes
    const shape = inputAt('slice', inputTypes, 0).shape
    const axes = starts.flatMap((start, i) => (start === 0 && steps[i] === 1 && sizes[i] === shape[i] ? [] : [i]))
    const pick = (values: readonly number[]): readonly number[] => axes.map((axis) => sizeOf(values, axis))
    const ends = sizes.map((size, i) => sliceEnd(sizeOf(starts, i), sizeOf(steps, i), size))
    return emit.node('Slice', [
      inputAt('slice', inputs, 0),
      emit.ints(pick(starts)),
      emit.ints(pick(ends)),
      emit.ints(axes),
      emit.ints(pick(steps)),
    ])
  },
  samples: () => [
    { inputs: [[4, 5]], call: (x) => slice(x, [1, null, 2], 1) },
    { inputs: [[4, 5]], call: (x) => slice(x, [-2, null], 0) },
    { inputs: [[7]], call: (x) => slice(x, [-2, 0, -2], 0) },
    { inputs: [[1, 3]], call: (x) => slice(x, [null, null, -1], -1) },
  ],
  errors: () => [
    { inputs: [[4, 5]], call: (x) => slice(x, [0, 2], 2) },
    { inputs: [[4, 5]], call: (x) => slice(x, [0, 2, 0], 0) },
    { inputs: [[4, 5]], call: (x) => slice(x, [0.5, 2], 0) },
  ],
})
/** `[start, stop, step]` as in Python: null or absent takes all, negative indices count from the end. */
export type Range = readonly [start: number | null, stop?: number | null, step?: number]

function resolveRange(range: Range, size: number): { start: number; step: number; count: number } {
  const [from, to = null, step = 1] = range
  if (!Number.isInteger(step) || step === 0)
    throw new ShapeError(`slice: step must be a whole number other than 0, found ${shown(step)}`)
  if (from !== null) requireWhole('slice', 'start', from)
  if (to !== null) requireWhole('slice', 'stop', to)
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1]
  const bound = (index: number): number => Math.min(Math.max(index < 0 ? index + size : index, low), high)
  const start = from === null ? (step > 0 ? low : high) : bound(from)
  const stop = to === null ? (step > 0 ? high : low) : bound(to)
  return { start, step, count: Math.max(0, Math.ceil((stop - start) / step)) }
}

/** Elements `start, start + step, ...` before `stop` of one axis, Python's rules: `slice(x, [1, -1], 0)` is x[1:-1]. */
export function slice(x: Operand, range: Range, axis: number): Tensor {
  const input = toTensor('slice', x)
  return checked(() => {
    const at = normalizeAxis('slice', axis, input.rank)
    if (input.rank === 0) throw new ShapeError('slice: a scalar has no axes')
    requireList('slice', 'range', range)
    if (range.length < 1 || range.length > 3)
      throw new ShapeError(`slice: the range must be [start, stop, step], found ${shown(range)}`)
    const { start, step, count } = resolveRange(range, sizeOf(input.shape, at))
    return apply(sliceOp, [input], {
      starts: input.shape.map((_, i) => (i === at ? start : 0)),
      steps: input.shape.map((_, i) => (i === at ? step : 1)),
      sizes: input.shape.map((size, i) => (i === at ? count : size)),
    })
  })
}

export const concatOp = defineOp<{ readonly axis: number }>({
  name: 'concat',
  infer: (inputs, { axis }) => {
    const head = inputAt('concat', inputs, 0)
    for (const input of inputs) {
      const fits =
        input.shape.length === head.shape.length && input.shape.every((size, i) => i === axis || size === head.shape[i])
      if (!fits || input.dtype !== head.dtype) {
        const found = inputs.map((t) => `${t.dtype}${formatShape(t.shape)}`).join(', ')
        throw new ShapeError(
          `concat: all inputs must have one dtype and equal sizes on every axis but ${axis}, found ${found}`,
        )
      }
    }
    const total = inputs.reduce((sum, input) => sum + sizeOf(input.shape, axis), 0)
    return [{ dtype: head.dtype, shape: head.shape.map((size, i) => (i === axis ? total : size)) }]
  },
  gradient: (o, { inputs, attributes }, [g]) => {
    let start = 0
    return inputs.map((input) => {
      const from = start
      start += sizeOf(input.shape, attributes.axis)
      return g && o.slice(g, [from, start], attributes.axis)
    })
  },
  simplify: (_o, { inputs }) => (inputs.length === 1 ? inputs : undefined),
  lower: (emit, { inputs, attributes }) => emit.node('Concat', inputs, { axis: attributes.axis }),
  samples: () => [
    {
      inputs: [
        [2, 3],
        [2, 1],
        [2, 2],
      ],
      call: (...xs) => concat(xs, -1),
    },
    { inputs: [[2], [3]], call: (...xs) => concat(xs, 0) },
  ],
  errors: () => [
    {
      inputs: [
        [2, 3],
        [3, 3],
      ],
      call: (...xs) => concat(xs, 1),
    },
    { inputs: [[2], { shape: [2], dtype: 'int32' }], call: (...xs) => concat(xs, 0) },
  ],
})
/** Joins tensors along an axis that exists. */
export function concat(tensors: readonly Operand[], axis = 0): Tensor {
  const inputs = toTensorList('concat', 'tensors', tensors)
  return checked(() => {
    const at = normalizeAxis('concat', axis, inputAt('concat', inputs, 0).rank)
    if (inputs[0]?.rank === 0) throw new ShapeError('concat: scalars have no axis to join along', { hint: 'use stack' })
    return apply(concatOp, inputs, { axis: at })
  })
}

/** Inserts an axis of size 1 before position `axis` of the result. */
export function unsqueeze(x: Operand, axis: number): Tensor {
  const input = toTensor('unsqueeze', x)
  return checked(() => {
    const at = normalizeAxis('unsqueeze', axis, input.rank + 1)
    return reshape(input, [...input.shape.slice(0, at), 1, ...input.shape.slice(at)])
  })
}

/** Removes axes of size 1: the given ones (which must have size 1), or all. */
export function squeeze(x: Operand, axes?: number | readonly number[]): Tensor {
  const input = toTensor('squeeze', x)
  return checked(() => {
    if (axes === undefined)
      return reshape(
        input,
        input.shape.filter((size) => size !== 1),
      )
    const list = listOf(axes).map((axis) => normalizeAxis('squeeze', axis, input.rank))
    for (const axis of list) {
      if (sizeOf(input.shape, axis) !== 1)
        throw new ShapeError(`squeeze: axis ${axis} of ${formatShape(input.shape)} must have size 1`)
    }
    return reshape(
      input,
      input.shape.filter((_, i) => !list.includes(i)),
    )
  })
}

/** Reverses the order along the given axes. */
export function flip(x: Operand, axes: number | readonly number[]): Tensor {
  const input = toTensor('flip', x)
  return checked(() =>
    normalizeAxes('flip', axes, input.rank).reduce<Tensor>(
      (result, axis) => slice(result, [null, null, -1], axis),
      input,
    ),
  )
}
