/** The classifier of noisy pictures in training: its gradient guides the denoiser. */
import { compile } from '../../compile/compile.ts'
import type { Dataset } from '../../data/dataset.ts'
import type { PictureFields } from '../../data/layout.ts'
import * as ops from '../../ops/index.ts'
import type { MetricDescriptions } from '../../tasks/define.ts'
import type { BuildOptions, Experiment, ThreadOptions } from '../../tasks/experiment.ts'
import { normalizePixels } from '../../tasks/pictures/classifier.ts'
import type { PictureFacts } from '../../tasks/pictures/facts.ts'
import type { OpenedPictures } from '../../tasks/pictures/open.ts'
import type { OptimizerSettings, TrainSettings } from '../../tasks/settings.ts'
import { trainable } from '../../tasks/training.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Metrics } from '../../train/loop.ts'
import { meanOf } from '../../util/vectors.ts'
import { EncoderUNetModel } from './encoder.ts'
import { explainDenoiser } from './explain.ts'
import { exportNoisyClassifier } from './exports.ts'
import { GaussianDiffusion } from './gaussian-diffusion.ts'
import { type DiffusionSettings, type EncoderSettings, encoderConfig, processConfig } from './settings.ts'
import { drawnNoise, evaluationBatches, type NoisyPictures } from './training/noisy-pictures.ts'
import { timeQuartile } from './training/official-training.ts'

/** Accuracy at all times, and in each quarter of them: q0 has the least noise. */
export const classifierMetrics = {
  accuracy: { goal: 'max', unit: 'percent' },
  loss: { goal: 'min' },
  accuracy_q0: { goal: 'max', unit: 'percent' },
  accuracy_q1: { goal: 'max', unit: 'percent' },
  accuracy_q2: { goal: 'max', unit: 'percent' },
  accuracy_q3: { goal: 'max', unit: 'percent' },
} as const satisfies MetricDescriptions

/** The settings of the recipe. */
export interface ClassifierConfig {
  readonly diffusion: DiffusionSettings
  readonly model: EncoderSettings
  readonly optimizer: OptimizerSettings
  readonly train: TrainSettings
}

/** A trained classifier, as guidance takes it. */
export interface ClassifierExperiment extends Experiment<OpenedPictures>, ThreadOptions {
  readonly model: EncoderUNetModel
  readonly facts: PictureFacts
  readonly diffusion: DiffusionSettings
}

interface Scores {
  /** [B] */
  readonly losses: Tensor
  /** 1 where the class is right, [B] */
  readonly hits: Tensor
}

function scoresOf(model: EncoderUNetModel, diffusion: GaussianDiffusion, pictures: NoisyPictures): Scores {
  const { xStart, noise, t, labels } = pictures
  const logits = model.forward(diffusion.qSample(xStart, t, noise), diffusion.modelTimesteps(t)) // [B, K]
  return {
    losses: ops.crossEntropy(logits, labels, { reduction: 'none' }),
    hits: ops.cast(ops.equal(ops.argmax(logits, -1), labels), 'float32'),
  }
}

/** Runs the classifier over the first pictures of a data set, with the same times and noise each time. */
function classifierEvaluator(model: EncoderUNetModel, diffusion: GaussianDiffusion, options: ThreadOptions) {
  const score = compile((image: Tensor, label: Tensor, noise: Tensor, t: Tensor) => {
    const pictures = { xStart: normalizePixels(image), noise, t, labels: ops.cast(label, 'int64') }
    return scoresOf(model, diffusion, pictures)
  }, options)
  return async (data: Dataset<PictureFields>): Promise<{ readonly metrics: Metrics }> => {
    const found: { readonly loss: number; readonly hit: number; readonly quartile: number }[] = []
    await model.inEvalMode(async () => {
      for await (const { image, label, noise, t, times } of evaluationBatches(data, diffusion.steps)) {
        const { losses, hits } = await score(image, label, noise, t)
        const [loss, hit] = [toNumbers(losses.array.data), toNumbers(hits.array.data)]
        for (const [i, time] of times.entries())
          found.push({ loss: loss[i] ?? 0, hit: hit[i] ?? 0, quartile: timeQuartile(time, diffusion.steps) })
      }
    })
    const quarters = [0, 1, 2, 3].flatMap((quartile) => {
      const hits = found.filter((each) => each.quartile === quartile).map(({ hit }) => hit)
      return hits.length > 0 ? [[`accuracy_q${quartile}`, meanOf(hits)] as const] : []
    })
    return {
      metrics: {
        accuracy: meanOf(found.map(({ hit }) => hit)),
        loss: meanOf(found.map(({ loss }) => loss)),
        ...Object.fromEntries(quarters),
      },
    }
  }
}

/** Trains a classifier on noisy pictures. All random numbers follow from the seed. */
export function classifierExperiment(
  config: ClassifierConfig,
  facts: PictureFacts,
  options: BuildOptions,
): ClassifierExperiment {
  const diffusion = new GaussianDiffusion(processConfig(config.diffusion))
  const trained = trainable({
    make: () => new EncoderUNetModel(encoderConfig(config.model, facts)),
    config,
    metrics: classifierMetrics,
    options,
    scalars: (model, batch) => {
      const { losses, hits } = scoresOf(model, diffusion, drawnNoise(batch, diffusion.steps))
      return { loss: ops.mean(losses), accuracy: ops.mean(hits) }
    },
    meansOfExamples: true,
    evaluator: (model, threads) => classifierEvaluator(model, diffusion, threads),
  })
  const { model } = trained
  return {
    ...trained,
    facts,
    diffusion: config.diffusion,
    exports: { classifier: () => exportNoisyClassifier({ model, facts, diffusion: config.diffusion }) },
    explain: async ({ test }) => [await explainDenoiser(diffusion, test)],
  }
}
