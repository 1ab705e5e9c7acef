/** The denoiser as a run: trained, exported, and the pictures that it makes at each evaluation. */
import { pictureSheet, picturesOf } from '../../report/from-tensors.ts'
import type { BuildOptions, Experiment, ThreadOptions } from '../../tasks/experiment.ts'
import type { PictureFacts } from '../../tasks/pictures/facts.ts'
import type { OpenedPictures } from '../../tasks/pictures/open.ts'
import { explainDenoiser } from './explain.ts'
import { explainSteps } from './explain-steps.ts'
import { exportDenoiser, exportPicture } from './exports.ts'
import { GaussianDiffusion } from './gaussian-diffusion.ts'
import { UNetModel } from './model.ts'
import type { PictureSampler } from './sample/sampler.ts'
import { snapshotSampler } from './sample/snapshot.ts'
import { type DiffusionSettings, processConfig, type UNetSettings, unetConfig } from './settings.ts'
import { type DenoisingConfig, trainDenoiser } from './training/denoiser-training.ts'

/** The settings of the recipe. */
export interface DenoiserConfig extends DenoisingConfig {
  readonly model: UNetSettings
}

/** A trained denoiser, as the uses take it. */
export interface DenoiserExperiment extends Experiment<OpenedPictures>, ThreadOptions {
  readonly model: UNetModel
  readonly facts: PictureFacts
  readonly diffusion: DiffusionSettings
}

/** What a snapshot shows: four rows of up to ten classes. */
const snapshotRows = 4
const snapshotColumns = 10
/** Trains and uses a denoiser of pictures. All random numbers follow from the seed. */
export function denoiserExperiment(
  config: DenoiserConfig,
  facts: PictureFacts,
  options: BuildOptions,
): DenoiserExperiment {
  const { diffusion } = config
  const trained = trainDenoiser({
    make: () => new UNetModel(unetConfig(config.model, facts, diffusion)),
    config,
    options,
    conditions: (_, labels) => ({ labels }),
  })
  const { model } = trained
  const columns = model.label_emb ? Math.min(snapshotColumns, facts.labels.length) : snapshotColumns
  let sampler: PictureSampler | undefined
  const experiment: DenoiserExperiment = {
    ...trained,
    facts,
    diffusion,
    exports: {
      denoiser: () => exportDenoiser({ model, facts, diffusion }),
      picture: () => exportPicture({ model, facts, diffusion }),
    },
    snapshot: async () => {
      sampler ??= snapshotSampler({ model, facts, diffusion }, snapshotRows * columns, options)
      const labels = Array.from({ length: snapshotRows * columns }, (_, i) => i % columns)
      return { samples: pictureSheet(picturesOf(await sampler.sample({ labels, seed: 0 })), columns) }
    },
    explain: async (data) => [
      await explainDenoiser(new GaussianDiffusion(processConfig(diffusion)), data.test),
      await explainSteps(experiment, data),
    ],
  }
  return experiment
}
