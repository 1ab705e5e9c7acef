/** Grouped queries: fewer heads of keys and values than of queries (Ainslie et al. 2023, arXiv 2305.13245). */
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import { reshape, unsqueeze } from '../movement/movement.ts'
import { repeatInterleave } from '../movement/rearrange.ts'

/** Keys, values and what hides some of the keys. */
export interface KeysAndValues {
  readonly k: Tensor
  readonly v: Tensor
  readonly mask: Tensor | undefined
}

/** Queries with an axis for the group, which keys and values broadcast over. */
export interface Grouped {
  /** [..., heads of keys, group, L, E] */
  readonly q: Tensor
  /** [..., heads of keys, 1, S, width]; masks that broadcast to [..., heads of keys, group, L, S]. */
  readonly parts: readonly KeysAndValues[]
  /** [..., heads of keys, group, L, width] -> [..., heads of queries, L, width] */
  readonly ungroup: (x: Tensor) => Tensor
}

/** Query head h attends to the keys of head floor(h / group): q [..., heads, L, E], keys and values [..., heads / group, S, width]. */
export function groupQueries(op: string, q: Tensor, parts: readonly KeysAndValues[]): Grouped {
  const heads = q.rank < 3 ? 0 : sizeOf(q.shape, -3)
  const counts = parts.flatMap(({ k, v }) => [k, v].map((x) => (x.rank < 3 ? 0 : sizeOf(x.shape, -3))))
  if (heads === 0 || counts.some((count) => count === 0 || heads % count !== 0)) {
    const shapes = [q, ...parts.flatMap(({ k, v }) => [k, v])].map(({ shape }) => formatShape(shape))
    throw new ShapeError(
      `${op}: with enableGqa the heads of keys and values, [..., heads, S, width], must divide those of the queries, found ${shapes.join(', ')}`,
    )
  }
  // PyTorch lets keys and values differ in their heads: then both get as many as the one that has more needs.
  const keyHeads = Math.max(...counts)
  const isEven = counts.every((count) => keyHeads % count === 0)
  const common = isEven ? keyHeads : heads
  const group = heads / common
  const spread = (x: Tensor): Tensor => {
    const own = sizeOf(x.shape, -3)
    return unsqueeze(own === common ? x : repeatInterleave(x, common / own, -3), -3)
  }
  const split = (x: Tensor): Tensor =>
    reshape(x, [...x.shape.slice(0, -3), common, group, sizeOf(x.shape, -2), sizeOf(x.shape, -1)])
  const splitMask = (mask: Tensor): Tensor => {
    if (mask.rank < 3) return mask
    return sizeOf(mask.shape, -3) === heads && heads > 1 ? split(mask) : unsqueeze(mask, -3)
  }
  return {
    q: split(q),
    parts: parts.map(({ k, v, mask }) => ({ k: spread(k), v: spread(v), mask: mask && splitMask(mask) })),
    ungroup: (x) => reshape(x, [...x.shape.slice(0, -4), heads, sizeOf(x.shape, -2), sizeOf(x.shape, -1)]),
  }
}
