import { requireAtLeast, requireCount, requireList } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'

/** A number for each step; step 0 is the first update. It must be a pure function: a resumed training knows the step only. */
export type Schedule = (step: number) => number

/** A setting that is either constant or changes from step to step. */
export type Scheduled = number | Schedule

/** The value of a setting at a step. */
export function scheduledValue(value: Scheduled, step: number): number {
  const found: unknown = typeof value === 'function' ? value(step) : value
  if (typeof found === 'number' && Number.isFinite(found)) return found
  const shown = typeof found === 'number' ? found : `${typeof found}`
  throw new UsageError(`a schedule must give a finite number, found ${shown} at step ${step}`)
}

/**
 * Several schedules one after the other: schedule i starts, from its own step 0, at step milestones[i - 1] (PyTorch's SequentialLR).
 * milestones: none below the one before it, one fewer than schedules.
 */
export function sequentialLR(schedules: readonly Schedule[], milestones: readonly number[]): Schedule {
  requireList('sequentialLR', 'schedules', schedules, UsageError)
  requireList('sequentialLR', 'milestones', milestones, UsageError)
  for (const milestone of milestones) requireCount('sequentialLR', 'milestones', milestone, 0, UsageError)
  if (milestones.length !== schedules.length - 1)
    throw new UsageError(
      `sequentialLR: there must be a milestone between each two schedules, found ${schedules.length} schedules and ${milestones.length} milestones`,
    )
  const starts = [0, ...milestones]
  if (starts.some((start, i) => start < (starts[i - 1] ?? 0)))
    throw new UsageError(`sequentialLR: milestones must not fall, found ${milestones.join(', ')}`)
  return (step) => {
    const index = milestones.filter((milestone) => milestone <= step).length
    return scheduledValue(schedules[index] as Schedule, step - (starts[index] ?? 0))
  }
}

/** A schedule with warm-up: times min(1, step / steps), as in big_vision and vit_jax. The first rate is 0. */
export function withWarmup(schedule: Scheduled, steps: number): Schedule {
  requireAtLeast('withWarmup', 'steps', steps, 0, UsageError)
  return (step) => scheduledValue(schedule, step) * (steps > 0 ? Math.min(1, step / steps) : 1)
}
