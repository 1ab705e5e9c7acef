/** What a trained Mixer shows of itself: mistakes, learned patches, learned mixing of tokens (paper, Figures 5 to 7). */
import type { Dataset } from '../../data/index.ts'
import { elementCount, toNumbers } from '../../tensor/dtype.ts'
import { confusionCounts, type Evaluation, worstMistakes } from '../../train/classifier.ts'
import type { HeatmapGrid, Picture, PictureGrid, Section } from '../../train/report/figures.ts'
import type { Mixer } from './model.ts'
import type { PictureFacts } from './train.ts'

/** The hidden units of a block's token MLP: which tokens each reads, drawn where their patches lie. */
export function tokenMixingWeights(model: Mixer, block: number): HeatmapGrid {
  const { image_size, patch_size } = model.config
  const [height, width] = [image_size[0] / patch_size[0], image_size[1] / patch_size[1]]
  const weight = model.blocks[block]?.mlp_tokens.fc1.weight
  const values = toNumbers(weight?.data ?? new Float32Array())
  const units = Array.from({ length: weight?.shape[0] ?? 0 }, (_, unit) =>
    values.slice(unit * height * width, (unit + 1) * height * width),
  )
  const ordered = units.toSorted((a, b) => meanFrequency(a, height, width) - meanFrequency(b, height, width))
  return {
    kind: 'heatmaps',
    title: `Token mixing, block ${block}`,
    caption:
      block === 0
        ? 'Each tile is one hidden unit: how strongly it reads each patch of the picture (red positive, blue negative), low frequencies first.'
        : 'Red positive, blue negative, low frequencies first.',
    matrices: ordered.slice(0, 64).map((tile) => ({ values: tile, width, height })),
    size: 44,
  }
}

/** Energy-weighted mean frequency of the two-dimensional cosine transform: what the paper's pictures are sorted by. */
export function meanFrequency(values: readonly number[], height: number, width: number): number {
  let [energy, weighted] = [0, 0]
  for (let u = 0; u < height; u++) {
    for (let v = 0; v < width; v++) {
      let coefficient = 0
      for (const [i, value] of values.entries()) {
        const [y, x] = [Math.floor(i / width), i % width]
        coefficient +=
          value * Math.cos((Math.PI * (y + 0.5) * u) / height) * Math.cos((Math.PI * (x + 0.5) * v) / width)
      }
      const power = (coefficient ** 2 * (u ? 2 : 1) * (v ? 2 : 1)) / (height * width)
      energy += power
      weighted += power * Math.hypot(u / height, v / width)
    }
  }
  return energy > 0 ? weighted / energy : 0
}

/** The stem's filters: what each channel of a token looks for in its patch. */
function patchFilters(model: Mixer): HeatmapGrid | PictureGrid {
  const { weight } = model.stem.proj
  const [count = 0, channels = 0, height = 0, width = 0] = weight.shape
  const values = toNumbers(weight.data)
  const size = elementCount([channels, height, width])
  const filters = Array.from({ length: Math.min(count, 64) }, (_, i) => values.slice(i * size, (i + 1) * size))
  const title = 'Patch projection'
  if (channels === 1) {
    const caption = 'Each tile is one channel of a token: the pattern in a patch that it answers to.'
    return {
      kind: 'heatmaps',
      title,
      caption,
      matrices: filters.map((tile) => ({ values: tile, width, height })),
      size: 44,
    }
  }
  const caption =
    'Each tile is one channel of a token: the pattern and colours in a patch that it answers to, scaled to its own range.'
  return {
    kind: 'pictures',
    title,
    caption,
    size: 44,
    pictures: filters.map((tile) => colourTile(tile, width, height)),
  }
}

/** [3, h, w] floats, least to largest, as an RGB picture. */
function colourTile(values: readonly number[], width: number, height: number): Picture {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const pixels = new Uint8Array(3 * width * height)
  for (const [i, value] of values.entries()) {
    const [channel, place] = [Math.floor(i / (width * height)), i % (width * height)]
    pixels[3 * place + channel] = Math.round((255 * (value - low)) / Math.max(high - low, 1e-12))
  }
  return { pixels, width, height, channels: 3 }
}

async function mistakes(facts: PictureFacts, test: Dataset, evaluation: Evaluation): Promise<PictureGrid> {
  const indices = worstMistakes(evaluation, 40)
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
    {
      title: 'What it has learned',
      intro:
        'Mixer has two kinds of layers: one looks at a patch at a time, the other at one channel of all patches at a time. These are their weights.',
      figures: [patchFilters(model), ...model.blocks.map((_, block) => tokenMixingWeights(model, block))],
    },
  ]
}
