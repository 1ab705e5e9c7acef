/** Functions made of ops: no lowering of their own. */
import type { Tensor } from '../tensor/tensor.ts'
import { add, greaterOrEqual } from './binary.ts'
import { where } from './choice.ts'
import { first, type Operand, toTensor } from './define.ts'
import { ceil, floor } from './unary.ts'

/** Toward zero. */
export function trunc(x: Operand): Tensor {
  const input = toTensor(x)
  return where(greaterOrEqual(input, 0), floor(input), ceil(input))
}

/** The sum of several tensors of one shape. */
export function addAll(tensors: readonly Tensor[]): Tensor {
  return tensors.slice(1).reduce((sum, tensor) => add(sum, tensor), first(tensors))
}
