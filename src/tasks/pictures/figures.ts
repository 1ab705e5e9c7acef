/** The report of a picture classifier, whatever its model: confusions and mistakes. */
import type { Dataset } from '../../data/dataset.ts'
import type { PictureFields } from '../../data/layout.ts'
import type { PictureGrid, Section } from '../../report/figures.ts'
import { picturesOf } from '../../report/from-tensors.ts'
import { confusionCounts, type Evaluation, worstMistakes } from '../../train/metrics.ts'
import type { PictureFacts } from './facts.ts'

async function mistakes(
  facts: PictureFacts,
  test: Dataset<PictureFields>,
  evaluation: Evaluation,
): Promise<PictureGrid> {
  const indices = worstMistakes(evaluation, 25)
  const { labels, image_size } = facts
  const { image } = await test.batch(indices, { epoch: 0, seed: 0 })
  const pictures = picturesOf(image)
  return {
    kind: 'pictures',
    title: 'The worst mistakes',
    caption: 'Wrong with the greatest confidence. Below each: what it is, what the model says, and how sure it was.',
    size: Math.max(56, Math.min(96, image_size[1])),
    pictures: pictures.map((picture, i) => {
      const index = indices[i] ?? 0
      const name = (label: number | undefined): string => labels[label ?? -1] ?? '?'
      const sure = `${Math.round(100 * (evaluation.confidence[index] ?? 0))} %`
      return {
        ...picture,
        caption: `${name(evaluation.labels[index])}, said ${name(evaluation.predicted[index])} (${sure})`,
      }
    }),
  }
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
