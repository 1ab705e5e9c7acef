/**
 * Adam's corrections as JAX's optimizers (flax.optim, optax) compute them: 1 - beta^t in float32, for beta 0.999 wrong by up to 1.3e-5.
 * It shows where an update leaves a weight near 0.
 */
import type { Schedule } from '../optim/schedule.ts'

/** 1 - beta^t in float32, of the update that follows `step` others. */
export function float32Correction(beta: number, step: number): number {
  return Math.fround(1 - Math.fround(Math.fround(beta) ** (step + 1)))
}

/** The settings of AdamW that the corrections change. */
export interface AdamRates {
  readonly lr: Schedule
  readonly weightDecay: (decay: number) => Schedule
}

/**
 * Rates with which AdamW, whose corrections are those of double precision, updates as with float32's: the learning rate takes the
 * difference, the weight decay, which it multiplies, gives it back. Epsilon keeps an error of 6e-6 of itself.
 */
export function float32Rates(betas: readonly [number, number], lr: Schedule): AdamRates {
  const ratio = (beta: number, step: number): number => (1 - beta ** (step + 1)) / float32Correction(beta, step)
  const factor = (step: number): number => ratio(betas[0], step) / Math.sqrt(ratio(betas[1], step))
  return {
    lr: (step) => lr(step) * factor(step),
    weightDecay: (decay) => (step) => decay / factor(step),
  }
}
