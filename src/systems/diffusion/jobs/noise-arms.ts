/** The arms of the noise study: each is trained, its bound and the noise of its gradients are measured, and pictures are drawn. */
import { z } from 'zod'
import type { DiffusionSettings, UNetSettings } from '../settings.ts'
import { type BoundByTime, boundByTime, type GradientNoise, gradientNoise } from './bound.ts'
import { drawPictures } from './drawing.ts'
import { type Measured, type MeasuringSettings, ofAllTrainings } from './measuring.ts'
import { type StudyTrainingSettings, trainedDenoiser } from './networks.ts'
import type { Study } from './study.ts'

/** What is compared: a schedule, a loss, how times are drawn. */
export const arms = {
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
export type ArmName = keyof typeof arms
export const armNames = Object.keys(arms) as readonly ArmName[]

const noiseSchema = z.strictObject({ scale: z.number(), isSeen: z.boolean() })
/** `1,100`, or `more than 1,100` where the gradient drowns in its noise. */
export const shownNoise = ({ scale, isSeen }: GradientNoise): string =>
  `${isSeen ? '' : 'more than '}${Number(scale.toPrecision(3)).toLocaleString('en')}`

const bound = z.strictObject({ terms: z.array(z.number()), roots: z.array(z.number()), total: z.number() })

/** The settings that an arm depends on. */
interface ArmSettings {
  readonly trainings: number
  readonly sampling_steps: number
  readonly pictures_per_time: number
  readonly gradient_batches: number
  readonly diffusion: DiffusionSettings
  readonly denoiser: UNetSettings
  readonly training: StudyTrainingSettings
  readonly measuring: MeasuringSettings
}

/** What was measured of an arm. */
export interface Outcome {
  readonly arm: ArmName
  /** By training. */
  readonly bounds: readonly BoundByTime[]
  /** Of all trainings. */
  readonly measured: Measured
  /** By loss and sampling of times, at the weights of the first training; of networks that learn a variance. */
  readonly noise: Readonly<Record<string, GradientNoise>>
}

/** The losses whose gradients are compared at the same weights. */
const gradientKinds = [
  { name: 'L_hybrid', use_kl: false, important: false },
  { name: 'L_vlb', use_kl: true, important: false },
  { name: 'L_vlb, importance sampling', use_kl: true, important: true },
] as const

/** Trains the network of an arm as often as it is wanted, and measures it. */
export async function outcomeOf(arm: ArmName, settings: ArmSettings, study: Study): Promise<Outcome> {
  const [bounds, found]: [BoundByTime[], Measured[]] = [[], []]
  let noise: Outcome['noise'] = {}
  for (let i = 0; i < settings.trainings; i++) {
    const trained = await trainedArm(arm, i, settings, study)
    const bound = await boundOf(trained, settings, study)
    if (i === 0) noise = await noiseOf(trained, bound, settings, study)
    bounds.push(bound)
    found.push(await measuredArm(trained, settings, study))
  }
  return { arm, bounds, measured: ofAllTrainings(found), noise }
}

/** A training of an arm, with what its results are kept by. */
interface TrainedArm {
  readonly arm: ArmName
  /** Of its files: that of the arm for the first training. */
  readonly name: string
  readonly network: Awaited<ReturnType<typeof trainedDenoiser>>
  readonly diffusion: DiffusionSettings
  readonly identity: { readonly told: unknown; readonly arm: ArmName }
}

async function trainedArm(arm: ArmName, i: number, settings: ArmSettings, { parts }: Study): Promise<TrainedArm> {
  const { title: _, ...changes } = arms[arm]
  const diffusion: DiffusionSettings = { ...settings.diffusion, ...changes }
  const schedule_sampler = arm === 'cosine-vlb-importance' ? ('loss-second-moment' as const) : ('uniform' as const)
  const name = i === 0 ? arm : `${arm}-${i}`
  const seed = parts.context.seed + i
  const network = await trainedDenoiser({ name, seed, diffusion, model: settings.denoiser, schedule_sampler }, parts)
  return { arm, name, network, diffusion, identity: { told: network.told, arm } }
}

/** The bound on test pictures. */
async function boundOf(
  { arm, name, network, identity }: TrainedArm,
  { pictures_per_time }: ArmSettings,
  { parts: { pictures, context } }: Study,
): Promise<BoundByTime> {
  const { part } = await context.keep(
    `bounds/${name}`,
    { ...identity, pictures_per_time, data: pictures.identity },
    bound,
    () => boundByTime(network, pictures, pictures_per_time),
  )
  context.progress(`${name}: ${part.total.toFixed(3)} bits per dimension`, { part: arm, bits: part.total })
  return part
}

/** The noise of the gradients of all losses at the weights of a network; none of one without variances, which has no bound to compare with. */
async function noiseOf(
  { arm, name: file, network, diffusion, identity }: TrainedArm,
  { roots }: BoundByTime,
  { gradient_batches, training }: ArmSettings,
  { parts: { pictures, context } }: Study,
): Promise<Outcome['noise']> {
  const noise: Record<string, GradientNoise> = {}
  if (!diffusion.learn_sigma) return noise
  for (const { name, use_kl, important } of gradientKinds) {
    const plan = {
      diffusion: { ...diffusion, use_kl },
      ...(important && { roots }),
      batches: gradient_batches,
      batchSize: training.batch_size,
      seed: context.seed,
    }
    const { part } = await context.keep(
      `noise-scales/${file}-${name.replace(/\W+/g, '-')}`,
      { ...identity, gradient_batches, name },
      noiseSchema,
      () => gradientNoise(network, pictures, plan),
    )
    context.progress(`${file}: gradient noise of ${name} ${shownNoise(part)}`, { part: arm, name, noise: part })
    noise[name] = part
  }
  return noise
}

/** Pictures that the network draws, measured. */
function measuredArm(
  { name, network, identity }: TrainedArm,
  { measuring, sampling_steps }: ArmSettings,
  { measured, parts: { context } }: Study,
): Promise<Measured> {
  return measured({
    name,
    identity: { ...identity, sampling_steps },
    draw: (seed) =>
      drawPictures(network, {
        count: measuring.samples,
        seed,
        steps: sampling_steps,
        sampler: 'ancestral',
        signal: context.signal,
      }),
  })
}
