/** Which boxes stand for which objects, and which of them are looked at, in the graph: mmdet's MaxIoUAssigner and RandomSampler. */
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { AssignConfig, SampleConfig } from './config.ts'

/** The objects of one picture, padded to a fixed number. */
export interface Objects {
  /** [M, 4] */
  readonly boxes: Tensor
  /** int32 [M]; below 0 there is no object. */
  readonly classes: Tensor
}

/** What the boxes of a picture are. */
export interface Assigned {
  /** bool [A]: stands for an object. */
  readonly positive: Tensor
  /** bool [A]: background. */
  readonly negative: Tensor
  /** int64 [A]: the object, where positive. */
  readonly object: Tensor
}

/**
 * Assigns boxes [A, 4] to objects by overlap: from `pos_iou_thr` on to the one that it overlaps most; below `neg_iou_thr` with all it is
 * background. With `match_low_quality` the boxes that overlap an object most are its own, if by `min_pos_iou`; the last such object wins.
 */
export function assignBoxes(boxes: Tensor, { boxes: targets, classes }: Objects, config: AssignConfig): Assigned {
  const exists = ops.greaterOrEqual(classes, 0) // [M]
  const overlap = ops.where(ops.unsqueeze(exists, 0), ops.boxIou(boxes, targets), -1) // [A, M]
  const best = ops.max(overlap, 1)
  const positive = ops.greaterOrEqual(best, config.pos_iou_thr)
  const negative = ops.less(best, config.neg_iou_thr)
  const object = ops.argmax(overlap, 1)
  if (!config.match_low_quality) return { positive, negative, object }
  const bestOfObject = ops.max(overlap, 0) // [M]
  const isFound = ops.logicalAnd(exists, ops.greaterOrEqual(bestOfObject, config.min_pos_iou))
  const isBest = ops.logicalAnd(ops.equal(overlap, ops.unsqueeze(bestOfObject, 0)), ops.unsqueeze(isFound, 0))
  const places = ops.unsqueeze(ops.arange(targets.shape[0] ?? 0), 0) // [1, M]
  const last = ops.max(ops.where(isBest, places, -1), 1)
  const isOwn = ops.greaterOrEqual(last, 0)
  return {
    positive: ops.logicalOr(positive, isOwn),
    negative: ops.logicalAnd(negative, ops.logicalNot(isOwn)),
    object: ops.where(isOwn, last, object),
  }
}

/** Boxes that are looked at, those of objects first. */
export interface Sampled {
  /** int64 [S], rows of what was assigned. */
  readonly index: Tensor
  /** bool [S]: stands for an object. */
  readonly positive: Tensor
  /** bool [S]: counts at all; there may be fewer than S. */
  readonly counts: Tensor
}

/** How many rows stand for objects at most. */
function mostPositive({ num, pos_fraction }: SampleConfig): number {
  return Math.floor(num * pos_fraction)
}

/** Draws rows: objects up to their share, background for the rest. `keys`: uniform random numbers [A] from 0 to 1. */
export function sampleBoxes(
  { positive, negative }: Pick<Assigned, 'positive' | 'negative'>,
  keys: Tensor,
  config: SampleConfig,
): Sampled {
  const size = keys.shape[0] ?? 0
  const most = Math.min(size, mostPositive(config))
  const [best] = ops.topk(ops.where(positive, keys, -1), most)
  const least = ops.slice(best, [most - 1, most], 0) // [1]: below 0 where all objects are taken
  const chosen = ops.logicalAnd(positive, ops.greaterOrEqual(keys, least))
  const order = ops.where(chosen, ops.add(keys, 1), ops.where(negative, keys, -1))
  const [value, index] = ops.topk(order, Math.min(size, config.num))
  return { index, positive: ops.greaterOrEqual(value, 1), counts: ops.greaterOrEqual(value, 0) }
}
