/** What a trained Mixer shows of itself: mistakes, learned patches, learned mixing of tokens (paper, Figures 5 to 7). */
import type { Dataset } from '../../data/index.ts'
import type { HeatmapGrid, PictureGrid, Section } from '../../report/figures.ts'
import { elementCount, toNumbers } from '../../tensor/dtype.ts'
import { confusionCounts, type Evaluation, worstMistakes } from '../../train/classifier.ts'
import type { Mixer } from './model.ts'
import type { PictureFacts } from './train.ts'
import { byFrequency, withInverses } from './weight-order.ts'

/** Rows of a matrix as lists. */
function rowsOf(values: readonly number[], width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width))
}

/**
 * The hidden units of a block's token MLP: which tokens each reads, drawn where their patches lie. Low frequencies first,
 * each unit followed by its closest inverse, as in the paper's Figure 5.
 */
export function tokenMixingWeights(model: Mixer, block: number, limit: number): HeatmapGrid {
  const { image_size, patch_size } = model.config
  const [height, width] = [image_size[0] / patch_size[0], image_size[1] / patch_size[1]]
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
  const [, channels = 0, height = 0, width = 0] = weight.shape
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

async function mistakes(facts: PictureFacts, test: Dataset, evaluation: Evaluation): Promise<PictureGrid> {
  const indices = worstMistakes(evaluation, 25)
  const { labels, image_size, in_channels } = facts
  const [height, width] = image_size
  const batch = indices.length > 0 ? await test.batch(indices, { epoch: 0, seed: 0 }) : {}
  const bytes = (batch.image?.data ?? new Uint8Array()) as Uint8Array
  const size = in_channels * height * width
  return {
    kind: 'pictures',
    title: 'The worst mistakes',
    caption: 'Wrong with the greatest confidence. Below each: what it is, what the model says, and how sure it was.',
    size: Math.max(56, Math.min(96, width)),
    pictures: indices.map((index, i) => {
      const name = (label: number | undefined): string => labels[label ?? -1] ?? '?'
      const sure = `${Math.round(100 * (evaluation.confidence[index] ?? 0))} %`
      return {
        pixels: interleaved(bytes.subarray(i * size, (i + 1) * size), in_channels),
        width,
        height,
        channels: in_channels,
        caption: `${name(evaluation.labels[index])}, said ${name(evaluation.predicted[index])} (${sure})`,
      }
    }),
  }
}

/** Channels first -> channels last, as pictures are stored. */
function interleaved(planes: Uint8Array, channels: number): Uint8Array {
  if (channels === 1) return planes
  const count = planes.length / channels
  return Uint8Array.from(planes, (_, i) => planes[(i % channels) * count + Math.floor(i / channels)] ?? 0)
}

/** Tiles in a grid of the report; `tenfold inspect` shows all. */
const tilesInReport = 64

/** The sections of a Mixer's report. */
export async function explainMixer(
  model: Mixer,
  facts: PictureFacts,
  test: Dataset,
  evaluation: Evaluation,
): Promise<Section[]> {
  const { labels } = facts
  return [
    {
      title: 'What it gets wrong',
      figures: [
        {
          kind: 'confusion',
          title: 'Confusion matrix',
          caption: 'Rows: what the picture is. Columns: what the model says.',
          classes: labels,
          counts: confusionCounts(evaluation, labels.length),
        },
        await mistakes(facts, test, evaluation),
      ],
    },
    learnedWeights(model, tilesInReport),
  ]
}
