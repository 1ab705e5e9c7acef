/**
 * The schedules of `torch.optim.lr_scheduler` in closed form. Each takes the base learning rate, which PyTorch gives to the
 * optimizer, and returns the rate of step 0, 1, 2, ...
 */
import {
  optionsOf,
  requireAtLeast,
  requireCount,
  requireFlag,
  requireList,
  requireOneOf,
  requirePositive,
  requireWithin,
} from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import type { Schedule } from './schedule.ts'
import { requiredOptions, requireNumbers } from './settings.ts'

/** lr * factor for the first `totalIters` steps, then lr. Defaults: factor 1/3, totalIters 5. */
export function constantLR(lr: number, options?: { readonly factor?: number; readonly totalIters?: number }): Schedule {
  const names = { factor: true, totalIters: true } as const
  const { factor = 1 / 3, totalIters = 5 } = optionsOf('constantLR', options, names, UsageError)
  requireNumbers('constantLR', { lr, factor })
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
export function linearLR(lr: number, options?: LinearOptions): Schedule {
  const names = { startFactor: true, endFactor: true, totalIters: true } as const
  const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = optionsOf('linearLR', options, names, UsageError)
  requireNumbers('linearLR', { lr, startFactor, endFactor })
  requireCount('linearLR', 'totalIters', totalIters, 0, UsageError)
  return (step) => {
    const progress = totalIters > 0 ? Math.min(1, step / totalIters) : 1
    return lr * (startFactor + (endFactor - startFactor) * progress)
  }
}

/** lr * (1 - step / totalIters)^power; 0 from step totalIters on. Defaults: totalIters 5, power 1. */
export function polynomialLR(
  lr: number,
  options?: { readonly totalIters?: number; readonly power?: number },
): Schedule {
  const names = { totalIters: true, power: true } as const
  const { totalIters = 5, power = 1 } = optionsOf('polynomialLR', options, names, UsageError)
  requireNumbers('polynomialLR', { lr, power })
  requireCount('polynomialLR', 'totalIters', totalIters, 1, UsageError)
  requireAtLeast('polynomialLR', 'power', power, 0, UsageError)
  return (step) => lr * (1 - Math.min(1, step / totalIters)) ** power
}

/** lr * gamma^floor(step / stepSize). Default gamma: 0.1. */
export function stepLR(lr: number, options: { readonly stepSize: number; readonly gamma?: number }): Schedule {
  const { stepSize, gamma = 0.1 } = requiredOptions('stepLR', options, { stepSize: true, gamma: true })
  requireNumbers('stepLR', { lr, gamma })
  requireCount('stepLR', 'stepSize', stepSize, 1, UsageError)
  return (step) => lr * gamma ** Math.floor(step / stepSize)
}

/** lr * gamma^(number of milestones reached); a milestone listed twice counts twice. Default gamma: 0.1. */
export function multiStepLR(
  lr: number,
  options: { readonly milestones: readonly number[]; readonly gamma?: number },
): Schedule {
  const { milestones, gamma = 0.1 } = requiredOptions('multiStepLR', options, { milestones: true, gamma: true })
  requireNumbers('multiStepLR', { lr, gamma })
  requireList('multiStepLR', 'milestones', milestones, UsageError)
  for (const milestone of milestones) requireNumbers('multiStepLR', { 'a milestone': milestone })
  return (step) => lr * gamma ** milestones.filter((milestone) => milestone <= step).length
}

/** lr * gamma^step. */
export function exponentialLR(lr: number, options: { readonly gamma: number }): Schedule {
  const { gamma } = requiredOptions('exponentialLR', options, { gamma: true })
  requireNumbers('exponentialLR', { lr, gamma })
  return (step) => lr * gamma ** step
}

/** Half a cosine from `start` (progress 0) to `end` (progress 1). */
function cosine(start: number, end: number, progress: number): number {
  return end + ((start - end) * (1 + Math.cos(Math.PI * progress))) / 2
}

/** Half a cosine wave from lr down to etaMin at step tMax, then up again, with a period of 2 tMax (Loshchilov and Hutter 2017). Default etaMin: 0. */
export function cosineAnnealingLR(lr: number, options: { readonly tMax: number; readonly etaMin?: number }): Schedule {
  const { tMax, etaMin = 0 } = requiredOptions('cosineAnnealingLR', options, { tMax: true, etaMin: true })
  requireNumbers('cosineAnnealingLR', { lr, etaMin })
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
  const owner = 'cosineAnnealingWarmRestarts'
  const { t0, tMult = 1, etaMin = 0 } = requiredOptions(owner, options, { t0: true, tMult: true, etaMin: true })
  requireNumbers(owner, { lr, etaMin })
  requirePositive(owner, 't0', t0, UsageError)
  requireAtLeast(owner, 'tMult', tMult, 1, UsageError)
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

const oneCycleNames = {
  maxLr: true,
  totalSteps: true,
  pctStart: true,
  annealStrategy: true,
  divFactor: true,
  finalDivFactor: true,
  threePhase: true,
} as const

/** Rises to maxLr and falls again, once (Smith and Topin 2017). Later steps keep the last rate. */
export function oneCycleLR(options: OneCycleOptions): Schedule {
  const given = requiredOptions('oneCycleLR', options, oneCycleNames)
  const { maxLr, totalSteps, pctStart = 0.3, annealStrategy = 'cos', threePhase = false } = given
  const { divFactor = 25, finalDivFactor = 1e4 } = given
  requireNumbers('oneCycleLR', { maxLr, divFactor, finalDivFactor })
  requireCount('oneCycleLR', 'totalSteps', totalSteps, 1, UsageError)
  requireWithin('oneCycleLR', 'pctStart', pctStart, [0, 1], UsageError)
  requireOneOf('oneCycleLR', 'annealStrategy', annealStrategy, ['cos', 'linear'], UsageError)
  requirePositive('oneCycleLR', 'divFactor', divFactor, UsageError)
  requirePositive('oneCycleLR', 'finalDivFactor', finalDivFactor, UsageError)
  requireFlag('oneCycleLR', 'threePhase', threePhase, UsageError)
  const first = maxLr / divFactor
  const last = first / finalDivFactor
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
