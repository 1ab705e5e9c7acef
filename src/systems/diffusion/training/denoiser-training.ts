/** Training of a denoiser, with or without small pictures beside the noisy ones: its loss, the times of a step, its evaluation. */
import { compile } from '../../../compile/compile.ts'
import type { BatchTensors, Dataset } from '../../../data/dataset.ts'
import type { PictureFields } from '../../../data/layout.ts'
import * as ops from '../../../ops/index.ts'
import type { MetricDescriptions } from '../../../tasks/define.ts'
import type { BuildOptions, ThreadOptions } from '../../../tasks/experiment.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import type { OptimizerSettings, TrainSettings } from '../../../tasks/settings.ts'
import { type StepScalars, type Trainable, trainable } from '../../../tasks/training.ts'
import { toNumbers } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Metrics } from '../../../train/loop.ts'
import { UsageError } from '../../../util/errors.ts'
import { type Conditions, conditioned } from '../conditions.ts'
import { GaussianDiffusion } from '../gaussian-diffusion.ts'
import { type TrainingLosses, trainingLosses } from '../losses.ts'
import type { UNetModel } from '../model.ts'
import { type DenoiserTrainSettings, type DiffusionSettings, processConfig } from '../settings.ts'
import { averagesAt } from './averages.ts'
import { evaluationBatches, type NoisyPictures } from './noisy-pictures.ts'
import { microBatches } from './official-training.ts'
import { TimeHistory, uniformTimes } from './time-history.ts'

export const denoiserMetrics = {
  loss: { goal: 'min' },
  /** Of the noise (or picture) that the network predicts. */
  mse: { goal: 'min' },
  /** One term of the bound on average: times T, plus what no network changes, it is that on bits per dimension. */
  vb: { goal: 'min', unit: 'bits' },
} as const satisfies MetricDescriptions

/** What every training of a denoiser is told. */
export interface DenoisingConfig {
  readonly diffusion: DiffusionSettings
  readonly optimizer: OptimizerSettings
  readonly train: TrainSettings & DenoiserTrainSettings
}

/** What is trained, and what it is told of the pictures. */
export interface DenoisingPlan<Model extends UNetModel> {
  readonly make: () => Model
  readonly config: DenoisingConfig
  readonly options: BuildOptions
  /** What the network is told of pictures [B, C, H, W] in [-1, 1] with labels [B]. */
  readonly conditions: (xStart: Tensor, labels: Tensor) => Conditions
}

function lossesOf(
  model: UNetModel,
  diffusion: GaussianDiffusion,
  { xStart, noise, t, labels }: NoisyPictures,
  conditions: DenoisingPlan<UNetModel>['conditions'],
): TrainingLosses {
  return trainingLosses(diffusion, conditioned(model)(conditions(xStart, labels)), xStart, t, noise)
}

/** Runs a denoiser over the first pictures of a data set, with the same times and noise each time. */
function denoiserEvaluator(
  model: UNetModel,
  diffusion: GaussianDiffusion,
  conditions: DenoisingPlan<UNetModel>['conditions'],
  options: ThreadOptions,
) {
  const score = compile((image: Tensor, label: Tensor, noise: Tensor, t: Tensor): Readonly<Record<string, Tensor>> => {
    const pictures = { xStart: normalizePixels(image), noise, t, labels: ops.cast(label, 'int64') }
    return { ...lossesOf(model, diffusion, pictures, conditions) }
  }, options)
  return async (data: Dataset<PictureFields>): Promise<{ readonly metrics: Metrics }> => {
    const sums: Record<string, number> = {}
    let count = 0
    await model.inEvalMode(async () => {
      for await (const { image, label, noise, t, times } of evaluationBatches(data, diffusion.steps)) {
        for (const [name, { array }] of Object.entries(await score(image, label, noise, t)))
          sums[name] = toNumbers(array.data).reduce((sum, value) => sum + value, sums[name] ?? 0)
        count += times.length
      }
    })
    return { metrics: Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / count])) }
  }
}

/** A model that learns to undo noise. All random numbers follow from the seed. */
export function trainDenoiser<Model extends UNetModel>(
  plan: DenoisingPlan<Model>,
): Trainable<Model, { readonly metrics: Metrics }, PictureFields> {
  const { config, make, options, conditions } = plan
  const { diffusion: settings, train } = config
  if (settings.use_kl && train.monitor === 'mse') {
    throw new UsageError('train.monitor must be loss with diffusion.use_kl, whose loss has no mse', {
      hint: '--set train.monitor=loss',
    })
  }
  const diffusion = new GaussianDiffusion(processConfig(settings))
  const history = train.schedule_sampler === 'uniform' ? undefined : new TimeHistory(diffusion.steps)
  const scalars = (model: Model, { image, label }: BatchTensors<PictureFields>): StepScalars => {
    const batch = sizeOf(image.shape, 0)
    const { t, weights } = history?.draw(ops.randomUniform([batch])) ?? uniformTimes(batch, diffusion.steps)
    const xStart = normalizePixels(image)
    const whole: NoisyPictures = { xStart, noise: ops.randomNormal(xStart.shape), t, labels: ops.cast(label, 'int64') }
    const parts = microBatches(batch, train.microbatch).map((range) => {
      const of = (tensor: Tensor): Tensor => (range[1] - range[0] < batch ? ops.slice(tensor, range, 0) : tensor)
      const pictures = { xStart: of(xStart), noise: of(whole.noise), t: of(t), labels: of(whole.labels) }
      const losses = lossesOf(model, diffusion, pictures, conditions)
      history?.update(pictures.t, losses.loss)
      const mean = (each: Tensor): Tensor => ops.mean(history ? ops.mul(each, of(weights)) : each)
      const { loss, mse, vb } = losses
      return { loss: mean(loss), ...(mse && { mse: mean(mse) }), ...(vb && { vb: mean(vb) }) }
    })
    // Gradients of micro-batches are added up, not averaged, whatever their sizes, as in OpenAI's code.
    const summed = (name: 'loss' | 'mse' | 'vb'): Tensor[] => parts.flatMap((part) => part[name] ?? [])
    const shown = (['mse', 'vb'] as const).filter((name) => summed(name).length > 0)
    return {
      loss: ops.addAll(summed('loss')),
      ...Object.fromEntries(shown.map((name) => [name, ops.div(ops.addAll(summed(name)), parts.length)])),
    }
  }
  return trainable({
    make,
    config,
    metrics: denoiserMetrics,
    options,
    scalars,
    ...(history && { state: history.variables }),
    ...(train.ema_rates.length > 0 && { beside: (trained: Model) => averagesAt(train.ema_rates, trained) }),
    evaluator: (model, threads) => denoiserEvaluator(model, diffusion, conditions, threads),
  })
}
