/** The learning rates of the official code (f_net/train_utils.py, `create_learning_rate_scheduler`). */
import type { Schedule } from '../../../optim/schedule.ts'
import { UsageError } from '../../../util/errors.ts'

export interface OfficialScheduleOptions {
  /** Factors joined by " * ": constant, linear_warmup, rsqrt_decay, rsqrt_normalized_decay, linear_decay, cosine_decay. */
  readonly factors: string
  readonly baseLearningRate: number
  readonly warmupSteps: number
  /** Steps from the end of the warm-up to the end of a decay. */
  readonly decaySteps: number
}

/**
 * The product of the named factors at a step, counted from 0, which therefore has rate 0. The official code takes progress modulo
 * 1: one step after the last of a decay the rate is at its top again.
 */
export function officialSchedule(options: OfficialScheduleOptions): Schedule {
  const { factors, baseLearningRate, warmupSteps, decaySteps } = options
  // The official arithmetic is float32, which shows where the rate is nearly 0.
  const progress = (step: number): number => Math.fround(Math.max(0, (step - warmupSteps) / decaySteps)) % 1
  const known: Readonly<Record<string, (step: number) => number>> = {
    constant: () => baseLearningRate,
    linear_warmup: (step) => Math.min(1, step / warmupSteps),
    rsqrt_decay: (step) => 1 / Math.sqrt(Math.max(step, warmupSteps)),
    rsqrt_normalized_decay: (step) => Math.sqrt(warmupSteps) / Math.sqrt(Math.max(step, warmupSteps)),
    linear_decay: (step) => Math.max(0, 1 - progress(step)),
    cosine_decay: (step) => Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress(step)))),
  }
  const chosen = factors.split('*').map((text) => {
    const factor = known[text.trim()]
    if (!factor) {
      throw new UsageError(`factors must be of ${Object.keys(known).join(', ')}, found "${text.trim()}"`)
    }
    return factor
  })
  return (step) => chosen.reduce((rate, factor) => rate * factor(step), 1)
}
