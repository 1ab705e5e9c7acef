/** Functions of the bits of whole numbers; of bool, those of logic. Numbers below 0 are two's complements. No gradients. */
import { byteSize, type DType } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { apply, type Emitter, inputAt, type Operand, toTensor, toTensors } from '../define.ts'
import { defineBinary } from './binary.ts'
import { defineUnary } from './unary.ts'

const none: Record<string, never> = {}
const whole: readonly DType[] = ['int32', 'int64', 'uint8']
const bits: readonly DType[] = [...whole, 'bool']

/** The kernel of numbers, or that of bool. */
function lowerBits(ofNumbers: string, ofBool: string) {
  return (emit: Emitter, inputs: readonly string[], dtype: DType): string =>
    emit.node(dtype === 'bool' ? ofBool : ofNumbers, inputs)
}

function defineBits(name: string, call: (a: Tensor, b: Tensor) => Tensor, ofNumbers: string, ofBool: string) {
  const lower = lowerBits(ofNumbers, ofBool)
  return defineBinary(name, call, {
    dtypes: bits,
    lower: (emit, inputs, types) => lower(emit, inputs, inputAt(name, types, 0).dtype),
  })
}

export const bitwiseAndOp = defineBits('bitwiseAnd', bitwiseAnd, 'BitwiseAnd', 'And')
export const bitwiseOrOp = defineBits('bitwiseOr', bitwiseOr, 'BitwiseOr', 'Or')
export const bitwiseXorOp = defineBits('bitwiseXor', bitwiseXor, 'BitwiseXor', 'Xor')
export const bitwiseNotOp = defineUnary('bitwiseNot', bitwiseNot, {
  dtypes: bits,
  lower: (emit, x, dtype) => lowerBits('BitwiseNot', 'Not')(emit, [x], dtype),
})

/** ONNX's numbers of unsigned dtypes, which only lowerings use: its shifts know no others. */
const unsigned = { int32: 12, int64: 13, uint8: 2 } as const
type Whole = keyof typeof unsigned

/** Whether a shift is below 0 or beyond the last bit. Comparisons know no uint8. */
function lowerBeyond(emit: Emitter, count: string, dtype: DType): string {
  const type = dtype === 'uint8' ? 'int32' : dtype
  const compared = dtype === 'uint8' ? emit.cast(count, type) : count
  const isBelow = emit.node('Less', [compared, emit.scalar(0, type)])
  return emit.node('Or', [isBelow, emit.node('Greater', [compared, emit.scalar(8 * byteSize(dtype) - 1, type)])])
}

function lowerShift(emit: Emitter, direction: 'LEFT' | 'RIGHT', inputs: readonly string[], dtype: DType): string {
  const [x, count] = [inputAt('shift', inputs, 0), inputAt('shift', inputs, 1)]
  const type = dtype as Whole // defineBinary let no other pass
  const most = emit.scalar(8 * byteSize(dtype) - 1, dtype)
  const zero = emit.scalar(0, dtype)
  // As PyTorch: to shift by less than nothing or by all bits leaves none of them.
  const isBeyond = lowerBeyond(emit, count, dtype)
  const bounded = emit.node('Where', [isBeyond, most, count])
  const shifted = (value: string): string => {
    const operands = [value, bounded].map((name) => emit.node('Cast', [name], { to: unsigned[type] }))
    return emit.cast(emit.node('BitShift', operands, { direction }), dtype)
  }
  if (direction === 'LEFT' || type === 'uint8') return emit.node('Where', [isBeyond, zero, shifted(x)])
  // The sign moves in from the left: for numbers below 0 that is the complement of what moves 0 in.
  const isNegative = emit.node('Less', [x, zero])
  const positive = shifted(emit.node('Where', [isNegative, emit.node('BitwiseNot', [x]), x]))
  return emit.node('Where', [isNegative, emit.node('BitwiseNot', [positive]), positive])
}

function defineShift(name: string, call: (a: Tensor, b: Tensor) => Tensor, direction: 'LEFT' | 'RIGHT') {
  return defineBinary(name, call, {
    dtypes: whole,
    lower: (emit, inputs, types) => lowerShift(emit, direction, inputs, inputAt(name, types, 0).dtype),
  })
}
export const bitwiseLeftShiftOp = defineShift('bitwiseLeftShift', bitwiseLeftShift, 'LEFT')
export const bitwiseRightShiftOp = defineShift('bitwiseRightShift', bitwiseRightShift, 'RIGHT')

/** The bits that are set in both. */
export function bitwiseAnd(a: Operand, b: Operand): Tensor {
  return apply(bitwiseAndOp, toTensors('bitwiseAnd', [a, b]), none)
}
/** The bits that are set in either. */
export function bitwiseOr(a: Operand, b: Operand): Tensor {
  return apply(bitwiseOrOp, toTensors('bitwiseOr', [a, b]), none)
}
/** The bits that are set in one of the two. */
export function bitwiseXor(a: Operand, b: Operand): Tensor {
  return apply(bitwiseXorOp, toTensors('bitwiseXor', [a, b]), none)
}
/** The bits that are not set: -x - 1 of numbers with a sign. */
export function bitwiseNot(x: Operand): Tensor {
  return apply(bitwiseNotOp, [toTensor('bitwiseNot', x)], none)
}
/** a 2^count, what overflows cut off; 0 if count is below 0 or not below the number of bits. */
export function bitwiseLeftShift(a: Operand, count: Operand): Tensor {
  return apply(bitwiseLeftShiftOp, toTensors('bitwiseLeftShift', [a, count]), none)
}
/** a / 2^count rounded down; only the sign is left if count is below 0 or not below the number of bits. */
export function bitwiseRightShift(a: Operand, count: Operand): Tensor {
  return apply(bitwiseRightShiftOp, toTensors('bitwiseRightShift', [a, count]), none)
}
