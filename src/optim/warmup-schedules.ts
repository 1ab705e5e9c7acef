/**
 * The schedules of `transformers` (`get_..._schedule...`): linear warm-up from 0 at step 0 to lr at step numWarmupSteps,
 * then a decay. `lr` is the base rate, which transformers gives to the optimizer.
 */
import { requireAtLeast, requirePositive } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import type { Schedule } from './schedule.ts'
import { requiredOptions, requireNumbers } from './settings.ts'

/** The length of the warm-up. */
export interface WarmupOptions {
  readonly numWarmupSteps: number
}

/** The lengths of warm-up and training. */
export interface TrainingOptions extends WarmupOptions {
  readonly numTrainingSteps: number
}

const trainingNames = { numWarmupSteps: true, numTrainingSteps: true } as const

/** Throws a UsageError unless the rate is a finite number and the settings are finite ones of at least 0. */
function requireSettings(owner: string, lr: number, settings: Readonly<Record<string, number>>): void {
  requireNumbers(owner, { lr, ...settings })
  for (const [name, value] of Object.entries(settings)) requireAtLeast(owner, name, value, 0, UsageError)
}

/** lr * step / numWarmupSteps during the warm-up, `after` from then on. */
function warmedUp(lr: number, numWarmupSteps: number, after: Schedule): Schedule {
  return (step) => (step < numWarmupSteps ? (lr * step) / Math.max(1, numWarmupSteps) : after(step))
}

/** The share of the steps after the warm-up that is done; above 1 after the last. */
function progress(step: number, { numWarmupSteps, numTrainingSteps }: TrainingOptions): number {
  return (step - numWarmupSteps) / Math.max(1, numTrainingSteps - numWarmupSteps)
}

/** Warm-up, then constant at lr. */
export function constantScheduleWithWarmup(lr: number, options: WarmupOptions): Schedule {
  const owner = 'constantScheduleWithWarmup'
  const { numWarmupSteps } = requiredOptions(owner, options, { numWarmupSteps: true })
  requireSettings(owner, lr, { numWarmupSteps })
  return warmedUp(lr, numWarmupSteps, () => lr)
}

/** Warm-up, then a straight line down to 0 at step numTrainingSteps. */
export function linearScheduleWithWarmup(lr: number, options: TrainingOptions): Schedule {
  const owner = 'linearScheduleWithWarmup'
  const { numWarmupSteps, numTrainingSteps } = requiredOptions(owner, options, trainingNames)
  requireSettings(owner, lr, { numWarmupSteps, numTrainingSteps })
  const length = Math.max(1, numTrainingSteps - numWarmupSteps)
  return warmedUp(lr, numWarmupSteps, (step) => lr * Math.max(0, (numTrainingSteps - step) / length))
}

/** Warm-up, then `numCycles` cosine waves between lr and 0. Default: 0.5, which falls to 0 once. */
export function cosineScheduleWithWarmup(
  lr: number,
  options: TrainingOptions & { readonly numCycles?: number },
): Schedule {
  const owner = 'cosineScheduleWithWarmup'
  const { numCycles = 0.5, ...lengths } = requiredOptions(owner, options, { ...trainingNames, numCycles: true })
  const { numWarmupSteps, numTrainingSteps } = lengths
  requireSettings(owner, lr, { numWarmupSteps, numTrainingSteps, numCycles })
  return warmedUp(lr, numWarmupSteps, (step) => {
    const angle = 2 * Math.PI * numCycles * progress(step, lengths)
    return lr * Math.max(0, (1 + Math.cos(angle)) / 2)
  })
}

/** Warm-up, then `numCycles` falls from lr to 0, each along half a cosine wave. Default: 1. */
export function cosineWithHardRestartsScheduleWithWarmup(
  lr: number,
  options: TrainingOptions & { readonly numCycles?: number },
): Schedule {
  const owner = 'cosineWithHardRestartsScheduleWithWarmup'
  const { numCycles = 1, ...lengths } = requiredOptions(owner, options, { ...trainingNames, numCycles: true })
  const { numWarmupSteps, numTrainingSteps } = lengths
  requireSettings(owner, lr, { numWarmupSteps, numTrainingSteps, numCycles })
  return warmedUp(lr, numWarmupSteps, (step) => {
    const done = progress(step, lengths)
    return done >= 1 ? 0 : lr * Math.max(0, (1 + Math.cos(Math.PI * ((numCycles * done) % 1))) / 2)
  })
}

/**
 * Warm-up, then lr / sqrt((step + timescale - numWarmupSteps) / timescale). Default timescale: numWarmupSteps, or 10000 without
 * a warm-up.
 */
export function inverseSqrtSchedule(lr: number, options: WarmupOptions & { readonly timescale?: number }): Schedule {
  const owner = 'inverseSqrtSchedule'
  const given = requiredOptions(owner, options, { numWarmupSteps: true, timescale: true })
  const { numWarmupSteps, timescale = numWarmupSteps || 10_000 } = given
  requireSettings(owner, lr, { numWarmupSteps, timescale })
  requirePositive(owner, 'timescale', timescale, UsageError)
  return warmedUp(lr, numWarmupSteps, (step) => lr / Math.sqrt((step + timescale - numWarmupSteps) / timescale))
}

/**
 * Warm-up, then (lr - lrEnd) (1 - progress)^power + lrEnd, and lrEnd after the last step. Defaults: lrEnd 1e-7, power 1. Throws a
 * UsageError unless lr is above lrEnd.
 */
export function polynomialDecayScheduleWithWarmup(
  lr: number,
  options: TrainingOptions & { readonly lrEnd?: number; readonly power?: number },
): Schedule {
  const owner = 'polynomialDecayScheduleWithWarmup'
  const names = { ...trainingNames, lrEnd: true, power: true } as const
  const { lrEnd = 1e-7, power = 1, ...lengths } = requiredOptions(owner, options, names)
  const { numWarmupSteps, numTrainingSteps } = lengths
  requireSettings(owner, lr, { numWarmupSteps, numTrainingSteps, power })
  requireNumbers(owner, { lrEnd })
  if (!(lr > lrEnd)) throw new UsageError(`${owner}: lrEnd must be below lr, found ${lrEnd}, lr ${lr}`)
  return warmedUp(lr, numWarmupSteps, (step) => {
    if (step > numTrainingSteps) return lrEnd
    return (lr - lrEnd) * (1 - progress(step, lengths)) ** power + lrEnd
  })
}
