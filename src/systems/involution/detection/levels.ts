/** Maps of heads in the order of the anchors, and the best candidates of each level. */
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'

/** A head's map [N, A * width, h, w] as rows in the order of the anchors: [N, h * w * A, width]. */
export function rowsOfMap(map: Tensor, width: number): Tensor {
  const [n] = map.sizes(4)
  return ops.reshape(ops.permute(map, [0, 2, 3, 1]), [n, -1, width])
}

/** Example `i` of [N, ...]: [...]. */
export function exampleOf(x: Tensor, i: number): Tensor {
  return ops.squeeze(ops.slice(x, [i, i + 1], 0), 0)
}

/** The rows of x [A, ...] at places int64 [K]. */
export function rowsAt(x: Tensor, places: Tensor): Tensor {
  return ops.indexSelect(x, places, 0)
}

/** The places of the `most` greatest scores [A], and these scores. */
export function bestRows(scores: Tensor, most: number): { readonly scores: Tensor; readonly places: Tensor } {
  const [best, places] = ops.topk(scores, Math.min(most, scores.shape[0] ?? 0))
  return { scores: best, places }
}

/** bool [size]: true in front of `count`, int64 []. */
export function before(count: Tensor, size: number): Tensor {
  return ops.less(ops.arange(size), count)
}
