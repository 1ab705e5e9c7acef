/** The recipes of guided diffusion: a denoiser, a classifier of noisy pictures that guides it, an upsampler. */
import { z } from 'zod'
import { openPictures, pictureDataSettings, picturePackages } from '../../tasks/pictures/choose.ts'
import { pictureFacts } from '../../tasks/pictures/facts.ts'
import { defineRecipe } from '../define.ts'
import { readStart, readUpsamplerStart } from './checkpoint.ts'
import { denoiserExperiment } from './denoiser.ts'
import { classifierExperiment, classifierMetrics } from './noisy-classifier.ts'
import { samplePictures } from './sample/sample.ts'
import {
  classifierTraining,
  denoiserTraining,
  diffusionSettings,
  encoderSettings,
  unetSettings,
  upsamplerSettings,
} from './settings.ts'
import { denoiserMetrics } from './training/denoiser-training.ts'
import { upsamplerExperiment } from './upsampler.ts'

/** What all recipes have. */
const common = {
  augment: z.strictObject({ flip: z.boolean().default(false).describe('mirror half of the pictures') }).prefault({}),
  diffusion: diffusionSettings().prefault({}),
}

/** Pictures, of which a classifier needs the classes. */
const pictures = { ...common, data: pictureDataSettings({ folder: 'mnist' }).prefault({}) }
const anyPictures = {
  ...common,
  data: pictureDataSettings({ folder: 'mnist', mayLackClasses: true }).prefault({}),
}

export const denoiser = defineRecipe({
  name: 'denoiser',
  summary: 'a U-Net that makes pictures from noise: MNIST, or any folder or set of pictures (--set data.folder=DIR)',
  facts: pictureFacts,
  metrics: denoiserMetrics,
  config: z.strictObject({ ...anyPictures, model: unetSettings().prefault({}), ...denoiserTraining }),
  packages: ({ data }) => picturePackages(data),
  start: readStart,
  open: ({ data, augment }, { known }) => openPictures(data, augment, known, { mayLackClasses: true }),
  build: denoiserExperiment,
  uses: { sample: samplePictures },
})

export const classifier = defineRecipe({
  name: 'classifier',
  summary: 'names the class of pictures with any amount of noise, to guide a denoiser',
  facts: pictureFacts,
  metrics: classifierMetrics,
  config: z.strictObject({ ...pictures, model: encoderSettings().prefault({}), ...classifierTraining }),
  packages: ({ data }) => picturePackages(data),
  open: ({ data, augment }, { known }) => openPictures(data, augment, known),
  build: classifierExperiment,
})

export const upsampler = defineRecipe({
  name: 'upsampler',
  summary: 'makes pictures larger: a denoiser that is shown the small ones',
  facts: pictureFacts,
  metrics: denoiserMetrics,
  config: z.strictObject({ ...anyPictures, model: upsamplerSettings().prefault({}), ...denoiserTraining }),
  packages: ({ data }) => picturePackages(data),
  start: readUpsamplerStart,
  open: ({ data, augment }, { known }) => openPictures(data, augment, known, { mayLackClasses: true }),
  build: upsamplerExperiment,
})
