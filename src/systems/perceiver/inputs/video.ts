/** Moving pictures with sound in one array (paper, section 4.2): patches of frames, pieces of sound, and what says which is which. */
import { z } from 'zod'
import { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import {
  type ArrayConfig,
  type ArrayExperiment,
  arrayExperiment,
  arrayMetrics,
} from '../../../tasks/arrays/experiment.ts'
import { clipPackages, openClips } from '../../../tasks/clips/open.ts'
import { predictClips } from '../../../tasks/clips/predict.ts'
import { type ClipFacts, clipDataSettings, clipFacts } from '../../../tasks/clips/settings.ts'
import type { BuildOptions } from '../../../tasks/experiment.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import { classifierOptimizerSettings } from '../../../tasks/pictures/settings.ts'
import { trainSettings } from '../../../tasks/settings.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { type Settings, whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { defineRecipe } from '../../define.ts'
import { explainReading } from '../attention-reader.ts'
import { PerceiverClassifier } from '../classifier.ts'
import { MultimodalPreprocessor, type PreprocessorConfig } from '../preprocess.ts'
import { networkConfig, perceiverSettings, positionConfig } from '../settings.ts'
import { attentionOverClips, clipReading } from './attention-clips.ts'

/** What a clip is for the model: frames uint8 [B, T, C, H, W], samples [B, S]. */
export type ClipInputs = Readonly<Record<'frames' | 'samples', Tensor>>

/** The network, and how clips become its rows. */
export const clipModelSettings = () =>
  perceiverSettings({ num_bands: 8 })
    .omit({ max_resolution: true })
    .extend({
      modalities: z.enum(['both', 'video', 'audio']).default('both').describe('what of a clip is read'),
      spatial_patch: whole.default(8).describe('height and width of a patch, in pixels'),
      temporal_patch: whole.default(2).describe('frames of a patch'),
      samples_per_patch: whole.default(64).describe('samples of a row of sound; the paper: 128 at 48 kHz'),
      video_dropout: z
        .number()
        .min(0)
        .lt(1)
        .default(0.3)
        .describe('share of the training clips whose picture is blanked'),
      audio_dropout: z.number().min(0).lt(1).default(0).describe('share of the training clips whose sound is blanked'),
    })

export type ClipModelSettings = z.infer<ReturnType<typeof clipModelSettings>>

/** Refuses patches that do not fit. */
function checkPatches(model: ClipModelSettings, { image_size: [side], frames, samples_per_frame }: ClipFacts): void {
  const pairs = [
    ['model.spatial_patch', model.spatial_patch, 'data.image_size', side],
    ['model.temporal_patch', model.temporal_patch, 'data.frames', frames],
    ['model.samples_per_patch', model.samples_per_patch, 'the samples of a window,', frames * samples_per_frame],
  ] as const
  for (const [name, patch, whole, size] of pairs) {
    if (size % patch !== 0) throw new UsageError(`${name} must divide ${whole} ${size}, found ${patch}`)
  }
}

function modalityConfigs(model: ClipModelSettings, facts: ClipFacts): Record<string, PreprocessorConfig> {
  const { image_size, in_channels, frames, samples_per_frame } = facts
  const settings = { ...model, max_resolution: 0 }
  const audio: PreprocessorConfig = {
    kind: 'audio',
    samples: frames * samples_per_frame,
    samples_per_patch: model.samples_per_patch,
    position: positionConfig(settings, 1),
  }
  const image: PreprocessorConfig = {
    kind: 'image',
    prep_type: 'patches',
    size: [frames, ...image_size],
    in_channels,
    spatial_downsample: model.spatial_patch,
    temporal_downsample: model.temporal_patch,
    position: positionConfig(settings, 3),
  }
  return { ...(model.modalities !== 'video' && { audio }), ...(model.modalities !== 'audio' && { image }) }
}

/** Patches of frames and pieces of sound as rows of one array. */
class ClipRows extends Module {
  readonly modalities: MultimodalPreprocessor
  readonly outputChannels: number
  readonly #dropout: Readonly<Record<'image' | 'audio', number>>

  constructor(model: ClipModelSettings, facts: ClipFacts) {
    super()
    checkPatches(model, facts)
    this.modalities = new MultimodalPreprocessor({ modalities: modalityConfigs(model, facts) })
    this.outputChannels = this.modalities.outputChannels
    this.#dropout = { image: model.video_dropout, audio: model.audio_dropout }
  }

  /** -> [B, pieces of sound and patches of frames, outputChannels] */
  forward({ frames, samples }: ClipInputs): Tensor {
    const inputs = { image: normalizePixels(frames), audio: samples }
    if (!this.training) return this.modalities.forward(inputs)
    return this.modalities.forward({
      image: blanked(inputs.image, this.#dropout.image),
      audio: blanked(inputs.audio, this.#dropout.audio),
    })
  }
}

/** Whole examples set to zero, each with a probability: without it the sound is hardly listened to (paper: 39.7 -> 43.5 mAP). */
function blanked(x: Tensor, probability: number): Tensor {
  if (probability === 0) return x
  const shape = [sizeOf(x.shape, 0), ...new Array<number>(x.rank - 1).fill(1)]
  return ops.mul(x, ops.cast(ops.randomBernoulli(shape, 1 - probability), 'float32'))
}

/** A Perceiver that reads clips. */
export type ClipPerceiver = PerceiverClassifier<ClipInputs, ClipRows>

/** The network of the settings for such clips. */
export function clipPerceiver(model: ClipModelSettings, facts: ClipFacts): ClipPerceiver {
  const rows = new ClipRows(model, facts)
  return new PerceiverClassifier(rows, (channels) => networkConfig(model, channels, facts.labels.length))
}

interface ClipRecipe extends ArrayConfig, Settings {
  readonly model: ClipModelSettings
}

/** Clips, each of any number of classes. */
export const video = defineRecipe({
  name: 'video',
  summary:
    'moving pictures with sound, any number of classes each: digits with tones, animated emoji, any folder of WebP, GIF, .npz',
  facts: clipFacts,
  metrics: arrayMetrics,
  config: z.strictObject({
    data: clipDataSettings().prefault({}),
    model: clipModelSettings().prefault({}),
    optimizer: classifierOptimizerSettings({ lr: 2e-3, warmup_steps: 50 }).prefault({}),
    train: trainSettings({ epochs: 10, batch_size: 32, monitor: ['mean_average_precision', 'loss'] }).prefault({}),
  }),
  packages: ({ data }) => clipPackages(data),
  open: ({ data }, { known }) => openClips(data, known),
  build: (config: ClipRecipe, facts: ClipFacts, options: BuildOptions): ArrayExperiment<ClipPerceiver, ClipFacts> => {
    return arrayExperiment(() => clipPerceiver(config.model, facts), config, facts, {
      ...options,
      explain: explainReading(clipReading, facts),
      preprocessing: {
        frames: 'frames [T, C, H, W] of 0 to 255; normalization inside of the model: x / 127.5 - 1',
        samples: `${facts.samples_per_frame} for each frame; silence: 0`,
        windows: `${facts.windows}, evenly spread over a clip: the mean of their probabilities`,
      },
    })
  },
  uses: { predict: predictClips, attention: attentionOverClips },
})
