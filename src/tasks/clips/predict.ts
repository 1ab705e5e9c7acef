/** Predictions for clips. */
import { readClip } from '../../data/clips/clip-files.ts'
import { readBytes } from '../../data/files.ts'
import { type FileExample, predictFiles } from '../arrays/predict.ts'
import { clipWindows } from './open.ts'
import { type ClipFacts, clipForm } from './settings.ts'

const largestFile = 2 ** 30

/** The windows of a file's clip as they are for testing. */
export async function readClipExample(file: string, facts: ClipFacts): Promise<FileExample> {
  const { frames, windows, frame_step, in_channels, image_size } = facts
  const form = clipForm(facts)
  const clip = await readClip(await readBytes(file, largestFile), file, form, frame_step)
  const { pixels, samples } = clipWindows(clip, form, facts)
  return {
    input: file,
    arrays: {
      frames: { dtype: 'uint8', shape: [windows, frames, in_channels, ...image_size], data: pixels },
      samples: { dtype: 'float32', shape: [windows, samples.length / windows], data: samples },
    },
  }
}

/** The use `predict` of clips. */
export const predictClips = predictFiles<ClipFacts>({
  summary: 'the most probable classes of clips (animated WebP or GIF; .npz of frames [F, H, W, C] and samples [S])',
  read: async (file, facts) => [await readClipExample(file, facts)],
})
