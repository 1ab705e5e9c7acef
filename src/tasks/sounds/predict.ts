/** Predictions for recordings. */
import { readBytes } from '../../data/files.ts'
import { pieceOf, readWaveform, windowStart } from '../../data/sounds/recordings.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { predictFiles } from '../arrays/predict.ts'
import type { SoundFacts } from './open.ts'

const largestFile = 2 ** 30

/** The pieces of a recording as they are for testing, [windows, samples]. */
export async function readSound(file: string, facts: SoundFacts) {
  const { sample_rate: sampleRate, normalize, samples, windows } = facts
  const recording = await readWaveform(await readBytes(file, largestFile), file, { sampleRate, normalize })
  const data = new Float32Array(windows * samples)
  for (let window = 0; window < windows; window++) {
    const start = windowStart(recording.length, samples, window, windows)
    data.set(pieceOf(recording, start, samples), window * samples)
  }
  const pieces: NDArray = { dtype: 'float32', shape: [windows, samples], data }
  return { input: file, arrays: { samples: pieces } }
}

/** The use `predict` of recordings. */
export const predictSounds = predictFiles<SoundFacts>({
  summary: 'the most probable classes of recordings (WAV, FLAC, Ogg, MP3)',
  read: async (file, facts) => [await readSound(file, facts)],
})
