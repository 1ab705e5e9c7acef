/** Attention by several heads, each over its own projections. */
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { requireFields, shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { full, zeros } from '../creation.ts'
import { checked, inputAt, type Operand, toTensor, toTensorList } from '../define.ts'
import { logicalAnd } from '../elementwise/binary.ts'
import { where } from '../elementwise/choice.ts'
import { concat, reshape } from '../movement/movement.ts'
import { broadcastTo, split } from '../movement/rearrange.ts'
import { linear } from '../products/linear.ts'
import { type Attention, type AttentionOptions, attentionWithWeights, mergeHeads, splitHeads } from './attention.ts'
import { threeOf } from './kernel.ts'
import { causalMask } from './masks.ts'

// C is the width of the model, I that of all heads' queries and keys together, V that of their values (PyTorch's layer: I = V = C).

/** Parameters of multi-head attention, in PyTorch's layout: `inProjWeight`, or one weight each for queries, keys and values. */
export interface MultiHeadWeights {
  /** Projections to queries, keys and values, one below the other: [3 I, C]. */
  readonly inProjWeight?: Operand | undefined
  /** [I, C] */
  readonly qProjWeight?: Operand | undefined
  /** [I, width of the keys]; with `enableGqa` fewer heads of the same width. */
  readonly kProjWeight?: Operand | undefined
  /** [V, width of the values]; with `enableGqa` fewer heads of the same width. */
  readonly vProjWeight?: Operand | undefined
  /** Of queries, keys and values, one behind the other: [2 I + V]. */
  readonly inProjBias?: Operand | undefined
  /** One more key and its value for every query, after the projections: I and V elements. */
  readonly biasK?: Operand | undefined
  readonly biasV?: Operand | undefined
  /** [C, V] */
  readonly outProjWeight: Operand
  /** [C] */
  readonly outProjBias?: Operand | undefined
}

export interface MultiHeadOptions extends AttentionOptions {
  readonly heads: number
  /** One more key and value of zeros, which every query may attend to. Default: false. */
  readonly addZeroAttn?: boolean
}

const op = 'multiHeadAttention'

/**
 * Attention by several heads, each over its own projections (Vaswani et al. 2017): query [..., L, C], key and value
 * [..., S, their widths] -> output [..., L, C], weights [..., heads, L, S] (S + 1 with biasK and biasV, and 1 more with addZeroAttn).
 * The mask broadcasts to [..., heads, L, S]. Pass one tensor as all three for self-attention: its projections are then one product.
 */
export function multiHeadAttention(
  query: Operand,
  key: Operand,
  value: Operand,
  projectionWeights: MultiHeadWeights,
  options: MultiHeadOptions,
): Attention {
  checked(() => {
    requireFields(op, 'weights', projectionWeights)
    requireFields(op, 'options', options)
  })
  const { heads, addZeroAttn = false, ...rest } = options
  const inputs = toTensorList(op, 'inputs', [query, key, value])
  const weights = tensorsOf(projectionWeights)
  const projected = checked(() => projections(inputs, weights))
  const [q, k, v] = checked(() => headsOf(projected, heads, rest.enableGqa ?? false))
  const extra = checked(() => extraKeys(weights, [k, v], addZeroAttn))
  const mask = rest.mask === undefined ? undefined : toTensor(op, rest.mask)
  const masks =
    extra.length === 0
      ? rest
      : { ...rest, ...checked(() => longerMask(mask, rest.causal ?? false, [q, k], extra.length)), causal: false }
  const keys = concat([k, ...extra.map(([one]) => one)], -2)
  const values = concat([v, ...extra.map(([, one]) => one)], -2)
  const attention = attentionWithWeights(q, keys, values, masks)
  const output = linear(mergeHeads(attention.output), projectionWeights.outProjWeight, weights.outProjBias)
  return { output, weights: attention.weights }
}

type Weights = { readonly [K in keyof MultiHeadWeights]?: Tensor }

function tensorsOf(weights: MultiHeadWeights): Weights {
  const entries = Object.entries({ ...weights })
  return Object.fromEntries(
    entries.flatMap(([name, weight]) => (weight === undefined ? [] : [[name, toTensor(op, weight)]])),
  )
}

/** Queries, keys and values, [..., tokens, I or V] each. */
function projections(inputs: readonly Tensor[], weights: Weights): readonly [Tensor, Tensor, Tensor] {
  const [q, k, v] = threeOf(inputs)
  const { inProjWeight: joint, inProjBias: bias } = weights
  const separate = [weights.qProjWeight, weights.kProjWeight, weights.vProjWeight].filter((w) => w !== undefined)
  if (joint ? separate.length > 0 : separate.length < 3) {
    throw new ShapeError(
      `${op}: needs either inProjWeight or all of qProjWeight, kProjWeight and vProjWeight, found ${shown(Object.keys(weights))}`,
    )
  }
  if (!joint) {
    const biases =
      bias &&
      split(
        bias,
        separate.map(({ shape }) => sizeOf(shape, 0)),
        0,
      )
    return threeOf([q, k, v].map((x, i) => linear(x, inputAt(op, separate, i), biases?.[i])))
  }
  if (joint.rank !== 2 || sizeOf(joint.shape, 0) % 3 !== 0) {
    throw new ShapeError(`${op}: inProjWeight must be [3 C, C], found ${formatShape(joint.shape)}`)
  }
  const third = joint.sizes(2)[0] / 3
  if (q === k && k === v) return threeOf(split(linear(q, joint, bias), third, -1))
  const [own, biases] = [split(joint, third), bias && split(bias, third)]
  return threeOf([q, k, v].map((x, i) => linear(x, inputAt(op, own, i), biases?.[i])))
}

/** [..., tokens, I or V] -> [..., heads, tokens, width], with grouped queries fewer heads of keys and values. */
function headsOf(
  [q, k, v]: readonly [Tensor, Tensor, Tensor],
  heads: number,
  grouped: boolean,
): readonly [Tensor, Tensor, Tensor] {
  const queries = splitHeads(q, heads)
  const own = grouped ? sizeOf(k.shape, -1) / sizeOf(queries.shape, -1) : heads
  return [queries, splitHeads(k, own), splitHeads(v, own)]
}

/** Keys and values that no token gives, [..., heads, 1, width] each. */
function extraKeys(
  { biasK, biasV }: Weights,
  keysAndValues: readonly [Tensor, Tensor],
  addZero: boolean,
): (readonly [Tensor, Tensor])[] {
  if ((biasK === undefined) !== (biasV === undefined)) {
    throw new ShapeError(`${op}: biasK and biasV must be given together, found ${biasK ? 'biasK' : 'biasV'} alone`)
  }
  const one = ({ shape }: Tensor): number[] => [...shape.slice(0, -2), 1, sizeOf(shape, -1)]
  const placed = (x: Tensor, bias: Tensor, name: string): Tensor => {
    const [heads, width] = [sizeOf(x.shape, -3), sizeOf(x.shape, -1)]
    if (bias.size !== heads * width) {
      throw new ShapeError(`${op}: ${name} must have ${heads * width} elements, found ${formatShape(bias.shape)}`)
    }
    return broadcastTo(reshape(bias, [heads, 1, width]), one(x))
  }
  const [k, v] = keysAndValues
  return [
    ...(biasK && biasV ? [[placed(k, biasK, 'biasK'), placed(v, biasV, 'biasV')] as const] : []),
    ...(addZero ? [[zeros(one(k)), zeros(one(v))] as const] : []),
  ]
}

/** The mask for more keys behind the others, which every query may attend to; the causal one becomes part of it. */
function longerMask(
  mask: Tensor | undefined,
  causal: boolean,
  [q, k]: readonly [Tensor, Tensor],
  extra: number,
): { readonly mask?: Tensor } {
  const [queries, keys] = [sizeOf(q.shape, -2), sizeOf(k.shape, -2)]
  const past = causal ? causalMask(queries, keys) : undefined
  const joined = mask && past ? combined(mask, past) : (mask ?? past)
  if (!joined) return {}
  const whole = broadcastTo(joined, [...joined.shape.slice(0, -1), keys])
  const open = full([...whole.shape.slice(0, -1), extra], whole.dtype === 'bool' ? 1 : 0, whole.dtype)
  return { mask: concat([whole, open], -1) }
}

function combined(mask: Tensor, past: Tensor): Tensor {
  return mask.dtype === 'bool' ? logicalAnd(mask, past) : where(past, mask, Number.NEGATIVE_INFINITY)
}
