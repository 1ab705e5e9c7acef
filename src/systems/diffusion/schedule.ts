/**
 * Noise schedules and everything that follows from them, in double precision (Ho et al. 2020, section 2; Nichol and Dhariwal 2021,
 * section 3.2). A time t is an index: t = 0 means one step of noise.
 */

import { UsageError } from '../../util/errors.ts'
import { roundHalfEven } from '../../util/rounding.ts'
import type { NoiseSchedule } from './config.ts'

/** Cosine schedule: so much is added to the time, that beta is not too small near t = 0. */
const cosineOffset = 0.008
/** Cosine schedule: no step destroys more than this. */
const maxBeta = 0.999
/** The steps that the linear schedule was made for; with fewer ones each adds more. */
const linearSteps = 1000

/** beta_t of a schedule of T steps: the variance of the noise that step t adds. */
export function namedBetaSchedule(name: NoiseSchedule, steps: number): number[] {
  if (!Number.isInteger(steps) || steps < 1)
    throw new UsageError(`diffusion: the number of steps must be a whole number of at least 1, found ${steps}`)
  if (name === 'linear') {
    const scale = linearSteps / steps
    const [first, last] = [scale * 1e-4, scale * 0.02]
    const step = (last - first) / (steps - 1)
    return Array.from({ length: steps }, (_, t) => (t > 0 && t === steps - 1 ? last : first + (t > 0 ? t * step : 0)))
  }
  const kept = (u: number): number => Math.cos((((u + cosineOffset) / (1 + cosineOffset)) * Math.PI) / 2) ** 2
  return Array.from({ length: steps }, (_, t) => Math.min(1 - kept((t + 1) / steps) / kept(t / steps), maxBeta))
}

const linearHint = 'the linear schedule needs more than 20 steps; the cosine one works with any number'

/**
 * Throws a UsageError where a step leaves nothing of the picture (beta = 1), as the last one of the linear schedule with 20 steps: the
 * official code takes it, and divides by 0.
 */
export function requireRemains(name: NoiseSchedule, steps: number): void {
  const worst = Math.max(...namedBetaSchedule(name, steps))
  if (worst >= 1) throw new UsageError(`diffusion: every beta must be below 1, found ${worst}`, { hint: linearHint })
}

/** The tables of a process, by the names of the official code; abar is the product of alpha = 1 - beta. */
export interface DiffusionTables {
  readonly betas: readonly number[]
  /** abar_t */
  readonly alphas_cumprod: readonly number[]
  /** abar_{t-1}; 1 at t = 0 */
  readonly alphas_cumprod_prev: readonly number[]
  /** abar_{t+1}; 0 at the end */
  readonly alphas_cumprod_next: readonly number[]
  readonly sqrt_alphas_cumprod: readonly number[]
  readonly sqrt_one_minus_alphas_cumprod: readonly number[]
  readonly log_one_minus_alphas_cumprod: readonly number[]
  readonly sqrt_recip_alphas_cumprod: readonly number[]
  /** sqrt(1 / abar - 1) */
  readonly sqrt_recipm1_alphas_cumprod: readonly number[]
  /** Of q(x_{t-1} | x_t, x_0); 0 at t = 0 */
  readonly posterior_variance: readonly number[]
  /** The same with its second entry in place of the first: log 0 would be infinite. */
  readonly posterior_log_variance_clipped: readonly number[]
  /** Of x_0 in the mean of q(x_{t-1} | x_t, x_0) */
  readonly posterior_mean_coef1: readonly number[]
  /** Of x_t in it */
  readonly posterior_mean_coef2: readonly number[]
}

/** The tables of a schedule. Throws a UsageError unless there are at least 2 betas, all in (0, 1]. */
export function diffusionTables(betas: readonly number[]): DiffusionTables {
  const wrong = betas.find((beta) => !(beta > 0 && beta <= 1))
  if (wrong !== undefined) {
    throw new UsageError(`diffusion: every beta must be above 0 and at most 1, found ${wrong}`, {
      hint: linearHint,
    })
  }
  if (betas.length < 2)
    throw new UsageError(`diffusion: there must be at least 2 steps, found ${betas.length}`, {
      hint: 'the variance of the first step is taken from the second one',
    })
  let product = 1
  const abar = betas.map((beta) => {
    product *= 1 - beta
    return product
  })
  const previous = [1, ...abar.slice(0, -1)]
  const pairs = betas.map((beta, t) => ({ beta, now: abar[t] ?? 0, before: previous[t] ?? 1 }))
  const posterior = pairs.map(({ beta, now, before }) => (beta * (1 - before)) / (1 - now))
  return {
    betas,
    alphas_cumprod: abar,
    alphas_cumprod_prev: previous,
    alphas_cumprod_next: [...abar.slice(1), 0],
    sqrt_alphas_cumprod: abar.map(Math.sqrt),
    sqrt_one_minus_alphas_cumprod: abar.map((now) => Math.sqrt(1 - now)),
    log_one_minus_alphas_cumprod: abar.map((now) => Math.log(1 - now)),
    sqrt_recip_alphas_cumprod: abar.map((now) => Math.sqrt(1 / now)),
    sqrt_recipm1_alphas_cumprod: abar.map((now) => Math.sqrt(1 / now - 1)),
    posterior_variance: posterior,
    posterior_log_variance_clipped: fromSecond(posterior).map(Math.log),
    posterior_mean_coef1: pairs.map(({ beta, now, before }) => (beta * Math.sqrt(before)) / (1 - now)),
    posterior_mean_coef2: pairs.map(({ beta, now, before }) => ((1 - before) * Math.sqrt(1 - beta)) / (1 - now)),
  }
}

/** The list with its second entry in place of the first. */
function fromSecond(values: readonly number[]): number[] {
  return [...values.slice(1, 2), ...values.slice(1)]
}

/** The larger of the two fixed variances: beta, but at t = 0 that of the posterior of t = 1. */
export function fixedLargeVariance({ betas, posterior_variance }: DiffusionTables): number[] {
  return [...posterior_variance.slice(1, 2), ...betas.slice(1)]
}

/**
 * The times that are kept of T: "ddim25", exactly 25 at an even whole stride; "10,15,20" (or a list), so many of each of 3 equal
 * sections, first and last one included; "" or an empty list: all. Ascending. Throws a UsageError where that cannot be.
 */
export function spaceTimesteps(steps: number, spec: string | readonly number[]): number[] {
  const isWhole = typeof spec === 'string' ? spec.trim() === '' : spec.length === 0
  if (isWhole) return Array.from({ length: steps }, (_, t) => t)
  if (typeof spec !== 'string') return sections(steps, spec)
  if (spec.startsWith('ddim')) return strided(steps, count(spec.slice('ddim'.length), spec))
  return sections(
    steps,
    spec.split(',').map((part) => count(part, spec)),
  )
}

function count(text: string, spec: string): number {
  if (!/^\s*\d+\s*$/.test(text)) {
    throw new UsageError(`diffusion: timestep_respacing must be like "25", "10,15,20" or "ddim25", found "${spec}"`)
  }
  return Number(text)
}

function strided(steps: number, wanted: number): number[] {
  for (let stride = 1; stride < steps; stride++) {
    if (Math.ceil(steps / stride) === wanted) return Array.from({ length: wanted }, (_, i) => i * stride)
  }
  throw new UsageError(`diffusion: no whole stride takes exactly ${wanted} of ${steps} steps`, {
    hint: `"${wanted}", without ddim, spaces any number of steps as evenly as it can`,
  })
}

function sections(steps: number, counts: readonly number[]): number[] {
  const [size, extra] = [Math.floor(steps / counts.length), steps % counts.length]
  let start = 0
  return counts.flatMap((wanted, i) => {
    const length = size + (i < extra ? 1 : 0)
    if (!Number.isInteger(wanted) || wanted < 0 || wanted > length)
      throw new UsageError(`diffusion: a section of ${length} steps cannot keep ${wanted}`)
    const stride = wanted <= 1 ? 1 : (length - 1) / (wanted - 1)
    let place = 0
    const kept = Array.from({ length: wanted }, () => {
      const step = start + roundHalfEven(place)
      place += stride // added up, not multiplied: a half may fall to either side
      return step
    })
    start += length
    return kept
  })
}

/** The betas of a process that has only the steps at `times` (ascending) of another one: abar stays what it was at each of them. */
export function respacedBetas(betas: readonly number[], times: readonly number[]): number[] {
  const { alphas_cumprod } = diffusionTables(betas)
  let last = 1
  return times.map((time) => {
    const now = alphas_cumprod[time] ?? 0
    const beta = 1 - now / last
    last = now
    return beta
  })
}
