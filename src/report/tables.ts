/** Tables, lists of definitions, paragraphs, and shaded text. */
import { UsageError } from '../util/errors.ts'
import { largest } from '../util/lists.ts'
import { counted } from '../util/words.ts'
import type { Definitions, ShadedText, Table, Text } from './figures.ts'
import { emptyHtml } from './pictures.ts'
import { escapeHtml, formatColumn, withCode } from './text.ts'

type Cell = string | number

/** Numbers as they are written in text: `98.4 %`, `1:05`, `−3.2e−4`, `12.1 ms`, or a dash for none. */
function looksNumeric(cell: Cell): boolean {
  return typeof cell === 'number' || /^([+−-]?[\d.,:]+(e[+−-]?\d+)?( ?[%a-zµ×/]{1,4})?|[–—-]?)$/i.test(cell)
}

function columnTexts(cells: readonly Cell[]): string[] {
  const numbers = cells.filter((cell) => typeof cell === 'number')
  const formatted = formatColumn(numbers)
  let next = 0
  return cells.map((cell) => (typeof cell === 'number' ? (formatted[next++] ?? '') : cell))
}

/** A table whose first column names its rows, unless it holds numbers. */
export function tableHtml({ title, columns, rows }: Table): string {
  const uneven = rows.findIndex((row) => row.length !== columns.length)
  if (uneven >= 0) {
    throw new UsageError(
      `table "${title}": row ${uneven + 1} must have ${counted(columns.length, 'cell')}, found ${rows[uneven]?.length}`,
      { hint: `columns: ${columns.join(', ')}` },
    )
  }
  if (rows.length === 0) return emptyHtml('rows')
  const cells = columns.map((_, j) => rows.map((row) => row[j] ?? ''))
  const numeric = cells.map((column) => column.every(looksNumeric))
  const texts = cells.map(columnTexts)
  const kind = (j: number): string => (numeric[j] ? ' class="number"' : '')
  const head = columns.map((name, j) => `<th scope="col"${kind(j)}>${escapeHtml(name)}</th>`).join('')
  const body = rows.map((_, i) => {
    const row = texts.map((column, j) => {
      const text = escapeHtml(column[i] ?? '')
      return j === 0 && !numeric[0] ? `<th scope="row">${text}</th>` : `<td${kind(j)}>${text}</td>`
    })
    return `<tr>${row.join('')}</tr>`
  })
  return `<div class="scroll"><table class="data"><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`
}

/** Names and their values, in as many columns as there is room for. */
export function definitionsHtml({ items }: Definitions): string {
  if (items.length === 0) return emptyHtml('entries')
  const pairs = items.map(
    ({ name, value }) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value) || '–'}</dd></div>`,
  )
  const few = items.length <= 8 ? ' few' : ''
  return `<dl class="definitions${few}">${pairs.join('\n')}</dl>`
}

export function textHtml({ paragraphs }: Text): string {
  return `<div class="prose">${paragraphs.map((paragraph) => `<p>${withCode(paragraph)}</p>`).join('\n')}</div>`
}

/** Greatest part of the shade's colour, in percent: text stays readable on it. */
const fullShade = 55

/** Pieces of a text one after the other, line breaks kept. */
export function shadedHtml({ pieces, most }: ShadedText): string {
  if (pieces.length === 0) return emptyHtml('text')
  const end = most ?? largest(pieces.map(({ value }) => value))
  const shade = (value: number): number => Math.round(fullShade * Math.min(1, Math.max(0, end > 0 ? value / end : 0)))
  const spans = pieces.map(({ text, value }) => {
    const title = `title="${escapeHtml(String(Number(value.toPrecision(3))))}"`
    return `<span style="background:color-mix(in srgb,var(--series-1) ${shade(value)}%,transparent)" ${title}>${escapeHtml(text)}</span>`
  })
  return `<p class="shaded">${spans.join('')}</p>`
}
