/** Mixer's recipes: settings, data, and the classifier's common training step. */
import { z } from 'zod'
import { init } from '../../nn/index.ts'
import { manualSeed, randomState } from '../../ops/index.ts'
import { classifierEvaluator, classifierTask } from '../../train/classifier.ts'
import type { Settings } from '../../train/settings.ts'
import { type BuildOptions, defineRecipe, type Experiment, type Facts } from '../define.ts'
import { type MixerConfig, mixerSettings } from './config.ts'
import { openFolder, openMnist } from './data.ts'
import { explainMixer } from './explain.ts'
import { Mixer } from './model.ts'
import { exportMixer, predictPictures } from './predict.ts'

const whole = z.number().int().positive()

const optimizerSettings = (lr: number, warmupSteps: number) =>
  z.strictObject({
    lr: z.number().positive().default(lr),
    weight_decay: z.number().min(0).default(0.05),
    clip_norm: z.number().min(0).default(1),
    warmup_steps: z.number().int().min(0).default(warmupSteps),
    label_smoothing: z.number().min(0).max(0.5).default(0.05),
  })

const trainSettings = (epochs: number, batchSize: number, monitor: 'max' | 'min' = 'max') =>
  z.strictObject({
    epochs: whole.default(epochs),
    batch_size: whole.default(batchSize),
    checkpoint_every: whole.default(100),
    keep_checkpoints: whole.default(2),
    /** Stop after so many evaluations without a better one; 0: never. */
    patience: z.number().int().min(0).default(0),
    monitor: z.enum(['max', 'min']).default(monitor),
  })

interface ClassifierConfig extends Settings {
  readonly model: z.infer<ReturnType<typeof mixerSettings>>
  readonly optimizer: z.infer<ReturnType<typeof optimizerSettings>>
  readonly train: z.infer<ReturnType<typeof trainSettings>>
}

const factsSchema = z.object({
  labels: z.array(z.string()),
  image_size: z.tuple([whole, whole]),
  in_channels: z.union([z.literal(1), z.literal(3)]),
})

/** What is known of the data when the model is built. */
export type PictureFacts = z.infer<typeof factsSchema>

function modelConfig({ model }: ClassifierConfig, facts: PictureFacts): MixerConfig {
  const { patch_size, ...rest } = model
  return {
    ...rest,
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
  const model = new Mixer(modelConfig(config, facts))
  const { optimizer, train } = config
  const options = threads === undefined ? {} : { threads }
  const evaluate = classifierEvaluator(model, options)
  return {
    weights: model.variables(),
    prepare: (data) => ({
      task: classifierTask(model, data, { ...optimizer, ...train }, seed, randomState().variables, evaluate, options),
      loop: {
        epochs: train.epochs,
        checkpointEvery: train.checkpoint_every,
        keepCheckpoints: train.keep_checkpoints,
        monitor: { metric: 'accuracy', goal: train.monitor },
        ...(train.patience > 0 && { patience: train.patience }),
      },
    }),
    evaluate: async (data) => (await evaluate(data)).metrics,
    predict: (files) => predictPictures(model, facts, files),
    exportable: () => exportMixer(model, facts),
    explain: async (data) => explainMixer(model, facts, data.test, await evaluate(data.test)),
  }
}

/** The main job: all of MNIST in under three minutes on two cores. */
export const mnist = defineRecipe({
  name: 'mnist',
  summary: 'digits: 60,000 training pictures of MNIST, patches of 7x7',
  predictExample: 'FILE...',
  config: z.strictObject({
    data: z.strictObject({ shift: z.number().int().min(0).max(6).default(1) }).prefault({}),
    model: mixerSettings({
      patch_size: 7,
      num_blocks: 4,
      hidden_dim: 96,
      tokens_mlp_dim: 48,
      channels_mlp_dim: 192,
    }).prefault({}),
    optimizer: optimizerSettings(3e-3, 200).prefault({}),
    train: trainSettings(4, 128).prefault({}),
  }),
  open: ({ data }) => openMnist(data.shift),
  build,
})

/** Any pictures, sorted into one folder a class. */
export const images = defineRecipe({
  name: 'images',
  summary: 'any folder of pictures, one sub-folder a class (--set data.folder=DIR)',
  predictExample: 'FILE...',
  config: z.strictObject({
    data: z
      .strictObject({
        folder: z.string().default(''),
        image_size: whole.default(64),
        test_share: z.number().gt(0).lt(1).default(0.2),
        split_seed: z.number().int().min(0).default(0),
      })
      .prefault({}),
    model: mixerSettings({
      patch_size: 8,
      num_blocks: 6,
      hidden_dim: 192,
      tokens_mlp_dim: 96,
      channels_mlp_dim: 512,
    }).prefault({}),
    optimizer: optimizerSettings(1e-3, 100).prefault({}),
    train: trainSettings(20, 64).prefault({}),
  }),
  open: ({ data }) => openFolder(data.folder, data.image_size, data.test_share, data.split_seed),
  build,
})
