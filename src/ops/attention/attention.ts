/** Attention: weighted means of values, with weights from products of queries and keys. */
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFields, requireFinite, requireWithin, shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { withBackward } from '../control.ts'
import { arange } from '../creation.ts'
import { checked, inputAt, type Operand, requireDType, toFloat, toTensor, toTensorList } from '../define.ts'
import { add, greater, lessOrEqual, logicalAnd, maximum, mul } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { reshape } from '../movement/movement.ts'
import { moveAxis, split } from '../movement/rearrange.ts'
import { linear } from '../products/linear.ts'
import { matmul, matmulWith } from '../products/matmul.ts'
import { dropout } from '../random.ts'
import { max } from '../reduction/reduce.ts'
import { softmax } from '../reduction/softmax.ts'
import { attentionInBlocks, planBlocks } from './blocks.ts'
import { type AttentionInputs, attentionBackward, checkSizes, isLong, threeOf, unmaskedAttention } from './kernel.ts'

// L queries, S keys and values, E their width.

export interface AttentionOptions {
  /** Broadcasts to [..., L, S]. bool: true = attend; float32: added to the scores. A row without any key gives zeros. */
  readonly mask?: Operand
  /** Query i attends to the keys 0 to i only. Default: false. */
  readonly causal?: boolean
  /** Factor on the products. Default: 1 / sqrt(E). */
  readonly scale?: number
  /** Probability with which a weight is dropped. Default: 0. */
  readonly dropout?: number
}

/** The output of attention, and its weights. */
export interface Attention {
  /** [..., L, width of the values] */
  readonly output: Tensor
  /** [..., L, S]; each row sums to 1. */
  readonly weights: Tensor
}

// What is added to masked scores: the lowest float32, not -inf, so that a row without keys has no NaN in it.
const lowest = -3.4028234663852886e38

function causalMask(queries: number, keys: number): Tensor {
  return lessOrEqual(arange(keys), reshape(arange(queries), [queries, 1]))
}

/** What is added to the scores: near 0 where a query attends to a key, `lowest` where not. */
function additiveMask(mask: Tensor | undefined, causal: boolean, queries: number, keys: number): Tensor | undefined {
  if (!causal) {
    if (!mask) return undefined
    return mask.dtype === 'bool' ? where(mask, 0, lowest) : maximum(mask, lowest)
  }
  const past = causalMask(queries, keys)
  if (!mask) return where(past, 0, lowest)
  return mask.dtype === 'bool' ? where(logicalAnd(mask, past), 0, lowest) : where(past, maximum(mask, lowest), lowest)
}

/** `scaledDotProductAttention` together with the weights. */
export function attentionWithWeights(
  query: Operand,
  key: Operand,
  value: Operand,
  options?: AttentionOptions,
): Attention {
  const given = optionsOf('attentionWithWeights', options)
  const op = 'scaledDotProductAttention'
  const [q, k, v] = [toFloat(op, query, 'query'), toFloat(op, key, 'key'), toFloat(op, value, 'value')]
  return checked(() => {
    checkSizes(op, q, k, v)
    const scale = given.scale ?? 1 / Math.sqrt(sizeOf(q.shape, -1))
    requireFinite(op, 'scale', scale)
    requireWithin(op, 'dropout', given.dropout ?? 0, [0, 1])
    const mask = given.mask === undefined ? undefined : toTensor('attentionWithWeights', given.mask)
    if (mask) requireDType(op, 'mask', mask, ['bool', 'float32'])
    const added = additiveMask(mask, given.causal ?? false, sizeOf(q.shape, -2), sizeOf(k.shape, -2))
    const inputs = { q, k, v, added, scale, causal: given.causal ?? false }
    const { output, weights } = attend(inputs, given.dropout ?? 0)
    if (!mask || !added) return { output, weights }
    // Rows without any key have equal weights so far.
    const attending = cast(greater(max(added, -1, { keepDims: true }), lowest), 'float32') // [..., L, 1]
    return { output: mul(output, attending), weights: mul(weights, attending) }
  })
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
  return attentionWithWeights(query, key, value, optionsOf('scaledDotProductAttention', options)).output
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

/** Parameters of multi-head attention, in PyTorch's layout; C is the width of the model. */
export interface MultiHeadWeights {
  /** Projections to queries, keys and values, one below the other: [3 C, C]. */
  readonly inProjWeight: Operand
  /** [3 C] */
  readonly inProjBias?: Operand | undefined
  /** [C, C] */
  readonly outProjWeight: Operand
  /** [C] */
  readonly outProjBias?: Operand | undefined
}

export interface MultiHeadOptions extends AttentionOptions {
  readonly heads: number
}

/**
 * Attention by several heads, each over its own projections (Vaswani et al. 2017): query [..., L, C], key and value
 * [..., S, C] -> output [..., L, C], weights [..., heads, L, S]. The mask broadcasts to the weights' shape. Pass one
 * tensor as all three for self-attention: its projections are then one product.
 */
export function multiHeadAttention(
  query: Operand,
  key: Operand,
  value: Operand,
  projectionWeights: MultiHeadWeights,
  options: MultiHeadOptions,
): Attention {
  checked(() => {
    requireFields('multiHeadAttention', 'weights', projectionWeights)
    requireFields('multiHeadAttention', 'options', options)
  })
  const { inProjWeight, inProjBias, outProjWeight, outProjBias } = projectionWeights
  const { heads, ...rest } = options
  const inputs = toTensorList('multiHeadAttention', 'inputs', [query, key, value])
  const bias = inProjBias === undefined ? undefined : toTensor('multiHeadAttention', inProjBias)
  const [q, k, v] = checked(() => projections(inputs, toTensor('multiHeadAttention', inProjWeight), bias))
  const attention = attentionWithWeights(splitHeads(q, heads), splitHeads(k, heads), splitHeads(v, heads), rest)
  return { output: linear(mergeHeads(attention.output), outProjWeight, outProjBias), weights: attention.weights }
}

/** Queries, keys and values, [..., tokens, C] each. */
function projections(
  inputs: readonly Tensor[],
  weight: Tensor,
  bias: Tensor | undefined,
): readonly [Tensor, Tensor, Tensor] {
  const [q, k, v] = threeOf(inputs)
  if (weight.rank !== 2 || sizeOf(weight.shape, 0) % 3 !== 0) {
    throw new ShapeError(`multiHeadAttention: inProjWeight must be [3 C, C], found ${formatShape(weight.shape)}`)
  }
  const [rows] = weight.sizes(2)
  if (q === k && k === v) return threeOf(split(linear(q, weight, bias), rows / 3, -1))
  const [weights, biases] = [split(weight, rows / 3), bias && split(bias, rows / 3)]
  return threeOf([q, k, v].map((x, i) => linear(x, inputAt('split', weights, i), biases?.[i])))
}
