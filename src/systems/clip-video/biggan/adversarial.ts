/** BigGAN-deep in training on classes of drawings: two networks that take turns, an average of the generator, and its statistics. */
import { compile } from '../../../compile/compile.ts'
import type { BatchTensors, Dataset } from '../../../data/dataset.ts'
import type { PictureFields } from '../../../data/layout.ts'
import { DataLoader } from '../../../data/loader.ts'
import * as ops from '../../../ops/index.ts'
import { Adam, ExponentialMovingAverage } from '../../../optim/index.ts'
import type { Picture } from '../../../report/figures.ts'
import { pictureSheet, picturesOf } from '../../../report/from-tensors.ts'
import type { Exportable, MetricDescriptions } from '../../../tasks/define.ts'
import { type BuildOptions, type Experiment, type ThreadOptions, threadOptions } from '../../../tasks/experiment.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import { loopOptions, type TrainSettings } from '../../../tasks/settings.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { manualSeed, randomState } from '../../../tensor/random-state.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { defineTask, type Metrics } from '../../../train/loop.ts'
import { featureStatistics, frechetDistance } from '../../../train/sample-metrics.ts'
import { checkpointVariables } from '../../../train/store.ts'
import { Generator } from '../../../util/random.ts'
import type { BigGANConfig } from '../config.ts'
import { inRounds } from '../pairs/rounds.ts'
import type { BigGANSettings, GradientSettings } from '../settings.ts'
import type { ClassFacts, OpenedClasses } from './classes.ts'
import { deviation, shrunk } from './compare.ts'
import { Discriminator } from './discriminator.ts'
import { BigGAN } from './generator.ts'
import { oneHotRows, truncatedNoise } from './sampling.ts'
import { standingStatistics } from './standing.ts'
import { type TrainedNetwork, trainDiscriminator, trainGenerator } from './training.ts'
import { judgedViews } from './views.ts'

export const adversarialMetrics = {
  /** Of the generator: the mean score of its pictures, negative. */
  loss: { goal: 'min' },
  d_loss: { goal: 'min' },
  /** Mean scores that the discriminator gives. */
  real: { goal: 'max' },
  fake: { goal: 'min' },
  /** Frechet distance to the drawings, of pictures at 8 x 8 pixels. */
  frechet: { goal: 'min' },
  /** Mean deviation of a pixel between pictures, divided by that of the drawings. */
  spread: { goal: 'max' },
} as const satisfies MetricDescriptions

/** What training uses of the settings. */
export interface AdversarialConfig {
  readonly model: BigGANSettings
  readonly optimizer: GradientSettings
  readonly train: TrainSettings & { readonly passes: number }
}

/** A mini BigGAN with the names of its classes. */
export interface BigGANExperiment extends Experiment<OpenedClasses>, ThreadOptions {
  readonly model: BigGAN
  readonly facts: ClassFacts
  /** Pictures [count, 3, size, size], -1 to 1, by class numbers; the same ones for a seed. */
  readonly sample: (labels: readonly number[], truncation: number, seed: number) => Promise<NDArray>
}

/** The generator for 32 x 32 pixels under the official names. */
export function miniBigGAN({ z_dim, channel_width, n_stats, eps }: BigGANSettings, num_classes: number): BigGANConfig {
  return {
    output_dim: 32,
    z_dim,
    class_embed_dim: z_dim,
    channel_width,
    num_classes,
    layers: [
      [true, 16, 8],
      [true, 8, 4],
      [true, 4, 2],
      [false, 2, 1],
    ],
    attention_layer_position: 2,
    eps,
    n_stats,
  }
}

/** Pictures that an evaluation compares. */
const comparedPictures = 480
const sampledAtOnce = 48

/** Trains and uses a small BigGAN. All random numbers follow from the seed. */
export function adversarialExperiment(
  config: AdversarialConfig,
  facts: ClassFacts,
  options: BuildOptions,
): BigGANExperiment {
  const { model: settings, optimizer: rates, train } = config
  const classes = facts.labels.length
  manualSeed(options.seed)
  const trained = new BigGAN(miniBigGAN(settings, classes))
  const discriminator = new Discriminator({
    D_ch: settings.D_ch,
    D_depth: 1,
    resolution: 64, // four halvings: from 32 pixels to 2
    D_attn: '0',
    n_classes: classes,
    num_D_SVs: 1,
    num_D_SV_itrs: 1,
    SN_eps: 1e-6,
    output_dim: 1,
  })
  const model = new BigGAN(miniBigGAN(settings, classes))
  model.loadStateDict(trained.stateDict())
  const threads = threadOptions(options)
  const generator = {
    forward: (noise: Tensor, labels: Tensor): Tensor =>
      trained.forward(noise, ops.oneHot(labels, classes, 'float32'), () => {}),
    parameters: () => trained.parameters(),
    shared: { weight: trained.embeddings.weight },
  }
  const judge: TrainedNetwork = {
    forward: (images, labels) => discriminator.forward(rates.augment ? judgedViews(images) : images, labels),
    parameters: () => discriminator.parameters(),
  }
  const fill = standingStatistics(model, { batches: rates.standing_batches, seed: options.seed, ...threads })
  const generate = compile((noise: Tensor, oneHot: Tensor, truncation: number) => {
    return model.forward(noise, oneHot, truncation)
  }, threads)

  const sample = async (labels: readonly number[], truncation: number, seed: number): Promise<NDArray> => {
    model.eval() // in training each call is a step of the power iteration, and a picture depends on those before it
    const { size } = facts
    const random = new Generator(seed)
    const data = new Float32Array(labels.length * 3 * size * size)
    for (let start = 0; start < labels.length; start += sampledAtOnce) {
      const noise = truncatedNoise(random.uniform(sampledAtOnce * settings.z_dim), truncation)
      const own = Array.from({ length: sampledAtOnce }, (_, i) => labels[start + i] ?? 0)
      const found = await generate(
        constant(noise, [sampledAtOnce, settings.z_dim], 'float32'),
        constant(oneHotRows(own, sampledAtOnce, classes), [sampledAtOnce, classes], 'float32'),
        truncation,
      )
      const count = Math.min(sampledAtOnce, labels.length - start)
      data.set((found.array.data as Float32Array).subarray(0, count * 3 * size * size), start * 3 * size * size)
    }
    return { dtype: 'float32', shape: [labels.length, 3, size, size], data }
  }

  const evaluate = async ({ test }: { readonly test: Dataset<PictureFields> }): Promise<Metrics> => {
    const chosen = new Generator(0).permutation(test.length).subarray(0, comparedPictures)
    const { image, label } = await test.batch(chosen, { epoch: 0, seed: 0 })
    const made = await sample(toNumbers(label.data), 1, 0)
    const real: NDArray = {
      dtype: 'float32',
      shape: image.shape,
      data: Float32Array.from(image.data as Uint8Array, (value) => value / 127.5 - 1),
    }
    const [a, b] = [real, made].map((pictures) => featureStatistics(shrunk(pictures)))
    return {
      frechet: a && b ? frechetDistance(a, b) : Number.NaN,
      spread: deviation(made) / deviation(real),
    }
  }
  const evaluateNow = async (data: { readonly test: Dataset<PictureFields> }): Promise<Metrics> => {
    await fill()
    return evaluate(data)
  }

  return {
    model,
    facts,
    sample,
    ...threads,
    weights: model.variables(),
    initialize: (weights) => {
      for (const each of [trained, model]) each.loadStateDict(weights, { strict: false })
    },
    evaluate: (data) => evaluate(data),
    prepare: (data) => {
      const adam = (network: TrainedNetwork, lr: number): Adam =>
        new Adam([...network.parameters()], { lr, betas: rates.betas, eps: rates.adam_eps })
      const [byG, byD] = [adam(generator, rates.lr_G), adam(judge, rates.lr_D)]
      const copies = model.namedParameters()
      const own = [...trained.namedParameters()]
      const average = new ExponentialMovingAverage(
        own.map(([, variable]) => variable),
        { decay: rates.ema_decay, warmup: true, averages: own.flatMap(([name]) => copies.get(name) ?? []) },
      )
      const step = compile(({ image, label }: BatchTensors<PictureFields>) => {
        const [count] = label.sizes(1)
        const latents = () => ({
          noise: ops.randomNormal([count, settings.z_dim]),
          classes: ops.randomIntegers([count], 0, classes),
        })
        const real = { images: normalizePixels(image), classes: ops.cast(label, 'int64') }
        const d = trainDiscriminator(
          generator,
          judge,
          { latents: latents(), real },
          { optimizer: byD, orthogonality: 0 },
        )
        const g = trainGenerator(generator, judge, latents(), { optimizer: byG, orthogonality: rates.ortho })
        average.update()
        return {
          loss: g.loss,
          d_loss: ops.add(d.losses.real, d.losses.fake),
          real: ops.mean(d.real),
          fake: ops.mean(d.fake),
        }
      }, threads)
      const loader = new DataLoader(data.train, {
        batchSize: train.batch_size,
        shuffle: true,
        seed: options.seed,
        dropLast: true,
      })
      return {
        task: defineTask({
          variables: checkpointVariables({
            model: model.variables(),
            trained: trained.variables(),
            discriminator: discriminator.variables(),
            average: average.variables(),
            optimizer_G: byG.variables(),
            optimizer_D: byD.variables(),
            random: randomState().variables,
          }),
          loader: inRounds(loader, train.passes),
          step,
          evaluate: () => evaluateNow(data),
          learningRate: () => byG.lr,
        }),
        loop: loopOptions(train, adversarialMetrics),
      }
    },
    exports: { generator: () => exportGenerator(model, facts) },
    snapshot: async () => ({ samples: await samplesByClass(sample, facts, 4) }),
    explain: async () => [
      {
        title: 'What it draws',
        intro: 'Each column is a class. Truncation shrinks the noise and takes the statistics that belong to it.',
        figures: await Promise.all(
          [1, 0.5].map(async (truncation) => ({
            kind: 'pictures' as const,
            title: `Truncation ${truncation}: ${facts.labels.join(', ')}`,
            pictures: [await samplesByClass(sample, facts, 4, truncation)],
            size: 816,
          })),
        ),
      },
    ],
  }
}

/** A sheet with a column for each class. */
async function samplesByClass(
  sample: BigGANExperiment['sample'],
  { labels }: ClassFacts,
  rows: number,
  truncation = 1,
): Promise<Picture> {
  const numbers = Array.from({ length: rows * labels.length }, (_, i) => i % labels.length)
  return pictureSheet(picturesOf(await sample(numbers, truncation, 0)), labels.length)
}

/** `noise` [batch, z_dim] and `classes` [batch, num_classes] -> `picture` [batch, 3, size, size], -1 to 1, at truncation 1. */
function exportGenerator(model: BigGAN, { labels, size }: ClassFacts): Exportable<'noise' | 'classes'> {
  model.eval()
  return {
    inputs: {
      noise: { dtype: 'float32', shape: [1, model.config.z_dim] },
      classes: { dtype: 'float32', shape: [1, labels.length] },
    },
    forward: ({ noise, classes }) => ({ picture: model.forward(noise, classes, 1) }),
    metadata: { labels: JSON.stringify(labels), size: String(size), truncation: '1' },
  }
}
