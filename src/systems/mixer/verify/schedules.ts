/** Learning-rate schedules of the two official training codes. */
import { choiceSetting, numberSetting, numbersSetting, type Settings, withoutEffect } from '../../../verify/target.ts'

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

/** big_vision (`utils.create_learning_rate_schedule`): a factor on the peak rate; the end is relative to it. */
export function bigVisionSchedule(
  settings: Settings,
  totalSteps = numberSetting(settings, 'total_steps'),
): (step: number) => number {
  const kind = choiceSetting(settings, 'decay_type', ['linear', 'polynomial', 'cosine', 'rsqrt', 'stair'], 'linear')
  const warmup = numberSetting(settings, 'warmup_steps', 0)
  const cooldown = numberSetting(settings, 'cooldown_steps', 0)
  withoutEffect(settings, 'linear_end', 'end', 'power', 'timescale', 'shift', 'steps', 'mults') // of other kinds
  const decay = decays[kind](settings, warmup)
  return (step) => {
    const { progress, factor } = phase(step, warmup, totalSteps)
    const last = cooldown > 0 ? Math.min(1, (totalSteps - step) / cooldown) : 1
    return decay(progress, step) * factor * last
  }
}

type Decay = (progress: number, step: number) => number

function polynomial(settings: Settings): Decay {
  const [end, power] = [
    numberSetting(settings, 'end', numberSetting(settings, 'linear_end', 0)),
    numberSetting(settings, 'power', 1),
  ]
  return (progress) => end + (1 - end) * (1 - progress) ** power
}

/** What is left of the peak rate, without warm-up and cool-down. */
const decays = {
  linear: polynomial,
  polynomial,
  cosine: (): Decay => (progress) => 0.5 * (1 + Math.cos(Math.PI * progress)),
  rsqrt: (settings: Settings, warmup: number): Decay => {
    const [timescale, shift] = [numberSetting(settings, 'timescale', 10_000), numberSetting(settings, 'shift', 0)]
    return (_progress, step) => 1 / Math.sqrt(1 + (Math.max(0, step - warmup) + shift) / timescale)
  },
  stair: (settings: Settings): Decay => {
    const [steps, mults] = [numbersSetting(settings, 'steps', []), numbersSetting(settings, 'mults', [])]
    return (_progress, step) => [1, ...mults][steps.filter((at) => at < step + 1).length] ?? 1
  },
}
