/** Pictures with the networks of the official codes, from their checkpoints or from the beginning. */
import { z } from 'zod'
import type { BuildOptions } from '../../../tasks/experiment.ts'
import { openPictures, pictureDataSettings, picturePackages } from '../../../tasks/pictures/choose.ts'
import {
  type ClassifierConfig,
  type PictureExperiment,
  pictureExperiment,
  pictureMetrics,
} from '../../../tasks/pictures/experiment.ts'
import { type PictureFacts, pictureFacts } from '../../../tasks/pictures/facts.ts'
import { predictPictures } from '../../../tasks/pictures/predict.ts'
import {
  augmentOptions,
  augmentSettings,
  classifierOptimizerSettings,
  classifierTrainSettings,
} from '../../../tasks/pictures/settings.ts'
import type { Settings } from '../../../train/settings.ts'
import { defineRecipe } from '../../define.ts'
import { attentionOfPictures } from '../attention-maps.ts'
import { explainReading } from '../attention-reader.ts'
import { readingOfPictures } from '../explain.ts'
import { PerceiverIO } from '../io.ts'
import { readStart } from './checkpoint.ts'
import { OfficialClassifier, type OfficialSettings, officialSettings } from './network.ts'

interface Recipe extends ClassifierConfig, Settings {
  readonly model: OfficialSettings
}

const reading = readingOfPictures<OfficialClassifier>(({ net }) =>
  net instanceof PerceiverIO ? net.input_preprocessor.sizes : undefined,
)

/** Pictures with an official network. */
export const official = defineRecipe({
  name: 'official',
  summary:
    'pictures with the networks of the official codes (Perceiver IO, perceiver-pytorch), also from their checkpoints: --set model.checkpoint=FILE',
  facts: pictureFacts,
  metrics: pictureMetrics,
  config: z.strictObject({
    data: pictureDataSettings({ folder: 'mnist', shift: 1 }).prefault({}),
    augment: augmentSettings({ flip: false }).prefault({}),
    model: officialSettings().prefault({}),
    optimizer: classifierOptimizerSettings({ lr: 3e-3, warmup_steps: 200 }).prefault({}),
    train: classifierTrainSettings({ epochs: 4, batch_size: 64 }).prefault({}),
  }),
  packages: ({ data }) => picturePackages(data),
  start: readStart,
  open: ({ data, augment }, { known }) => openPictures(data, augmentOptions(augment), known),
  build: (config: Recipe, facts: PictureFacts, options: BuildOptions): PictureExperiment<OfficialClassifier> =>
    pictureExperiment(() => new OfficialClassifier(config.model, facts), config, facts, {
      ...options,
      explain: explainReading(reading, facts),
    }),
  uses: { predict: predictPictures, attention: attentionOfPictures(reading) },
})
