/** SpecAugment (Park et al. 2019, arXiv 1904.08779): training spectrograms are warped in time, and bands of pitch and of time are blanked. */
import { z } from 'zod'
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { count, whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'

/** How training spectrograms are changed at random; 0 of something: not at all. */
export function specAugmentSettings() {
  return z.strictObject({
    time_warp: count.default(0).describe('SpecAugment, of mel: frames by which a moment is moved, at most; 0: none'),
    frequency_masks: count
      .default(0)
      .describe('SpecAugment, of mel: bands of pitch that are blanked (its authors: 1 or 2)'),
    frequency_width: whole.default(8).describe('pitches of such a band, at most'),
    time_masks: count
      .default(0)
      .describe('SpecAugment, of mel: stretches of time that are blanked (its authors: 1 or 2)'),
    time_width: whole.default(4).describe('frames of such a stretch, at most'),
  })
}

export type SpecAugmentSettings = z.infer<ReturnType<typeof specAugmentSettings>>

/** Whether anything is changed. */
export function isAugmented({ time_warp, frequency_masks, time_masks }: SpecAugmentSettings): boolean {
  return time_warp > 0 || frequency_masks > 0 || time_masks > 0
}

/** Refuses changes that are larger than a spectrogram of so many pitches and frames. */
export function checkSpecAugment(settings: SpecAugmentSettings, mels: number, frames: number): void {
  const { time_warp, frequency_masks, frequency_width, time_masks, time_width } = settings
  const refuse = (name: string, most: number, found: number): never => {
    throw new UsageError(
      `augment.${name} must be at most ${most} for spectrograms of ${mels} pitches and ${frames} frames, found ${found}`,
    )
  }
  const longestWarp = Math.floor((frames - 2) / 2)
  if (time_warp > longestWarp) refuse('time_warp', longestWarp, time_warp)
  if (frequency_masks > 0 && frequency_width > mels) refuse('frequency_width', mels, frequency_width)
  if (time_masks > 0 && time_width > frames) refuse('time_width', frames, time_width)
}

/** Other random changes of each spectrogram at each call: [B, mels, frames] with mean 0, which is what blanked cells become. */
export function specAugment(levels: Tensor, settings: SpecAugmentSettings): Tensor {
  const { time_warp, frequency_masks, frequency_width, time_masks, time_width } = settings
  const [batch, mels, frames] = levels.sizes(3)
  let x = time_warp > 0 ? warped(levels, time_warp) : levels
  if (frequency_masks > 0) x = ops.mul(x, ops.unsqueeze(kept([batch, mels], frequency_masks, frequency_width), 2))
  if (time_masks > 0) x = ops.mul(x, ops.unsqueeze(kept([batch, frames], time_masks, time_width), 1))
  return x
}

/** 0 in `masks` stretches of 0 to `width` places, 1 elsewhere: float32 [B, size]. */
function kept([batch, size]: readonly [number, number], masks: number, width: number): Tensor {
  const uniform = (): Tensor => ops.randomUniform([batch, masks, 1])
  const lengths = ops.floor(ops.mul(uniform(), width + 1)) // [B, masks, 1]
  const starts = ops.floor(ops.mul(uniform(), ops.add(ops.sub(size, lengths), 1)))
  const places = ops.cast(ops.arange(0, size), 'float32') // [size]
  const inside = ops.logicalAnd(ops.greaterOrEqual(places, starts), ops.less(places, ops.add(starts, lengths)))
  return ops.cast(ops.logicalNot(ops.any(inside, 1)), 'float32')
}

/**
 * A random moment is moved by at most `most` frames; what lies before and behind it is stretched and squeezed evenly. First and last
 * frame stay.
 */
function warped(levels: Tensor, most: number): Tensor {
  const [batch, , frames] = levels.sizes(3)
  const last = frames - 1
  const from = ops.add(ops.mul(ops.randomUniform([batch, 1]), last - 2 * most), most) // most .. last - most
  const to = ops.add(from, ops.mul(ops.sub(ops.mul(ops.randomUniform([batch, 1]), 2), 1), most))
  const times = ops.cast(ops.arange(0, frames), 'float32') // [frames]
  const before = ops.div(ops.mul(times, from), ops.maximum(to, tiny))
  const rest = ops.div(ops.sub(last, from), ops.maximum(ops.sub(last, to), tiny))
  const behind = ops.add(from, ops.mul(ops.sub(times, to), rest))
  const sources = ops.unsqueeze(ops.where(ops.less(times, to), before, behind), 2) // [B, frames, 1]
  // Between two frames their mean, weighed by the distances.
  const weights = ops.relu(ops.sub(1, ops.abs(ops.sub(sources, times)))) // [B, frames, frames]
  return ops.matmul(levels, ops.transpose(weights))
}

/** Against a division by zero where a moment is moved to an end. */
const tiny = 1e-3
