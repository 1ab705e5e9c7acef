/** What all plots share: Observable Plot on a lightweight DOM, axes, legends, text, and cleaned-up SVG. */
import type * as PlotModule from '@observablehq/plot'
import { MissingPackageError } from '../util/errors.ts'
import type { Axis } from './figures.ts'
import type { Place } from './labels.ts'
import { seriesColor, seriesDash } from './palette.ts'
import type { AxisScale } from './scale.ts'
import { textWidth } from './text.ts'

export type Mark = PlotModule.Markish

/** What drawing needs: the plotting library and a document to draw in. */
export interface Kit {
  readonly Plot: typeof PlotModule
  readonly document: Document
}

/** Loads the plotting packages. Throws a MissingPackageError if they are not installed. */
export async function loadKit(): Promise<Kit> {
  try {
    const [Plot, { parseHTML }] = await Promise.all([import('@observablehq/plot'), import('linkedom')])
    return { Plot, document: parseHTML('<!doctype html><html><body></body></html>').document }
  } catch (error) {
    throw new MissingPackageError('plots need the packages @observablehq/plot and linkedom, which are not installed', {
      hint: 'npm install @observablehq/plot linkedom',
      cause: error,
    })
  }
}

export const fontSize = 12
export const fontFamily =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif'
const lineHeight = 18
const gap = { tick: 8, legend: 16, swatch: 14 }

/** A plot under construction. Pixels count from the top left. */
export interface Frame {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** Room that labels of the y axis take. */
export function widthOfTicks(scale: AxisScale): number {
  return Math.ceil(Math.max(...scale.ticks.map((tick) => textWidth(scale.format(tick), fontSize))) + gap.tick + 4)
}

/** Grid, tick labels and base line. */
export function axisMarks({ Plot }: Kit, x: AxisScale, y: AxisScale, gridX: boolean): Mark[] {
  const style = { label: null, tickSize: 0, tickPadding: gap.tick, fill: 'var(--soft)', fontSize } as const
  const grid = { stroke: 'var(--line)', strokeOpacity: 1 }
  return [
    Plot.gridY([...y.ticks], grid),
    ...(gridX ? [Plot.gridX([...x.ticks], grid)] : []),
    Plot.axisY([...y.ticks], { ...style, text: y.format }),
    Plot.axisX([...x.ticks], {
      ...style,
      text: x.format,
      tickSize: gridX ? 0 : 4,
      stroke: 'var(--soft)',
      strokeOpacity: 0.6,
    }),
    ...(gridX ? [] : [Plot.frame({ anchor: 'bottom', stroke: 'var(--soft)', strokeOpacity: 0.6 })]),
  ]
}

/** Draws marks in a frame, without any words but those of the axes. */
export function drawFrame(kit: Kit, frame: Frame, x: object, y: object, marks: readonly Mark[]) {
  const plot = kit.Plot.plot({
    document: kit.document,
    width: frame.width,
    height: frame.height,
    marginLeft: frame.left,
    marginRight: frame.right,
    marginTop: frame.top,
    marginBottom: frame.bottom,
    x: { axis: null, label: null, ...x },
    y: { axis: null, label: null, ...y },
    marks: [...marks],
  })
  const svg = plot as SVGSVGElement
  svg.querySelector('style')?.remove()
  for (const name of ['class', 'font-size', 'font-family']) svg.removeAttribute(name)
  const [across, along] = [plot.scale('x'), plot.scale('y')]
  return {
    svg,
    at: (point: { readonly x: number; readonly y: number }): Place => ({
      x: Number(across?.apply(point.x)),
      y: Number(along?.apply(point.y)) + (along?.bandwidth ?? 0) / 2,
    }),
  }
}

/** Adds one SVG element. */
export function append(
  { document }: Kit,
  parent: Element,
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  text?: string,
): Element {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes))
    if (value !== undefined) element.setAttribute(key, String(value))
  if (text !== undefined) element.textContent = text
  parent.appendChild(element)
  return element
}

/** Text with an edge of paper around it, so that it can be read on top of lines. */
export const halo = {
  stroke: 'var(--paper)',
  'stroke-width': 5,
  'stroke-linejoin': 'round',
  'paint-order': 'stroke',
} as const

/** Writes the names of both axes: across at the top left, along at the bottom right. */
export function nameAxes(kit: Kit, svg: Element, frame: Frame, x: Axis, y: Axis): void {
  const style = { fill: 'var(--soft)', 'font-size': fontSize }
  append(kit, svg, 'text', { ...style, x: 0, y: frame.top - 14, 'text-anchor': 'start' }, `↑ ${y.label}`)
  const bottom = { x: frame.width - frame.right, y: frame.height - 4, 'text-anchor': 'end' }
  append(kit, svg, 'text', { ...style, ...bottom }, `${x.label} →`)
}

/** An entry of a legend: the series' name and, where told, its last value. */
export interface LegendEntry {
  readonly index: number
  readonly name: string
  readonly value?: string
}

function placeLegend(entries: readonly LegendEntry[], width: number): { entry: LegendEntry; x: number; row: number }[] {
  let [x, row] = [0, 0]
  return entries.map((entry) => {
    const words = entry.value === undefined ? entry.name : `${entry.name} ${entry.value}`
    const needed = gap.swatch + 6 + 1.08 * textWidth(words, fontSize)
    if (x > 0 && x + needed > width) [x, row] = [0, row + 1]
    const placed = { entry, x, row }
    x += needed + gap.legend
    return placed
  })
}

/** Room above the plot that a legend takes. */
export function legendHeight(entries: readonly LegendEntry[], width: number): number {
  return entries.length === 0 ? 0 : ((placeLegend(entries, width).at(-1)?.row ?? 0) + 1) * lineHeight + 6
}

/** Writes a legend at the top, a stroke or a dot before each name. */
export function writeLegend(
  kit: Kit,
  svg: Element,
  entries: readonly LegendEntry[],
  width: number,
  symbol: 'line' | 'dot',
): void {
  for (const { entry, x, row } of placeLegend(entries, width)) {
    const y = row * lineHeight + 12
    const color = seriesColor(entry.index)
    if (symbol === 'dot') append(kit, svg, 'circle', { cx: x + 7, cy: y - 4, r: 4, fill: color })
    else {
      const line = { x1: x, x2: x + gap.swatch, y1: y - 4, y2: y - 4, stroke: color, 'stroke-width': 2.5 }
      append(kit, svg, 'line', { ...line, 'stroke-dasharray': seriesDash(entry.index) })
    }
    writeNamed(kit, svg, entry, { x: x + gap.swatch + 6, y })
  }
}

/** A series' name in its colour, followed by its value. */
export function writeNamed(kit: Kit, svg: Element, { index, name, value }: LegendEntry, place: Place): void {
  const style = { ...place, 'text-anchor': 'start', 'font-size': fontSize, fill: seriesColor(index) }
  const text = append(kit, svg, 'text', style)
  if (name) append(kit, text, 'tspan', { 'font-weight': 600 }, name)
  if (value !== undefined) append(kit, text, 'tspan', name ? { dx: 5 } : {}, value)
}

/** A picture with the text that there is nothing to show. */
export function drawNothing(kit: Kit, width: number): Element {
  const svg = kit.document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  for (const [name, value] of [
    ['viewBox', `0 0 ${width} 72`],
    ['width', width],
    ['height', 72],
  ] as const)
    svg.setAttribute(name, String(value))
  const box = { x: 0.5, y: 0.5, width: width - 1, height: 71, rx: 6, fill: 'none', stroke: 'var(--line)' }
  append(kit, svg, 'rect', { ...box, 'stroke-dasharray': '4 4' })
  const middle = { x: width / 2, y: 40, 'text-anchor': 'middle', 'font-size': fontSize, fill: 'var(--soft)' }
  append(kit, svg, 'text', middle, 'Nothing to draw')
  return svg
}

const roundedAttributes = ['d', 'transform', 'x', 'y', 'x1', 'x2', 'y1', 'y2', 'cx', 'cy', 'width', 'height', 'points']

/** SVG text of a drawing, its coordinates rounded to a tenth of a pixel. */
export function serialize(svg: Element): string {
  for (const element of [svg, ...svg.querySelectorAll('*')]) {
    // The plot is described as a whole.
    for (const name of ['aria-label', 'aria-hidden', 'aria-description']) element.removeAttribute(name)
    for (const name of roundedAttributes) {
      const value = element.getAttribute(name)
      if (value?.includes('.'))
        element.setAttribute(
          name,
          value.replace(/-?\d*\.\d+(e-?\d+)?/g, (number) => String(+Number(number).toFixed(1))),
        )
    }
  }
  return svg.outerHTML
}
