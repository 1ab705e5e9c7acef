/** How a section's figures share the width of the page. */
import type { Figure } from './figures.ts'

type Family = 'plot' | 'tiles' | 'half' | 'full'

/** Tiles of a grid that is placed next to others; with more tiles it takes the page's width. */
export const mostTilesBeside = 100

const mostInHalf = { pictures: 42, columns: 6, items: 32 }

function familyOf(figure: Figure): Family {
  switch (figure.kind) {
    case 'lines':
    case 'scatter':
    case 'bars':
      return 'plot'
    case 'heatmaps':
      return figure.matrices.length > mostTilesBeside ? 'full' : 'tiles'
    case 'confusion':
      return 'half'
    case 'pictures': {
      const large = figure.pictures.some((picture) => (figure.size ?? picture.width) > 128)
      return large || figure.pictures.length > mostInHalf.pictures ? 'full' : 'half'
    }
    case 'table':
      return figure.columns.length > mostInHalf.columns ? 'full' : 'half'
    case 'definitions':
      return figure.items.length > mostInHalf.items ? 'full' : 'half'
    case 'text':
    case 'shaded':
      return 'full'
  }
}

/** Runs of figures that may stand side by side. */
function runsOf(figures: readonly Figure[]): Figure[][] {
  const runs: Figure[][] = []
  let open = false
  for (const figure of figures) {
    const full = familyOf(figure) === 'full'
    if (open && !full) runs.at(-1)?.push(figure)
    else runs.push([figure])
    open = !full
  }
  return runs
}

/** Sizes of the rows of a run: pairs; an odd plot leads alone, an odd other ends alone; tiles go three to a row where that is even. */
function rowSizes(run: readonly Figure[]): number[] {
  const families = run.map(familyOf)
  const pairs = new Array<number>(Math.floor(run.length / 2)).fill(2)
  if (families.every((family) => family === 'tiles') && run.length > 2) {
    const threes = Math.floor(run.length / 3)
    const rest = run.length % 3
    // 7 = 3 + 2 + 2: no single one at the end.
    if (rest === 1) return [...new Array<number>(threes - 1).fill(3), 2, 2]
    return [...new Array<number>(threes).fill(3), ...(rest ? [rest] : [])]
  }
  if (run.length % 2 === 0) return pairs
  return families[0] === 'plot' ? [1, ...pairs] : [...pairs, 1]
}

/** Figures row by row, in their order. */
export function layoutRows(figures: readonly Figure[]): Figure[][] {
  return runsOf(figures).flatMap((run) => {
    let start = 0
    return rowSizes(run).map((size) => {
      start += size
      return run.slice(start - size, start)
    })
  })
}
