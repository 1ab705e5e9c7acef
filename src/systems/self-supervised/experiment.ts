/** Joint embedding in training and in use: views, the step, what an evaluation says of the embeddings and of the representation. */
import { compile } from '../../compile/compile.ts'
import type { Dataset } from '../../data/dataset.ts'
import type { PictureFields } from '../../data/layout.ts'
import { DataLoader } from '../../data/loader.ts'
import { Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Exportable, MetricDescriptions, OpenedData, TrainingSets } from '../../tasks/define.ts'
import { type BuildOptions, type Experiment, threadOptions } from '../../tasks/experiment.ts'
import { evaluationBatchSize } from '../../tasks/pictures/classifier.ts'
import type { PictureFacts } from '../../tasks/pictures/facts.ts'
import type { FeatureModel } from '../../tasks/pictures/features.ts'
import { loopOptions, type OptimizerSettings, type TrainSettings } from '../../tasks/settings.ts'
import { trainingTask } from '../../tasks/training.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { manualSeed, RandomState } from '../../tensor/random-state.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Metrics } from '../../train/loop.ts'
import { alignment, type Spread, spreadOf, uniformity } from './collapse.ts'
import type { Encoder } from './encoder.ts'
import { neighbourVote, type RepresentationExperiment, sample, trainedWithout, voteMetrics } from './evaluation/vote.ts'
import { explainEmbeddings } from './explain.ts'
import type { JointEmbedding } from './model.ts'
import { exportOfPictures } from './predictive/exports.ts'
import type { ProbeSettings, ViewSettings } from './settings.ts'
import { embeddingLoader } from './training-loader.ts'
import { randomView, viewFamilies } from './views.ts'

/** The metrics of every method: of a step its loss, of an evaluation what tells a collapse, and what the representation is worth. */
export const embeddingMetrics = {
  ...voteMetrics,
  spread: { goal: 'max' },
  std: { goal: 'max' },
  rank: { goal: 'max' },
  alignment: { goal: 'min' },
  uniformity: { goal: 'min' },
  loss: { goal: 'min' },
} as const satisfies MetricDescriptions

/** What training uses of the settings. */
export interface EmbeddingConfig {
  readonly views: ViewSettings
  readonly probe: ProbeSettings
  readonly optimizer: Omit<OptimizerSettings, 'ema_decay'>
  readonly train: TrainSettings
}

/** An encoder as the uses of classifiers' features take it. */
class Representation extends Module implements FeatureModel {
  readonly encoder: Encoder

  constructor(encoder: Encoder) {
    super()
    this.encoder = encoder
  }

  /** pixels [N, C, H, W] in [-1, 1] -> [N, width]. */
  features(images: Tensor): Tensor {
    return this.encoder.features(images)
  }

  forward(images: Tensor): Tensor {
    return this.features(images)
  }
}

/** A method with a trained encoder in it. */
export interface EmbeddingExperiment extends Experiment<OpenedData<unknown, PictureFields>>, RepresentationExperiment {
  readonly method: JointEmbedding
  readonly model: Representation
}

/** Pixels from 0 to 1, the range in which views are made. */
const unitPixels = (pixels: Tensor): Tensor => ops.div(ops.cast(pixels, 'float32'), 255)
/** And from -1 to 1, as networks take them. */
const centred = (view: Tensor): Tensor => ops.sub(ops.mul(view, 2), 1)

/** The views of a batch of uint8 pictures: two, then small crops. */
export function viewsOf(image: Tensor, settings: ViewSettings, state?: RandomState): Tensor[] {
  const { family, crop_area, local_crops, local_size } = settings
  const pixels = unitPixels(image)
  const random = state ? { state } : {}
  const global = viewFamilies[family].map((options) =>
    centred(randomView(pixels, crop_area > 0 ? { ...options, crop_area: [crop_area, 1] } : options, random)),
  )
  const [, second] = viewFamilies[family]
  // DINO's and SwAV's small crops show at most a seventh to a third of what there is.
  const local = Array.from({ length: local_crops }, () =>
    centred(randomView(pixels, { ...second, crop_area: [0.1, 0.4] }, { ...random, size: [local_size, local_size] })),
  )
  return [...global, ...local]
}

/** Embeddings of two views of each picture, [N, D] each, and what the diagnostics say of them. */
export interface Embedded {
  readonly embeddings: NDArray
  readonly spread: Spread
  readonly alignment: number
  readonly uniformity: number
}

/** Makes a function that embeds a data set in evaluation mode; it draws the same views each time. */
export function embedder(method: JointEmbedding, views: ViewSettings, threads: { threads?: number }) {
  const state = new RandomState(0)
  const embed = compile((image: Tensor) => {
    const [a, b] = viewsOf(image, { ...views, local_crops: 0 }, state).map((view) => method.embed(view))
    return { a: a ?? image, b: b ?? image }
  }, threads)
  const compare = compile((a: Tensor, b: Tensor) => {
    const [x, y] = [ops.normalize(a), ops.normalize(b)]
    return { alignment: alignment(x, y), uniformity: uniformity(x) }
  }, threads)
  return async (data: Dataset<PictureFields>): Promise<Embedded> => {
    method.eval()
    state.reseed(0)
    const [first, second]: [Float32Array[], Float32Array[]] = [[], []]
    for await (const { image } of new DataLoader(data, { batchSize: evaluationBatchSize(data) })) {
      const { a, b } = await embed(image)
      first.push((a.array.data as Float32Array).slice())
      second.push((b.array.data as Float32Array).slice())
    }
    const [x, y] = [joined(first, data.length), joined(second, data.length)]
    const compared = await compare(x, y)
    method.train()
    return {
      embeddings: x,
      spread: spreadOf(x),
      alignment: await compared.alignment.item(),
      uniformity: await compared.uniformity.item(),
    }
  }
}

/** Rows one after the other: [count, width]. */
function joined(parts: readonly Float32Array[], count: number): NDArray {
  const data = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let filled = 0
  for (const part of parts) {
    data.set(part, filled)
    filled += part.length
  }
  return { dtype: 'float32', shape: [count, data.length / count], data }
}

/** Trains and uses the method that `make` makes. All random numbers follow from the seed. */
export function embeddingExperiment(
  make: () => JointEmbedding,
  config: EmbeddingConfig,
  facts: PictureFacts,
  options: BuildOptions,
): EmbeddingExperiment {
  const { seed } = options
  const { views, probe, optimizer, train } = config
  manualSeed(seed)
  const method = make()
  const model = new Representation(method.encoder)
  const threads = threadOptions(options)
  const untrained = model.stateDict()
  const vote = neighbourVote(model, probe, facts, { seed, ...threads })
  const embed = embedder(method, views, threads)

  const evaluate = async (sets: TrainingSets<PictureFields>): Promise<Metrics> => {
    const voted = await vote(sets)
    const found = await embed(sample(sets.test, probe.test_examples, seed))
    method.train()
    return {
      ...voted,
      // 1 where the embeddings lie in all directions alike, 0 where they are all equal.
      spread: found.spread.mean_std / found.spread.std_ref,
      std: found.spread.raw_std,
      rank: found.spread.rankme,
      alignment: found.alignment,
      uniformity: found.uniformity,
    }
  }
  return {
    method,
    model,
    facts,
    untrained,
    ...threads,
    weights: method.variables(),
    initialize: (weights) => void method.loadStateDict(weights, { strict: false }),
    prepare: (data) => ({
      task: trainingTask({
        model: method,
        loader: embeddingLoader(method, data, { batchSize: train.batch_size, seed, ...threads }),
        optimizer: { ...optimizer, ema_decay: 0 },
        epochs: train.epochs,
        // Views are made in the step.
        scalars: ({ image, place }) => {
          const { loss, shown = {} } = method.forward(viewsOf(image, views), place)
          return { loss, ...shown }
        },
        updated: () => method.afterUpdate(),
        evaluate: () => evaluate(data),
        ...threads,
      }),
      // The effective rank says without labels which embeddings are worth more (RankMe, Garrido et al. 2023).
      loop: loopOptions(trainedWithout(train, facts, 'rank'), embeddingMetrics),
    }),
    evaluate,
    exports: { encoder: () => exportEncoder(method, facts) },
    explain: async ({ test }) => {
      const shown = sample(test, probe.test_examples, seed)
      const { embeddings, spread } = await embed(shown)
      const batch = await shown.batch(
        Array.from({ length: Math.min(8, shown.length) }, (_, i) => i),
        { epoch: 0, seed },
      )
      const state = new RandomState(0)
      const draw = compile((image: Tensor) => viewsOf(image, views, state), threads)
      const drawn = await draw(batch.image)
      await draw.release()
      return explainEmbeddings({
        pictures: batch.image,
        views: drawn.map(({ array }) => array),
        embeddings,
        spread,
      })
    },
  }
}

/** `image` uint8 [batch, channels, height, width] -> `representation` and `embedding`. */
function exportEncoder(method: JointEmbedding, facts: PictureFacts): Exportable<'image'> {
  method.eval()
  return exportOfPictures(facts, (pixels) => ({
    representation: method.features(pixels),
    embedding: method.embed(pixels),
  }))
}
