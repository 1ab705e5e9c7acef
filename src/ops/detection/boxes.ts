/** Boxes as [..., 4] numbers, in torchvision's forms: corners [x1, y1, x2, y2] unless said otherwise. */
import { formatShape, type Shape, sizes } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { requireFinite, requireList, requireOneOf, requireWithin, shown } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked, type Operand, toFloat } from '../define.ts'
import { add, div, maximum, minimum, mul, sub } from '../elementwise/binary.ts'
import { clamp } from '../elementwise/rounding.ts'
import { slice, squeeze, unsqueeze } from '../movement/movement.ts'
import { stack } from '../movement/rearrange.ts'

const forms = ['xyxy', 'xywh', 'cxcywh'] as const
/** Corners; a corner, width and height; the centre, width and height. */
export type BoxForm = (typeof forms)[number]

export function requireBoxes(op: string, argument: string, { shape }: { readonly shape: Shape }, rank?: number): void {
  if (shape.at(-1) === 4 && (rank === undefined || shape.length === rank)) return
  const wanted = rank === 2 ? '[N, 4]' : '[..., 4]'
  throw new ShapeError(`${op}: ${argument} must be ${wanted}, found ${formatShape(shape)}`)
}

type Four = readonly [Tensor, Tensor, Tensor, Tensor]

/** The four numbers of each box: [...] each. */
function partsOf(boxes: Tensor): Four {
  const part = (i: number): Tensor => squeeze(slice(boxes, [i, i + 1], -1), -1)
  return [part(0), part(1), part(2), part(3)]
}

/** Corners of any form. */
function cornersOf([a, b, c, d]: Four, form: BoxForm): Four {
  if (form === 'xyxy') return [a, b, c, d]
  if (form === 'xywh') return [a, b, add(a, c), add(b, d)]
  const [halfWidth, halfHeight] = [mul(c, 0.5), mul(d, 0.5)]
  return [sub(a, halfWidth), sub(b, halfHeight), add(a, halfWidth), add(b, halfHeight)]
}

/** Boxes [..., 4] of one form in another. */
export function boxConvert(boxes: Operand, from: BoxForm, to: BoxForm): Tensor {
  const given = toFloat('boxConvert', boxes, 'boxes')
  return checked(() => {
    requireOneOf('boxConvert', 'from', from, forms)
    requireOneOf('boxConvert', 'to', to, forms)
    requireBoxes('boxConvert', 'boxes', given)
    if (from === to) return given
    const [x1, y1, x2, y2] = cornersOf(partsOf(given), from)
    const [width, height] = [sub(x2, x1), sub(y2, y1)]
    if (to === 'xyxy') return stack([x1, y1, x2, y2], -1)
    if (to === 'xywh') return stack([x1, y1, width, height], -1)
    return stack([mul(add(x1, x2), 0.5), mul(add(y1, y2), 0.5), width, height], -1)
  })
}

/** Areas of boxes [..., 4]: [...]. */
export function boxArea(boxes: Operand): Tensor {
  const given = toFloat('boxArea', boxes, 'boxes')
  return checked(() => {
    requireBoxes('boxArea', 'boxes', given)
    return areaOf(partsOf(given))
  })
}

const areaOf = ([x1, y1, x2, y2]: Four): Tensor => mul(sub(x2, x1), sub(y2, y1))

/** Boxes [..., 4] moved into a picture of `size` [height, width]: x from 0 to width, y from 0 to height. */
export function clipBoxes(boxes: Operand, size: readonly [height: number, width: number]): Tensor {
  const given = toFloat('clipBoxes', boxes, 'boxes')
  return checked(() => {
    requireBoxes('clipBoxes', 'boxes', given)
    requireList('clipBoxes', 'size', size)
    const [height, width] = sizes(size, 2)
    for (const side of [height, width]) {
      requireFinite('clipBoxes', 'size', side)
      if (side < 0) throw new ShapeError(`clipBoxes: size must be at least 0, found ${shown(size)}`)
    }
    const [x1, y1, x2, y2] = partsOf(given)
    const along = (x: Tensor): Tensor => clamp(x, 0, width)
    const down = (y: Tensor): Tensor => clamp(y, 0, height)
    return stack([along(x1), down(y1), along(x2), down(y2)], -1)
  })
}

/** For each pair of boxes: areas of intersection and union, [N, M], and the smallest box around both. */
function overlaps(op: string, a: Operand, b: Operand): { inter: Tensor; union: Tensor; around: Four } {
  const [first, second] = [toFloat(op, a, 'the first boxes'), toFloat(op, b, 'the second boxes')]
  return checked(() => {
    requireBoxes(op, 'the first boxes', first, 2)
    requireBoxes(op, 'the second boxes', second, 2)
    const [rows, columns] = [partsOf(unsqueeze(first, 1)), partsOf(unsqueeze(second, 0))]
    const [ax1, ay1, ax2, ay2] = rows
    const [bx1, by1, bx2, by2] = columns
    const length = (low: Tensor, high: Tensor): Tensor => clamp(sub(high, low), 0)
    const inter = mul(length(maximum(ax1, bx1), minimum(ax2, bx2)), length(maximum(ay1, by1), minimum(ay2, by2)))
    return {
      inter,
      union: sub(add(areaOf(rows), areaOf(columns)), inter),
      around: [minimum(ax1, bx1), minimum(ay1, by1), maximum(ax2, bx2), maximum(ay2, by2)],
    }
  })
}

/** Intersection over union of each pair of boxes [N, 4] and [M, 4]: [N, M]. */
export function boxIou(a: Operand, b: Operand): Tensor {
  const { inter, union } = overlaps('boxIou', a, b)
  return div(inter, union)
}

/**
 * Generalised intersection over union (Rezatofighi et al. 2019) of each pair of boxes: IoU less the share of the box around both
 * that is in none.
 */
export function generalizedBoxIou(a: Operand, b: Operand): Tensor {
  const { inter, union, around } = overlaps('generalizedBoxIou', a, b)
  const [x1, y1, x2, y2] = around
  const whole = mul(clamp(sub(x2, x1), 0), clamp(sub(y2, y1), 0))
  return sub(div(inter, union), div(sub(whole, union), whole))
}

/** Throws unless the threshold is a share. */
export function requireThreshold(op: string, value: number): void {
  requireWithin(op, 'iouThreshold', value, [0, 1])
}
