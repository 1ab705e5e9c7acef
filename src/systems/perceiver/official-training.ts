/** How DeepMind's script trains (perceiver/train/utils.py): learning rate by the batch, three schedules, decay without norms and biases. */
import type { Schedule } from '../../optim/schedule.ts'

/** The script's optimizer settings, by its names. */
export interface OfficialOptimizer {
  readonly optimizer: 'adam' | 'lamb'
  readonly base_lr: number
  /** Gradients are clipped to this global norm; negative: they are not. */
  readonly max_norm: number
  readonly weight_decay: number
  /** Whether positions (and latents) decay too. */
  readonly decay_pos_embs: boolean
  readonly schedule: OfficialSchedule
}

/** Shape of the learning rate over the steps. */
export interface OfficialSchedule {
  readonly schedule_type: 'steps' | 'cosine' | 'constant_cosine'
  /** Whether rates (of `constant_cosine` not the last one) are for a batch of 256 and grow with it. */
  readonly scale_by_batch: boolean
  /** `steps`: the rate is multiplied by decay_rate at these parts of the training. */
  readonly decay_boundaries: readonly number[]
  readonly decay_rate: number
  /** `cosine`: from init_value in a straight line over the warm-up, then half a cosine to end_value. */
  readonly init_value: number
  readonly warmup_epochs: number
  readonly end_value: number
  /** `constant_cosine`: the part of the training with a constant rate, and the rate at the end of the cosine. */
  readonly constant_fraction: number
  readonly constant_end_value: number
}

/** The size of a training. */
export interface TrainingSize {
  readonly total_batch_size: number
  readonly steps_per_epoch: number
  readonly total_steps: number
}

/** The learning rate of step 0, 1, 2, ... */
export function officialSchedule(base_lr: number, schedule: OfficialSchedule, size: TrainingSize): Schedule {
  const { total_batch_size, steps_per_epoch, total_steps } = size
  const scaled = (lr: number): number => (schedule.scale_by_batch ? (lr * total_batch_size) / 256 : lr)
  const peak = scaled(base_lr)
  if (schedule.schedule_type === 'steps') {
    const boundaries = schedule.decay_boundaries.map((part) => Math.trunc(part * total_steps))
    return (step) => peak * schedule.decay_rate ** boundaries.filter((boundary) => boundary <= step).length
  }
  if (schedule.schedule_type === 'constant_cosine') {
    const constant = Math.trunc(schedule.constant_fraction * total_steps)
    return (step) =>
      step < constant
        ? peak
        : halfCosine(peak, schedule.constant_end_value, (step - constant) / (total_steps - constant))
  }
  const warmup = schedule.warmup_epochs * steps_per_epoch
  const [first, last] = [scaled(schedule.init_value), scaled(schedule.end_value)]
  return (step) =>
    step < warmup
      ? first + ((peak - first) * step) / warmup
      : halfCosine(peak, last, (step - warmup) / (total_steps - warmup))
}

/** From `start` (progress 0) to `end` (progress 1 and later). */
function halfCosine(start: number, end: number, progress: number): number {
  return end + ((start - end) * (1 + Math.cos(Math.PI * Math.min(1, progress)))) / 2
}

/** Whether the weight of a name (Haiku's) decays: not biases, not norms, and positions only if said so. */
export function decays(name: string, decay_pos_embs: boolean): boolean {
  const parts = name.split('/')
  const leaf = parts.pop()
  if (leaf === 'b' || parts.some((part) => part.includes('layer_norm') || part.includes('batchnorm'))) return false
  return leaf !== 'pos_embs' || decay_pos_embs
}
