/** The recipe of pictures: MNIST, CIFAR-10, or any other. */
import { z } from 'zod'
import type { BuildOptions } from '../../../tasks/experiment.ts'
import { openPictures, pictureDataSettings, picturePackages } from '../../../tasks/pictures/choose.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import { type PictureExperiment, pictureExperiment, pictureMetrics } from '../../../tasks/pictures/experiment.ts'
import { type PictureFacts, pictureFacts } from '../../../tasks/pictures/facts.ts'
import { evaluateShots } from '../../../tasks/pictures/few-shot-evaluation.ts'
import { predictPictures } from '../../../tasks/pictures/predict.ts'
import { augmentOptions, augmentSettings, classifierTrainSettings } from '../../../tasks/pictures/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { defineRecipe } from '../../define.ts'
import { firstExamples, learningSection } from '../explain.ts'
import { bodyRate } from '../freezing.ts'
import { modelConfig, pictureModelSettings, pictureOptimizerSettings, pretrainedSettings } from '../settings.ts'
import { startFromBody } from '../start.ts'
import { PictureTransformer, tokensOf } from './model.ts'

const pictureConfig = z.strictObject({
  data: pictureDataSettings({ folder: 'mnist' }).prefault({}),
  augment: augmentSettings({ flip: false }).prefault({}),
  pretrained: pretrainedSettings.prefault({}),
  model: pictureModelSettings.prefault({}),
  optimizer: pictureOptimizerSettings(3e-3).prefault({}),
  train: classifierTrainSettings({ epochs: 4, batch_size: 64, evaluate_every: 500 }).prefault({}),
})

type PictureRecipe = z.infer<typeof pictureConfig>

function buildPictures(
  config: PictureRecipe,
  facts: PictureFacts,
  options: BuildOptions,
): PictureExperiment<PictureTransformer> {
  const { patch_size, grey } = config.model
  const patches = { patch_size, grey }
  if (facts.image_size.some((side) => side % patch_size !== 0)) {
    throw new UsageError(
      `model.patch_size must divide the pictures' ${facts.image_size.join(' x ')} pixels, found ${patch_size}`,
    )
  }
  const sizes = { ...tokensOf(patches, facts), output_dim: facts.labels.length }
  const make = (): PictureTransformer => new PictureTransformer(modelConfig(config.model, sizes), patches)
  return pictureExperiment(make, config, facts, {
    ...options,
    lrScale: bodyRate(config.optimizer),
    explain: async (model, test) => {
      const { image } = await firstExamples(test)
      return [await learningSection(model, (pixels) => model.outputs(model.tokens(normalizePixels(pixels))), image)]
    },
  })
}

/** Pictures in patches; the class is read from the last one. */
export const picturesRecipe = defineRecipe({
  name: 'images',
  summary:
    'pictures in patches or grey pixels: MNIST, or any set or folder (--set data.folder=cifar10), with a frozen body',
  facts: pictureFacts,
  metrics: pictureMetrics,
  config: pictureConfig,
  packages: ({ data }) => picturePackages(data),
  start: startFromBody(({ model }: PictureRecipe, facts: PictureFacts) => tokensOf(model, facts).tokens),
  open: ({ data, augment }, { known }) => openPictures(data, augmentOptions(augment), known),
  build: buildPictures,
  uses: { predict: predictPictures, fewshot: evaluateShots },
})
