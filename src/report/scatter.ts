/** Scatter plots: labelled points, their labels kept apart. */
import type { Point, ScatterPlot } from './figures.ts'
import { type Place, placeBeside } from './labels.ts'
import { seriesColor } from './palette.ts'
import {
  append,
  axisMarks,
  drawFrame,
  drawNothing,
  type Frame,
  fontSize,
  halo,
  type Kit,
  legendHeight,
  nameAxes,
  widthOfTicks,
  writeLegend,
} from './plot.ts'
import { axisScale } from './scale.ts'
import { drawablePoints } from './series.ts'
import { fitText, textWidth } from './text.ts'

const radius = 4.5
const labelSize = fontSize - 1

/** Labels next to their points; those without a free place are left out. */
function labelPoints(
  kit: Kit,
  svg: Element,
  frame: Frame,
  points: readonly Point[],
  at: (point: Point) => Place,
): void {
  const labels = points.map(({ label = '' }) => fitText(label, labelSize, 150))
  const sized = points.map((point, i) => ({ place: at(point), width: textWidth(labels[i] ?? '', labelSize) }))
  const inside = { left: frame.left, right: frame.width, top: frame.top, bottom: frame.height - frame.bottom }
  for (const [i, place] of placeBeside(sized, radius, labelSize + 2, inside).entries()) {
    if (!place) continue
    const style = { x: place.x, y: place.y + 4, 'text-anchor': 'middle', 'font-size': labelSize, fill: 'var(--ink)' }
    append(kit, svg, 'text', { ...style, ...halo }, labels[i])
  }
}

function heightFor(width: number): number {
  if (width >= 800) return 400
  return width >= 480 ? 340 : 260
}

/** Points over two axes, a legend above them if there is more than one series. */
export function drawScatter(kit: Kit, figure: ScatterPlot, width: number): Element {
  const { Plot } = kit
  const clouds = figure.series.map((series, index) => ({
    index,
    series,
    points: drawablePoints<Point>(series.points, figure.x, figure.y),
  }))
  const points = clouds.flatMap((cloud) => cloud.points)
  if (points.length === 0) return drawNothing(kit, width)
  const legend = clouds.length > 1 ? clouds.map(({ index, series }) => ({ index, name: series.name })) : []
  const height = heightFor(width) + legendHeight(legend, width)
  const y = axisScale(
    figure.y,
    points.map((point) => point.y),
    { count: 6, nice: true },
  )
  const left = widthOfTicks(y)
  const frame = { width, height, left, right: 10, top: 26 + legendHeight(legend, width), bottom: 46 }
  const x = axisScale(
    figure.x,
    points.map((point) => point.x),
    { count: Math.floor((width - left) / 68), nice: true },
  )
  const { svg, at } = drawFrame(
    kit,
    frame,
    { type: x.type, domain: x.domain, inset: 8 },
    { type: y.type, domain: y.domain, inset: 8 },
    [
      ...axisMarks(kit, x, y, true),
      ...clouds
        .filter(({ series }) => series.connected)
        .map((cloud) =>
          Plot.line(cloud.points, {
            x: 'x',
            y: 'y',
            stroke: seriesColor(cloud.index),
            strokeWidth: 1.5,
            strokeOpacity: 0.5,
          }),
        ),
      ...clouds.map((cloud) =>
        Plot.dot(cloud.points, { x: 'x', y: 'y', r: radius, fill: seriesColor(cloud.index), stroke: 'var(--paper)' }),
      ),
    ],
  )
  nameAxes(kit, svg, frame, figure.x, figure.y)
  writeLegend(kit, svg, legend, width, 'dot')
  labelPoints(kit, svg, frame, points, at)
  return svg
}
