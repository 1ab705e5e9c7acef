/** Masks of attention, as what is added to the scores. */
import { broadcastShapes, formatShape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import { arange } from '../creation.ts'
import { greater, lessOrEqual, logicalAnd, maximum } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { reshape } from '../movement/movement.ts'
import { max } from '../reduction/reduce.ts'

// What is added to masked scores: the lowest float32, not -inf, so that a row without keys has no NaN in it.
const lowest = -3.4028234663852886e38

/** bool [queries, keys]: true where key j is not behind query i. */
export function causalMask(queries: number, keys: number): Tensor {
  return lessOrEqual(arange(keys), reshape(arange(queries), [queries, 1]))
}

/** Throws unless a mask broadcasts to the scores of queries and keys, [..., L, S]. */
export function checkMask(op: string, mask: Tensor, q: Tensor, k: Tensor): void {
  const leading = broadcastShapes(op, [q.shape.slice(0, -2), k.shape.slice(0, -2)])
  const scores = [...leading, sizeOf(q.shape, -2), sizeOf(k.shape, -2)]
  if (sameShape(broadcastShapes(op, [scores, mask.shape]), scores)) return
  throw new ShapeError(
    `${op}: mask must broadcast to the scores ${formatShape(scores)}, found ${formatShape(mask.shape)}`,
  )
}

/** What is added to the scores: near 0 where a query attends to a key, `lowest` where not. */
export function additiveMask(
  mask: Tensor | undefined,
  causal: boolean,
  queries: number,
  keys: number,
): Tensor | undefined {
  if (!causal) {
    if (!mask) return undefined
    return mask.dtype === 'bool' ? where(mask, 0, lowest) : maximum(mask, lowest)
  }
  const past = causalMask(queries, keys)
  if (!mask) return where(past, 0, lowest)
  return mask.dtype === 'bool' ? where(logicalAnd(mask, past), 0, lowest) : where(past, maximum(mask, lowest), lowest)
}

/** float32 [..., L, 1]: 1 for queries with a key, 0 for those without any, whose weights are all equal so far. */
export function hasKeys(added: Tensor): Tensor {
  return cast(greater(max(added, -1, { keepDims: true }), lowest), 'float32')
}
