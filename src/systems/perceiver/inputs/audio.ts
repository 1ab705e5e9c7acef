/** Recorded sounds: pieces of the waveform, or the cells of a mel spectrogram. */
import { z } from 'zod'
import {
  type ArrayConfig,
  type ArrayExperiment,
  arrayExperiment,
  arrayMetrics,
} from '../../../tasks/arrays/experiment.ts'
import type { BuildOptions } from '../../../tasks/experiment.ts'
import { classifierOptimizerSettings, classifierTrainSettings } from '../../../tasks/pictures/settings.ts'
import {
  openSounds,
  type SoundFacts,
  soundDataSettings,
  soundFacts,
  soundPackages,
} from '../../../tasks/sounds/open.ts'
import { predictSounds } from '../../../tasks/sounds/predict.ts'
import { isAugmented, type SpecAugmentSettings, specAugmentSettings } from '../../../tasks/sounds/spec-augment.ts'
import { type Settings, whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { defineRecipe } from '../../define.ts'
import { explainReading } from '../attention-reader.ts'
import { PerceiverClassifier } from '../classifier.ts'
import { positionFigure } from '../explain.ts'
import { networkConfig, perceiverSettings, positionConfig } from '../settings.ts'
import { attentionOverSounds, soundReading } from './attention.ts'
import { MelRows, type SoundInputs, SoundRows, WaveRows } from './sound-rows.ts'

/** A Perceiver that reads sounds. */
export type SoundPerceiver = PerceiverClassifier<SoundInputs, SoundRows>

const modelSettings = () =>
  perceiverSettings({ num_bands: 8 }).extend({
    input: z
      .enum(['raw', 'mel'])
      .default('raw')
      .describe('rows: pieces of the waveform, or cells of its mel spectrogram'),
    samples_per_patch: whole.default(64).describe('of raw: samples of a row; the paper: 128 at 48 kHz'),
    mel_row: z
      .enum(['cell', 'frame'])
      .default('cell')
      .describe('of mel: a row is one cell with its place in pitch and time, or a whole frame with its place in time'),
    n_fft: whole.default(512).describe('of mel: samples of a frame'),
    hop_length: whole.default(256).describe('of mel: samples from one frame to the next'),
    n_mels: whole.default(32).describe('of mel: bands of pitch'),
  })

interface SoundRecipe extends ArrayConfig, Settings {
  readonly model: z.infer<ReturnType<typeof modelSettings>>
  readonly augment: SpecAugmentSettings
}

function rowsOf({ model, augment }: SoundRecipe, { samples, sample_rate }: SoundFacts): SoundRows {
  if (model.input === 'raw') {
    if (isAugmented(augment)) {
      throw new UsageError(
        'augment.time_warp, frequency_masks and time_masks change spectrograms, found model.input raw',
        {
          hint: '--set model.input=mel',
        },
      )
    }
    return new SoundRows(new WaveRows(samples, model.samples_per_patch, positionConfig(model, 1)))
  }
  const { n_fft, hop_length, n_mels, mel_row } = model
  if (samples <= n_fft / 2) {
    throw new UsageError(`model.n_fft must be less than twice the ${samples} samples of a piece, found ${n_fft}`, {
      hint: '--set model.n_fft=256, or longer pieces: --set data.seconds=1',
    })
  }
  const options = { sample_rate, n_fft, hop_length, n_mels }
  const position = positionConfig(model, mel_row === 'cell' ? 2 : 1)
  return new SoundRows(new MelRows(samples, options, mel_row, position, augment))
}

/** Sounds by class. */
export const audio = defineRecipe({
  name: 'audio',
  summary:
    'sounds, raw or as a mel spectrogram: computed tones, sets (--set data.folder=drumkits), or any folder of WAV, FLAC, Ogg, MP3',
  facts: soundFacts,
  metrics: arrayMetrics,
  config: z.strictObject({
    data: soundDataSettings().prefault({}),
    model: modelSettings().prefault({}),
    augment: specAugmentSettings().prefault({}),
    optimizer: classifierOptimizerSettings({ lr: 2e-3, warmup_steps: 50 }).prefault({}),
    train: classifierTrainSettings({ epochs: 5, batch_size: 32 }).prefault({}),
  }),
  packages: ({ data }) => soundPackages(data),
  open: ({ data }, { known }) => openSounds(data, known),
  build: (
    config: SoundRecipe,
    facts: SoundFacts,
    options: BuildOptions,
  ): ArrayExperiment<SoundPerceiver, SoundFacts> => {
    const make = (): SoundPerceiver =>
      new PerceiverClassifier(rowsOf(config, facts), (channels) =>
        networkConfig(config.model, channels, facts.labels.length),
      )
    return arrayExperiment(make, config, facts, {
      ...options,
      explain: async (model, test) => {
        const places = await positionFigure(model.input_preprocessor.sound)
        const sections = await explainReading(soundReading, facts)(model, test)
        return places ? [...sections, { title: 'Places', figures: [places] }] : sections
      },
      preprocessing: {
        samples: `mono at ${facts.sample_rate} Hz${facts.normalize ? ', its loudest sample 1' : ''}; a piece of ${facts.samples} samples`,
        spectrogram: 'inside of the model',
      },
    })
  },
  uses: { predict: predictSounds, attention: attentionOverSounds },
})
