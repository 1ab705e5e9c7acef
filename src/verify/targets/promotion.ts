/** What PyTorch makes of operands of several dtypes, and of whole numbers, where our ops ask for a cast. */
import * as ops from '../../ops/index.ts'
import { type DType, isFloat } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'

export type NumberOrTensor = Tensor | number

/** dtypes from the narrowest, as PyTorch promotes them. */
const ranks: readonly DType[] = ['bool', 'uint8', 'int32', 'int64', 'float32']

/** The widest dtype among operands; a number with a fraction is float32, a whole one as narrow as it can be. */
export function widest(operands: readonly NumberOrTensor[]): DType {
  const ofNumber = (x: number): DType => (Number.isInteger(x) ? 'bool' : 'float32')
  const found = operands.map((x) => ranks.indexOf(typeof x === 'number' ? ofNumber(x) : x.dtype))
  return ranks[Math.max(...found)] ?? 'float32'
}

/** An operand of a dtype; numbers stay as they are. */
export function castTo(x: NumberOrTensor, dtype: DType): NumberOrTensor {
  return typeof x === 'number' || x.dtype === dtype ? x : ops.cast(x, dtype)
}

/** Operands as PyTorch promotes them: tensors of the wider dtype, whole ones beside a number with a fraction of float32. */
export function promoted(a: NumberOrTensor, b: NumberOrTensor): readonly [NumberOrTensor, NumberOrTensor] {
  const dtype = widest([a, b])
  return [castTo(a, dtype), castTo(b, dtype)]
}

export function asFloat(x: ops.Operand): ops.Operand {
  return typeof x === 'number' ? x : ops.cast(x, 'float32')
}

export const isWhole = (x: NumberOrTensor): boolean => (typeof x === 'number' ? Number.isInteger(x) : !isFloat(x.dtype))

/** Booleans, which are stored as uint8, are counted. */
export function counted(x: Tensor): Tensor {
  return x.dtype === 'uint8' ? ops.cast(x, 'int64') : x
}

const isStoredBool = (x: ops.Operand): boolean => typeof x !== 'number' && x.dtype === 'uint8'

/** A function of two operands; of booleans as of numbers, whose result is a boolean again: 1 + 1 is 1. */
export function ofBooleans(f: (a: ops.Operand, b: ops.Operand) => Tensor): typeof f {
  return (a, b) =>
    isStoredBool(a) && isStoredBool(b) ? ops.cast(f(ops.cast(a, 'int32'), ops.cast(b, 'int32')), 'bool') : f(a, b)
}

/** A function that compares numbers; our kernels do not compare uint8. */
export function ordered<A extends readonly unknown[]>(f: (x: Tensor, ...rest: A) => Tensor): typeof f {
  return (x, ...rest) => (x.dtype === 'uint8' ? ops.cast(f(ops.cast(x, 'int32'), ...rest), 'uint8') : f(x, ...rest))
}

/** The same for a function that also gives places. */
export function orderedWithIndices<A extends readonly unknown[]>(
  f: (x: Tensor, ...rest: A) => readonly [Tensor, Tensor],
): typeof f {
  return (x, ...rest) => {
    if (x.dtype !== 'uint8') return f(x, ...rest)
    const [values, indices] = f(ops.cast(x, 'int32'), ...rest)
    return [ops.cast(values, 'uint8'), indices]
  }
}
