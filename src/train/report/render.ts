/** One self-contained HTML page from a report's data: no scripts, no requests. */
import { dataUri, encodePng } from '../../io/png.ts'
import type {
  ConfusionMatrix,
  Definitions,
  Figure,
  HeatmapGrid,
  Picture,
  PictureGrid,
  Report,
  Section,
  Table,
  Text,
} from './figures.ts'
import { drawBars, drawXY, droppedPoints, legend } from './plot.ts'
import { css } from './style.ts'

/** Text made safe for HTML and attributes. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}

function withCode(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>')
}

function pictureTag(picture: Picture, size: number): string {
  const { pixels, width, height, channels, caption = '' } = picture
  const uri = dataUri(encodePng(pixels, width, height, channels), 'image/png')
  const shown = caption ? `<span>${escapeHtml(caption)}</span>` : ''
  const drawnHeight = Math.round((size * height) / width)
  return `<div><img src="${uri}" width="${size}" height="${drawnHeight}" alt="${escapeHtml(caption || 'picture')}">${shown}</div>`
}

function pictureGrid(figure: PictureGrid): string {
  return `<div class="pictures">${figure.pictures.map((picture) => pictureTag(picture, figure.size ?? 64)).join('')}</div>`
}

/** Blue for negative, white for 0, red for positive values. */
function divergingPixels(values: ArrayLike<number>): Uint8Array {
  const numbers = Array.from(values)
  const largest = Math.max(1e-12, ...numbers.filter(Number.isFinite).map(Math.abs))
  const ends = { negative: [33, 102, 172], positive: [178, 24, 43] } as const
  return Uint8Array.from(
    numbers.flatMap((value) => {
      const amount = Number.isFinite(value) ? Math.abs(value) / largest : 0
      return (value < 0 ? ends.negative : ends.positive).map((end) => Math.round(247 + (end - 247) * amount))
    }),
  )
}

function heatmapGrid(figure: HeatmapGrid): string {
  const pictures = figure.matrices.map(({ values, width, height, caption }) => ({
    pixels: divergingPixels(values),
    width,
    height,
    channels: 3 as const,
    ...(caption !== undefined && { caption }),
  }))
  return `<div class="pictures">${pictures.map((picture) => pictureTag(picture, figure.size ?? 48)).join('')}</div>`
}

/** Rows are the true classes. Right answers are shaded against their row, mistakes against the commonest mistake. */
function confusionTable({ classes, counts }: ConfusionMatrix): string {
  const mistakes = counts.flatMap((row, i) => row.filter((_, j) => i !== j))
  const commonest = Math.max(1, ...mistakes)
  const cell = (count: number, i: number, j: number): string => {
    const total = (counts[i] ?? []).reduce((sum, value) => sum + value, 0)
    const share = i === j ? count / Math.max(1, total) : count / commonest
    const color =
      i === j ? `rgba(var(--good), ${(0.55 * share).toFixed(2)})` : `rgba(var(--bad), ${(0.75 * share).toFixed(2)})`
    return `<td style="background:${color}">${count || ''}</td>`
  }
  const head = classes.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('')
  const body = counts.map((row, i) => {
    const name = `<th scope="row">${escapeHtml(classes[i] ?? String(i))}</th>`
    return `<tr>${name}${row.map((count, j) => cell(count, i, j)).join('')}</tr>`
  })
  return `<div class="scroll"><table class="confusion"><thead><tr><th></th>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`
}

function table({ columns, rows }: Table): string {
  const isNumber = columns.map((_, j) => rows.every((row) => typeof row[j] === 'number'))
  const kind = (j: number): string => (isNumber[j] ? ' class="number"' : '')
  const head = columns.map((name, j) => `<th scope="col"${kind(j)}>${escapeHtml(name)}</th>`).join('')
  const body = rows.map(
    (row) => `<tr>${row.map((value, j) => `<td${kind(j)}>${escapeHtml(String(value))}</td>`).join('')}</tr>`,
  )
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`
}

function definitions({ items }: Definitions): string {
  return `<dl class="definitions">${items.map(({ name, value }) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>`
}

function text({ paragraphs }: Text): string {
  return paragraphs.map((paragraph) => `<p>${withCode(paragraph)}</p>`).join('')
}

async function body(figure: Figure): Promise<string> {
  switch (figure.kind) {
    case 'lines':
    case 'scatter': {
      const names = legend(figure.series).map(
        ({ name, color }) => `<span><i style="background:${color}"></i>${escapeHtml(name)}</span>`,
      )
      const key = figure.series.length > 1 ? `<div class="legend">${names.join('')}</div>` : ''
      return key + (await drawXY(figure))
    }
    case 'bars':
      return drawBars(figure)
    case 'confusion':
      return confusionTable(figure)
    case 'pictures':
      return pictureGrid(figure)
    case 'heatmaps':
      return heatmapGrid(figure)
    case 'table':
      return table(figure)
    case 'definitions':
      return definitions(figure)
    case 'text':
      return text(figure)
  }
}

async function renderFigure(figure: Figure): Promise<string> {
  const dropped = figure.kind === 'lines' || figure.kind === 'scatter' ? droppedPoints(figure.series) : 0
  const note = dropped > 0 ? ` ${dropped} points are not finite and are not drawn.` : ''
  const caption = figure.caption || note ? `<figcaption>${withCode(`${figure.caption ?? ''}${note}`)}</figcaption>` : ''
  const wide = figure.kind === 'pictures' || figure.kind === 'heatmaps' || figure.kind === 'text'
  return `<figure${wide ? ' class="wide"' : ''}><h3>${escapeHtml(figure.title)}</h3>${caption}${await body(figure)}</figure>`
}

async function renderSection({ title, intro, figures }: Section): Promise<string> {
  const drawn = await Promise.all(figures.map(renderFigure))
  const lead = intro ? `<p class="intro">${withCode(intro)}</p>` : ''
  return `<section><h2>${escapeHtml(title)}</h2>${lead}<div class="figures">${drawn.join('\n')}</div></section>`
}

/** The page. Throws a MissingPackageError if the plotting packages are not installed. */
export async function renderReport(report: Report): Promise<string> {
  const summary = report.summary.map(({ label, value, note }) => {
    const small = note ? `<small>${escapeHtml(note)}</small>` : ''
    return `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}${small}</dd></div>`
  })
  const sections = await Promise.all(report.sections.map(renderSection))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(report.title)}</title>
<style>${css}</style>
</head>
<body>
<main>
<h1>${escapeHtml(report.title)}</h1>
${report.subtitle ? `<p class="soft">${withCode(report.subtitle)}</p>` : ''}
<dl class="summary">${summary.join('')}</dl>
${sections.join('\n')}
${report.footer ? `<footer>${withCode(report.footer)}</footer>` : ''}
</main>
</body>
</html>
`
}

/** A plot alone, as SVG text: for documents. */
export async function renderFigureSvg(figure: Figure): Promise<string> {
  if (figure.kind === 'lines' || figure.kind === 'scatter') return drawXY(figure)
  if (figure.kind === 'bars') return drawBars(figure)
  throw new TypeError(`a figure of kind "${figure.kind}" is no plot`)
}
