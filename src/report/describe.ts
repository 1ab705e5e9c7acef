/** Plots in words, for readers who can't see them. */
import { counted } from '../util/words.ts'
import type { LinePlot, PlotFigure, Point, ScatterPlot } from './figures.ts'
import { formatOnAxis } from './scale.ts'
import { drawableBars, drawablePoints, extreme } from './series.ts'

function describeSeries(figure: LinePlot | ScatterPlot, name: string, points: readonly Point[]): string {
  const [low, high] = [extreme(points, 'min'), extreme(points, 'max')]
  const [first, last] = [points[0], points.at(-1)]
  if (!low || !high || !first || !last) return `${name}: no points.`
  const value = (point: Point): string => formatOnAxis(figure.y, point.y)
  const place = (point: Point): string => `${value(point)} at ${formatOnAxis(figure.x, point.x)}`
  const range = `lowest ${place(low)}, highest ${place(high)}`
  const course = figure.kind === 'lines' ? `from ${value(first)} to ${value(last)}, ` : ''
  return `${name}: ${counted(points.length, 'point')}, ${course}${range}.`
}

/** One sentence for the plot, one for each series, or all bars with their values. */
export function describePlot(figure: PlotFigure): string {
  if (figure.kind === 'bars') {
    const bars = drawableBars(figure.bars, figure.value)
    const values = bars.map(({ label, value }) => `${label} ${formatOnAxis(figure.value, value)}`)
    return `Bar plot of ${figure.value.label}: ${figure.title}. ${values.join(', ') || 'No bars'}.`
  }
  const kind = figure.kind === 'lines' ? 'Line plot' : 'Scatter plot'
  const series = figure.series.map(({ name, points }) =>
    describeSeries(figure, name, drawablePoints(points, figure.x, figure.y)),
  )
  return [`${kind} of ${figure.y.label} over ${figure.x.label}: ${figure.title}.`, ...series].join(' ')
}
