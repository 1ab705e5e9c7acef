/** Recorded sounds by class. */
import { z } from 'zod'
import { type Cut, classLabels, type Examples } from '../../data/examples.ts'
import { pieceOf, readWaveform, recordingFiles, windowStart } from '../../data/sounds/recordings.ts'
import { drumSet, sampleSet } from '../../data/sounds/sets.ts'
import { toneNames, toneOf } from '../../data/sounds/tones.ts'
import { whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { deriveSeed } from '../../util/random.ts'
import type { OpenedArrays } from '../arrays/experiment.ts'
import { arrayFacts } from '../arrays/facts.ts'
import { type ExampleKind, exampleDataSettings, openExamples, openedArrays } from '../arrays/open.ts'
import type { KnownData } from '../define.ts'

const names = ['tones', 'sound-samples', 'drumkits'] as const

/** What is known of recordings when a model is built. */
export const soundFacts = arrayFacts.extend({
  sample_rate: whole,
  /** Samples of a piece. */
  samples: whole,
  normalize: z.boolean(),
})

export type SoundFacts = z.infer<typeof soundFacts>

/** Settings that choose recordings and the form they are brought into. */
export function soundDataSettings() {
  return z.strictObject({
    ...exampleDataSettings(names, 'recording'),
    sample_rate: whole.default(8000).describe('samples a second that recordings are brought to'),
    seconds: z
      .number()
      .positive()
      .default(0.5)
      .describe('length of a piece: cut from longer recordings, in training anywhere; shorter ones end in silence'),
    windows: whole.default(1).describe('pieces of a test recording, evenly spread, whose scores are averaged'),
    normalize: z.boolean().default(true).describe('make the loudest sample of each recording 1'),
    examples: whole.default(2000).describe('of tones: sounds to train on; a quarter as many are tested with'),
    noise: z.number().min(0).default(0.05).describe('of tones: standard deviation added to each sample'),
  })
}

export type SoundDataSettings = z.infer<ReturnType<typeof soundDataSettings>>

/** The version of the rules by which tones are made, in records. */
const rules = 'tones 1'

function tones({ examples, sample_rate: sampleRate, seconds, noise }: SoundDataSettings) {
  const sounds = (length: number, side: string): Examples<Float32Array> => {
    const labels = Array.from({ length }, (_, i) => i % toneNames.length)
    const options = { sampleRate, seconds, noise, seed: deriveSeed(0, side) }
    return {
      length,
      labels: classLabels(labels),
      read: async (index) => toneOf(labels[index] ?? 0, index, options),
    }
  }
  return {
    title: `${toneNames.length} kinds of computed tones`,
    labels: toneNames,
    train: sounds(examples, 'train'),
    test: sounds(Math.ceil(examples / 4), 'test'),
    sources: { generated: rules },
  }
}

function kindOf(data: SoundDataSettings): ExampleKind<Float32Array> {
  const { sample_rate: sampleRate, normalize } = data
  return {
    ...recordingFiles,
    decode: (bytes, name) => readWaveform(bytes, name, { sampleRate, normalize }),
    bytesOf: ({ byteLength }) => byteLength,
    generated: { tones: () => tones(data) },
    sets: { 'sound-samples': sampleSet, drumkits: drumSet },
  }
}

/** Pieces of recordings: anywhere in training, evenly spread for testing. */
function cutPieces(samples: number): Cut<Float32Array, 'samples'> {
  return {
    fields: { samples: { dtype: 'float32', shape: [samples] } },
    cut: (recording, part) => {
      const { length } = recording
      const start =
        'random' in part
          ? (part.random.integers(0, Math.max(0, length - samples) + 1, 1)[0] ?? 0)
          : windowStart(length, samples, part.window, part.windows)
      return { samples: pieceOf(recording, start, samples) }
    },
  }
}

/** Opens the recordings that the settings name. */
export async function openSounds(
  data: SoundDataSettings,
  known?: KnownData<SoundFacts>,
): Promise<OpenedArrays<SoundFacts>> {
  const { sample_rate, seconds, normalize, windows } = data
  const samples = Math.round(sample_rate * seconds)
  if (samples < 1) {
    throw new UsageError(`data.seconds must be at least one sample, 1 / ${sample_rate}, found ${seconds}`)
  }
  const kind = kindOf(data)
  const opened = await openExamples(data, kind, known)
  return openedArrays(opened, kind.bytesOf, cutPieces(samples), {
    labels: [...opened.labels],
    classes_per_example: 'one',
    inputs: { samples: { dtype: 'float32', shape: [samples] } },
    windows,
    sample_rate,
    samples,
    normalize,
  })
}

/** npm packages that reading the recordings needs; those for files of one's own are asked for when a file needs them. */
export function soundPackages({ folder }: SoundDataSettings): readonly string[] {
  return folder === 'sound-samples' || folder === 'drumkits' ? ['@wasm-audio-decoders/flac'] : []
}
