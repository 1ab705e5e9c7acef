/** Anchors, and boxes as differences from them (mmdet's AnchorGenerator and DeltaXYWHBBoxCoder). */
import * as ops from '../../../ops/index.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import type { AnchorConfig } from './config.ts'

/** Corners of the anchors of one level, [height * width * A, 4] row by row, the A of a position side by side: ratios, in each the scales. */
export function levelAnchors(
  [height, width]: readonly [number, number],
  stride: number,
  { ratios, scales }: Pick<AnchorConfig, 'ratios' | 'scales'>,
): Float32Array {
  const halves = ratios.flatMap((ratio) =>
    scales.map((scale) => [(stride * scale) / Math.sqrt(ratio) / 2, (stride * scale * Math.sqrt(ratio)) / 2] as const),
  )
  const anchors = new Float32Array(height * width * halves.length * 4)
  let at = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (const [halfWidth, halfHeight] of halves) {
        anchors.set(
          [x * stride - halfWidth, y * stride - halfHeight, x * stride + halfWidth, y * stride + halfHeight],
          at,
        )
        at += 4
      }
    }
  }
  return anchors
}

/** The anchors of each level [A, 4] for maps [N, C, h, w]. */
export function anchorsOf(maps: readonly Tensor[], config: AnchorConfig): Tensor[] {
  return maps.map((map, i) => {
    const [, , height, width] = map.sizes(4)
    const corners = levelAnchors([height, width], config.strides[i] ?? 1, config)
    return constant(corners, [corners.length / 4, 4], 'float32')
  })
}

interface Parts {
  readonly x: Tensor
  readonly y: Tensor
  readonly width: Tensor
  readonly height: Tensor
}

/** Centre, width and height of corners [..., 4], each [..., 1]. */
function partsOf(boxes: Tensor): Parts {
  const corner = (i: number): Tensor => ops.slice(boxes, [i, i + 1], -1)
  const [x1, y1, x2, y2] = [corner(0), corner(1), corner(2), corner(3)]
  return {
    x: ops.mul(ops.add(x1, x2), 0.5),
    y: ops.mul(ops.add(y1, y2), 0.5),
    width: ops.sub(x2, x1),
    height: ops.sub(y2, y1),
  }
}

/** By what differences are divided: 1 for proposals, less where they are small. */
export const deltaScales = { proposals: [1, 1], boxes: [0.1, 0.2] } as const
type Scales = readonly [centre: number, size: number]

// So that empty boxes, which count for nothing, have no infinite differences.
const leastSide = 1e-6

/** Differences of boxes [..., 4] from anchors [..., 4]: of the centre in the anchor's sides, of the sides as logarithms. */
export function encodeBoxes(anchors: Tensor, boxes: Tensor, [centre, size]: Scales): Tensor {
  const [from, to] = [partsOf(anchors), partsOf(boxes)]
  const side = (part: Tensor): Tensor => ops.maximum(part, leastSide)
  const moved = (a: Tensor, b: Tensor, along: Tensor): Tensor => ops.div(ops.div(ops.sub(b, a), side(along)), centre)
  const grown = (a: Tensor, b: Tensor): Tensor => ops.div(ops.log(ops.div(side(b), side(a))), size)
  return ops.concat(
    [
      moved(from.x, to.x, from.width),
      moved(from.y, to.y, from.height),
      grown(from.width, to.width),
      grown(from.height, to.height),
    ],
    -1,
  )
}

// A side changes by a factor of at most 1000 / 16.
const mostGrowth = Math.log(1000 / 16)

/** Boxes of differences [..., 4] from anchors that broadcast, cut to a picture of `size` [height, width]. */
export function decodeBoxes(
  anchors: Tensor,
  deltas: Tensor,
  [centre, size]: Scales,
  picture: readonly [number, number],
): Tensor {
  const from = partsOf(anchors)
  const delta = (i: number): Tensor => ops.slice(deltas, [i, i + 1], -1)
  const grown = (side: Tensor, i: number): Tensor =>
    ops.mul(side, ops.exp(ops.clamp(ops.mul(delta(i), size), -mostGrowth, mostGrowth)))
  const x = ops.add(from.x, ops.mul(from.width, ops.mul(delta(0), centre)))
  const y = ops.add(from.y, ops.mul(from.height, ops.mul(delta(1), centre)))
  const [halfWidth, halfHeight] = [ops.mul(grown(from.width, 2), 0.5), ops.mul(grown(from.height, 3), 0.5)]
  return ops.clipBoxes(
    ops.concat([ops.sub(x, halfWidth), ops.sub(y, halfHeight), ops.add(x, halfWidth), ops.add(y, halfHeight)], -1),
    picture,
  )
}
