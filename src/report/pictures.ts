/** Grids of pictures and of small matrices, as PNG files inside the page. */
import { dataUri, encodePng } from '../io/png.ts'
import { ShapeError } from '../util/errors.ts'
import { counted } from '../util/words.ts'
import type { HeatmapGrid, Matrix, Picture, PictureGrid } from './figures.ts'
import { colorPixels, divergingPixels, largestSize } from './heat-colors.ts'
import { mostTilesBeside } from './layout.ts'
import { escapeHtml, formatNumber } from './text.ts'

/** What is shown where a figure is empty. */
export function emptyHtml(what: string): string {
  return `<p class="empty">No ${what}.</p>`
}

/** Width of a picture on the page: a whole multiple, so that all pixels are of one size; large pictures shrink. */
function naturalSize({ width }: Picture): number {
  return width > 112 ? Math.min(width, 160) : width * Math.max(1, Math.round(84 / width))
}

function pictureHtml(picture: Picture, size: number, position: string): string {
  const { pixels, width, height, channels, caption, right } = picture
  const uri = dataUri(encodePng(pixels, width, height, channels), 'image/png')
  const verdict = right === undefined ? '' : right ? 'right' : 'wrong'
  const mark = { '': '', right: '<b aria-label="right">✓</b> ', wrong: '<b aria-label="wrong">✗</b> ' }[verdict]
  const words = caption || mark ? `<span>${mark}${escapeHtml(caption ?? '')}</span>` : ''
  const drawnHeight = Math.max(1, Math.round((size * height) / width))
  const alt = escapeHtml(caption || position)
  const image = `<img src="${uri}" width="${size}" height="${drawnHeight}" alt="${alt}">`
  return `<li${verdict ? ` class="${verdict}"` : ''} style="width:${size}px">${image}${words}</li>`
}

/** Pictures in a wrapping row, each with its caption and its verdict. */
export function pictureGridHtml({ pictures, size }: PictureGrid): string {
  if (pictures.length === 0) return emptyHtml('pictures')
  const items = pictures.map((picture, i) =>
    pictureHtml(picture, size ?? naturalSize(picture), `picture ${i + 1} of ${pictures.length}`),
  )
  const small = pictures.every((picture) => (size ?? naturalSize(picture)) <= 100)
  return `<ul class="pictures${small ? ' small' : ''}">${items.join('')}</ul>`
}

function tileHtml(matrix: Matrix, position: number, end: number | undefined): string {
  const { width, height, channels = 1, caption } = matrix
  const values = Array.from(matrix.values)
  if (values.length !== width * height * channels) {
    throw new ShapeError(
      `heatmap ${position}: ${width} x ${height} values in ${counted(channels, 'channel')} are ${width * height * channels}, found ${values.length}`,
      { hint: 'values are [height, width], or [3, height, width] with channels: 3' },
    )
  }
  const pixels = channels === 3 ? colorPixels(values) : divergingPixels(values, end ?? largestSize(values))
  const uri = dataUri(encodePng(pixels, width, height, 4), 'image/png')
  const image = `<img src="${uri}" width="${width}" height="${height}" alt="${escapeHtml(caption ?? '')}">`
  return `<li>${image}${caption ? `<span>${escapeHtml(caption)}</span>` : ''}</li>`
}

/** A number of columns that leaves no ragged last row where possible: 64 -> 8, 36 -> 9, 10 -> 10. */
function columnsFor(count: number): number {
  if (count <= 6) return count
  return [8, 10, 9, 7, 12, 6].find((columns) => count % columns === 0) ?? (count <= 12 ? count : 8)
}

function scaleHtml(end: number | undefined): string {
  const [low, high] = end === undefined ? ['−', '+'] : [formatNumber(-end, 3), formatNumber(end, 3)]
  const own = end === undefined ? '<span>each tile on its own scale</span>' : ''
  return `<p class="scale"><span>${low}</span><i></i><span>${high}</span>${own}</p>`
}

/** Tiles in a grid of equal columns, and the colours' scale. */
export function heatmapGridHtml({ matrices, scale = 'each', size = 52 }: HeatmapGrid): string {
  if (matrices.length === 0) return emptyHtml('matrices')
  const signed = matrices.filter(({ channels = 1 }) => channels === 1)
  const end =
    scale === 'shared' ? signed.reduce((most, { values }) => Math.max(most, largestSize(values)), 0) : undefined
  const tiles = matrices.map((matrix, i) => tileHtml(matrix, i + 1, end))
  const many = matrices.length > mostTilesBeside
  const columns = columnsFor(matrices.length)
  const style = many ? '' : ` style="--columns:${columns};max-width:${columns * (size + 5)}px"`
  const [first] = matrices
  const captioned = matrices.some(({ caption }) => caption)
  const label = `${counted(matrices.length, 'matrix')}, ${first?.height} by ${first?.width}`
  // Without captions the tiles are one picture to those who can't see it.
  const role = captioned ? `aria-label="${label}"` : `role="img" aria-label="${label}"`
  const classes = ['tiles', ...(signed.length > 0 ? ['signed'] : []), ...(many ? ['many'] : [])].join(' ')
  return `<ul class="${classes}" ${role}${style}>${tiles.join('')}</ul>${signed.length > 0 ? scaleHtml(end) : ''}`
}

/** A sentence about values that have no colour; nothing if all have one. */
export function heatmapNote({ matrices }: HeatmapGrid): string | undefined {
  let count = 0
  for (const { values } of matrices) for (const value of Array.from(values)) if (!Number.isFinite(value)) count++
  return count > 0 ? `Gray: ${counted(count, 'value')} NaN or infinite.` : undefined
}
