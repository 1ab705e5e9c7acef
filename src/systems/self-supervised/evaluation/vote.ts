/** What a representation is worth to its nearest neighbours, and what the pixels themselves are: measured at every evaluation. */
import { type Dataset, subset } from '../../../data/dataset.ts'
import type { PictureFields } from '../../../data/layout.ts'
import { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { MetricDescriptions, TrainingSets } from '../../../tasks/define.ts'
import type { ThreadOptions } from '../../../tasks/experiment.ts'
import { haveClasses, type PictureFacts } from '../../../tasks/pictures/facts.ts'
import { type FeatureModel, featureExtractor, type LabelledFeatures } from '../../../tasks/pictures/features.ts'
import type { TrainSettings } from '../../../tasks/settings.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Metrics } from '../../../train/loop.ts'
import { deriveSeed, Generator } from '../../../util/random.ts'
import type { ProbeSettings } from '../settings.ts'
import { nearestNeighbours } from './nearest-neighbours.ts'

/** The metrics of `neighbourVote`. */
export const voteMetrics = {
  knn_accuracy: { goal: 'max', unit: 'percent' },
  knn_pixels: { goal: 'max', unit: 'percent', constant: true },
} as const satisfies MetricDescriptions

/** The settings of a training; on pictures without classes another metric takes the place of `knn_accuracy`. */
export function trainedWithout(train: TrainSettings, facts: PictureFacts, instead: string): TrainSettings {
  return haveClasses(facts) || train.monitor !== 'knn_accuracy' ? train : { ...train, monitor: instead }
}

/** A model whose representation the uses look at. */
export interface RepresentationExperiment extends ThreadOptions {
  readonly model: FeatureModel
  readonly facts: PictureFacts
  /** The model's weights as they were before training: the network of the floor, and where learning from labels alone begins. */
  readonly untrained: ReadonlyMap<string, NDArray>
}

/** So many examples, the same ones for a seed. */
export function sample<Name extends string>(data: Dataset<Name>, count: number, seed: number): Dataset<Name> {
  if (count >= data.length) return data
  return subset(data, new Generator(deriveSeed(seed, 'probe')).permutation(data.length).subarray(0, count))
}

/** The pixels themselves as features: the floor that a representation must beat. */
export class Pixels extends Module implements FeatureModel {
  forward(images: Tensor): Tensor {
    return ops.flatten(images, 1)
  }

  features(images: Tensor): Tensor {
    return this.forward(images)
  }
}

/** The share of `asked` pictures that the nearest of the `known` ones classify rightly. */
async function vote(
  known: LabelledFeatures,
  asked: LabelledFeatures,
  classes: number,
  { k, temperature: T }: ProbeSettings,
): Promise<number> {
  const { top1 } = await nearestNeighbours({
    trainFeatures: known.features,
    trainLabels: known.labels,
    testFeatures: asked.features,
    testLabels: asked.labels,
    classes,
    k: Math.min(k, known.labels.length),
    T,
  })
  return top1
}

/** Makes the function that measures a model by its nearest neighbours, beside the pixels; of pictures without classes it gives no metric. */
export function neighbourVote(
  model: FeatureModel,
  probe: ProbeSettings,
  facts: PictureFacts,
  { seed, ...threads }: ThreadOptions & { readonly seed: number },
) {
  const [features, pixels] = [featureExtractor(model, threads), featureExtractor(new Pixels(), threads)]
  let floor: number | undefined
  return async ({ train, plain = train, test }: TrainingSets<PictureFields>): Promise<Metrics> => {
    if (!haveClasses(facts)) return {}
    const [known, asked] = [sample(plain, probe.examples, seed), sample(test, probe.test_examples, seed)]
    const by = async (extract: typeof features) =>
      vote(await extract(known), await extract(asked), facts.labels.length, probe)
    floor ??= await by(pixels)
    return { knn_accuracy: await by(features), knn_pixels: floor }
  }
}
