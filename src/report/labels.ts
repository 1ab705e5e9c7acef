/** Places for labels: where they cover neither each other nor what is drawn. */

/** A place on a plot, in pixels from its top left. */
export interface Place {
  readonly x: number
  readonly y: number
}

/** A rectangle on a plot, in pixels. */
export interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** The rectangle around a middle. */
function boxAround({ x, y }: Place, halfWidth: number, halfHeight: number): Box {
  return { left: x - halfWidth, right: x + halfWidth, top: y - halfHeight, bottom: y + halfHeight }
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}

function holds(box: Box, { x, y }: Place): boolean {
  return x > box.left && x < box.right && y > box.top && y < box.bottom
}

function within(inner: Box, outer: Box): boolean {
  return (
    inner.left >= outer.left && inner.right <= outer.right && inner.top >= outer.top && inner.bottom <= outer.bottom
  )
}

/**
 * Middles of labels next to their points, each `width` wide: right of it, above, left or below, wherever it covers no
 * point and no label before it. Undefined where there is no such place, or no label (width 0).
 */
export function placeBeside(
  points: readonly { readonly place: Place; readonly width: number }[],
  radius: number,
  height: number,
  inside: Box,
): (Place | undefined)[] {
  const taken = points.map(({ place }) => boxAround(place, radius, radius))
  return points.map(({ place, width }) => {
    if (width === 0) return undefined
    const beside = width / 2 + radius + 4
    const shifts = [
      { x: beside, y: 0 },
      { x: 0, y: -height },
      { x: -beside, y: 0 },
      { x: 0, y: height },
      ...[beside, -beside].flatMap((x) => [-0.7, 0.7].map((turn) => ({ x, y: turn * height }))),
    ]
    for (const shift of shifts) {
      const middle = { x: place.x + shift.x, y: place.y + shift.y }
      const box = boxAround(middle, width / 2, height / 2)
      if (!within(box, inside) || taken.some((other) => overlap(box, other))) continue
      taken.push(box)
      return middle
    }
    return undefined
  })
}

/** Places along a line, at most `distance` pixels apart. */
export function alongLine(corners: readonly Place[], distance: number): Place[] {
  return corners.flatMap((corner, i) => {
    const next = corners[i + 1]
    if (!next) return [corner]
    const pieces = Math.max(1, Math.ceil(Math.hypot(next.x - corner.x, next.y - corner.y) / distance))
    return Array.from({ length: pieces }, (_, k) => ({
      x: corner.x + ((next.x - corner.x) * k) / pieces,
      y: corner.y + ((next.y - corner.y) * k) / pieces,
    }))
  })
}

/** The middle, above or below a point, of a label that covers the fewest obstacles; `first` wins where all are alike. */
export function placeClear(
  place: Place,
  width: number,
  height: number,
  inside: Box,
  obstacles: readonly Place[],
  first: 'above' | 'below',
): Place {
  const sign = first === 'above' ? -1 : 1
  const x = Math.max(inside.left + width / 2, Math.min(place.x, inside.right - width / 2))
  let best: { readonly middle: Place; readonly covered: number } | undefined
  for (const away of [1, -1, 1.9, -1.9, 2.8, -2.8]) {
    const middle = { x, y: place.y + sign * away * (height + 2) }
    const box = boxAround(middle, width / 2, height / 2)
    if (box.top < inside.top || box.bottom > inside.bottom) continue
    const covered = obstacles.filter((obstacle) => holds(box, obstacle)).length
    if (!best || covered < best.covered) best = { middle, covered }
  }
  return best?.middle ?? { x, y: place.y + sign * (height + 2) }
}

/** Moves heights apart until neighbours keep their distance and, where there is room, all are at most `highest`. */
export function spread(heights: readonly number[], distance: number, highest: number): number[] {
  const order = heights.map((_, i) => i).sort((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0))
  const sorted = order.map((i) => heights[i] ?? 0)
  for (let i = 1; i < sorted.length; i++) sorted[i] = Math.max(sorted[i] ?? 0, (sorted[i - 1] ?? 0) + distance)
  let ceiling = highest
  for (let i = sorted.length - 1; i >= 0; i--) {
    sorted[i] = Math.min(sorted[i] ?? 0, ceiling)
    ceiling = (sorted[i] ?? 0) - distance
  }
  const placed = new Array<number>(heights.length).fill(0)
  for (const [rank, i] of order.entries()) placed[i] = sorted[rank] ?? 0
  return placed
}
