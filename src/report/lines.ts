/** Line plots: curves of training. */
import type { LinePlot, LineSeries, Point } from './figures.ts'
import { alongLine, type Place, placeClear, spread } from './labels.ts'
import { seriesColor, seriesDash } from './palette.ts'
import {
  append,
  axisMarks,
  drawFrame,
  drawNothing,
  type Frame,
  fontSize,
  halo,
  type Kit,
  type LegendEntry,
  legendHeight,
  type Mark,
  nameAxes,
  widthOfTicks,
  writeLegend,
  writeNamed,
} from './plot.ts'
import { type AxisScale, axisScale, formatOnAxis } from './scale.ts'
import { drawablePoints, extreme, smoothed, thinned } from './series.ts'
import { fitText, textWidth } from './text.ts'

/** A series with what is drawn of it. */
interface Curve {
  readonly index: number
  readonly series: LineSeries
  readonly raw: readonly Point[]
  readonly line: readonly Point[]
}

/** From this width on, names stand at the ends of the lines instead of in a legend. */
const wideEnough = 480
const lineDistance = 16

/** Where points stand, and places on the lines that labels should not cover. */
interface Drawing {
  readonly at: (point: Point) => Place
  readonly obstacles: readonly Place[]
}

function curvesOf(figure: LinePlot): Curve[] {
  return figure.series
    .map((series, index) => {
      const raw = drawablePoints(series.points, figure.x, figure.y)
      return { index, series, raw, line: series.smooth ? smoothed(raw) : raw }
    })
    .filter(({ raw }) => raw.length > 0)
}

function curveMarks({ Plot }: Kit, { index, series, raw, line }: Curve, limit: number): Mark[] {
  const stroke = seriesColor(index)
  const dash = seriesDash(index)
  const along = { x: 'x', y: 'y', stroke } as const
  const full = { ...along, strokeWidth: 2, ...(dash !== undefined && { strokeDasharray: dash }) }
  const marks: Mark[] = [Plot.line(thinned(line, limit), full)]
  if (series.smooth && line !== raw)
    marks.unshift(Plot.line(thinned(raw, limit), { ...along, strokeWidth: 1, strokeOpacity: 0.28 }))
  if (line === raw && raw.length <= 40) marks.push(Plot.dot(raw, { x: 'x', y: 'y', fill: stroke, r: 2.6 }))
  return marks
}

/** A ring around the best point, and its value next to it, off the lines where there is room. */
function markBest(kit: Kit, svg: Element, figure: LinePlot, curve: Curve, frame: Frame, drawing: Drawing): void {
  const which = curve.series.best
  const best = which && extreme(curve.line, which)
  if (!best) return
  const place = drawing.at(best)
  const color = seriesColor(curve.index)
  const ring = { cx: place.x, cy: place.y, r: 4.5, fill: 'var(--paper)', stroke: color, 'stroke-width': 2 }
  append(kit, svg, 'circle', ring)
  const words = `${formatOnAxis(figure.y, best.y)} at ${figure.x.label} ${formatOnAxis(figure.x, best.x)}`
  const width = 1.06 * textWidth(words, fontSize)
  const { left, right, top, bottom } = frame
  const inside = { left, right: frame.width - right - 8, top: top - 10, bottom: frame.height - bottom }
  const middle = placeClear(place, width, fontSize + 2, inside, drawing.obstacles, which === 'max' ? 'above' : 'below')
  const style = { ...middle, y: middle.y + 4, 'text-anchor': 'middle', 'font-size': fontSize, 'font-weight': 600 }
  append(kit, svg, 'text', { ...style, fill: color, ...halo }, words)
}

/** The last value of each curve and, where there are several, its name. */
function legendOf(figure: LinePlot, curves: readonly Curve[], y: AxisScale): LegendEntry[] {
  return curves.map(({ index, series, line }) => ({
    index,
    name: figure.series.length > 1 ? fitText(series.name, fontSize, 130) : '',
    value: y.exact(line.at(-1)?.y ?? 0),
  }))
}

/** Names at the ends of the lines, moved apart where lines end close together. */
function nameEnds(
  kit: Kit,
  svg: Element,
  frame: Frame,
  curves: readonly Curve[],
  entries: readonly LegendEntry[],
  at: Drawing['at'],
): void {
  const heights = curves.map(({ line }) => at(line.at(-1) ?? { x: 0, y: 0 }).y)
  const placed = spread(heights, lineDistance, frame.height - frame.bottom)
  for (const [i, entry] of entries.entries())
    writeNamed(kit, svg, entry, { x: frame.width - frame.right + 8, y: (placed[i] ?? 0) + 4 })
}

function heightFor(width: number): number {
  if (width >= 800) return 340
  return width >= wideEnough ? 310 : 240
}

/** Lines over two axes; at the right, or in a legend where it is narrow, each one's name and last value. */
export function drawLines(kit: Kit, figure: LinePlot, width: number): Element {
  const curves = curvesOf(figure)
  if (curves.length === 0) return drawNothing(kit, width)
  const points = curves.flatMap(({ raw }) => raw)
  const across = points.map((point) => point.y)
  const along = points.map((point) => point.x)
  const y = axisScale(figure.y, across, { count: width >= wideEnough ? 6 : 5, nice: true })
  const entries = legendOf(figure, curves, y)
  const atEnds = width >= wideEnough
  const legend = atEnds || figure.series.length < 2 ? [] : entries
  const room = Math.max(...entries.map(({ name, value = '' }) => textWidth(`${name} ${value}`, fontSize)))
  const frame = {
    width,
    height: heightFor(width),
    left: widthOfTicks(y),
    right: atEnds ? Math.ceil(1.08 * room + 14) : 10,
    top: 26 + legendHeight(legend, width),
    bottom: 46,
  }
  const x = axisScale(figure.x, along, { count: Math.floor((width - frame.left - frame.right) / 64) })
  const lowest = curves.some(({ series }) => series.best === 'min')
  const { svg, at } = drawFrame(
    kit,
    frame,
    { type: x.type, domain: x.domain },
    { type: y.type, domain: y.domain, insetTop: 4, insetBottom: lowest ? 14 : 2 },
    [...axisMarks(kit, x, y, false), ...curves.flatMap((curve) => curveMarks(kit, curve, width))],
  )
  nameAxes(kit, svg, frame, figure.x, figure.y)
  const obstacles = curves.flatMap(({ line }) => alongLine(thinned(line, width).map(at), 4))
  for (const curve of curves) markBest(kit, svg, figure, curve, frame, { at, obstacles })
  if (atEnds) nameEnds(kit, svg, frame, curves, entries, at)
  else writeLegend(kit, svg, legend, width, 'line')
  return svg
}
