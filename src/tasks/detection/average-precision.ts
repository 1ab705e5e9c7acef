/** Average precision as COCO computes it (pycocotools' COCOeval), for boxes and masks. */
import { meanOf } from '../../util/vectors.ts'
import { type Mask, maskArea } from './masks.ts'

/** x, y, width, height. */
export type Box = readonly [x: number, y: number, width: number, height: number]

/** An object of a picture. */
export interface TrueObject {
  readonly category: number
  readonly box: Box
  /** What decides whether it is small, medium or large. */
  readonly area: number
  /** A group: found or not, it does not count. Default: false. */
  readonly iscrowd?: boolean
  readonly mask?: Mask
}

/** What was found in a picture. */
export interface FoundObject {
  readonly category: number
  readonly box: Box
  readonly score: number
  readonly mask?: Mask
}

/** A picture with both. */
export interface Judged {
  readonly truth: readonly TrueObject[]
  readonly found: readonly FoundObject[]
}

/** COCO's mark for what cannot be measured is -1. */
const meanOrNone = (values: readonly number[]): number => (values.length === 0 ? -1 : meanOf(values))

/** COCO's twelve numbers; -1 where there is no object of the kind. */
export interface CocoMetrics {
  /** Mean over thresholds of overlap 0.5, 0.55, ..., 0.95 and over categories. */
  readonly AP: number
  readonly AP50: number
  readonly AP75: number
  /** Of objects below 32 x 32 pixels, up to 96 x 96, and larger. */
  readonly APs: number
  readonly APm: number
  readonly APl: number
  /** Share of the objects that are found, with at most 1, 10, 100 detections in a picture. */
  readonly AR1: number
  readonly AR10: number
  readonly AR100: number
  readonly ARs: number
  readonly ARm: number
  readonly ARl: number
}

// As numpy's linspace computes them.
const step = (0.95 - 0.5) / 9
const thresholds = Array.from({ length: 10 }, (_, i) => (i === 9 ? 0.95 : i * step + 0.5))
const recalls = Array.from({ length: 101 }, (_, i) => (i === 100 ? 1 : i * 0.01))
const ranges = {
  all: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
} as const satisfies Readonly<Record<string, readonly [number, number]>>
type Range = keyof typeof ranges
const most = 100

/** Intersection over union; over the area of what was found where the object is a group. */
function boxOverlap([x, y, w, h]: Box, [u, v, a, b]: Box, isCrowd: boolean): number {
  const across = Math.min(x + w, u + a) - Math.max(x, u)
  const down = Math.min(y + h, v + b) - Math.max(y, v)
  if (across <= 0 || down <= 0) return 0
  const inter = across * down
  return inter / (isCrowd ? w * h : w * h + a * b - inter)
}

function maskOverlap(found: Mask, truth: Mask, isCrowd: boolean): number {
  let inter = 0
  for (let i = 0; i < found.pixels.length; i++) inter += (found.pixels[i] ?? 0) & (truth.pixels[i] ?? 0)
  if (inter === 0) return 0
  const own = maskArea(found)
  return inter / (isCrowd ? own : own + maskArea(truth) - inter)
}

type Of = 'box' | 'mask'

function overlapOf(of: Of, found: FoundObject, truth: TrueObject): number {
  if (of === 'box') return boxOverlap(found.box, truth.box, truth.iscrowd === true)
  return found.mask && truth.mask ? maskOverlap(found.mask, truth.mask, truth.iscrowd === true) : 0
}

/** Objects of one category in one picture. */
interface Cell {
  readonly truth: readonly TrueObject[]
  /** Best first, at most 100. */
  readonly found: readonly FoundObject[]
  readonly areas: readonly number[]
  /** By what was found, then by object. */
  readonly overlaps: readonly (readonly number[])[]
}

function cellOf(of: Of, { truth, found }: Judged, category: number): Cell {
  const objects = truth.filter((each) => each.category === category)
  const best = found
    .filter((each) => each.category === category)
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
  return {
    truth: objects,
    found: best,
    areas: best.map(({ box, mask }) => (of === 'mask' && mask ? maskArea(mask) : box[2] * box[3])),
    overlaps: best.map((each) => objects.map((object) => overlapOf(of, each, object))),
  }
}

/** What came of the detections of a cell: best first. */
interface Matched {
  readonly score: number
  /** By threshold. */
  readonly hit: readonly boolean[]
  readonly ignored: readonly boolean[]
}

/** Matches detections to objects, best first: each takes the object not yet taken that it overlaps most, one that counts before others. */
function matchCell({ truth, found, areas, overlaps }: Cell, range: Range): { rows: Matched[]; count: number } {
  const [low, high] = ranges[range]
  const isIgnored = ({ iscrowd, area }: TrueObject): boolean => iscrowd === true || area < low || area > high
  const order = truth
    .map((_, i) => i)
    .sort((a, b) => Number(isIgnored(truth[a] as TrueObject)) - Number(isIgnored(truth[b] as TrueObject)))
  const ignored = order.map((i) => isIgnored(truth[i] as TrueObject))
  const results = thresholds.map((threshold) => {
    const taken = new Set<number>()
    return found.map((_, d) => {
      let [best, at] = [Math.min(threshold, 1 - 1e-10), -1]
      for (const [place, i] of order.entries()) {
        if (taken.has(i) && truth[i]?.iscrowd !== true) continue
        if (at >= 0 && !ignored[order.indexOf(at)] && ignored[place]) break
        const overlap = overlaps[d]?.[i] ?? 0
        if (overlap < best) continue
        best = overlap
        at = i
      }
      if (at < 0) {
        const area = areas[d] ?? 0
        return { hit: false, ignored: area < low || area > high }
      }
      taken.add(at)
      return { hit: true, ignored: ignored[order.indexOf(at)] ?? false }
    })
  })
  const rows = found.map(({ score }, d) => ({
    score,
    hit: results.map((result) => result[d]?.hit ?? false),
    ignored: results.map((result) => result[d]?.ignored ?? false),
  }))
  return { rows, count: ignored.filter((each) => !each).length }
}

/** Precision at 101 recalls, and the recall in the end, of one category at one threshold. */
function curveOf(rows: readonly Matched[], count: number, t: number): { precision: number[]; recall: number } {
  const [precisions, reached]: [number[], number[]] = [[], []]
  let [right, wrong] = [0, 0]
  for (const { hit, ignored } of rows) {
    if (!ignored[t]) {
      if (hit[t]) right++
      else wrong++
    }
    reached.push(right / count)
    precisions.push(right / (wrong + right + Number.EPSILON))
  }
  for (let i = precisions.length - 1; i > 0; i--)
    precisions[i - 1] = Math.max(precisions[i - 1] ?? 0, precisions[i] ?? 0)
  let at = 0
  const precision = recalls.map((recall) => {
    while (at < reached.length && (reached[at] ?? 0) < recall) at++
    return precisions[at] ?? 0
  })
  return { precision, recall: reached.at(-1) ?? 0 }
}

/** COCO's twelve numbers over pictures, for boxes or masks. Categories 0 to `categories` - 1. */
export function cocoMetrics(pictures: readonly Judged[], categories: number, of: Of): CocoMetrics {
  const cells = Array.from({ length: categories }, (_, category) => pictures.map((each) => cellOf(of, each, category)))
  /** [threshold][category]: precision curve and recall, of categories with objects. */
  const curves = (range: Range, limit: number) => {
    const found = cells.flatMap((own) => {
      const matched = own.map((cell) => matchCell(cell, range))
      const count = matched.reduce((sum, each) => sum + each.count, 0)
      if (count === 0) return []
      const rows = matched.flatMap((each) => each.rows.slice(0, limit)).sort((a, b) => b.score - a.score)
      return [{ rows, count }]
    })
    return thresholds.map((_, t) => found.map(({ rows, count }) => curveOf(rows, count, t)))
  }
  const precision = (byThreshold: ReturnType<typeof curves>): number =>
    meanOrNone(byThreshold.flatMap((own) => own.flatMap((curve) => curve.precision)))
  const recall = (byThreshold: ReturnType<typeof curves>): number =>
    meanOrNone(byThreshold.flatMap((own) => own.map((curve) => curve.recall)))
  const [all, small, medium, large] = (['all', 'small', 'medium', 'large'] as const).map((range) => curves(range, most))
  const at = (t: number): number => precision(all?.slice(t, t + 1) ?? [])
  return {
    AP: precision(all ?? []),
    AP50: at(0),
    AP75: at(5),
    APs: precision(small ?? []),
    APm: precision(medium ?? []),
    APl: precision(large ?? []),
    AR1: recall(curves('all', 1)),
    AR10: recall(curves('all', 10)),
    AR100: recall(all ?? []),
    ARs: recall(small ?? []),
    ARm: recall(medium ?? []),
    ARl: recall(large ?? []),
  }
}
