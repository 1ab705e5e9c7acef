/** Learning-rate schedules of the two official training codes. */
import { choiceSetting, numberSetting, type Settings } from '../../../verify/target.ts'

const clamp01 = (value: number): number => Math.min(Math.max(value, 0), 1)

/** Progress after warm-up, 0..1, and the warm-up factor, at a step counted before its increment. */
function phase(step: number, warmup: number, total: number): { progress: number; factor: number } {
  return { progress: clamp01((step - warmup) / (total - warmup)), factor: warmup > 0 ? Math.min(1, step / warmup) : 1 }
}

/** vit_jax (`utils.create_learning_rate_schedule`): absolute rates; `linear_end` is absolute too. */
export function fineTuningRate(settings: Settings): (step: number) => number {
  const base = numberSetting(settings, settings.base === undefined ? 'base_lr' : 'base')
  const end = numberSetting(settings, 'linear_end', 1e-5)
  const kind = choiceSetting(settings, 'decay_type', ['cosine', 'linear'], 'cosine')
  const [warmup, total] = [numberSetting(settings, 'warmup_steps', 0), numberSetting(settings, 'total_steps')]
  return (step) => {
    const { progress, factor } = phase(step, warmup, total)
    const rate =
      kind === 'linear' ? end + (base - end) * (1 - progress) : base * 0.5 * (1 + Math.cos(Math.PI * progress))
    return rate * factor
  }
}

/** big_vision (`utils.create_learning_rate_schedule`): a factor on the peak rate; `linear_end` is relative to it. */
export function bigVisionSchedule(
  settings: Settings,
  totalSteps = numberSetting(settings, 'total_steps'),
): (step: number) => number {
  const end = numberSetting(settings, 'linear_end', 0)
  const kind = choiceSetting(settings, 'decay_type', ['linear', 'cosine'], 'linear')
  const warmup = numberSetting(settings, 'warmup_steps', 0)
  return (step) => {
    const { progress, factor } = phase(step, warmup, totalSteps)
    const rate = kind === 'cosine' ? 0.5 * (1 + Math.cos(Math.PI * progress)) : end + (1 - end) * (1 - progress)
    return rate * factor
  }
}
