/** What a joint embedding learns from: pictures with their places, and whatever a method has done before each epoch. */
import { type Dataset, type Fields, mapDataset } from '../../data/dataset.ts'
import type { PictureFields } from '../../data/layout.ts'
import { type BatchSource, DataLoader } from '../../data/loader.ts'
import { Module } from '../../nn/index.ts'
import type { TrainingSets } from '../../tasks/define.ts'
import type { ThreadOptions } from '../../tasks/experiment.ts'
import { type FeatureModel, featureExtractor } from '../../tasks/pictures/features.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { deriveSeed } from '../../util/random.ts'
import type { JointEmbedding } from './model.ts'

/** The embedding that a method compares, as features. */
class Embedding extends Module implements FeatureModel {
  readonly method: JointEmbedding

  constructor(method: JointEmbedding) {
    super()
    this.method = method
  }

  features(images: Tensor): Tensor {
    return this.method.embed(images)
  }

  forward(images: Tensor): Tensor {
    return this.features(images)
  }
}

/** Pictures with their places in the data set. */
function withPlaces(data: Dataset<PictureFields>): Dataset<PictureFields | 'place'> {
  const fields: Fields<PictureFields | 'place'> = { ...data.fields, place: { dtype: 'int32', shape: [] } }
  return mapDataset<PictureFields, PictureFields | 'place'>(
    data,
    (batch, indices) => ({
      ...batch,
      place: { dtype: 'int32', shape: [indices.length], data: Int32Array.from(indices) },
    }),
    fields,
  )
}

/** A loader that has something done before the first batch of each epoch. */
function beforeEpochs<Name extends string>(
  loader: DataLoader<Name>,
  work: (epoch: number) => Promise<void>,
): BatchSource<Name> {
  return {
    stepsPerEpoch: loader.stepsPerEpoch,
    state: () => loader.state(),
    restore: (state, options) => loader.restore(state, options),
    async *[Symbol.asyncIterator]() {
      const { epoch, position } = loader.state()
      if (position === 0) await work(epoch)
      yield* loader
    },
  }
}

/** Shuffled batches of pictures and places; a method that looks at all of them does so before an epoch. */
export function embeddingLoader(
  method: JointEmbedding,
  { train, plain = train }: Pick<TrainingSets<PictureFields>, 'train' | 'plain'>,
  { batchSize, seed, ...threads }: ThreadOptions & { readonly batchSize: number; readonly seed: number },
): BatchSource<PictureFields | 'place'> {
  const loader = new DataLoader(withPlaces(train), { batchSize, shuffle: true, seed, dropLast: true })
  if (!method.beforeEpoch) return loader
  const embedAll = featureExtractor(new Embedding(method), threads)
  return beforeEpochs(loader, async (epoch) => {
    const work = method.beforeEpoch?.(epoch)
    if (!work) return
    const { features } = await embedAll(plain)
    method.train()
    await work(features, Number(deriveSeed(seed, 'groups', epoch) & 0xffff_ffffn))
  })
}
