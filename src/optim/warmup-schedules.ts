/**
 * The schedules of `transformers` (`get_..._schedule...`): linear warm-up from 0 at step 0 to lr at step numWarmupSteps,
 * then a decay. `lr` is the base rate, which transformers gives to the optimizer.
 */
import { requireFields, requireFinite } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import type { Schedule } from './schedule.ts'

/** The length of the warm-up. */
export interface WarmupOptions {
  readonly numWarmupSteps: number
}

/** The lengths of warm-up and training. */
export interface TrainingOptions extends WarmupOptions {
  readonly numTrainingSteps: number
}

/** lr * step / numWarmupSteps during the warm-up, `after` from then on. Throws a UsageError if a length is not a finite number. */
function warmedUp(lr: number, options: WarmupOptions, after: Schedule): Schedule {
  requireFields('schedule', 'options', options, UsageError)
  const { numWarmupSteps } = options
  requireFinite('schedule', 'numWarmupSteps', numWarmupSteps, UsageError)
  return (step) => (step < numWarmupSteps ? (lr * step) / Math.max(1, numWarmupSteps) : after(step))
}

/** The same, checking the length of the training too. */
function warmedUpFor(lr: number, options: TrainingOptions, after: Schedule): Schedule {
  requireFinite('schedule', 'numTrainingSteps', options.numTrainingSteps, UsageError)
  return warmedUp(lr, options, after)
}

/** The share of the steps after the warm-up that is done; above 1 after the last. */
function progress(step: number, { numWarmupSteps, numTrainingSteps }: TrainingOptions): number {
  return (step - numWarmupSteps) / Math.max(1, numTrainingSteps - numWarmupSteps)
}

/** Warm-up, then constant at lr. */
export function constantScheduleWithWarmup(lr: number, options: WarmupOptions): Schedule {
  return warmedUp(lr, options, () => lr)
}

/** Warm-up, then a straight line down to 0 at step numTrainingSteps. */
export function linearScheduleWithWarmup(lr: number, options: TrainingOptions): Schedule {
  const { numTrainingSteps, numWarmupSteps } = options
  const length = Math.max(1, numTrainingSteps - numWarmupSteps)
  return warmedUpFor(lr, options, (step) => lr * Math.max(0, (numTrainingSteps - step) / length))
}

/** Warm-up, then `numCycles` cosine waves between lr and 0. Default: 0.5, which falls to 0 once. */
export function cosineScheduleWithWarmup(
  lr: number,
  options: TrainingOptions & { readonly numCycles?: number },
): Schedule {
  const { numCycles = 0.5 } = options
  return warmedUpFor(lr, options, (step) => {
    const angle = 2 * Math.PI * numCycles * progress(step, options)
    return lr * Math.max(0, (1 + Math.cos(angle)) / 2)
  })
}

/** Warm-up, then `numCycles` falls from lr to 0, each along half a cosine wave. Default: 1. */
export function cosineWithHardRestartsScheduleWithWarmup(
  lr: number,
  options: TrainingOptions & { readonly numCycles?: number },
): Schedule {
  const { numCycles = 1 } = options
  return warmedUpFor(lr, options, (step) => {
    const done = progress(step, options)
    return done >= 1 ? 0 : lr * Math.max(0, (1 + Math.cos(Math.PI * ((numCycles * done) % 1))) / 2)
  })
}

/**
 * Warm-up, then lr / sqrt((step + timescale - numWarmupSteps) / timescale). Default timescale: numWarmupSteps, or 10000 without
 * a warm-up.
 */
export function inverseSqrtSchedule(lr: number, options: WarmupOptions & { readonly timescale?: number }): Schedule {
  const { numWarmupSteps } = options
  const timescale = options.timescale ?? (numWarmupSteps || 10_000)
  return warmedUp(lr, options, (step) => lr / Math.sqrt((step + timescale - numWarmupSteps) / timescale))
}

/**
 * Warm-up, then (lr - lrEnd) (1 - progress)^power + lrEnd, and lrEnd after the last step. Defaults: lrEnd 1e-7, power 1. Throws a
 * UsageError unless lr is above lrEnd.
 */
export function polynomialDecayScheduleWithWarmup(
  lr: number,
  options: TrainingOptions & { readonly lrEnd?: number; readonly power?: number },
): Schedule {
  const { numTrainingSteps, lrEnd = 1e-7, power = 1 } = options
  if (!(lr > lrEnd))
    throw new UsageError(`polynomialDecayScheduleWithWarmup: lrEnd must be below lr, found ${lrEnd}, lr ${lr}`)
  return warmedUpFor(lr, options, (step) => {
    if (step > numTrainingSteps) return lrEnd
    return (lr - lrEnd) * (1 - progress(step, options)) ** power + lrEnd
  })
}
