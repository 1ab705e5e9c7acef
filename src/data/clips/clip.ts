/** Moving pictures with sound, brought to one size and one rate of samples. */
import { pieceOf } from '../sounds/recordings.ts'

/** A clip: frames [frames, channels, height, width], and samples that belong to each frame. */
export interface Clip {
  readonly frames: Uint8Array
  readonly frameCount: number
  /** `samplesPerFrame` for each frame; silence where there is no sound. */
  readonly samples: Float32Array
}

/** The form of clips. */
export interface ClipForm {
  readonly size: readonly [height: number, width: number]
  readonly channels: 1 | 3
  readonly samplesPerFrame: number
}

/** Numbers in a frame. */
export function frameNumbers({ size: [height, width], channels }: ClipForm): number {
  return channels * height * width
}

/** Memory that a clip takes. */
export function clipBytes({ frames, samples }: Clip): number {
  return frames.byteLength + samples.byteLength
}

/** `count` frames of a clip from frame `start` on, with their sound; a clip that is too short begins again. */
export function clipPart(clip: Clip, form: ClipForm, start: number, count: number): Omit<Clip, 'frameCount'> {
  const [size, perFrame] = [frameNumbers(form), form.samplesPerFrame]
  const frames = new Uint8Array(count * size)
  const samples = new Float32Array(count * perFrame)
  for (let i = 0; i < count; i++) {
    const from = (start + i) % clip.frameCount
    frames.set(clip.frames.subarray(from * size, (from + 1) * size), i * size)
    samples.set(pieceOf(clip.samples, from * perFrame, perFrame), i * perFrame)
  }
  return { frames, samples }
}
