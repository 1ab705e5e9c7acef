/** BigGAN-deep in training on classes of drawings: it redraws them, or two networks take turns, or both; its average, and its statistics. */
import { compile } from '../../../compile/compile.ts'
import type { BatchTensors, Dataset } from '../../../data/dataset.ts'
import { DataLoader } from '../../../data/loader.ts'
import { init } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { Adam, averageInto } from '../../../optim/index.ts'
import type { MetricDescriptions, TrainingSets } from '../../../tasks/define.ts'
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
import type { ClassFacts, ClassFields, OpenedClasses } from './classes.ts'
import { deviation, shrunk } from './compare.ts'
import { Discriminator } from './discriminator.ts'
import { BigGAN } from './generator.ts'
import { artistNoise, beginWithCodes, checkRedraw, trainToRedraw } from './redraw.ts'
import { classesToShow, exportGenerator, samplesByClass } from './samples.ts'
import { oneHotRows, truncatedNoise } from './sampling.ts'
import { standingStatistics } from './standing.ts'
import { type Latents, type TrainedNetwork, trainDiscriminator, trainGenerator } from './training.ts'
import { judgedViews } from './views.ts'

export const adversarialMetrics = {
  /** Of the generator. */
  loss: { goal: 'min' },
  /** Of its pictures to their drawings, where it redraws. */
  unlike: { goal: 'min' },
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
    // The block that keeps the size stands where it costs least.
    layers: [
      [false, 16, 8],
      [true, 8, 4],
      [true, 4, 2],
      [true, 2, 1],
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
  checkRedraw(rates, facts)
  manualSeed(options.seed)
  const trained = new BigGAN(miniBigGAN(settings, classes))
  // Of a thousand classes the usual beginning is a hundredth of the noise beside it: they could hardly be told apart.
  init.initialize(trained.embeddings.weight, init.normal)
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
  /** As many as there are real pictures, of any class. */
  const latents = ({ classes: own }: { readonly classes: Tensor }): Latents => {
    const [count] = own.sizes(1)
    return {
      noise: ops.randomNormal([count, settings.z_dim]),
      classes: ops.randomIntegers([count], 0, classes),
    }
  }
  const fill = standingStatistics(model, { batches: rates.standing_batches, seed: options.seed, ...threads })
  let initialized = false
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

  const evaluate = async ({ test }: { readonly test: Dataset<ClassFields> }): Promise<Metrics> => {
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
  const evaluateNow = async (data: { readonly test: Dataset<ClassFields> }): Promise<Metrics> => {
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
      initialized = true
    },
    evaluate: (data) => evaluate(data),
    prepare: (data: Pick<OpenedClasses, keyof TrainingSets | 'codes'>) => {
      const adam = (network: TrainedNetwork, lr: number): Adam =>
        new Adam([...network.parameters()], { lr, betas: rates.betas, eps: rates.adam_eps })
      const [byG, byD] = [adam(generator, rates.lr_G), adam(judge, rates.lr_D)]
      if (rates.redraw > 0 && !initialized) beginWithCodes(trained, model, data.codes?.(settings.z_dim))
      // The vectors of spectral norms and the standing statistics are the model's own.
      const average = averageInto(model.namedParameters(), trained.namedParameters(), rates.ema_decay)
      const step = compile(({ image, label, style }: BatchTensors<ClassFields>) => {
        const real = { images: normalizePixels(image), classes: ops.cast(label, 'int64') }
        const judged =
          rates.adversarial > 0
            ? trainDiscriminator(
                generator,
                judge,
                { latents: latents(real), real },
                { optimizer: byD, orthogonality: 0 },
              )
            : undefined
        const updater = { optimizer: byG, orthogonality: rates.ortho }
        const made: { readonly loss: Tensor; readonly unlike?: Tensor } =
          rates.redraw > 0
            ? trainToRedraw(
                generator,
                judge,
                { ...real, noise: artistNoise(latents(real).noise, style, facts.styles.length) },
                updater,
                rates,
              )
            : trainGenerator(generator, judge, latents(real), updater)
        average.update()
        return {
          loss: made.loss,
          ...(made.unlike && { unlike: made.unlike }),
          ...(judged && {
            d_loss: ops.add(judged.losses.real, judged.losses.fake),
            real: ops.mean(judged.real),
            fake: ops.mean(judged.fake),
          }),
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
            title: `Truncation ${truncation}: ${classesToShow(classes)
              .map((i) => facts.labels[i])
              .join(', ')}`,
            pictures: [await samplesByClass(sample, facts, 4, truncation)],
            size: 816,
          })),
        ),
      },
    ],
  }
}
