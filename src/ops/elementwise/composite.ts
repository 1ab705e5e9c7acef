/** Functions made of ops: no lowering of their own. */
import type { Tensor } from '../../tensor/tensor.ts'
import { first, type Operand, toTensorList } from '../define.ts'
import { add } from './binary.ts'

/** The sum of several tensors of one shape. */
export function addAll(tensors: readonly Operand[]): Tensor {
  const terms = toTensorList('addAll', 'tensors', tensors)
  return terms.slice(1).reduce((sum, tensor) => add(sum, tensor), first(terms))
}
