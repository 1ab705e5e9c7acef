/** Attention over long sequences, some queries at a time. */
import { elementCount } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { currentTrace } from '../../tensor/trace.ts'
import { type Backward, runAfter, withBackward } from '../control.ts'
import { first, inputAt } from '../define.ts'
import { add, mul, sub } from '../elementwise/binary.ts'
import { concat, slice } from '../movement/movement.ts'
import { padAxis } from '../movement/padding.ts'
import { matmul, matmulWith } from '../products/matmul.ts'
import { sum, sumTo } from '../reduction/reduce.ts'
import { softmax } from '../reduction/softmax.ts'
import { type AttentionInputs, isLong, productMinusRows, unmaskedAttention } from './kernel.ts'

// Scores that are there at one time, and scores that are kept whole: 64 MB. Measured in docs/decisions/022-attention-blocks.md.
const mostElements = 16_777_216

// Queries of a block where each query attends to the keys up to its own: more of them multiply more that is masked, fewer copy more.
const causalRows = { least: 128, most: 256 }

type Range = readonly [start: number, stop: number]

/** Some queries, and the keys that they attend to: the first ones. */
interface Block {
  readonly queries: Range
  readonly keys: Range
}

export interface BlockPlan {
  readonly blocks: readonly Block[]
  /** Whether the backward pass computes the weights again. */
  readonly recomputes: boolean
}

/** How attention is cut; undefined where all at once is as good, or the graph is not for running. */
export function planBlocks({ q, k, added, causal }: AttentionInputs): BlockPlan | undefined {
  if (!currentTrace()?.tuned) return undefined
  const [queries, keys] = [sizeOf(q.shape, -2), sizeOf(k.shape, -2)]
  if (queries === 0) return undefined
  const leading = Math.max(...[q, k, added].map((x) => (x ? elementCount(x.shape.slice(0, -2)) : 1)))
  const recomputes = leading * queries * keys > mostElements
  const most = recomputes ? Math.max(32, Math.floor(mostElements / (leading * keys))) : queries
  const fit = Math.min(causalRows.most, Math.max(causalRows.least, Math.ceil(queries / 4)))
  // Of one size where possible: the runtime keeps buffers of each size for themselves.
  const rows = causal ? Math.min(most, fit) : Math.ceil(queries / Math.ceil(queries / most))
  if (rows >= queries) return undefined
  const blocks = Array.from({ length: Math.ceil(queries / rows) }, (_, i): Block => {
    const stop = Math.min(queries, (i + 1) * rows)
    return { queries: [i * rows, stop], keys: [0, causal ? Math.min(keys, stop) : keys] }
  })
  return { blocks, recomputes }
}

/** A range of an axis counted from the end, or all of it where the tensor is broadcast over it. */
function rangeOf(x: Tensor, range: Range, axis: -1 | -2): Tensor {
  const size = x.rank < -axis ? 1 : sizeOf(x.shape, axis)
  return size === 1 || (range[0] === 0 && range[1] === size) ? x : slice(x, range, axis)
}

/** Weights of a block, whose queries are `q`: [..., queries, keys]. */
function weightsOf(q: Tensor, { queries, keys }: Block, { k, added, scale }: AttentionInputs): Tensor {
  const scores = matmulWith(q, rangeOf(k, keys, -2), { transposeB: true, scale })
  return softmax(added ? add(scores, rangeOf(rangeOf(added, queries, -2), keys, -1)) : scores)
}

/** Sum of tensors of which each is the first part of the next along an axis. */
function sumOfPrefixes(parts: readonly Tensor[], axis: number): Tensor {
  return parts.reduce((total, part) => {
    const [size, all] = [sizeOf(total.shape, axis), sizeOf(part.shape, axis)]
    if (size === all) return add(total, part)
    return concat([add(total, slice(part, [0, size], axis)), slice(part, [size, all], axis)], axis)
  })
}

/** Zeros at the end of an axis, up to a length. */
function lengthened(x: Tensor, axis: -1 | -2, length: number): Tensor {
  return padAxis(x, x.rank + axis, 0, length - sizeOf(x.shape, axis))
}

/**
 * softmax(scale Q K^T + added) V, [..., L, width], block by block. A block leaves out the keys that no query of it attends to. Where
 * the plan says so, the weights are not kept: the backward pass computes each block's again (Dao et al. 2022,
 * arXiv 2205.14135, section 3). The row sums of dP P are taken from dY Y.
 */
export function attentionInBlocks(inputs: AttentionInputs, plan: BlockPlan): Tensor {
  const { q, k, v, added, scale } = inputs
  const weights = plan.blocks.map((block) => weightsOf(rangeOf(q, block.queries, -2), block, inputs))
  const products = plan.blocks.map(({ keys }, i) => matmul(inputAt('attention', weights, i), rangeOf(v, keys, -2)))
  const y = isLong(inputs) ? first(unmaskedAttention(q, k, v, scale)) : concat(products, -2)
  const given = [q, k, v, ...(added ? [added] : [])]
  const kept = plan.recomputes ? [] : weights
  return first(withBackward([y], [...given, ...kept], blocksBackward(given.length, inputs, plan)))
}

/** G V^T - rows of a block. Values nearly as wide as the block has queries are not copied, as `productMinusRows` does. */
function differences(g: Tensor, v: Tensor, rows: Tensor): Tensor {
  if (4 * sizeOf(v.shape, -1) < sizeOf(g.shape, -2)) return productMinusRows(g, v, rows)
  return sub(matmulWith(g, v, { transposeB: true }), rows)
}

/** The first `count` inputs, those of the function, have gradients; after them come the weights of the blocks, if they are kept. */
function blocksBackward(
  count: number,
  { scale, causal }: AttentionInputs,
  { blocks, recomputes }: BlockPlan,
): Backward {
  return ([gy], given, [output]) => {
    const [q, k, v, added] = given.slice(0, count)
    if (!gy || !q || !k || !v || !output) return []
    const total = sizeOf(k.shape, -2)
    const inner = sum(mul(gy, output), -1, { keepDims: true }) // [..., L, 1]
    const parts = blocks.map((block, i) => {
      const { queries, keys } = block
      const [rows, g] = [rangeOf(q, queries, -2), rangeOf(gy, queries, -2)]
      const late = recomputes ? runAfter(rows, gy) : rows
      const p = recomputes
        ? weightsOf(late, block, { q, k, v, added, scale, causal })
        : inputAt('attention', given, count + i)
      // The weights come first in this product's order of computation: then two arrays of their size are there at once, not three.
      const ds = mul(differences(g, rangeOf(v, keys, -2), rangeOf(inner, queries, -2)), p)
      return {
        ds: lengthened(ds, -1, total),
        dq: matmulWith(ds, rangeOf(k, keys, -2), { scale }),
        dk: matmulWith(ds, late, { transposeA: true, scale }),
        dv: matmulWith(p, g, { transposeA: true }),
      }
    })
    const joined = (name: 'dq' | 'ds'): Tensor =>
      concat(
        parts.map((part) => part[name]),
        -2,
      )
    const summed = (name: 'dk' | 'dv'): Tensor => {
      const prefixes = parts.map((part) => part[name])
      return lengthened(sumOfPrefixes(prefixes, -2), -2, total)
    }
    return [
      sumTo(joined('dq'), q.shape),
      sumTo(summed('dk'), k.shape),
      sumTo(summed('dv'), v.shape),
      ...(added ? [sumTo(joined('ds'), added.shape)] : []),
      ...given.slice(count).map(() => undefined),
    ]
  }
}
