/** Boxes of objects in pictures, after the model: as many of them as there are. */
import { requireCount, requireNumber, requireWithin } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'

/** Options of `keptBoxes`: those of `ops.nms`, with classes as a list. */
export interface KeptBoxesOptions {
  readonly iouThreshold: number
  /** Boxes whose score is not above this are left out. Default: none. */
  readonly scoreThreshold?: number
  /** Default: all that are kept. */
  readonly maxDetections?: number
  /** Boxes of different classes never suppress each other. Default: one class. */
  readonly classes?: ArrayLike<number | bigint>
}

const { fround } = Math

/** Intersection over union of boxes i and j, rounded to float32 at each step as torchvision and ONNX Runtime have it. */
function overlap(boxes: ArrayLike<number>, i: number, j: number): number {
  const at = (box: number, k: number): number => boxes[4 * box + k] ?? Number.NaN
  const side = (k: number): number =>
    Math.max(0, fround(Math.min(at(i, k + 2), at(j, k + 2)) - Math.max(at(i, k), at(j, k))))
  const area = (box: number): number => fround(fround(at(box, 2) - at(box, 0)) * fround(at(box, 3) - at(box, 1)))
  const inter = fround(side(0) * side(1))
  return fround(inter / fround(fround(area(i) + area(j)) - inter))
}

/**
 * Non-maximum suppression: indices of the boxes that are kept, of the highest score first, the first of equal ones. boxes: corners
 * x1, y1, x2, y2, one box after the other; a box is left out where its intersection over union with a kept one of its class is above
 * the threshold. `ops.nms` does it in a graph, with a fixed number of places.
 */
export function keptBoxes(
  boxes: ArrayLike<number>,
  scores: ArrayLike<number>,
  { iouThreshold, scoreThreshold, maxDetections = scores.length, classes }: KeptBoxesOptions,
): number[] {
  requireWithin('keptBoxes', 'iouThreshold', iouThreshold, [0, 1], UsageError)
  requireCount('keptBoxes', 'maxDetections', maxDetections, 0, UsageError)
  if (scoreThreshold !== undefined) requireNumber('keptBoxes', 'scoreThreshold', scoreThreshold, UsageError)
  if (boxes.length !== 4 * scores.length || (classes && classes.length !== scores.length))
    throw new UsageError(
      `keptBoxes: each box must have 4 numbers, a score and a class if there are any, found ${boxes.length} numbers, ${scores.length} scores${classes ? `, ${classes.length} classes` : ''}`,
    )
  const score = (i: number): number => scores[i] ?? Number.NaN
  const order = Array.from({ length: scores.length }, (_, i) => i)
    .filter((i) => scoreThreshold === undefined || score(i) > scoreThreshold)
    .sort((i, j) => score(j) - score(i) || i - j)
  const kept: number[] = []
  const keptOfClass = new Map<number | bigint, number[]>()
  for (const i of order) {
    if (kept.length >= maxDetections) break
    const own = classes?.[i] ?? 0
    const rivals = keptOfClass.get(own) ?? []
    if (rivals.some((j) => overlap(boxes, i, j) > iouThreshold)) continue
    kept.push(i)
    keptOfClass.set(own, [...rivals, i])
  }
  return kept
}
