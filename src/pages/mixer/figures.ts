/** The figures of Mixer's page. */
import type { HeatmapGrid } from '../../report/figures.ts'
import { meanOf } from '../../util/vectors.ts'
import { side } from '../data/read-digits.ts'
import type { PixelOrder } from './pixel-order.ts'
import type { Look } from './program.ts'
import { sizes } from './sizes.ts'

export { sizes }

export const orders: readonly { readonly value: PixelOrder; readonly label: string }[] = [
  { value: 'as they are', label: 'as they are' },
  { value: 'patches', label: 'patches, and pixels in them, shuffled' },
  { value: 'all', label: 'all shuffled' },
]

const across = side / sizes.patch

const lessMean = (values: readonly number[]): number[] => {
  const mean = meanOf(values)
  return values.map((value) => value - mean)
}

/** Which patches the picked one hears. */
export function heardFigure(values: readonly number[], patch: number): HeatmapGrid {
  const place = `row ${Math.floor(patch / across) + 1}, column ${(patch % across) + 1}`
  return {
    kind: 'heatmaps',
    title: 'Which patches does this one listen to?',
    caption: `Pick a patch. Framed: ${place}; red: what it hears with its own sign, blue: turned around.`,
    matrices: [{ values, width: across, height: across }],
    size: 300,
  }
}

/** The picture as the network gets it, and how strong each token is after each block. */
export function seenFigure(pixels: Uint8Array, { tokens }: Look): HeatmapGrid {
  const picture = { values: pixels, width: side, height: side, caption: 'what the network sees: your drawing, centred' }
  const names = ['tokens of the stem', ...tokens.slice(1).map((_, i) => `after block ${i + 1}`)]
  return {
    kind: 'heatmaps',
    title: 'What becomes of the picture',
    caption:
      "Each cell is a patch: whether its token's numbers are larger (red) or smaller (blue) than those of the others, by root mean square.",
    matrices: [
      picture,
      ...tokens.map((values, i) => ({
        values: lessMean(values),
        width: across,
        height: across,
        caption: names[i] ?? '',
      })),
    ],
    size: 132,
  }
}
