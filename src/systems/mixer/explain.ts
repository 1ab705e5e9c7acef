/** The report of a trained Mixer: learned patches, learned mixing of tokens (paper, Figures 5 to 7). */

import type { HeatmapGrid, Section } from '../../report/figures.ts'
import { elementCount, toNumbers } from '../../tensor/dtype.ts'
import { sizes } from '../../tensor/shape.ts'
import { rowsOf } from '../../util/vectors.ts'
import { tokenGrid } from './config.ts'
import type { Mixer } from './model.ts'
import { byFrequency, withInverses } from './weight-order.ts'

/**
 * The hidden units of a block's token MLP: which tokens each reads, drawn where their patches lie. Low frequencies first,
 * each unit followed by its closest inverse, as in the paper's Figure 5.
 */
export function tokenMixingWeights(model: Mixer, block: number, limit: number): HeatmapGrid {
  const [height, width] = tokenGrid(model.config)
  const weight = model.blocks[block]?.mlp_tokens.fc1.weight
  const units = rowsOf(toNumbers(weight?.data ?? new Float32Array()), height * width)
  const ordered = withInverses(byFrequency(units, { height, width }))
  return {
    kind: 'heatmaps',
    title: `Token mixing, block ${block}`,
    caption:
      block === 0
        ? 'Each tile is one hidden unit: how strongly it reads each patch of the picture (red positive, blue negative). Low frequencies first, each unit followed by its closest inverse.'
        : 'Red positive, blue negative; low frequencies first, each with its closest inverse.',
    matrices: ordered.slice(0, limit).map((tile) => ({ values: tile, width, height })),
    size: 44,
  }
}

/** The stem's filters, low frequencies first: what each channel of a token looks for in its patch (Figure 7). */
export function patchFilters(model: Mixer, limit: number): HeatmapGrid {
  const { weight } = model.stem.proj
  const [, channels, height, width] = sizes(weight.shape, 4)
  const filters = rowsOf(toNumbers(weight.data), elementCount([channels, height, width]))
  const shown = byFrequency(filters, { height, width }).slice(0, limit)
  const answer = 'Each tile is one channel of a token: the pattern in a patch that it answers to, low frequencies first'
  return {
    kind: 'heatmaps',
    title: 'Patch projection',
    caption: channels === 3 ? `${answer}. Colours are scaled to each tile's own range.` : `${answer}.`,
    matrices: shown.map((values) => ({ values, width, height, ...(channels === 3 && { channels: 3 as const }) })),
    size: 44,
  }
}

/** The pictures of the learned weights. `limit`: tiles in a grid; default: all. */
export function learnedWeights(model: Mixer, limit = Number.POSITIVE_INFINITY): Section {
  return {
    title: 'What it has learned',
    intro:
      'Mixer has two kinds of layers: one looks at a patch at a time, the other at one channel of all patches at a time. These are their weights.',
    figures: [patchFilters(model, limit), ...model.blocks.map((_, block) => tokenMixingWeights(model, block, limit))],
  }
}

/** Tiles in a grid of the report; `tenfold inspect` shows all. */
export const tilesInReport = 64
