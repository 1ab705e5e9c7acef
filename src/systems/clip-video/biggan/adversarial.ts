/** BigGAN-deep in training on classes of drawings: it redraws them, or two networks take turns, or both; its average, and its statistics. */
import { compile } from '../../../compile/compile.ts'
import type { BatchTensors } from '../../../data/dataset.ts'
import { DataLoader } from '../../../data/loader.ts'
import { Adam, averageInto } from '../../../optim/index.ts'
import type { MetricDescriptions, TrainingSets } from '../../../tasks/define.ts'
import { type BuildOptions, type Experiment, type ThreadOptions, threadOptions } from '../../../tasks/experiment.ts'
import { loopOptions, type TrainSettings } from '../../../tasks/settings.ts'
import { manualSeed, randomState } from '../../../tensor/random-state.ts'
import { defineTask } from '../../../train/loop.ts'
import { checkpointVariables } from '../../../train/store.ts'
import { inRounds } from '../pairs/rounds.ts'
import type { BigGANSettings, GradientSettings } from '../settings.ts'
import type { ClassFacts, ClassFields, OpenedClasses } from './classes.ts'
import { compareWithDrawings } from './compare.ts'
import type { BigGAN } from './generator.ts'
import { type AdversarialNetworks, buildNetworks, generatorOf, judgeOf } from './networks.ts'
import { beginWithCodes, checkRedraw } from './redraw.ts'
import { type ClassSampler, classSampler, explainSamples, exportGenerator, samplesByClass } from './samples.ts'
import { standingStatistics } from './standing.ts'
import { adversarialStep, type StepParts } from './step.ts'
import type { TrainedNetwork } from './training.ts'

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
  readonly sample: ClassSampler
}

/** Trains and uses a small BigGAN. All random numbers follow from the seed. */
export function adversarialExperiment(
  config: AdversarialConfig,
  facts: ClassFacts,
  options: BuildOptions,
): BigGANExperiment {
  const { model: settings, optimizer: rates } = config
  checkRedraw(rates, facts)
  manualSeed(options.seed)
  const networks = buildNetworks(settings, facts.labels.length)
  const { trained, model } = networks
  const threads = threadOptions(options)
  const sample = classSampler(model, facts, threads)
  let initialized = false

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
    // Of a finished run: the statistics are among its weights.
    evaluate: ({ test }) => compareWithDrawings(sample, test),
    prepare: (data) => prepareTraining({ config, facts, networks, sample, initialized }, data, options),
    exports: { generator: () => exportGenerator(model, facts) },
    snapshot: async () => ({ samples: await samplesByClass(sample, facts, 4) }),
    explain: async () => [await explainSamples(sample, facts)],
  }
}

interface TrainingParts {
  readonly config: AdversarialConfig
  readonly facts: ClassFacts
  readonly networks: AdversarialNetworks
  readonly sample: ClassSampler
  /** Whether the weights are those of an earlier run. */
  readonly initialized: boolean
}

/** The task of the training loop, with the optimizers, the average and the data that its step needs. */
function prepareTraining(
  { config, facts, networks, sample, initialized }: TrainingParts,
  data: Pick<OpenedClasses, keyof TrainingSets | 'codes'>,
  options: BuildOptions,
): ReturnType<BigGANExperiment['prepare']> {
  const { model: settings, optimizer: rates, train } = config
  const { trained, discriminator, model } = networks
  const threads = threadOptions(options)
  const [generator, judge] = [generatorOf(trained), judgeOf(discriminator, rates.augment)]
  const adam = (network: TrainedNetwork, lr: number): Adam =>
    new Adam([...network.parameters()], { lr, betas: rates.betas, eps: rates.adam_eps })
  const [byG, byD] = [adam(generator, rates.lr_G), adam(judge, rates.lr_D)]
  if (rates.redraw > 0 && !initialized) beginWithCodes(trained, model, data.codes?.(settings.z_dim))
  // The vectors of spectral norms and the standing statistics are the model's own.
  const average = averageInto(model.namedParameters(), trained.namedParameters(), rates.ema_decay)
  const parts: StepParts = {
    generator,
    judge,
    optimizers: { byG, byD },
    rates,
    z_dim: settings.z_dim,
    classes: facts.labels.length,
    artists: facts.styles.length,
  }
  const step = compile((batch: BatchTensors<ClassFields>) => {
    const scalars = adversarialStep(parts, batch)
    average.update()
    return scalars
  }, threads)
  const loader = new DataLoader(data.train, {
    batchSize: train.batch_size,
    shuffle: true,
    seed: options.seed,
    dropLast: true,
  })
  const fill = standingStatistics(model, { batches: rates.standing_batches, seed: options.seed, ...threads })
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
      // In training the weights have changed since the statistics were filled, so these are filled again first.
      evaluate: async () => {
        await fill()
        return compareWithDrawings(sample, data.test)
      },
      learningRate: () => byG.lr,
    }),
    loop: loopOptions(train, adversarialMetrics),
  }
}
