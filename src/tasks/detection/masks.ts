/** Masks of objects as COCO writes them: polygons, and runs down the columns, plain or packed into a text. */
import { FormatError } from '../../util/errors.ts'

/** Which pixels belong to an object: 0 or 1, row by row. */
export interface Mask {
  readonly pixels: Uint8Array
  readonly width: number
  readonly height: number
}

/** Of a picture, in pixels. */
export interface Size {
  readonly width: number
  readonly height: number
}

/** Throws a FormatError unless runs cover the picture, each at least 0 and whole. */
export function requireRuns(runs: readonly number[], { width, height }: Size): void {
  const wrong = runs.find((run) => !(Number.isInteger(run) && run >= 0))
  if (wrong !== undefined) throw new FormatError(`runs must be whole numbers of at least 0, found ${wrong}`)
  const covered = runs.reduce((sum, run) => sum + run, 0)
  if (covered !== width * height)
    throw new FormatError(`runs must cover ${width} x ${height} = ${width * height} pixels, found ${covered}`)
}

/** The mask of runs of 0 and 1 in turns, down the columns. Throws a FormatError unless they cover the picture. */
export function maskOfRuns(runs: readonly number[], { width, height }: Size): Mask {
  requireRuns(runs, { width, height })
  const pixels = new Uint8Array(width * height)
  let at = 0
  for (const [i, run] of runs.entries()) {
    if (i % 2 === 1) for (let p = at; p < at + run; p++) pixels[(p % height) * width + Math.floor(p / height)] = 1
    at += run
  }
  return { pixels, width, height }
}

/**
 * Runs of a packed text: each number in groups of 5 bits, the lowest first, as characters from 48 on; bit 6 says that more follow. From the
 * fourth number on it is the difference from the one two before.
 */
export function runsOfText(text: string): number[] {
  const runs: number[] = []
  let at = 0
  while (at < text.length) {
    let [value, shift, more] = [0, 0, true]
    while (more) {
      const group = text.charCodeAt(at++) - 48
      if (!(group >= 0 && group < 64))
        throw new FormatError(`packed runs must be characters from "0" on, found "${text}"`)
      value |= (group & 31) << shift
      more = (group & 32) !== 0
      shift += 5
      if (!more && (group & 16) !== 0) value |= -1 << shift
    }
    runs.push(runs.length > 2 ? value + (runs[runs.length - 2] ?? 0) : value)
  }
  return runs
}

/** Points on the border of a polygon at a fifth of a pixel, in order; along the longer axis one each. */
function borderPoints(polygon: readonly number[]): [x: number, y: number][] {
  const corners = Array.from({ length: polygon.length / 2 }, (_, i) => {
    const [x = 0, y = 0] = polygon.slice(2 * i, 2 * i + 2)
    return [Math.trunc(5 * x + 0.5), Math.trunc(5 * y + 0.5)] as const
  })
  return corners.flatMap(([x0, y0], i) => {
    const [x1, y1] = corners[(i + 1) % corners.length] ?? [x0, y0]
    const [dx, dy] = [Math.abs(x1 - x0), Math.abs(y1 - y0)]
    const isWide = dx >= dy
    const isTurned = isWide ? x0 > x1 : y0 > y1
    // Rounding is from the end with the smaller coordinate, whichever way the border runs.
    const [fromX, fromY, toX, toY] = isTurned ? [x1, y1, x0, y0] : [x0, y0, x1, y1]
    const slope = isWide ? (toY - fromY) / dx : (toX - fromX) / dy
    const steps = Math.max(dx, dy)
    return Array.from({ length: steps + 1 }, (_, d): [number, number] => {
      const t = isTurned ? steps - d : d
      const along = steps === 0 ? 0 : slope * t
      return isWide ? [fromX + t, Math.trunc(fromY + along + 0.5)] : [Math.trunc(fromX + along + 0.5), fromY + t]
    })
  })
}

/**
 * The mask of one polygon [x0, y0, x1, y1, ...] by COCO's rule: the border is drawn at five times the size; where it crosses the middle
 * of a column, all pixels from there on, down the columns, change sides.
 */
function maskOfPolygon(polygon: readonly number[], { width, height }: Size): Uint8Array {
  const toggles = new Uint8Array(width * height + 1)
  const points = borderPoints(polygon)
  for (let i = 1; i < points.length; i++) {
    const [[x0, y0], [x1, y1]] = [points[i - 1] ?? [0, 0], points[i] ?? [0, 0]]
    if (x0 === x1) continue
    const column = (Math.min(x0, x1) + 0.5) / 5 - 0.5
    if (!Number.isInteger(column) || column < 0 || column > width - 1) continue
    const row = Math.ceil(Math.min(height, Math.max(0, (Math.min(y0, y1) + 0.5) / 5 - 0.5)))
    const place = column * height + row
    toggles[place] = 1 - (toggles[place] ?? 0)
  }
  const pixels = new Uint8Array(width * height)
  let inside = 0
  for (let p = 0; p < width * height; p++) {
    inside ^= toggles[p] ?? 0
    pixels[(p % height) * width + Math.floor(p / height)] = inside
  }
  return pixels
}

/** The mask of several polygons together. */
export function maskOfPolygons(polygons: readonly (readonly number[])[], size: Size): Mask {
  const pixels = new Uint8Array(size.width * size.height)
  for (const polygon of polygons) {
    const own = maskOfPolygon(polygon, size)
    for (let i = 0; i < pixels.length; i++) if (own[i]) pixels[i] = 1
  }
  return { pixels, ...size }
}

/** Pixels of a mask. */
export function maskArea({ pixels }: Mask): number {
  let area = 0
  for (const pixel of pixels) area += pixel
  return area
}

/** The smallest box around a mask, x, y, width, height; undefined where it is empty. */
export function boxOfMask({ pixels, width, height }: Mask): readonly [number, number, number, number] | undefined {
  let [left, top, right, bottom] = [width, height, 0, 0]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!pixels[y * width + x]) continue
      left = Math.min(left, x)
      right = Math.max(right, x + 1)
      top = Math.min(top, y)
      bottom = Math.max(bottom, y + 1)
    }
  }
  return right > left ? [left, top, right - left, bottom - top] : undefined
}

/**
 * Probabilities [side, side] within a box (corners), brought to a picture: each pixel's centre between the nearest four, beyond the box 0;
 * a pixel belongs to the object from 0.5 on (mmdet's `_do_paste_mask`).
 */
export function pasteMask(
  probabilities: ArrayLike<number>,
  side: number,
  [x1, y1, x2, y2]: readonly [number, number, number, number],
  { width, height }: Size,
): Mask {
  const pixels = new Uint8Array(width * height)
  const [boxWidth, boxHeight] = [x2 - x1, y2 - y1]
  if (!(boxWidth > 0 && boxHeight > 0)) return { pixels, width, height }
  const at = (row: number, column: number): number =>
    row < 0 || column < 0 || row >= side || column >= side ? 0 : (probabilities[row * side + column] ?? 0)
  const first = (low: number): number => Math.max(0, Math.floor(low) - 1)
  const end = (high: number, size: number): number => Math.min(size, Math.ceil(high) + 1)
  for (let y = first(y1); y < end(y2, height); y++) {
    const row = ((y + 0.5 - y1) / boxHeight) * side - 0.5
    const above = Math.floor(row)
    const down = row - above
    for (let x = first(x1); x < end(x2, width); x++) {
      const column = ((x + 0.5 - x1) / boxWidth) * side - 0.5
      const left = Math.floor(column)
      const right = column - left
      const upper = at(above, left) * (1 - right) + at(above, left + 1) * right
      const lower = at(above + 1, left) * (1 - right) + at(above + 1, left + 1) * right
      if (upper * (1 - down) + lower * down >= 0.5) pixels[y * width + x] = 1
    }
  }
  return { pixels, width, height }
}
