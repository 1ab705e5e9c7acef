/** What the trainings of a sweep come to: each combination of settings over its seeds, in order, and which of them are really apart. */
import { spreadOf } from '../../systems/study.ts'
import type { TenfoldError } from '../../util/errors.ts'
import type { Point } from './grid.ts'
import type { Trained } from './trainings.ts'

/** A finished training with its place. */
export interface Member {
  readonly seed: number
  readonly run: string
  readonly trained: Trained
}

/** A training that could not be made, and why. */
export interface Failure {
  readonly point: Point
  readonly seed: number
  readonly error: TenfoldError
}

/** A combination of settings with its finished trainings. */
export interface Arm {
  readonly point: Point
  readonly members: readonly Member[]
}

/** An arm with the numbers that it is compared by. */
export interface Ranked extends Arm {
  /** Of the monitored metric at the best evaluation of each training that stayed finite; NaN if none did. */
  readonly mean: number
  /** Between seeds; 0 for one. */
  readonly deviation: number
  /** Values that mean and deviation are of. */
  readonly count: number
  /** Trainings whose loss became NaN or infinite. */
  readonly diverged: number
}

/** A metric at the best evaluation of a training that stayed finite. */
export function finiteMetric({ reason, best }: Trained, metric: string): number | undefined {
  return reason === 'not finite' ? undefined : best?.metrics[metric]
}

/** A metric of all trainings of an arm that stayed finite. */
export function finiteValues({ members }: Arm, metric: string): number[] {
  return members.flatMap(({ trained }) => finiteMetric(trained, metric) ?? [])
}

/** Best first, by the monitored metric of the sweep; arms with trainings that diverged come after those without. */
export function rank(arms: readonly Arm[], { metric, goal }: Trained['monitor']): Ranked[] {
  const ranked = arms.map((arm): Ranked => {
    const values = finiteValues(arm, metric)
    const diverged = arm.members.filter(({ trained }) => trained.reason === 'not finite').length
    return { ...arm, ...spreadOf(values), count: values.length, diverged }
  })
  const sign = goal === 'max' ? -1 : 1
  return ranked.toSorted(
    (a, b) => Number(a.count === 0) - Number(b.count === 0) || a.diverged - b.diverged || sign * (a.mean - b.mean) || 0,
  )
}

/**
 * The arms that cannot be told from the first one: whose means are no farther from its mean than twice the standard error of their difference.
 * None if an arm has fewer than two values, for then nothing is known of the spread.
 */
export function sameAsBest([best, ...others]: readonly Ranked[]): Ranked[] {
  if (!best || best.count < 2) return []
  return others.filter((arm) => {
    const error = 2 * Math.sqrt(best.deviation ** 2 / best.count + arm.deviation ** 2 / arm.count)
    return arm.count > 1 && Math.abs(arm.mean - best.mean) <= error
  })
}
