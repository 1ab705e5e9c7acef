/** The settings and facts of classes of clips. */
import { z } from 'zod'
import type { ClipForm } from '../../data/clips/clip.ts'
import { count, pathSetting, whole } from '../../train/settings.ts'
import { arrayFacts } from '../arrays/facts.ts'
import { exampleDataSettings } from '../arrays/open.ts'

/** Sets of clips by name; the first one needs nothing. */
const clipSetNames = ['digits', 'fluent-motion-1', 'fluent-motion-3'] as const

/** What is known of clips when a model is built. */
export const clipFacts = arrayFacts.extend({
  /** Height and width, in pixels. */
  image_size: z.tuple([whole, whole]),
  in_channels: z.union([z.literal(1), z.literal(3)]),
  /** Frames of a window. */
  frames: whole,
  samples_per_frame: whole,
  /** Of an animation every so-manyth frame is taken. */
  frame_step: whole,
})

export type ClipFacts = z.infer<typeof clipFacts>

/** Settings that choose clips and the form they are brought into. */
export function clipDataSettings() {
  return z.strictObject({
    ...exampleDataSettings(clipSetNames, 'clip'),
    file: pathSetting(
      'instead of a folder: a .npz file of many clips, frames uint8 [N, F, H, W, 1 or 3], optional samples [N, S], labels [N] or [N, K]',
    ),
    image_size: whole.default(32).describe('side that frames are brought to, in pixels'),
    color: z
      .enum(['auto', 'grey', 'color'])
      .default('auto')
      .describe('channels of a frame; auto: digits are grey, all others in color'),
    frames: whole.default(8).describe('frames of a window, which the model sees at once'),
    frame_step: whole.default(1).describe('of animations: take every so-manyth frame'),
    frame_rate: whole.default(8).describe('frames a second, for the sound that belongs to each'),
    sample_rate: whole.default(2048).describe('samples a second that sound is brought to; a multiple of frame_rate'),
    windows: whole
      .default(3)
      .describe('windows of a test clip, evenly spread, whose scores are averaged; the paper: 16'),
    clip_frames: whole.default(16).describe('of digits: frames of a whole clip'),
    examples: whole.default(2000).describe('of digits: clips to train on; a quarter as many are tested with'),
    noise: z.number().min(0).default(0.5).describe('of digits: standard deviation added to each sample of sound'),
    clip_seed: count.default(0).describe('of digits: decides how they move and sound'),
  })
}

export type ClipDataSettings = z.infer<ReturnType<typeof clipDataSettings>>

/** The form of clips for a model. */
export function clipForm({ image_size, in_channels, samples_per_frame }: ClipFacts): ClipForm {
  return { size: image_size, channels: in_channels, samplesPerFrame: samples_per_frame }
}
