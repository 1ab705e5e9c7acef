/** Attention to keys and values that lie in several tensors: a cache and new tokens, a memory and the present. */
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFields, requireFinite, requireList, requireWithin } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked, inputAt, type Operand, requireDType, toFloat, toTensor } from '../define.ts'
import { add, maximum, mul } from '../elementwise/binary.ts'
import { addAll } from '../elementwise/composite.ts'
import { concat } from '../movement/movement.ts'
import { split } from '../movement/rearrange.ts'
import { matmul, matmulWith } from '../products/matmul.ts'
import { dropout } from '../random/random.ts'
import { softmax } from '../reduction/softmax.ts'
import type { Attention, AttentionOptions } from './attention.ts'
import { groupQueries, type KeysAndValues } from './grouped.ts'
import { checkSizes } from './kernel.ts'
import { additiveMask, checkMask, hasKeys } from './masks.ts'

/** Some of the keys and values, and which of them a query attends to. */
export interface AttentionPart {
  /** [..., S, E] */
  readonly key: Operand
  /** [..., S, width] */
  readonly value: Operand
  /** Broadcasts to [..., L, S], as in `AttentionOptions`. */
  readonly mask?: Operand
  /** Query i attends to the keys 0 to i of this part only. Default: false. */
  readonly causal?: boolean
}

const op = 'attentionOverParts'

/**
 * Attention of query [..., L, E] to the keys of all parts together, S1 + S2 + ... of them, without joining them: a long cache is read
 * once and not copied. -> output [..., L, width], weights [..., L, S1 + S2 + ...].
 */
export function attentionOverParts(
  query: Operand,
  parts: readonly AttentionPart[],
  options?: Omit<AttentionOptions, 'mask' | 'causal'>,
): Attention {
  const given = optionsOf(op, options, { scale: true, enableGqa: true, dropout: true })
  return checked(() => {
    requireList(op, 'parts', parts)
    if (parts.length === 0) throw new ShapeError(`${op}: needs at least one part, found none`)
    const q = toFloat(op, query, 'query')
    const tensors = parts.map((part, i): KeysAndValues => {
      requireFields(op, `parts[${i}]`, part)
      const { key, value, mask } = part
      const [k, v] = [toFloat(op, key, 'key'), toFloat(op, value, 'value')]
      checkSizes(op, q, k, v)
      const tensor = mask === undefined ? undefined : toTensor(op, mask)
      if (tensor) requireDType(op, 'mask', tensor, ['bool', 'float32'])
      return { k, v, mask: tensor }
    })
    const scale = given.scale ?? 1 / Math.sqrt(sizeOf(q.shape, -1))
    requireFinite(op, 'scale', scale)
    requireWithin(op, 'dropout', given.dropout ?? 0, [0, 1])
    const causal = parts.map((part) => part.causal ?? false)
    if (!given.enableGqa) return attend(q, tensors, causal, scale, given.dropout ?? 0)
    const grouped = groupQueries(op, q, tensors)
    const { output, weights } = attend(grouped.q, grouped.parts, causal, scale, given.dropout ?? 0)
    return { output: grouped.ungroup(output), weights: grouped.ungroup(weights) }
  })
}

function attend(
  q: Tensor,
  parts: readonly KeysAndValues[],
  causal: readonly boolean[],
  scale: number,
  dropped: number,
): Attention {
  const masks = parts.map(({ k, mask }, i) => {
    if (mask) checkMask(op, mask, q, k)
    return additiveMask(mask, causal[i] ?? false, sizeOf(q.shape, -2), sizeOf(k.shape, -2))
  })
  const scores = parts.map(({ k }, i) => {
    const products = matmulWith(q, k, { transposeB: true, scale }) // [..., L, S]
    const mask = masks[i]
    return mask ? add(products, mask) : products
  })
  const weights = softmax(concat(scores, -1)) // [..., L, S1 + S2 + ...]
  const used = dropped > 0 ? dropout(weights, dropped) : weights
  const sizes = parts.map(({ k }) => sizeOf(k.shape, -2))
  const pieces = split(used, sizes, -1)
  const output = addAll(parts.map(({ v }, i) => matmul(inputAt(op, pieces, i), v)))
  // A part that is not masked has a key for every query.
  if (masks.some((mask, i) => !mask && sizes[i] !== 0)) return { output, weights }
  const present = masks.flatMap((mask) => (mask ? [hasKeys(mask)] : []))
  if (present.length === 0) return { output, weights }
  const some = present.reduce((one, other) => maximum(one, other)) // [..., L, 1]
  return { output: mul(output, some), weights: mul(weights, some) }
}
