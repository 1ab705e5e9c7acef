/** Draws a chart with uPlot: lines, bands of least and greatest values, a pointer shared by all charts, and a part to choose. */
import uPlot from 'uplot'
import type { StepRange } from '../api.ts'
import { formatMetric } from '../format.ts'
import type { ChartModel, JoinedData } from './chart-data.ts'

export interface DrawOptions {
  readonly chart: ChartModel
  readonly data: JoinedData
  readonly isLog: boolean
  /** The row that is pointed at; undefined: none. */
  readonly onrow: (row: number | undefined) => void
  /** The part that was chosen; undefined: the whole. */
  readonly onzoom: (range: StepRange | undefined) => void
}

const height = 220

/** A colour of the page, as it is now: light or dark. */
function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

function lineColor(index: number): string {
  return color(`--series-${index % 6}`)
}

function withAlpha(hex: string, alpha: number): string {
  return `${hex}${Math.round(alpha * 255)
    .toString(16)
    .padStart(2, '0')}`
}

function seriesOf({ chart, data }: DrawOptions): uPlot.Series[] {
  return data.roles.map(({ line, part }) => {
    const { color: index, kind } = chart.lines[line] ?? { color: 0, kind: 'step' }
    const isTest = kind === 'evaluation'
    const isValue = part === 'value'
    return {
      spanGaps: true,
      stroke: () => withAlpha(lineColor(index), isValue ? 1 : part === 'raw' ? 0.28 : 0),
      width: isValue ? (isTest ? 2 : 1.5) : 1,
      ...(isTest && { dash: [6, 4] }),
      points: { show: isTest && isValue, size: 6, fill: () => lineColor(index) },
    }
  })
}

function bandsOf({ chart, data }: DrawOptions): uPlot.Band[] {
  return data.roles.flatMap(({ line, part }, i) => {
    const index = chart.lines[line]?.color ?? 0
    // The column of the least values follows that of the greatest.
    return part === 'high'
      ? [{ series: [i + 1, i + 2] as [number, number], fill: () => withAlpha(lineColor(index), 0.14) }]
      : []
  })
}

function axesOf({ chart }: DrawOptions): uPlot.Axis[] {
  const common = {
    stroke: () => color('--soft'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: () => color('--line'), width: 1 },
    ticks: { show: false },
  }
  const short = (value: number): string => formatMetric(value, chart.form).replace(/\.?0+ %$/, ' %')
  return [
    { ...common, size: 26 },
    { ...common, size: 62, values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : short(tick))) },
  ]
}

/** Draws into an element, as wide as that is, until `destroy`. */
export function drawChart(
  place: HTMLElement,
  options: DrawOptions,
): { readonly plot: uPlot; readonly destroy: () => void } {
  const { data, isLog, onrow, onzoom } = options
  const plot = new uPlot(
    {
      width: Math.max(200, place.clientWidth),
      height,
      legend: { show: false },
      cursor: { sync: { key: 'step' }, y: false, points: { size: 7 }, drag: { x: true, y: false, setScale: false } },
      scales: { x: { time: false }, y: isLog ? { distr: 3 } : {} },
      series: [{}, ...seriesOf(options)],
      bands: bandsOf(options),
      axes: axesOf(options),
      hooks: {
        setCursor: [({ cursor: { idx } }) => onrow(idx ?? undefined)],
        setSelect: [
          (self) => {
            if (self.select.width < 4) return
            const [from, to] = [self.select.left, self.select.left + self.select.width].map((x) =>
              self.posToVal(x, 'x'),
            )
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
            onzoom({ from: Math.floor(from ?? 0), to: Math.ceil(to ?? 0) })
          },
        ],
      },
    },
    [data.x, ...data.columns] as uPlot.AlignedData,
    place,
  )
  plot.over.addEventListener('dblclick', () => onzoom(undefined))
  const resizing = new ResizeObserver(() => plot.setSize({ width: Math.max(200, place.clientWidth), height }))
  resizing.observe(place)
  const scheme = matchMedia('(prefers-color-scheme: dark)')
  const redraw = (): void => plot.redraw(false)
  scheme.addEventListener('change', redraw)
  return {
    plot,
    destroy: () => {
      resizing.disconnect()
      scheme.removeEventListener('change', redraw)
      plot.destroy()
    },
  }
}
