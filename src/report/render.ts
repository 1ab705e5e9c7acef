/** One self-contained HTML page from a report's data: no scripts, no requests. */
import { confusionHtml, confusionNote } from './confusion.ts'
import type { Figure, Report, Section } from './figures.ts'
import { layoutRows } from './layout.ts'
import { heatmapGridHtml, heatmapNote, pictureGridHtml } from './pictures.ts'
import { omissionNote } from './series.ts'
import { css } from './style.ts'
import { plotHtml } from './svg.ts'
import { definitionsHtml, shadedHtml, tableHtml, textHtml } from './tables.ts'
import { escapeHtml, sentences, slug, withCode } from './text.ts'

export { plotPackages } from './plot-packages.ts'
export { renderFigureSvg } from './svg.ts'

async function figureBody(figure: Figure, alone: boolean): Promise<string> {
  switch (figure.kind) {
    case 'lines':
    case 'scatter':
      return plotHtml(figure, alone)
    case 'bars':
      return plotHtml(figure, false)
    case 'confusion':
      return confusionHtml(figure)
    case 'pictures':
      return pictureGridHtml(figure)
    case 'heatmaps':
      return heatmapGridHtml(figure)
    case 'table':
      return tableHtml(figure)
    case 'definitions':
      return definitionsHtml(figure)
    case 'text':
      return textHtml(figure)
    case 'shaded':
      return shadedHtml(figure)
  }
}

/** What the renderer adds to a figure's caption. */
function noteOf(figure: Figure): string | undefined {
  switch (figure.kind) {
    case 'lines':
    case 'scatter':
    case 'bars':
      return omissionNote(figure)
    case 'confusion':
      return confusionNote(figure)
    case 'heatmaps':
      return heatmapNote(figure)
    default:
      return undefined
  }
}

async function figureHtml(figure: Figure, alone: boolean): Promise<string> {
  const body = await figureBody(figure, alone)
  const caption = sentences(figure.caption, noteOf(figure))
  const words = caption ? `<p>${withCode(caption)}</p>` : ''
  const head = `<figcaption><h3>${escapeHtml(figure.title)}</h3>${words}</figcaption>`
  return `<figure data-kind="${figure.kind}">${head}\n<div class="body">${body}</div></figure>`
}

async function rowHtml(figures: readonly Figure[]): Promise<string> {
  const drawn = await Promise.all(figures.map((figure) => figureHtml(figure, figures.length === 1)))
  const columns = ['one', 'two', 'three'][figures.length - 1] ?? 'three'
  return `<div class="row ${columns}">${drawn.join('\n')}</div>`
}

async function sectionHtml({ title, intro, figures }: Section, id: string): Promise<string> {
  const rows = await Promise.all(layoutRows(figures).map(rowHtml))
  const lead = intro ? `<p class="intro">${withCode(intro)}</p>` : ''
  return `<section id="${id}"><header><h2>${escapeHtml(title)}</h2>${lead}</header>\n${rows.join('\n')}</section>`
}

/** A link target for each section; a title that occurs again gets a number. */
function idsOf(sections: readonly Section[]): string[] {
  const seen = new Map<string, number>()
  return sections.map(({ title }) => {
    const id = slug(title)
    const count = (seen.get(id) ?? 0) + 1
    seen.set(id, count)
    return count === 1 ? id : `${id}--${count}`
  })
}

function summaryHtml({ summary }: Report): string {
  if (summary.length === 0) return ''
  const items = summary.map(({ label, value, note }) => {
    const small = note ? `<dd class="note">${escapeHtml(note)}</dd>` : ''
    return `<div><dt>${escapeHtml(label)}</dt><dd class="value">${escapeHtml(value)}</dd>${small}</div>`
  })
  return `<dl class="summary">${items.join('\n')}</dl>`
}

function contentsHtml({ sections }: Report, ids: readonly string[]): string {
  if (sections.length < 3) return ''
  const links = sections.map(({ title }, i) => `<li><a href="#${ids[i]}">${escapeHtml(title)}</a></li>`)
  return `<nav aria-label="Contents"><ul>${links.join('')}</ul></nav>`
}

/** Forbids everything that the page does not need, so that even a mistake could not load anything. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

/**
 * The page, as the text of one HTML file; the same report gives the same text. Throws a MissingPackageError if it holds
 * plots and the plotting packages are not installed, a ShapeError or UsageError for figures that don't fit together.
 */
export async function renderReport(report: Report): Promise<string> {
  const ids = idsOf(report.sections)
  const sections = await Promise.all(report.sections.map((section, i) => sectionHtml(section, ids[i] ?? '')))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escapeHtml(report.title)}</title>
<style>${css}</style>
</head>
<body>
<main>
<header>
<h1>${escapeHtml(report.title)}</h1>
${report.subtitle ? `<p class="subtitle">${withCode(report.subtitle)}</p>` : ''}
${summaryHtml(report)}
${contentsHtml(report, ids)}
</header>
${sections.join('\n')}
${report.footer ? `<footer>${withCode(report.footer)}</footer>` : ''}
</main>
</body>
</html>
`
}
