/** Confusion matrices: a table for few classes, a picture for many, and the most common mistakes in words. */
import { dataUri, encodePng } from '../io/png.ts'
import { ShapeError } from '../util/errors.ts'
import { largest } from '../util/lists.ts'
import type { ConfusionMatrix } from './figures.ts'
import { emptyHtml } from './pictures.ts'
import { escapeHtml, textWidth } from './text.ts'

/** More classes than this have no room for numbers. */
const mostInTable = 20
const mostMentioned = 5

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function checkSquare({ title, classes, counts }: ConfusionMatrix): void {
  const square = counts.length === classes.length && counts.every((row) => row.length === classes.length)
  if (square) return
  const rows = [...new Set(counts.map((row) => row.length))].join(' or ') || '0'
  throw new ShapeError(
    `confusion matrix "${title}": ${classes.length} classes need [${classes.length}, ${classes.length}] counts, found [${counts.length}, ${rows}]`,
    { hint: 'counts[label][predicted], a row and a column for every class' },
  )
}

interface Mistake {
  readonly label: number
  readonly predicted: number
  readonly count: number
}

function mistakesOf(counts: ConfusionMatrix['counts']): Mistake[] {
  return counts
    .flatMap((row, label) => row.map((count, predicted) => ({ label, predicted, count })))
    .filter(({ label, predicted, count }) => label !== predicted && count > 0)
    .sort((a, b) => b.count - a.count)
}

/** Opacity of a mistake relative to the most common one: the square root keeps single ones visible. */
function mistakeOpacity(count: number, commonest: number): number {
  return count > 0 ? 0.1 + 0.62 * Math.sqrt(count / commonest) : 0
}

function percent(part: number, whole: number): string {
  return whole > 0 ? (100 * (part / whole)).toFixed(1) : '–'
}

function tableHtml({ title, classes, counts }: ConfusionMatrix): string {
  const commonest = mistakesOf(counts)[0]?.count ?? 1
  const cell = (row: readonly number[], count: number, i: number, j: number): string => {
    if (count === 0) return '<td></td>'
    const right = i === j
    const opacity = right ? 0.08 + 0.3 * (count / Math.max(1, sum(row))) ** 2 : mistakeOpacity(count, commonest)
    return `<td class="${right ? 'right' : 'wrong'}" style="--a:${opacity.toFixed(2)}">${count}</td>`
  }
  const turned = classes.some((name) => name.length > 3) ? ' class="turned"' : ''
  const names = Math.ceil(Math.min(140, largest(classes.map((name) => 10 + textWidth(name, 14)))))
  const heads = classes.map((name) => `<th scope="col"><span>${escapeHtml(name)}</span></th>`).join('')
  const rows = counts.map((row, i) => {
    const cells = row.map((count, j) => cell(row, count, i, j)).join('')
    const recall = percent(row[i] ?? 0, sum(row))
    return `<tr><th scope="row">${escapeHtml(classes[i] ?? '')}</th>${cells}<td class="rate">${recall}</td></tr>`
  })
  const precisions = classes.map((_, j) => percent(counts[j]?.[j] ?? 0, sum(counts.map((row) => row[j] ?? 0))))
  const foot = precisions.map((precision) => `<td class="rate">${precision}</td>`).join('')
  const diagonal = sum(counts.map((row, i) => row[i] ?? 0))
  const all = percent(diagonal, sum(counts.map(sum)))
  return `<div class="scroll"><table class="confusion" aria-label="${escapeHtml(title)}" style="--names:${names}px;--classes:${classes.length}">
<colgroup><col class="names"><col span="${classes.length}"><col class="rates"></colgroup>
<thead><tr><td></td><th colspan="${classes.length}" scope="colgroup" class="axis">predicted</th><td></td></tr>
<tr${turned}><th class="axis">actual</th>${heads}<th scope="col" class="rate"><span>recall %</span></th></tr></thead>
<tbody>${rows.join('\n')}</tbody>
<tfoot><tr><th scope="row" class="rate">prec. %</th>${foot}<td class="rate all">${all}</td></tr></tfoot></table></div>`
}

function pictureHtml({ title, classes, counts }: ConfusionMatrix): string {
  const commonest = mistakesOf(counts)[0]?.count ?? 1
  const pixels = counts.flatMap((row, i) =>
    row.flatMap((count, j) => {
      const opacity = i === j ? count / Math.max(1, sum(row)) : count / commonest
      return i === j ? [27, 98, 173, Math.round(255 * opacity)] : [206, 80, 20, Math.round(255 * opacity)]
    }),
  )
  const uri = dataUri(encodePng(Uint8Array.from(pixels), classes.length, classes.length, 4), 'image/png')
  const alt = `${escapeHtml(title)}: ${classes.length} classes, rows actual, columns predicted`
  return `<img class="matrix" src="${uri}" width="${classes.length}" height="${classes.length}" alt="${alt}">`
}

/** The matrix, rows the true classes. Right answers are pale, mistakes stronger the more common they are. */
export function confusionHtml(figure: ConfusionMatrix): string {
  checkSquare(figure)
  if (figure.classes.length === 0) return emptyHtml('classes')
  return figure.classes.length > mostInTable ? pictureHtml(figure) : tableHtml(figure)
}

/** A sentence that names the most common mistakes; nothing if there are none. */
export function confusionNote({ classes, counts }: ConfusionMatrix): string | undefined {
  const mistakes = mistakesOf(counts)
  if (mistakes.length === 0) return undefined
  const named = mistakes.slice(0, mostMentioned).map(({ label, predicted, count }, i) => {
    const times = i === 0 ? `${count} ${count === 1 ? 'time' : 'times'}` : String(count)
    return `${classes[label]} for ${classes[predicted]} (${times})`
  })
  return `Most often mistaken: ${named.join(', ')}.`
}
