/** Bar plots: one bar a row, its value written at its end. */
import type { BarPlot } from './figures.ts'
import { seriesColor } from './palette.ts'
import { append, drawFrame, drawNothing, fontSize, type Kit } from './plot.ts'
import { axisScale } from './scale.ts'
import { drawableBars } from './series.ts'
import { fitText, formatColumn, textWidth } from './text.ts'

const rowHeight = 26

/** Horizontal bars from 0 (on a log scale: from the scale's low end). */
export function drawBars(kit: Kit, figure: BarPlot, width: number): Element {
  const { Plot } = kit
  const bars = drawableBars(figure.bars, figure.value).map((bar, row) => ({ ...bar, row }))
  if (bars.length === 0) return drawNothing(kit, width)
  const values = bars.map(({ value }) => value)
  const [factor, unit] = figure.value.percent ? [100, ' %'] : [1, '']
  const words = formatColumn(values.map((value) => factor * value)).map((word) => word + unit)
  const room = Math.max(...words.map((word) => textWidth(word, fontSize))) + 10
  const longest = Math.max(...bars.map(({ label }) => textWidth(label, fontSize)))
  const left = Math.ceil(Math.min(longest * 1.05 + 10, 0.4 * width))
  const frame = { width, height: 24 + rowHeight * bars.length, left, right: 4, top: 22, bottom: 2 }
  const scale = axisScale(figure.value, values, { count: 6, zero: !figure.value.log, nice: figure.value.log ?? false })
  const base = figure.value.log ? scale.domain[0] : 0
  const { svg, at } = drawFrame(
    kit,
    frame,
    {
      type: scale.type,
      domain: scale.domain,
      insetRight: room,
      insetLeft: values.some((value) => value < 0) ? room : 0,
    },
    { type: 'band', domain: bars.map(({ row }) => row), padding: 0.28 },
    [
      Plot.barX(bars, { x1: base, x2: 'value', y: 'row', fill: seriesColor(0), rx: 2 }),
      Plot.ruleX([base], { stroke: 'var(--soft)' }),
    ],
  )
  const style = { 'font-size': fontSize, fill: 'var(--ink)' }
  append(
    kit,
    svg,
    'text',
    { ...style, x: left, y: 12, fill: 'var(--soft)', 'text-anchor': 'start' },
    `${figure.value.label} →`,
  )
  for (const { row, value, label } of bars) {
    const end = at({ x: value, y: row })
    const y = end.y + 4
    const name = { ...style, x: left - 8, y, 'text-anchor': 'end' }
    append(kit, svg, 'text', name, fitText(label, fontSize, left - 10))
    const x = end.x + (value < 0 ? -6 : 6)
    append(kit, svg, 'text', { ...style, x, y, 'text-anchor': value < 0 ? 'end' : 'start' }, words[row])
  }
  return svg
}
