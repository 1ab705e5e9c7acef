/** Plots as SVG text, drawn by Observable Plot on a light DOM. */
import { MissingPackageError } from '../../util/errors.ts'
import type { Axis, BarPlot, LinePlot, ScatterPlot, Series } from './figures.ts'

type PlotModule = typeof import('@observablehq/plot')

/** Colours that keep their distance on light and dark paper, and for the colour-blind (Okabe and Ito). */
const palette = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9']

async function load(): Promise<{ Plot: PlotModule; document: Document }> {
  try {
    const [Plot, { parseHTML }] = await Promise.all([import('@observablehq/plot'), import('linkedom')])
    return { Plot, document: parseHTML('<!doctype html><html><body></body></html>').document as unknown as Document }
  } catch (error) {
    throw new MissingPackageError('the report needs the packages @observablehq/plot and linkedom', {
      hint: 'npm install @observablehq/plot linkedom',
      cause: error,
    })
  }
}

interface Row {
  readonly x: number
  readonly y: number
  readonly series: string
  readonly label: string
}

const finite = ({ x, y }: { x: number; y: number }): boolean => Number.isFinite(x) && Number.isFinite(y)

function rowsOf(series: readonly Series[]): Row[] {
  return series.flatMap(({ name, points }) =>
    points.filter(finite).map(({ x, y, label = '' }) => ({ x, y, series: name, label })),
  )
}

/** How many points were left out because they are NaN or infinite. */
export function droppedPoints(series: readonly Series[]): number {
  return series.reduce((sum, { points }) => sum + points.filter((point) => !finite(point)).length, 0)
}

/** Exponential moving average over about a fiftieth of the points. */
function smoothed(rows: readonly Row[]): Row[] {
  const weight = 2 / (1 + Math.max(1, rows.length / 50))
  let average: number | undefined
  return rows.map((row) => {
    average = average === undefined ? row.y : average + weight * (row.y - average)
    return { ...row, y: average }
  })
}

/** At most `limit` rows, evenly chosen: a curve of a page's width shows no more. */
function thinned(rows: readonly Row[], limit = 600): readonly Row[] {
  if (rows.length <= limit) return rows
  const step = (rows.length - 1) / (limit - 1)
  return Array.from({ length: limit }, (_, i) => rows[Math.round(i * step)]).filter((row) => row !== undefined)
}

function scale(axis: Axis): Record<string, unknown> {
  return {
    label: axis.label,
    type: axis.log ? 'log' : 'linear',
    grid: true,
    nice: true,
    ...(axis.percent && { tickFormat: (value: number) => `${+(100 * value).toFixed(2)} %` }),
  }
}

function finish(plot: unknown, title: string): string {
  const svg = plot as SVGElement
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', title)
  svg.removeAttribute('width')
  svg.removeAttribute('height')
  return svg.outerHTML
}

/** Lines or points over two axes. */
export async function drawXY(figure: LinePlot | ScatterPlot): Promise<string> {
  const { Plot, document } = await load()
  const marks: unknown[] = []
  for (const [i, series] of figure.series.entries()) {
    const rows = rowsOf([series])
    const stroke = palette[i % palette.length] ?? 'currentColor'
    if (figure.kind === 'scatter') {
      marks.push(Plot.dot(rows, { x: 'x', y: 'y', fill: stroke, r: 4 }))
      marks.push(Plot.text(rows, { x: 'x', y: 'y', text: 'label', dy: -9, fontSize: 10, fill: 'currentColor' }))
      if (rows.length > 1) marks.push(Plot.line(rows, { x: 'x', y: 'y', stroke, strokeOpacity: 0.35 }))
      continue
    }
    if (series.smooth)
      marks.push(Plot.line(thinned(rows), { x: 'x', y: 'y', stroke, strokeOpacity: 0.25, strokeWidth: 1 }))
    const line = thinned(series.smooth ? smoothed(rows) : rows)
    marks.push(Plot.line(line, { x: 'x', y: 'y', stroke, strokeWidth: 2 }))
    if (!series.smooth && rows.length <= 60) marks.push(Plot.dot(rows, { x: 'x', y: 'y', fill: stroke, r: 2.5 }))
  }
  const plot = Plot.plot({
    document,
    width: 640,
    height: 300,
    marginLeft: 56,
    marginBottom: 40,
    style: { background: 'none', color: 'currentColor', fontSize: '11px', fontFamily: 'inherit', overflow: 'visible' },
    x: scale(figure.x),
    y: scale(figure.y),
    marks: marks as never,
  })
  return finish(plot, figure.title)
}

/** Horizontal bars, in the given order. */
export async function drawBars(figure: BarPlot): Promise<string> {
  const { Plot, document } = await load()
  const bars = figure.bars.filter(({ value }) => Number.isFinite(value))
  const longest = Math.max(4, ...bars.map(({ label }) => label.length))
  const plot = Plot.plot({
    document,
    width: 640,
    height: 40 + 24 * bars.length,
    marginLeft: Math.min(220, 16 + 6.5 * longest),
    style: { background: 'none', color: 'currentColor', fontSize: '11px', fontFamily: 'inherit' },
    x: scale(figure.value),
    y: { label: null, domain: bars.map(({ label }) => label) },
    marks: [Plot.barX(bars, { x: 'value', y: 'label', fill: palette[0] ?? 'currentColor' }), Plot.ruleX([0])],
  })
  return finish(plot, figure.title)
}

/** The colours of a figure's series, for its legend. */
export function legend(series: readonly Series[]): { readonly name: string; readonly color: string }[] {
  return series.map(({ name }, i) => ({ name, color: palette[i % palette.length] ?? 'currentColor' }))
}
