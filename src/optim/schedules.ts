/**
 * The schedules of `torch.optim.lr_scheduler` in closed form. Each takes the base learning rate, which PyTorch gives to the
 * optimizer, and returns the rate of step 0, 1, 2, ...
 */
import {
  requireCount,
  requireFields,
  requireFinite,
  requireList,
  requireOneOf,
  requirePositive,
  requireWithin,
} from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import type { Schedule } from './schedule.ts'

/** The options of a schedule that needs some. */
function fieldsOf<T extends object>(owner: string, options: T): T {
  requireFields(owner, 'options', options, UsageError)
  return options
}

/** lr * factor for the first `totalIters` steps, then lr. Defaults: factor 1/3, totalIters 5. */
export function constantLR(
  lr: number,
  { factor = 1 / 3, totalIters = 5 }: { readonly factor?: number; readonly totalIters?: number } = {},
): Schedule {
  requireFinite('constantLR', 'factor', factor, UsageError)
  requireCount('constantLR', 'totalIters', totalIters, 0, UsageError)
  // With totalIters 0 the factor never ends, as in PyTorch.
  return (step) => (step < totalIters || totalIters === 0 ? lr * factor : lr)
}

/** Options of `linearLR`. */
export interface LinearOptions {
  /** Factor on lr at step 0. Default: 1/3. */
  readonly startFactor?: number
  /** Factor on lr from step `totalIters` on. Default: 1. */
  readonly endFactor?: number
  /** Number of steps of the line. Default: 5. */
  readonly totalIters?: number
}

/** A straight line from lr * startFactor at step 0 to lr * endFactor at step totalIters; constant afterwards. */
export function linearLR(
  lr: number,
  { startFactor = 1 / 3, endFactor = 1, totalIters = 5 }: LinearOptions = {},
): Schedule {
  requireFinite('linearLR', 'startFactor', startFactor, UsageError)
  requireFinite('linearLR', 'endFactor', endFactor, UsageError)
  requireCount('linearLR', 'totalIters', totalIters, 0, UsageError)
  return (step) => {
    const progress = totalIters > 0 ? Math.min(1, step / totalIters) : 1
    return lr * (startFactor + (endFactor - startFactor) * progress)
  }
}

/** lr * (1 - step / totalIters)^power; 0 from step totalIters on. Defaults: totalIters 5, power 1. */
export function polynomialLR(
  lr: number,
  { totalIters = 5, power = 1 }: { readonly totalIters?: number; readonly power?: number } = {},
): Schedule {
  requireCount('polynomialLR', 'totalIters', totalIters, 1, UsageError)
  return (step) => lr * (1 - Math.min(1, step / totalIters)) ** power
}

/** lr * gamma^floor(step / stepSize). Default gamma: 0.1. */
export function stepLR(lr: number, options: { readonly stepSize: number; readonly gamma?: number }): Schedule {
  const { stepSize, gamma = 0.1 } = fieldsOf('stepLR', options)
  requireCount('stepLR', 'stepSize', stepSize, 1, UsageError)
  return (step) => lr * gamma ** Math.floor(step / stepSize)
}

/** lr * gamma^(number of milestones reached); a milestone listed twice counts twice. Default gamma: 0.1. */
export function multiStepLR(
  lr: number,
  options: { readonly milestones: readonly number[]; readonly gamma?: number },
): Schedule {
  const { milestones, gamma = 0.1 } = fieldsOf('multiStepLR', options)
  requireList('multiStepLR', 'milestones', milestones, UsageError)
  return (step) => lr * gamma ** milestones.filter((milestone) => milestone <= step).length
}

/** lr * gamma^step. */
export function exponentialLR(lr: number, options: { readonly gamma: number }): Schedule {
  const { gamma } = fieldsOf('exponentialLR', options)
  requireFinite('exponentialLR', 'gamma', gamma, UsageError)
  return (step) => lr * gamma ** step
}

/** Half a cosine from `start` (progress 0) to `end` (progress 1). */
function cosine(start: number, end: number, progress: number): number {
  return end + ((start - end) * (1 + Math.cos(Math.PI * progress))) / 2
}

/** Half a cosine wave from lr down to etaMin at step tMax, then up again, with a period of 2 tMax (Loshchilov and Hutter 2017). Default etaMin: 0. */
export function cosineAnnealingLR(lr: number, options: { readonly tMax: number; readonly etaMin?: number }): Schedule {
  const { tMax, etaMin = 0 } = fieldsOf('cosineAnnealingLR', options)
  requirePositive('cosineAnnealingLR', 'tMax', tMax, UsageError)
  return (step) => cosine(lr, etaMin, step / tMax)
}

/**
 * Half a cosine wave from lr to etaMin over t0 steps, then again over t0 * tMult, t0 * tMult^2, ... steps (Loshchilov and Hutter
 * 2017). Defaults: tMult 1, etaMin 0.
 */
export function cosineAnnealingWarmRestarts(
  lr: number,
  options: { readonly t0: number; readonly tMult?: number; readonly etaMin?: number },
): Schedule {
  const { t0, tMult = 1, etaMin = 0 } = fieldsOf('cosineAnnealingWarmRestarts', options)
  if (!(t0 > 0) || !(tMult >= 1))
    throw new UsageError(`cosineAnnealingWarmRestarts: t0 must be above 0 and tMult at least 1, found ${t0}, ${tMult}`)
  return (step) => {
    let [position, length] = [tMult === 1 ? step % t0 : step, t0]
    while (position >= length) {
      position -= length
      length *= tMult
    }
    return cosine(lr, etaMin, position / length)
  }
}

/** Options of `oneCycleLR`. */
export interface OneCycleOptions {
  readonly maxLr: number
  readonly totalSteps: number
  /** Share of the steps in which the rate rises. Default: 0.3. */
  readonly pctStart?: number
  /** Shape of the rise and of the fall. Default: cos. */
  readonly annealStrategy?: 'cos' | 'linear'
  /** The first rate is maxLr / divFactor. Default: 25. */
  readonly divFactor?: number
  /** The last rate is the first / finalDivFactor. Default: 10000. */
  readonly finalDivFactor?: number
  /** Whether the rate first falls back to the first rate, as fast as it rose, and only then to the last. Default: false. */
  readonly threePhase?: boolean
}

/** Rises to maxLr and falls again, once (Smith and Topin 2017). Later steps keep the last rate. */
export function oneCycleLR(options: OneCycleOptions): Schedule {
  const { maxLr, totalSteps, pctStart = 0.3, annealStrategy = 'cos', threePhase = false } = options
  requireCount('oneCycleLR', 'totalSteps', totalSteps, 1, UsageError)
  requireWithin('oneCycleLR', 'pctStart', pctStart, [0, 1], UsageError)
  requireOneOf('oneCycleLR', 'annealStrategy', annealStrategy, ['cos', 'linear'], UsageError)
  const first = maxLr / (options.divFactor ?? 25)
  const last = first / (options.finalDivFactor ?? 1e4)
  // Ends of the phases, and the rates there.
  const top = pctStart * totalSteps - 1
  const ends = threePhase ? [top, 2 * top, totalSteps - 1] : [top, totalSteps - 1]
  const rates = threePhase ? [maxLr, first, last] : [maxLr, last]
  const anneal = annealStrategy === 'cos' ? cosine : (a: number, b: number, t: number): number => a + (b - a) * t
  return (step) => {
    const clamped = Math.min(step, totalSteps - 1)
    const found = ends.findIndex((end) => clamped <= end)
    const phase = found < 0 ? ends.length - 1 : found
    const [start, end] = [phase === 0 ? 0 : (ends[phase - 1] ?? 0), ends[phase] ?? 0]
    const [from, to] = [phase === 0 ? first : (rates[phase - 1] ?? first), rates[phase] ?? last]
    return anneal(from, to, end > start ? (clamped - start) / (end - start) : 1)
  }
}
