/** The Perceiver's recipes: what makes rows differs, the network is the same. */
import { z } from 'zod'
import type { BuildOptions } from '../../tasks/experiment.ts'
import { openPictures, pictureDataSettings, picturePackages } from '../../tasks/pictures/choose.ts'
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
import type { Tensor } from '../../tensor/tensor.ts'
import type { Settings } from '../../train/settings.ts'
import { defineRecipe } from '../define.ts'
import { attentionOverPictures } from './attention-maps.ts'
import { PerceiverClassifier } from './classifier.ts'
import { explainPictures } from './explain.ts'
import { ImagePreprocessor } from './preprocess.ts'
import { networkConfig, type PerceiverSettings, perceiverSettings, positionConfig } from './settings.ts'

/** A Perceiver that reads pictures pixel by pixel. */
export type PicturePerceiver = PerceiverClassifier<Tensor, ImagePreprocessor>

interface PictureRecipe extends ClassifierConfig, Settings {
  readonly model: PerceiverSettings
}

/** The network of the settings for such pictures. */
function picturePerceiver(model: PerceiverSettings, facts: PictureFacts): PicturePerceiver {
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
  summary: 'pictures, every pixel an input: MNIST, or any folder or set of pictures (--set data.folder=DIR, =cifar10)',
  facts: pictureFacts,
  metrics: pictureMetrics,
  config: z.strictObject({
    data: pictureDataSettings({ folder: 'mnist', shift: 1 }).prefault({}),
    augment: augmentSettings({ flip: false }).prefault({}),
    model: perceiverSettings().prefault({}),
    optimizer: classifierOptimizerSettings({ lr: 3e-3, warmup_steps: 200 }).prefault({}),
    train: classifierTrainSettings({ epochs: 6, batch_size: 64 }).prefault({}),
  }),
  packages: ({ data }) => picturePackages(data),
  open: ({ data, augment }, { known }) => openPictures(data, augmentOptions(augment), known),
  build: (config: PictureRecipe, facts: PictureFacts, options: BuildOptions): PictureExperiment<PicturePerceiver> =>
    pictureExperiment(() => picturePerceiver(config.model, facts), config, facts, {
      ...options,
      explain: (model, test) => explainPictures(model, test, facts),
    }),
  uses: { predict: predictPictures, attention: attentionOverPictures, fewshot: evaluateShots },
})
