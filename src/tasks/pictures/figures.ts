/** The report of a picture classifier, whatever its model: confusions and mistakes. */
import type { Dataset } from '../../data/dataset.ts'
import type { PictureFields } from '../../data/layout.ts'
import type { PictureGrid, Section } from '../../report/figures.ts'
import { confusionCounts, type Evaluation, worstMistakes } from '../../train/metrics.ts'
import type { PictureFacts } from './facts.ts'

async function mistakes(
  facts: PictureFacts,
  test: Dataset<PictureFields>,
  evaluation: Evaluation,
): Promise<PictureGrid> {
  const indices = worstMistakes(evaluation, 25)
  const { labels, image_size, in_channels } = facts
  const [height, width] = image_size
  const { image } = await test.batch(indices, { epoch: 0, seed: 0 })
  const bytes = image.data as Uint8Array
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

/** The section on mistakes: the confusion matrix, and the pictures that are wrong with the greatest confidence. */
export async function mistakesSection(
  facts: PictureFacts,
  test: Dataset<PictureFields>,
  evaluation: Evaluation,
): Promise<Section> {
  return {
    title: 'What it gets wrong',
    figures: [
      {
        kind: 'confusion',
        title: 'Confusion matrix',
        caption: 'Rows: what the picture is. Columns: what the model says.',
        classes: facts.labels,
        counts: confusionCounts(evaluation, facts.labels.length),
      },
      await mistakes(facts, test, evaluation),
    ],
  }
}
