/** Mixer's recipes: settings, data, and the classifier's common training step. */
import { z } from 'zod'
import type { BuildOptions } from '../../tasks/experiment.ts'
import {
  openPictures,
  type PictureDataDefaults,
  pictureDataSettings,
  picturePackages,
} from '../../tasks/pictures/choose.ts'
import {
  type ClassifierConfig,
  type PictureExperiment,
  pictureExperiment,
  pictureMetrics,
} from '../../tasks/pictures/experiment.ts'
import { type PictureFacts, pictureFacts } from '../../tasks/pictures/facts.ts'
import { evaluateShots } from '../../tasks/pictures/few-shot-evaluation.ts'
import { predictPictures } from '../../tasks/pictures/predict.ts'
import {
  augmentOptions,
  augmentSettings,
  classifierOptimizerSettings,
  classifierTrainSettings,
} from '../../tasks/pictures/settings.ts'
import type { OptimizerDefaults, TrainDefaults } from '../../tasks/settings.ts'
import type { Settings } from '../../train/settings.ts'
import { defineRecipe } from '../define.ts'
import type { MixerConfig } from './config.ts'
import { learnedWeights, tilesInReport } from './explain.ts'
import { freezeParts, readStart } from './fine-tuning.ts'
import { inspectWeights } from './inspect.ts'
import { Mixer } from './model.ts'
import { type MixerSettings, mixerSettings } from './settings.ts'

interface MixerRecipe extends ClassifierConfig, Settings {
  readonly model: MixerSettings
}

function modelConfig({ model }: MixerRecipe, facts: PictureFacts): MixerConfig {
  const { patch_size, gelu, checkpoint, freeze, ...rest } = model
  return {
    ...rest,
    gelu: gelu === 'auto' ? 'tanh' : gelu,
    patch_size: [patch_size, patch_size],
    image_size: facts.image_size,
    in_channels: facts.in_channels,
    num_classes: facts.labels.length,
  }
}

/** What Mixer's recipes share: all but data and defaults. */
const classifier = {
  facts: pictureFacts,
  metrics: pictureMetrics,
  start: readStart,
  build: (config: MixerRecipe, facts: PictureFacts, options: BuildOptions): PictureExperiment<Mixer> => {
    const make = (): Mixer => {
      const model = new Mixer(modelConfig(config, facts))
      freezeParts(model, config.model.freeze)
      return model
    }
    const explain = (model: Mixer) => [learnedWeights(model, tilesInReport)]
    return pictureExperiment(make, config, facts, { ...options, explain })
  },
  uses: { predict: predictPictures, fewshot: evaluateShots, inspect: inspectWeights },
} as const

/** A Mixer for pictures of some kind; every recipe takes any pictures, by `data.folder`. */
function pictureRecipe(
  name: string,
  summary: string,
  defaults: {
    readonly data: PictureDataDefaults
    readonly flip: boolean
    readonly model: Parameters<typeof mixerSettings>[0]
    readonly optimizer: OptimizerDefaults
    readonly train: Omit<TrainDefaults, 'monitor'>
  },
) {
  return defineRecipe({
    ...classifier,
    name,
    summary,
    config: z.strictObject({
      data: pictureDataSettings(defaults.data).prefault({}),
      augment: augmentSettings({ flip: defaults.flip }).prefault({}),
      model: mixerSettings(defaults.model).prefault({}),
      optimizer: classifierOptimizerSettings(defaults.optimizer).prefault({}),
      train: classifierTrainSettings(defaults.train).prefault({}),
    }),
    packages: ({ data }) => picturePackages(data),
    open: ({ data, augment }, { known }) => openPictures(data, augmentOptions(augment), known),
  })
}

/** The main job: all of MNIST in under three minutes on two cores. */
export const mnist = pictureRecipe('mnist', 'digits: 60,000 training pictures of MNIST, patches of 7x7', {
  data: { folder: 'mnist', shift: 1 },
  flip: false,
  model: { patch_size: 7, num_blocks: 4, hidden_dim: 96, tokens_mlp_dim: 48, channels_mlp_dim: 192 },
  optimizer: { lr: 3e-3, warmup_steps: 200 },
  train: { epochs: 4, batch_size: 128 },
})

/** Small photos in colour. */
export const cifar10 = pictureRecipe('cifar10', 'photos: 50,000 training pictures of CIFAR-10, patches of 4x4', {
  data: { folder: 'cifar10', shift: 4 },
  flip: true,
  model: { patch_size: 4, num_blocks: 4, hidden_dim: 96, tokens_mlp_dim: 48, channels_mlp_dim: 192 },
  optimizer: { lr: 2e-3, warmup_steps: 200 },
  train: { epochs: 6, batch_size: 128 },
})

/** Any pictures, sorted into one folder a class. */
export const images = pictureRecipe(
  'images',
  'any folder of pictures, one sub-folder per class (--set data.folder=DIR), or a set by name (--set data.folder=openmoji)',
  {
    data: {},
    flip: true,
    model: { patch_size: 8, num_blocks: 6, hidden_dim: 192, tokens_mlp_dim: 96, channels_mlp_dim: 512 },
    optimizer: { lr: 1e-3, warmup_steps: 100 },
    train: { epochs: 20, batch_size: 64 },
  },
)
