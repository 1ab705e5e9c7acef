/** Points prepared for drawing: those that can't be drawn are removed, noise is smoothed, dense points are thinned. */
import { counted } from '../util/words.ts'
import type { Axis, PlotFigure, Point } from './figures.ts'

/** Sums and logarithms of greater values, and logarithms of lesser ones, would not be finite themselves. */
const [least, most] = [1e-250, 1e250]

function isModerate(value: number): boolean {
  return Math.abs(value) <= most
}

function drawable(value: number, axis: Axis): boolean {
  return isModerate(value) && !(axis.log && value < least)
}

/** The points that can stand on these axes. */
export function drawablePoints<P extends Point>(points: readonly P[], x: Axis, y: Axis): P[] {
  return points.filter((point) => drawable(point.x, x) && drawable(point.y, y))
}

/** The bars that can stand on this axis. */
export function drawableBars<B extends { readonly value: number }>(bars: readonly B[], axis: Axis): B[] {
  return bars.filter(({ value }) => drawable(value, axis))
}

/** A sentence about the values that a plot leaves out; nothing if it shows all of them. */
export function omissionNote(figure: PlotFigure): string | undefined {
  const axes = figure.kind === 'bars' ? [figure.value] : [figure.x, figure.y]
  const rows =
    figure.kind === 'bars'
      ? figure.bars.map(({ value }) => [value])
      : figure.series.flatMap(({ points }) => points.map(({ x, y }) => [x, y]))
  const infinite = rows.filter((row) => !row.every(isModerate)).length
  const shown = rows.filter((row) => row.every((value, i) => drawable(value, axes[i] ?? { label: '' }))).length
  const negative = rows.length - shown - infinite
  const of = (count: number): string =>
    `${count.toLocaleString('en')} of ${counted(rows.length, figure.kind === 'bars' ? 'bar' : 'point')}`
  const notes = [
    ...(infinite > 0 ? [`${of(infinite)} left out: NaN or infinite.`] : []),
    ...(negative > 0 ? [`${of(negative)} left out: not positive, on a log scale.`] : []),
  ]
  return notes.length > 0 ? notes.join(' ') : undefined
}

/** More points than this are averaged in groups before they are smoothed: a line across a page shows no more. */
const mostSmoothed = 600

/** Means of `count` groups of neighbours, or the points as they are where there are no more. */
function grouped(points: readonly Point[], count: number): readonly Point[] {
  if (points.length <= count) return points
  return Array.from({ length: count }, (_, group) => {
    const [start, end] = [group, group + 1].map((edge) => Math.round((edge * points.length) / count))
    const part = points.slice(start, end)
    const mean = (of: (point: Point) => number): number => part.reduce((sum, p) => sum + of(p), 0) / part.length
    return { x: mean((point) => point.x), y: mean((point) => point.y) }
  })
}

/**
 * Averages over neighbours with Gaussian weights of a standard deviation of 1/60 of the points. The window grows from
 * the first point on, so that the steep start of a loss stays where it is. Fewer than 8 points are left alone.
 */
export function smoothed(points: readonly Point[]): readonly Point[] {
  if (points.length < 8) return points
  const means = grouped(points, mostSmoothed)
  const deviation = Math.max(1, means.length / 60)
  return means.map(({ x }, i) => {
    const reach = Math.min(i, Math.ceil(2.5 * deviation))
    let [sum, weights] = [0, 0]
    for (let j = i - reach; j <= Math.min(i + reach, means.length - 1); j++) {
      const weight = Math.exp(-0.5 * ((j - i) / deviation) ** 2)
      sum += weight * (means[j]?.y ?? 0)
      weights += weight
    }
    return { x, y: sum / weights }
  })
}

/** At most about `limit` points that draw the same line: the lowest and the highest of each run, so that no peak is lost. */
export function thinned(points: readonly Point[], limit: number): readonly Point[] {
  if (points.length <= limit) return points
  const runs = Math.max(1, Math.floor(limit / 2))
  const [first, last] = [points[0], points.at(-1)]
  const kept = Array.from({ length: runs }, (_, run) => {
    const part = points.slice(Math.round((run * points.length) / runs), Math.round(((run + 1) * points.length) / runs))
    const low = extreme(part, 'min')
    const high = extreme(part, 'max')
    return low && high && low !== high ? [low, high].sort((a, b) => a.x - b.x) : [low ?? high]
  }).flat()
  return [...new Set([first, ...kept, last])].filter((point) => point !== undefined)
}

/** The first point of the lowest or of the highest y. */
export function extreme<P extends Point>(points: readonly P[], which: 'min' | 'max'): P | undefined {
  const sign = which === 'min' ? 1 : -1
  let found: P | undefined
  for (const point of points) if (!found || sign * point.y < sign * found.y) found = point
  return found
}
