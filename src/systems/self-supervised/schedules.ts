/** Learning rates and momenta as the official scripts set them, as functions of the step or of the epoch. */
import { multiStepLR, type Schedule } from '../../optim/index.ts'
import { UsageError } from '../../util/errors.ts'

/** Half a cosine from 1 (share 0) to 0 (share 1). */
const half = (share: number): number => (1 + Math.cos(Math.PI * share)) / 2

/** lr * batch / 256: how SimSiam, BYOL, Barlow Twins, VICReg, DINO and MAE scale their base rates. MoCo and SwAV do not. */
export function scaledByBatch(lr: number, batch: number): number {
  return (lr * batch) / 256
}

/** MoCo's --cos: by the epoch. */
export function epochCosine(lr: number, epochs: number): Schedule {
  return (epoch) => lr * half(epoch / epochs)
}

/** MoCo's --schedule: a tenth at each of the epochs. */
export function epochSteps(lr: number, schedule: readonly number[]): Schedule {
  return multiStepLR(lr, { milestones: schedule })
}

/** BYOL's tau: 1 - (1 - base) (cos(pi k / K) + 1) / 2, 1 after the last step. */
export function targetEma(base: number, maxSteps: number): Schedule {
  return (step) => 1 - (1 - base) * half(Math.min(step, maxSteps) / maxSteps)
}

/** BYOL's learning rate: linear from 0, then half a cosine to 0. */
export function byolLearningRate(options: {
  readonly batch_size: number
  readonly base_learning_rate: number
  readonly total_steps: number
  readonly warmup_steps: number
}): Schedule {
  const { batch_size, base_learning_rate, total_steps, warmup_steps } = options
  const lr = scaledByBatch(base_learning_rate, batch_size)
  const length = total_steps - warmup_steps
  return (step) =>
    step < warmup_steps ? (step / warmup_steps) * lr : lr * half(Math.min(step - warmup_steps, length) / length)
}

/** Barlow Twins' and VICReg's: 10 epochs linear from 0, then half a cosine to a thousandth. */
export function redundancyLearningRate(options: {
  readonly lr: number
  readonly batch_size: number
  readonly epochs: number
  readonly steps_per_epoch: number
}): Schedule {
  const { lr, batch_size, epochs, steps_per_epoch } = options
  const peak = scaledByBatch(lr, batch_size)
  const [warmup, total] = [10 * steps_per_epoch, epochs * steps_per_epoch]
  return (step) => {
    if (step < warmup) return (peak * step) / warmup
    const q = half((step - warmup) / (total - warmup))
    return peak * q + peak * 0.001 * (1 - q)
  }
}

/** A schedule listed step by step, as DINO's cosine_scheduler. */
export interface WarmedCosineOptions {
  readonly base_value: number
  readonly final_value: number
  readonly epochs: number
  readonly niter_per_ep: number
  /** Default: 0. */
  readonly warmup_epochs?: number
  /** Default: 0. */
  readonly start_warmup_value?: number
}

/**
 * The value of every step: a straight line in which the last step of the warm-up already has the base value, then half a cosine that begins
 * with it again (DINO, SwAV).
 */
export function warmedCosine(options: WarmedCosineOptions): number[] {
  const { base_value, final_value, epochs, niter_per_ep, warmup_epochs = 0, start_warmup_value = 0 } = options
  const [warmup, total] = [warmup_epochs * niter_per_ep, epochs * niter_per_ep]
  if (warmup > total)
    throw new UsageError(`warmedCosine: the warm-up must not be longer than ${epochs} epochs, found ${warmup_epochs}`)
  const rise = base_value - start_warmup_value
  return Array.from({ length: total }, (_, step) =>
    step < warmup
      ? start_warmup_value + (warmup > 1 ? (rise * step) / (warmup - 1) : 0)
      : final_value + (base_value - final_value) * half((step - warmup) / (total - warmup)),
  )
}

/** DINO's momentum of the teacher: half a cosine from base up to 1, where it stays. */
export function cosineMomentum(base: number, maxSteps: number): Schedule {
  return targetEma(base, maxSteps)
}

/** MAE's, by the fractional epoch: linear from 0, then half a cosine to min_lr. */
export function maeLearningRate(options: {
  readonly lr: number
  readonly min_lr: number
  readonly warmup_epochs: number
  readonly epochs: number
}): Schedule {
  const { lr, min_lr, warmup_epochs, epochs } = options
  return (epoch) =>
    epoch < warmup_epochs
      ? (lr * epoch) / warmup_epochs
      : min_lr + (lr - min_lr) * half((epoch - warmup_epochs) / (epochs - warmup_epochs))
}
