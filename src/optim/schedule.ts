/** A number for each step: 0 is the first update. Pure, so that resuming needs only the step. */
export type Schedule = (step: number) => number

/** A setting that is one number, or changes from step to step. */
export type Scheduled = number | Schedule

/** The value of a setting at a step. */
export function scheduledValue(value: Scheduled, step: number): number {
  return typeof value === 'number' ? value : value(step)
}
