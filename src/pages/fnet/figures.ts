/** The figures of FNet's page. */
import type { HeatmapGrid, LinePlot, Matrix } from '../../report/figures.ts'

/** What the Fourier transform over the tokens multiplies with: cos(2 pi k n / L), the real part of the transform's matrix. */
function cosines(length: number): Matrix {
  const values = Array.from({ length: length * length }, (_, i) =>
    Math.cos((2 * Math.PI * Math.floor(i / length) * (i % length)) / length),
  )
  return { values, width: length, height: length, caption: 'the same in every layer, for every sentence' }
}

/** How each token (row) takes from each token (column). `attention`: of each layer; empty: none attends. */
export function mixingFigure(kind: string, words: number, attention: readonly (readonly number[])[]): HeatmapGrid {
  const matrices: Matrix[] =
    kind === 'bert'
      ? attention.map((values, i) => ({ values, width: words, height: words, caption: `layer ${i + 1}` }))
      : [cosines(words)]
  return {
    kind: 'heatmaps',
    title: 'What each word (row) takes from each word (column)',
    caption:
      kind === 'bert'
        ? 'Attention weights for this sentence, the mean over the heads: learned, and new for every sentence.'
        : 'Cosines of the transform over the tokens: nothing learned. Red adds, blue subtracts.',
    matrices: kind === 'ff_only' ? [] : matrices,
    size: 190,
  }
}

/** What mixing costs by length. */
export interface Timing {
  readonly length: number
  readonly fourier: number
  readonly attention: number
}

/** Measured times over the length. */
export function timePlot(timings: readonly Timing[]): LinePlot {
  const ordered = [...timings].sort((a, b) => a.length - b.length)
  const line = (name: string, value: (timing: Timing) => number) => ({
    name,
    points: ordered.map((timing) => ({ x: timing.length, y: value(timing) })),
  })
  return {
    kind: 'lines',
    title: 'Milliseconds to mix one text, by its length',
    caption: 'Measured here and now, one layer of width 64, the fastest of some runs; both axes logarithmic.',
    x: { label: 'tokens', log: true },
    y: { label: 'ms', log: true },
    series: [line('Fourier transform', ({ fourier }) => fourier), line('attention', ({ attention }) => attention)],
  }
}
