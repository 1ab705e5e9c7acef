/** Attention: weighted means of values, with weights from products of queries and keys. */
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFinite, requireWithin, shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { withBackward } from '../control.ts'
import { checked, inputAt, type Operand, requireDType, toFloat, toTensor } from '../define.ts'
import { add, mul } from '../elementwise/binary.ts'
import { reshape } from '../movement/movement.ts'
import { moveAxis } from '../movement/rearrange.ts'
import { matmul, matmulWith } from '../products/matmul.ts'
import { dropout } from '../random/random.ts'
import { softmax } from '../reduction/softmax.ts'
import { attentionInBlocks, planBlocks } from './blocks.ts'
import { groupQueries, type KeysAndValues } from './grouped.ts'
import { type AttentionInputs, attentionBackward, checkSizes, isLong, unmaskedAttention } from './kernel.ts'
import { additiveMask, checkMask, hasKeys } from './masks.ts'

// L queries, S keys and values, E their width.

export interface AttentionOptions {
  /** Broadcasts to [..., L, S]. bool: true = attend; float32: added to the scores. A row without any key gives zeros. */
  readonly mask?: Operand
  /** Query i attends to the keys 0 to i only. Default: false. */
  readonly causal?: boolean
  /** Factor on the products. Default: 1 / sqrt(E). */
  readonly scale?: number
  /**
   * Grouped queries: keys and values have fewer heads (axis -3) than queries, a divisor of theirs; each serves as many query heads, one
   * after the other. Default: false.
   */
  readonly enableGqa?: boolean
  /** Probability with which a weight is dropped. Default: 0. */
  readonly dropout?: number
}

const attentionNames = { mask: true, causal: true, scale: true, enableGqa: true, dropout: true } as const

/** The output of attention, and its weights. */
export interface Attention {
  /** [..., L, width of the values] */
  readonly output: Tensor
  /** [..., L, S]; each row sums to 1. */
  readonly weights: Tensor
}

/** `scaledDotProductAttention` together with the weights. */
export function attentionWithWeights(
  query: Operand,
  key: Operand,
  value: Operand,
  options?: AttentionOptions,
): Attention {
  const given = optionsOf('attentionWithWeights', options, attentionNames)
  const op = 'scaledDotProductAttention'
  const [q, k, v] = [toFloat(op, query, 'query'), toFloat(op, key, 'key'), toFloat(op, value, 'value')]
  return checked(() => {
    checkSizes(op, q, k, v)
    const scale = given.scale ?? 1 / Math.sqrt(sizeOf(q.shape, -1))
    requireFinite(op, 'scale', scale)
    requireWithin(op, 'dropout', given.dropout ?? 0, [0, 1])
    const mask = given.mask === undefined ? undefined : toTensor('attentionWithWeights', given.mask)
    if (mask) requireDType(op, 'mask', mask, ['bool', 'float32'])
    const settings = { scale, causal: given.causal ?? false, dropout: given.dropout ?? 0 }
    if (!given.enableGqa) return masked({ k, v, mask }, q, settings)
    const grouped = groupQueries(op, q, [{ k, v, mask }])
    const [part = { k, v, mask }] = grouped.parts
    const { output, weights } = masked(part, grouped.q, settings)
    return { output: grouped.ungroup(output), weights: grouped.ungroup(weights) }
  })
}

interface Settings {
  readonly scale: number
  readonly causal: boolean
  readonly dropout: number
}

function masked({ k, v, mask }: KeysAndValues, q: Tensor, { scale, causal, dropout: dropped }: Settings): Attention {
  if (mask) checkMask('scaledDotProductAttention', mask, q, k)
  const added = additiveMask(mask, causal, sizeOf(q.shape, -2), sizeOf(k.shape, -2))
  const { output, weights } = attend({ q, k, v, added, scale, causal }, dropped)
  if (!mask || !added) return { output, weights }
  const present = hasKeys(added)
  return { output: mul(output, present), weights: mul(weights, present) }
}

/** In the form that is fastest for the sizes. */
function attend(inputs: AttentionInputs, dropped: number): Attention {
  const { q, k, v, added, scale } = inputs
  const scores = matmulWith(q, k, { transposeB: true, scale }) // [..., L, S]
  const p = softmax(added ? add(scores, added) : scores)
  if (dropped > 0) return { output: matmul(dropout(p, dropped), v), weights: p }
  const plan = planBlocks(inputs)
  if (plan) return { output: attentionInBlocks(inputs, plan), weights: p }
  if (isLong(inputs)) return attentionOf(unmaskedAttention(q, k, v, scale))
  return attentionOf(withBackward([matmul(p, v), p], [q, k, v, ...(added ? [added] : [])], attentionBackward(scale)))
}

function attentionOf(outputs: readonly Tensor[]): Attention {
  return { output: inputAt('attention', outputs, 0), weights: inputAt('attention', outputs, 1) }
}

/**
 * softmax(scale Q K^T + mask) V: query [..., L, E], key [..., S, E], value [..., S, width] -> [..., L, width].
 * Leading axes (batch, heads) broadcast.
 */
export function scaledDotProductAttention(
  query: Operand,
  key: Operand,
  value: Operand,
  options?: AttentionOptions,
): Tensor {
  return attentionWithWeights(query, key, value, optionsOf('scaledDotProductAttention', options, attentionNames)).output
}

/** [..., tokens, heads width] -> [..., heads, tokens, width]. */
export function splitHeads(x: Operand, heads: number): Tensor {
  const input = toTensor('splitHeads', x)
  return checked(() => {
    const width = input.rank < 2 ? 0 : sizeOf(input.shape, -1)
    if (input.rank < 2 || !Number.isInteger(heads) || heads < 1 || width % heads !== 0) {
      throw new ShapeError(
        `splitHeads: heads must divide the width of [..., tokens, width], found ${shown(heads)} and ${formatShape(input.shape)}`,
      )
    }
    return moveAxis(reshape(input, [...input.shape.slice(0, -1), heads, width / heads]), -2, -3)
  })
}

/** [..., heads, tokens, width] -> [..., tokens, heads width]. */
export function mergeHeads(x: Operand): Tensor {
  const { rank, shape } = toTensor('mergeHeads', x)
  checked(() => {
    if (rank < 3) throw new ShapeError(`mergeHeads: needs [..., heads, tokens, width], found ${formatShape(shape)}`)
  })
  const joined = moveAxis(x, -3, -2)
  return reshape(joined, [...joined.shape.slice(0, -2), sizeOf(joined.shape, -2) * sizeOf(joined.shape, -1)])
}
