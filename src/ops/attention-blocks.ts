/** Attention over long sequences, some queries at a time. */
import { elementCount } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { currentTrace } from '../tensor/trace.ts'
import { add, mul, sub } from './binary.ts'
import { addAll } from './composite.ts'
import { runAfter, withBackward } from './control.ts'
import { matmul, matmulWith } from './matmul.ts'
import { concat, slice } from './movement.ts'
import { sum, sumTo } from './reduce.ts'
import { softmax } from './softmax.ts'

// Scores that are there at one time, and scores that are kept whole: 64 MB. Measured in docs/decisions/022-attention-blocks.md.
const mostElements = 16_777_216

/** Queries, keys, values, and what is added to the scores (or nothing). */
export interface AttentionInputs {
  readonly q: Tensor
  readonly k: Tensor
  readonly v: Tensor
  readonly added: Tensor | undefined
  readonly scale: number
}

type Rows = readonly [start: number, stop: number]

/** Queries of each block; undefined where the scores are few enough to be kept, or the graph is not for running. */
export function queryBlocks({ q, k, added }: AttentionInputs): Rows[] | undefined {
  const [queries, keys] = [sizeOf(q.shape, -2), sizeOf(k.shape, -2)]
  const leading = Math.max(...[q, k, added].map((x) => (x ? elementCount(x.shape.slice(0, -2)) : 1)))
  if (!currentTrace()?.tuned || leading * queries * keys <= mostElements) return undefined
  const rows = Math.max(32, Math.floor(mostElements / (leading * keys)))
  return Array.from({ length: Math.ceil(queries / rows) }, (_, i) => [i * rows, Math.min(queries, (i + 1) * rows)])
}

/** Rows of a tensor [..., L, width], or all of it where it is broadcast over L. */
function rowsOf(x: Tensor, rows: Rows): Tensor {
  return x.rank < 2 || x.shape.at(-2) === 1 ? x : slice(x, rows, -2)
}

/** Weights of the queries `q`, which are some rows of all: [..., rows, S]. */
function weightsOf(q: Tensor, rows: Rows, { k, added, scale }: AttentionInputs): Tensor {
  const scores = matmulWith(q, k, { transposeB: true, scale })
  return softmax(added ? add(scores, rowsOf(added, rows)) : scores)
}

/**
 * softmax(scale Q K^T + added) V, [..., L, width], block by block. The weights are not kept: the backward pass computes
 * each block's again (Dao et al. 2022, arXiv 2205.14135, section 3), with the row sums of dP P taken from dY Y.
 */
export function attentionInBlocks(inputs: AttentionInputs, blocks: readonly Rows[]): Tensor {
  const { q, k, v, added, scale } = inputs
  const forward = blocks.map((rows) => matmul(weightsOf(rowsOf(q, rows), rows, inputs), v))
  const [y] = withBackward([concat(forward, -2)], [q, k, v, ...(added ? [added] : [])], ([gy], _inputs, [output]) => {
    if (!gy || !output) return []
    const inner = sum(mul(gy, output), -1, { keepDims: true }) // [..., L, 1]
    const parts = blocks.map((rows) => {
      const [late, g] = [runAfter(rowsOf(q, rows), gy), rowsOf(gy, rows)]
      const p = weightsOf(late, rows, inputs)
      const ds = mul(p, sub(matmulWith(g, v, { transposeB: true }), rowsOf(inner, rows)))
      return {
        ds,
        dq: matmulWith(ds, k, { scale }),
        dk: matmulWith(ds, late, { transposeA: true, scale }),
        dv: matmulWith(p, g, { transposeA: true }),
      }
    })
    return [
      sumTo(
        concat(
          parts.map(({ dq }) => dq),
          -2,
        ),
        q.shape,
      ),
      sumTo(addAll(parts.map(({ dk }) => dk)), k.shape),
      sumTo(addAll(parts.map(({ dv }) => dv)), v.shape),
      ...(added
        ? [
            sumTo(
              concat(
                parts.map(({ ds }) => ds),
                -2,
              ),
              added.shape,
            ),
          ]
        : []),
    ]
  })
  return y as Tensor
}
