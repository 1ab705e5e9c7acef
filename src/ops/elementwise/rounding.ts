/** Elementwise functions that round, limit or repair numbers. */

import { type DType, describeNumbers, holdsNumber } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { apply, checked, defineOp, inputAt, type Operand, requireDType, toTensor, toTensors } from '../define.ts'
import {
  add,
  div,
  emitExtremum,
  equal,
  fmod,
  greaterOrEqual,
  less,
  lessOrEqual,
  logicalAnd,
  logicalXor,
  maximum,
  minimum,
  sub,
  withoutZero,
} from './binary.ts'
import { cast, where } from './choice.ts'
import { abs, ceil, floor, isNan, logicalNot, round } from './unary.ts'

const number: readonly DType[] = ['float32', 'int32', 'int64']

/** Toward zero; no gradient. */
export function trunc(x: Operand): Tensor {
  const input = toTensor('trunc', x)
  return where(greaterOrEqual(input, 0), floor(input), ceil(input))
}
/** x - trunc(x): keeps the sign of x. */
export function frac(x: Operand): Tensor {
  const input = toTensor('frac', x)
  return sub(input, trunc(input))
}

/** C's remainder of a / b, and whether it has the wrong sign for a quotient that is rounded down. */
function truncatedRemainder(a: Tensor, b: Tensor): { readonly rest: Tensor; readonly isOpposite: Tensor } {
  const rest = fmod(a, b)
  const signsDiffer = logicalXor(less(rest, 0), less(b, 0))
  return { rest, isOpposite: logicalAnd(logicalNot(equal(rest, 0)), signsDiffer) }
}
/** Remainder of a / b rounded down: it has the sign of b, as in Python. */
export function remainder(a: Operand, b: Operand): Tensor {
  const [dividend, divisor] = withoutZero('remainder', toTensors('remainder', [a, b]))
  const { rest, isOpposite } = truncatedRemainder(dividend, divisor)
  return where(isOpposite, add(rest, divisor), rest)
}
/** The quotient a / b rounded down; no gradient. Whole numbers are divided exactly. */
export function floorDivide(a: Operand, b: Operand): Tensor {
  const [dividend, divisor] = withoutZero('floorDivide', toTensors('floorDivide', [a, b]))
  const { rest, isOpposite } = truncatedRemainder(dividend, divisor)
  const quotient = div(sub(dividend, rest), divisor)
  const lowered = sub(quotient, cast(isOpposite, quotient.dtype))
  if (dividend.dtype !== 'float32') return lowered
  // The remainder by 0 is NaN, the quotient is infinite.
  return where(equal(divisor, 0), floor(div(dividend, divisor)), round(lowered))
}

interface ClipAttributes {
  readonly min: number | null
  readonly max: number | null
}

const values = [-1, -0.6, -0.2, 0.1, 0.5, 0.9]

/** `clamp` with numbers as bounds: one pass over memory instead of four. */
export const clipOp = defineOp<ClipAttributes>({
  name: 'clip',
  infer: (inputs) => {
    const x = inputAt('clip', inputs, 0)
    requireDType('clamp', 'input', x, number)
    return [x]
  },
  gradient: (o, { inputs, attributes: { min, max } }, [g]) => {
    const x = inputAt('clip', inputs, 0)
    const above = min === null ? undefined : o.greater(x, min)
    const below = max === null ? undefined : o.less(x, max)
    const inside = above && below ? o.logicalAnd(above, below) : (above ?? below)
    return [g && (inside ? o.where(inside, g, 0) : g)]
  },
  simplify: (_o, { inputs, attributes: { min, max } }) => (min === null && max === null ? inputs : undefined),
  lower: (emit, { inputs, inputTypes, attributes }) => {
    const dtype = inputAt('clip', inputTypes, 0).dtype
    if (dtype === 'int64') {
      const x = inputAt('clip', inputs, 0)
      const raised =
        attributes.min === null ? x : emitExtremum(emit, 'Greater', [x, emit.scalar(attributes.min, dtype)], dtype)
      return attributes.max === null
        ? raised
        : emitExtremum(emit, 'Less', [raised, emit.scalar(attributes.max, dtype)], dtype)
    }
    // A bound that is left out is the largest finite number to the kernel, which would cut infinities.
    const bound = (value: number | null, none: number): string => {
      if (value === null && dtype !== 'float32') return ''
      return emit.scalar(value ?? none, dtype)
    }
    return emit.node('Clip', [
      inputAt('clip', inputs, 0),
      bound(attributes.min, Number.NEGATIVE_INFINITY),
      bound(attributes.max, Number.POSITIVE_INFINITY),
    ])
  },
  samples: () => [
    { inputs: [{ shape: [2, 3], values }], call: (x) => clamp(x, -0.4, 0.3), smooth: false },
    { inputs: [{ shape: [6, 1], values }], call: (x) => clamp(x, undefined, 0.3), smooth: false },
    { inputs: [{ shape: [3, 2], values }], call: (x) => clamp(x, -0.4), smooth: false },
    { inputs: [{ shape: [2, 3], dtype: 'int64' }], call: (x) => clamp(x, 2, -1) },
  ],
  errors: () => [
    { inputs: [{ shape: [2], dtype: 'bool' }], call: (x) => clamp(x, 0, 1) },
    { inputs: [{ shape: [2], dtype: 'int32' }], call: (x) => clamp(x, 0.5) },
  ],
})

/**
 * min(max(x, lower), upper); bounds are numbers or tensors that broadcast, each may be left out. Where they cross, the
 * result is the upper one. Exactly at a bound the gradient is 0 (a number) or shared equally (a tensor); where x and both
 * bounds are equal tensors it is that of x. As in PyTorch since 2.15.
 */
export function clamp(x: Operand, lower?: Operand, upper?: Operand): Tensor {
  const input = toTensor('clamp', x)
  if (!isOperandTensor(lower) && !isOperandTensor(upper)) {
    return checked(() => {
      const bounds: ClipAttributes = { min: lower ?? null, max: upper ?? null }
      requireBounds(input, bounds)
      return apply(clipOp, [input], bounds)
    })
  }
  const raised = lower === undefined ? input : maximum(input, lower)
  if (upper === undefined) return raised
  const limited = minimum(raised, upper)
  if (lower === undefined) return limited
  // Where the bounds are equal, x up to them has one gradient, which the two extrema would share out.
  const isShared = logicalAnd(equal(lower, upper), lessOrEqual(input, upper))
  return where(isShared, where(less(input, lower), lower, input), limited)
}

function isOperandTensor(bound: Operand | undefined): bound is Exclude<Operand, number> {
  return bound !== undefined && typeof bound !== 'number'
}

function requireBounds(input: Tensor, { min, max }: ClipAttributes): void {
  const bounds = [min, max].filter((bound) => bound !== null)
  if (bounds.every((bound) => holdsNumber(input.dtype, bound) && !Number.isNaN(bound))) return
  const must = bounds.every(Number.isInteger) ? describeNumbers(input.dtype) : 'whole numbers'
  throw new ShapeError(
    `clamp: bounds of ${input.dtype} must be ${input.dtype === 'float32' ? 'numbers' : must}, found ${bounds.join(' and ')}`,
    input.dtype === 'float32' ? {} : { hint: "cast(x, 'float32') first" },
  )
}

const largest = 3.4028234663852886e38

/** What replaces values that are not numbers. */
export interface NanToNumOptions {
  /** Default: 0. */
  readonly nan?: number
  /** Default: the largest float32. */
  readonly positiveInfinity?: number
  /** Default: the smallest float32. */
  readonly negativeInfinity?: number
}

/** x with NaN and infinities replaced; no gradient where they were. */
export function nanToNum(x: Operand, options?: NanToNumOptions): Tensor {
  const {
    nan = 0,
    positiveInfinity = largest,
    negativeInfinity = -largest,
  } = optionsOf('nanToNum', options, { nan: true, positiveInfinity: true, negativeInfinity: true })
  const input = toTensor('nanToNum', x)
  const isAbove = equal(input, Number.POSITIVE_INFINITY)
  const isBelow = equal(input, Number.NEGATIVE_INFINITY)
  return where(isNan(input), nan, where(isAbove, positiveInfinity, where(isBelow, negativeInfinity, input)))
}

/** Whether x is neither NaN nor infinite; whole numbers always are finite. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: PyTorch's name, like isNan and isInf
export function isFinite(x: Operand): Tensor {
  const input = toTensor('isFinite', x)
  return input.dtype === 'float32' ? lessOrEqual(abs(input), largest) : equal(input, input)
}
