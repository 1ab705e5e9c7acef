/** The denoiser in training: its loss, its evaluation, the pictures that it makes at each one. */
import { compile } from '../../compile/compile.ts'
import type { Dataset } from '../../data/dataset.ts'
import type { PictureFields } from '../../data/layout.ts'
import * as ops from '../../ops/index.ts'
import { pictureSheet, picturesOf } from '../../report/from-tensors.ts'
import type { MetricDescriptions } from '../../tasks/define.ts'
import { type BuildOptions, type Experiment, type ThreadOptions, threadOptions } from '../../tasks/experiment.ts'
import { normalizePixels } from '../../tasks/pictures/classifier.ts'
import type { PictureFacts } from '../../tasks/pictures/facts.ts'
import type { OpenedPictures } from '../../tasks/pictures/open.ts'
import type { OptimizerSettings, TrainSettings } from '../../tasks/settings.ts'
import { type StepScalars, trainable } from '../../tasks/training.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Metrics } from '../../train/loop.ts'
import { UsageError } from '../../util/errors.ts'
import { explainDenoiser } from './explain.ts'
import { exportDenoiser } from './exports.ts'
import { GaussianDiffusion, type Network } from './gaussian-diffusion.ts'
import { type TrainingLosses, trainingLosses } from './losses.ts'
import { UNetModel } from './model.ts'
import { drawnNoise, evaluationBatches, type NoisyPictures } from './noisy-pictures.ts'
import { PictureSampler } from './sampling.ts'
import { type DiffusionSettings, processConfig, type UNetSettings, unetConfig } from './settings.ts'

export const denoiserMetrics = {
  loss: { goal: 'min' },
  /** Of the noise (or picture) that the network predicts. */
  mse: { goal: 'min' },
  /** One term of the bound on average: times T, plus what no network changes, it is that on bits per dimension. */
  vb: { goal: 'min', unit: 'bits' },
} as const satisfies MetricDescriptions

/** The settings of the recipe. */
export interface DenoiserConfig {
  readonly diffusion: DiffusionSettings
  readonly model: UNetSettings
  readonly optimizer: OptimizerSettings
  readonly train: TrainSettings
}

/** A trained denoiser, as the uses take it. */
export interface DenoiserExperiment extends Experiment<OpenedPictures>, ThreadOptions {
  readonly model: UNetModel
  readonly facts: PictureFacts
  readonly diffusion: DiffusionSettings
}

/** The network for labels, which only reads them if it has classes. */
export function conditioned(model: UNetModel): (labels: Tensor) => Network {
  return (labels) => (x, timesteps) => model.forward(x, timesteps, model.label_emb ? labels : undefined)
}

function lossesOf(model: UNetModel, diffusion: GaussianDiffusion, pictures: NoisyPictures): TrainingLosses {
  const { xStart, noise, t, labels } = pictures
  return trainingLosses(diffusion, conditioned(model)(labels), xStart, t, noise)
}

/** Means over the batch of whatever the loss is made of. */
function meansOf(losses: TrainingLosses): StepScalars {
  const { loss, mse, vb } = losses
  return { loss: ops.mean(loss), ...(mse && { mse: ops.mean(mse) }), ...(vb && { vb: ops.mean(vb) }) }
}

/** Runs the denoiser over the first pictures of a data set, with the same times and noise each time. */
function denoiserEvaluator(model: UNetModel, diffusion: GaussianDiffusion, options: ThreadOptions) {
  const score = compile((image: Tensor, label: Tensor, noise: Tensor, t: Tensor): Readonly<Record<string, Tensor>> => {
    const pictures = { xStart: normalizePixels(image), noise, t, labels: ops.cast(label, 'int64') }
    return { ...lossesOf(model, diffusion, pictures) }
  }, options)
  return async (data: Dataset<PictureFields>): Promise<{ readonly metrics: Metrics }> => {
    const wasTraining = model.training
    model.eval()
    const sums: Record<string, number> = {}
    let count = 0
    for await (const { image, label, noise, t, times } of evaluationBatches(data, diffusion.steps)) {
      for (const [name, { array }] of Object.entries(await score(image, label, noise, t)))
        sums[name] = toNumbers(array.data).reduce((sum, value) => sum + value, sums[name] ?? 0)
      count += times.length
    }
    if (wasTraining) model.train()
    return { metrics: Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / count])) }
  }
}

/** What a snapshot shows: four rows of up to ten classes. */
const snapshotRows = 4
const snapshotColumns = 10
/** Steps of DDIM for it: enough to see how training goes. */
const snapshotSteps = 25

/** So many steps as evenly as they fit: fewer where there are not as many. */
export function evenSteps(steps: number, { diffusion_steps }: DiffusionSettings): string {
  return String(Math.min(steps, diffusion_steps))
}

/** Trains and uses a denoiser of pictures. All random numbers follow from the seed. */
export function denoiserExperiment(
  config: DenoiserConfig,
  facts: PictureFacts,
  options: BuildOptions,
): DenoiserExperiment {
  const { diffusion: settings } = config
  if (settings.use_kl && config.train.monitor === 'mse') {
    throw new UsageError('train.monitor must be loss with diffusion.use_kl, whose loss has no mse', {
      hint: '--set train.monitor=loss',
    })
  }
  const diffusion = new GaussianDiffusion(processConfig(settings))
  const trained = trainable({
    make: () => new UNetModel(unetConfig(config.model, facts, settings)),
    config,
    metrics: denoiserMetrics,
    options,
    scalars: (model, batch) => meansOf(lossesOf(model, diffusion, drawnNoise(batch, diffusion.steps))),
    evaluator: (model, threads) => denoiserEvaluator(model, diffusion, threads),
  })
  const { model } = trained
  const columns = model.label_emb ? Math.min(snapshotColumns, facts.labels.length) : snapshotColumns
  let sampler: PictureSampler | undefined
  return {
    ...trained,
    facts,
    diffusion: settings,
    exports: { denoiser: () => exportDenoiser({ model, facts, diffusion: settings }) },
    snapshot: async () => {
      sampler ??= new PictureSampler({
        diffusion: new GaussianDiffusion(processConfig(settings, evenSteps(snapshotSteps, settings))),
        modules: [model],
        network: conditioned(model),
        shape: [facts.in_channels, ...facts.image_size],
        sampler: 'ddim',
        batchSize: snapshotRows * columns,
        ...threadOptions(options),
      })
      const labels = Array.from({ length: snapshotRows * columns }, (_, i) => i % columns)
      return { samples: pictureSheet(picturesOf(await sampler.sample({ labels, seed: 0 })), columns) }
    },
    explain: async ({ test }) => [await explainDenoiser(diffusion, test)],
  }
}
