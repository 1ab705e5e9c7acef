/** Plots as SVG: inside the page, in the sizes that it may need, and alone. */
import { drawBars } from './bars.ts'
import { describePlot } from './describe.ts'
import type { PlotFigure } from './figures.ts'
import { drawLines } from './lines.ts'
import { colorVariables } from './palette.ts'
import { fontFamily, type Kit, loadKit, serialize } from './plot.ts'
import { drawScatter } from './scatter.ts'
import { escapeHtml } from './text.ts'

function draw(kit: Kit, figure: PlotFigure, width: number): Element {
  switch (figure.kind) {
    case 'lines':
      return drawLines(kit, figure, width)
    case 'scatter':
      return drawScatter(kit, figure, width)
    case 'bars':
      return drawBars(kit, figure, width)
  }
}

/** The widths at which a plot is drawn for the page, so that its letters keep their size; the style sheet shows one. */
const widths = { narrow: 350, medium: 540, wide: 1040 } as const

/** A plot for the page: a box that shows the drawing that fits it. `wide` adds one for the page's whole width. */
export async function plotHtml(figure: PlotFigure, wide: boolean): Promise<string> {
  const kit = await loadKit()
  const sizes = wide ? (['narrow', 'medium', 'wide'] as const) : (['narrow', 'medium'] as const)
  const drawings = sizes.map((size) => {
    const svg = draw(kit, figure, widths[size])
    svg.setAttribute('class', size)
    for (const name of ['width', 'height']) svg.removeAttribute(name)
    return serialize(svg)
  })
  const name = wide ? 'plot has-wide' : 'plot'
  return `<div class="${name}" role="img" aria-label="${escapeHtml(describePlot(figure))}">${drawings.join('')}</div>`
}

/** Paper around a plot that stands alone, in pixels. */
const padding = 16

/**
 * One plot as an SVG file, for documents. It follows the reader's light or dark setting. `width` is in pixels, default 720;
 * from 480 on, lines are named at their ends. Throws a MissingPackageError if the plotting packages are not installed.
 */
export async function renderFigureSvg(figure: PlotFigure, options: { readonly width?: number } = {}): Promise<string> {
  const kit = await loadKit()
  const outer = options.width ?? 720
  const svg = draw(kit, figure, outer - 2 * padding)
  const height = Number(svg.getAttribute('height')) + 2 * padding
  const style = `svg{${colorVariables('light')};background:var(--paper);color:var(--ink);overflow:visible;font-family:${fontFamily}}
@media (prefers-color-scheme:dark){svg{${colorVariables('dark')}}}`
  // Written here, not by the DOM: that leaves < and > in attributes, which HTML allows and XML does not.
  const box = `viewBox="${-padding} ${-padding} ${outer} ${height}" width="${outer}" height="${height}"`
  const label = escapeHtml(describePlot(figure))
  return `<svg xmlns="http://www.w3.org/2000/svg" ${box} role="img" aria-label="${label}">
<style>${style}</style>
${serialize(svg)}
</svg>
`
}
