/** Padding: the ONNX op, zeros between elements, and PyTorch's modes. */
import { describeNumbers, holdsNumber } from '../../tensor/dtype.ts'
import { checkShape, formatShape, normalizeAxis, type Shape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireCount, requireList, requireNumber, requireWhole, shown } from '../../util/check.ts'
import { ShapeError, UsageError } from '../../util/errors.ts'
import { apply, checked, defineOp, inputAt, type Operand, toTensor } from '../define.ts'
import { concat, expand, reshape, slice, sliceOp, unsqueeze } from './movement.ts'

export interface PadAttributes {
  readonly before: readonly number[]
  readonly after: readonly number[]
  readonly value: number
}

export const padConstantOp = defineOp<PadAttributes>({
  name: 'padConstant',
  infer: (inputs, { before, after, value }) => {
    const x = inputAt('pad', inputs, 0)
    const shape = x.shape.map((size, i) => size + sizeOf(before, i) + sizeOf(after, i))
    checkShape('pad', shape)
    if (!holdsNumber(x.dtype, value))
      throw new ShapeError(`pad: the value for ${x.dtype} must be ${describeNumbers(x.dtype)}, found ${shown(value)}`)
    return [{ dtype: x.dtype, shape }]
  },
  gradient: (_o, { inputs, attributes }, [g]) => {
    const x = inputAt('pad', inputs, 0)
    return [g && apply(sliceOp, [g], { starts: attributes.before, steps: x.shape.map(() => 1), sizes: x.shape })]
  },
  simplify: (_o, { inputs, outputs }) =>
    sameShape(inputAt('pad', inputs, 0).shape, inputAt('pad', outputs, 0).shape) ? inputs : undefined,
  lower: (emit, { inputs, inputTypes, attributes }) => {
    const dtype = inputAt('pad', inputTypes, 0).dtype
    const { before, after, value } = attributes
    return emit.node('Pad', [inputAt('pad', inputs, 0), emit.ints([...before, ...after]), emit.scalar(value, dtype)], {
      mode: 'constant',
    })
  },
  samples: () => [
    { inputs: [[2, 3]], call: (x) => padAxis(x, 0, 1, 2, 0.5) },
    { inputs: [[1, 3]], call: (x) => padAxis(x, -1, 0, 1) },
  ],
  errors: () => [
    { inputs: [[2, 3]], call: (x) => padAxis(x, 0, -3, 0) },
    { inputs: [[2, 3]], call: (x) => padAxis(x, 0, 0.5, 0) },
    { inputs: [{ shape: [2], dtype: 'uint8' }], call: (x) => padAxis(x, 0, 1, 1, 256) },
  ],
})
export interface ReflectAttributes {
  readonly axis: number
  readonly before: number
  readonly after: number
}

/** A primitive: the runtime mirrors in one pass, a third of what slices turned around and joined take. */
export const padReflectOp = defineOp<ReflectAttributes>({
  name: 'padReflect',
  infer: (inputs, { axis, before, after }) => {
    const { dtype, shape } = inputAt('pad', inputs, 0)
    return [{ dtype, shape: shape.map((size, i) => (i === axis ? size + before + after : size)) }]
  },
  // Each element has the sum of its own gradient and of its images'.
  gradient: (o, { inputs, attributes: { axis, before, after } }, [g]) => {
    if (!g) return []
    const size = sizeOf(inputAt('pad', inputs, 0).shape, axis)
    const own = o.slice(g, [before, before + size], axis)
    const image = (from: number, count: number, start: number): Tensor =>
      o.padAxis(o.flip(o.slice(g, [from, from + count], axis), axis), axis, start, size - start - count)
    const withFirst = before > 0 ? o.add(own, image(0, before, 1)) : own
    return [after > 0 ? o.add(withFirst, image(before + size, after, size - 1 - after)) : withFirst]
  },
  lower: (emit, { inputs, inputTypes, attributes: { axis, before, after } }) => {
    const counts = (count: number): number[] =>
      inputAt('pad', inputTypes, 0).shape.map((_, i) => (i === axis ? count : 0))
    return emit.node('Pad', [inputAt('pad', inputs, 0), emit.ints([...counts(before), ...counts(after)])], {
      mode: 'reflect',
    })
  },
  samples: () => [
    { inputs: [[2, 4]], call: (x) => pad(x, [2, 3], { mode: 'reflect' }) },
    { inputs: [[3, 2]], call: (x) => pad(x, [0, 0, 0, 2], { mode: 'reflect' }) },
  ],
  errors: () => [{ inputs: [[2, 3]], call: (x) => pad(x, [3, 0], { mode: 'reflect' }) }],
})

/** Adds `before` and `after` elements of `value` to one axis; negative counts remove elements. */
export function padAxis(x: Operand, axis: number, before: number, after: number, value = 0): Tensor {
  const input = toTensor('padAxis', x)
  return checked(() => {
    const at = normalizeAxis('pad', axis, input.rank)
    const size = sizeOf(input.shape, at)
    requireWhole('pad', 'before', before)
    requireWhole('pad', 'after', after)
    requireNumber('pad', 'value', value)
    if (size + Math.min(before, 0) + Math.min(after, 0) < 0) {
      throw new ShapeError(
        `pad: cannot remove ${-before} and ${-after} elements from axis ${at} of ${formatShape(input.shape)}`,
      )
    }
    const kept = before < 0 || after < 0 ? slice(input, [Math.max(-before, 0), size - Math.max(-after, 0)], at) : input
    const amount = (count: number): readonly number[] => input.shape.map((_, i) => (i === at ? Math.max(count, 0) : 0))
    return apply(padConstantOp, [kept], { before: amount(before), after: amount(after), value })
  })
}

/** Puts `step - 1` zeros between neighbours of one axis. */
export function dilate(x: Operand, axis: number, step: number): Tensor {
  const input = toTensor('dilate', x)
  const at = checked(() => {
    requireCount('dilate', 'step', step, 1)
    return normalizeAxis('dilate', axis, input.rank)
  })
  const size = sizeOf(input.shape, at)
  if (step === 1 || size === 0) return input
  const spread = padAxis(unsqueeze(input, at + 1), at + 1, 0, step - 1)
  const joined = reshape(
    spread,
    input.shape.map((n, i) => (i === at ? n * step : n)),
  )
  return slice(joined, [0, (size - 1) * step + 1], at)
}

const modes = ['constant', 'reflect', 'replicate', 'circular'] as const
export type PadMode = (typeof modes)[number]

/** Options of `pad`. */
export interface PadOptions {
  /** What stands outside: a value, the mirror image without the edge, the edge, or the other end. Default: constant. */
  readonly mode?: PadMode
  /** For constant mode. Default: 0. */
  readonly value?: number
}

interface Border {
  readonly axis: number
  readonly before: number
  readonly after: number
}

/** The elements put before and after one axis, by mode. */
const fillers: Readonly<Record<'replicate' | 'circular', (x: Tensor, border: Border) => readonly [Tensor, Tensor]>> = {
  replicate: (x, { axis, before, after }) => {
    const repeated = (count: number): Shape => x.shape.map((size, i) => (i === axis ? count : size))
    const last = sizeOf(x.shape, axis) - 1
    return [expand(slice(x, [0, 1], axis), repeated(before)), expand(slice(x, [last, last + 1], axis), repeated(after))]
  },
  circular: (x, { axis, before, after }) => {
    const size = sizeOf(x.shape, axis)
    return [slice(x, [size - before, size], axis), slice(x, [0, after], axis)]
  },
}

/** How many elements an axis can be extended by. */
const limits: Readonly<Record<PadMode, (size: number) => number>> = {
  constant: () => Number.POSITIVE_INFINITY,
  reflect: (size) => size - 1,
  replicate: (size) => (size > 0 ? Number.POSITIVE_INFINITY : 0),
  circular: (size) => size,
}

function bordersOf(input: Tensor, padding: readonly number[], mode: PadMode): Border[] {
  if (padding.length % 2 !== 0 || padding.length > 2 * input.rank || !padding.every(Number.isInteger)) {
    throw new ShapeError(
      `pad: padding must be pairs of whole numbers for at most the ${input.rank} axes of ${formatShape(input.shape)}, last axis first, found ${shown(padding)}`,
    )
  }
  return Array.from({ length: padding.length / 2 }, (_, i) => {
    const axis = input.rank - 1 - i
    const [before, after] = [padding[2 * i] ?? 0, padding[2 * i + 1] ?? 0]
    const size = sizeOf(input.shape, axis)
    if (Math.max(before, after) > limits[mode](size)) {
      throw new ShapeError(
        `pad: ${mode} can add at most ${limits[mode](size)} elements to axis ${axis} of ${formatShape(input.shape)}, found ${before} and ${after}`,
      )
    }
    if (size + Math.min(before, 0) + Math.min(after, 0) < 0) {
      throw new ShapeError(
        `pad: cannot remove ${-before} and ${-after} elements from axis ${axis} of ${formatShape(input.shape)}`,
      )
    }
    return { axis, before, after }
  })
}

/** Removes elements where the border is negative. */
function crop(x: Tensor, { axis, before, after }: Border): Tensor {
  if (before >= 0 && after >= 0) return x
  return slice(x, [Math.max(-before, 0), sizeOf(x.shape, axis) - Math.max(-after, 0)], axis)
}

/**
 * Extends axes. `padding` lists pairs [before, after] from the last axis backward, as in PyTorch: [1, 2] pads the last
 * axis, [1, 2, 3, 4] also the one before it by 3 and 4. Negative numbers remove elements.
 */
export function pad(x: Operand, padding: readonly number[], options?: PadOptions): Tensor {
  const { mode = 'constant', value = 0 } = optionsOf('pad', options, { mode: true, value: true })
  const input = toTensor('pad', x)
  if (!modes.includes(mode)) throw new UsageError(`pad: mode must be ${modes.join(', ')}, found ${shown(mode)}`)
  return checked(() => {
    requireList('pad', 'padding', padding)
    const borders = bordersOf(input, padding, mode)
    if (mode !== 'constant') return borders.reduce((result, border) => extend(result, border, mode), input)
    const cropped = borders.reduce(crop, input)
    const amounts = (side: 'before' | 'after'): readonly number[] =>
      input.shape.map((_, i) => Math.max(0, borders.find(({ axis }) => axis === i)?.[side] ?? 0))
    return apply(padConstantOp, [cropped], { before: amounts('before'), after: amounts('after'), value })
  })
}

function extend(x: Tensor, border: Border, mode: Exclude<PadMode, 'constant'>): Tensor {
  const { axis } = border
  const [before, after] = [Math.max(border.before, 0), Math.max(border.after, 0)]
  // As in PyTorch: a circle is closed after elements were removed, mirror and edge are those of the whole input.
  const source = mode === 'circular' ? crop(x, border) : x
  if (mode === 'reflect') {
    return crop(before + after > 0 ? apply(padReflectOp, [x], { axis, before, after }) : x, border)
  }
  const [first, last] = fillers[mode](source, { axis, before, after })
  const parts = [...(before > 0 ? [first] : []), source, ...(after > 0 ? [last] : [])]
  const extended = concat(parts, axis)
  return mode === 'circular' ? extended : crop(extended, border)
}
