/** The recipes: one for each method of joint embedding, on pictures without their labels. They differ in `method` and in the optimizer. */
import { z } from 'zod'
import type { BuildOptions } from '../../tasks/experiment.ts'
import { openPictures, pictureDataSettings, picturePackages } from '../../tasks/pictures/choose.ts'
import { pictureFacts } from '../../tasks/pictures/facts.ts'
import { evaluateShots } from '../../tasks/pictures/few-shot-evaluation.ts'
import { type OptimizerDefaults, optimizerSettings, trainSettings } from '../../tasks/settings.ts'
import { whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { defineRecipe, type Recipe } from '../define.ts'
import type { Encoder } from './encoder.ts'
import { nearestPictures } from './evaluation/nearest.ts'
import { linearProbe } from './evaluation/probe.ts'
import { type EmbeddingExperiment, embeddingExperiment, embeddingMetrics } from './experiment.ts'
import { BarlowTwins } from './methods/barlow-twins.ts'
import { BYOL } from './methods/byol.ts'
import { DINO } from './methods/dino.ts'
import { MoCo } from './methods/moco.ts'
import { SimCLR } from './methods/simclr.ts'
import { SimSiam } from './methods/simsiam.ts'
import { SwAV } from './methods/swav.ts'
import { VICReg } from './methods/vicreg.ts'
import type { JointEmbedding } from './model.ts'
import {
  type EncoderSettings,
  encoderSettings,
  makeEncoder,
  probeSettings,
  type ViewSettings,
  viewSettings,
} from './settings.ts'

/** What the data decide: the pictures, and how many there are to learn from. */
const facts = pictureFacts.extend({ examples: whole })
type Facts = z.infer<typeof facts>

/** What a method is made from: an encoder, its settings, the crops of a picture, the steps of the training. */
interface Parts<Method> {
  readonly encoder: () => Encoder
  readonly method: Method
  readonly crops: number
  readonly steps: number
}

interface MethodRecipe<Shape extends z.ZodRawShape> {
  readonly name: string
  readonly title: string
  readonly method: z.ZodObject<Shape, z.core.$strict>
  readonly optimizer?: Partial<OptimizerDefaults>
  readonly batch_size?: number
  /** Whether it compares more than two views. Default: false. */
  readonly multiCrop?: boolean
  /** What is wrong with the settings for a batch of so many pictures. */
  readonly complaint?: (method: z.output<z.ZodObject<Shape, z.core.$strict>>, batch: number) => string | undefined
  readonly make: (parts: Parts<z.output<z.ZodObject<Shape, z.core.$strict>>>) => JointEmbedding
}

/** Small crops need a method that compares more than two views, and an encoder for pictures of any size. */
function checkCrops(
  name: string,
  { views, encoder }: { readonly views: ViewSettings; readonly encoder: EncoderSettings },
  multiCrop: boolean,
): void {
  if (views.local_crops === 0) return
  if (!multiCrop)
    throw new UsageError(
      `views.local_crops must be 0 for ${name}, which compares two views, found ${views.local_crops}`,
      {
        hint: 'swav and dino compare more',
      },
    )
  if (encoder.name === 'mlp')
    throw new UsageError('views.local_crops needs an encoder for pictures of any size, found mlp', {
      hint: '--set encoder.name=resnet',
    })
}

const positive = z.number().positive()
const sharpness = (usual: number, description: string) => positive.default(usual).describe(description)
const width = (usual: number, description: string) => whole.default(usual).describe(description)

/** A recipe of joint embedding: all but the method is the same. */
function methodRecipe<Shape extends z.ZodRawShape>({
  name,
  title,
  method,
  optimizer = {},
  batch_size = 256,
  multiCrop = false,
  complaint,
  make,
}: MethodRecipe<Shape>): Recipe {
  const config = z.strictObject({
    data: pictureDataSettings({ folder: 'mnist' }).prefault({}),
    views: viewSettings().prefault({}),
    encoder: encoderSettings().prefault({}),
    // Every setting of a method has a default.
    method: method.prefault({} as never),
    probe: probeSettings().prefault({}),
    optimizer: optimizerSettings({
      lr: 2e-3,
      warmup_share: 0.05,
      weight_decay: 1e-4,
      decayed: 'matrices',
      clip_norm: 0,
      ...optimizer,
    })
      // Methods have moving averages of their own.
      .omit({ ema_decay: true })
      .prefault({}),
    train: trainSettings({ epochs: 5, batch_size, monitor: ['knn_accuracy', 'alignment', 'uniformity'] }).prefault({}),
  })
  type Config = z.output<typeof config>
  return defineRecipe({
    name,
    summary: `${title}, on MNIST or any pictures (--set data.folder=DIR, =cifar10) without their labels`,
    facts,
    metrics: embeddingMetrics,
    config: config as unknown as z.ZodType<Config & Record<string, unknown>>,
    packages: ({ data }) => picturePackages(data),
    open: async ({ data }, { known }) => {
      const opened = await openPictures(data, {}, known)
      return { ...opened, facts: { ...opened.facts, examples: opened.train.length } }
    },
    build: (
      settings: Config & Record<string, unknown>,
      { examples, ...pictures }: Facts,
      options: BuildOptions,
    ): EmbeddingExperiment => {
      const { encoder, views, train } = settings
      const problem = complaint?.(settings.method as z.output<z.ZodObject<Shape, z.core.$strict>>, train.batch_size)
      if (problem !== undefined) throw new UsageError(problem)
      checkCrops(name, settings, multiCrop)
      const steps = Math.max(1, Math.floor(examples / train.batch_size) * train.epochs)
      const parts = {
        encoder: () => makeEncoder(encoder, pictures.in_channels, pictures.image_size),
        method: settings.method as z.output<z.ZodObject<Shape, z.core.$strict>>,
        crops: 2 + views.local_crops,
        steps,
      }
      return embeddingExperiment(() => make(parts), settings, pictures, options)
    },
    uses: { probe: linearProbe, nearest: nearestPictures, fewshot: evaluateShots },
  })
}

export const simclr = methodRecipe({
  name: 'simclr',
  title: 'SimCLR',
  method: z.strictObject({
    temperature: sharpness(0.2, 'temperature of the similarities; the less, the harder the nearest negatives'),
    hidden_dim: width(128, "width of the projector's hidden layers"),
    proj_out_dim: width(64, 'width of the embedding'),
    num_proj_layers: width(2, 'layers of the projector'),
  }),
  make: ({ encoder, method }) => new SimCLR(encoder(), method),
})

export const moco = methodRecipe({
  name: 'moco',
  title: 'MoCo',
  method: z.strictObject({
    dim: width(64, 'width of the embedding'),
    K: width(4096, 'keys in the queue, a multiple of the batch'),
    m: z.number().min(0).max(1).default(0.99).describe('share of the key encoder that stays at a step'),
    T: sharpness(0.2, 'temperature'),
    mlp: z.boolean().default(true).describe('a hidden layer in the head (v2)'),
  }),
  complaint: ({ K }, batch) =>
    K % batch === 0 ? undefined : `method.K must be a multiple of train.batch_size, found ${K} and ${batch}`,
  make: ({ encoder, method }) => new MoCo(encoder, method),
})

export const swav = methodRecipe({
  name: 'swav',
  title: 'SwAV',
  method: z.strictObject({
    nmb_prototypes: width(100, 'prototypes'),
    hidden_mlp: width(128, "width of the projector's hidden layer"),
    feat_dim: width(64, 'width of the embedding'),
    temperature: sharpness(0.1, 'temperature of the predictions'),
    epsilon: sharpness(0.05, 'how soft the codes are'),
    sinkhorn_iterations: width(3, 'rounds of Sinkhorn'),
    queue_length: z.number().int().min(0).default(0).describe('embeddings of earlier batches that help with the codes'),
  }),
  multiCrop: true,
  complaint: ({ queue_length: length }, batch) =>
    length === 0 || length >= batch
      ? undefined
      : `method.queue_length must be 0 or at least train.batch_size, found ${length} and ${batch}`,
  make: ({ encoder, method }) => new SwAV(encoder(), { ...method, crops_for_assign: [0, 1] }),
})

export const byol = methodRecipe({
  name: 'byol',
  title: 'BYOL',
  method: z.strictObject({
    projector_hidden_size: width(256, "width of the projector's hidden layer"),
    projector_output_size: width(64, 'width of the embedding'),
    predictor_hidden_size: width(256, "width of the predictor's hidden layer"),
    base_target_ema: z
      .number()
      .min(0)
      .max(1)
      .default(0.97)
      .describe('share of the target that stays at the first step'),
  }),
  make: ({ encoder, method, steps }) => new BYOL(encoder, { ...method, max_steps: steps }),
})

export const simsiam = methodRecipe({
  name: 'simsiam',
  title: 'SimSiam',
  method: z.strictObject({
    dim: width(128, 'width of the embedding'),
    pred_dim: width(32, "width of the predictor's hidden layer"),
    withoutStopGradient: z.boolean().default(false).describe('let the gradient into the target: it collapses'),
    withoutPredictor: z.boolean().default(false).describe('compare embeddings without a predictor: it collapses'),
  }),
  optimizer: { name: 'sgd', lr: 0.05 },
  make: ({ encoder, method }) => new SimSiam(encoder(), method),
})

export const dino = methodRecipe({
  name: 'dino',
  title: 'DINO',
  method: z.strictObject({
    out_dim: width(256, 'width of the output'),
    use_bn: z.boolean().default(true).describe('batch norm in the head'),
    norm_last_layer: z.boolean().default(true).describe("whether the last layer's rows have length 1"),
    nlayers: width(2, 'layers of the head'),
    hidden_dim: width(256, 'width of its hidden layers'),
    bottleneck_dim: width(64, 'width before the last layer'),
    student_temp: sharpness(0.1, "the student's temperature"),
    teacher_temp: sharpness(0.04, "the teacher's: lower, so that it is sharper"),
    center_momentum: z.number().min(0).max(1).default(0.9).describe('share of the centre that stays'),
    momentum_teacher: z
      .number()
      .min(0)
      .max(1)
      .default(0.97)
      .describe('share of the teacher that stays at the first step'),
  }),
  multiCrop: true,
  make: ({ encoder, method, crops, steps }) => new DINO(encoder, { ...method, ncrops: crops, max_steps: steps }),
})

export const barlowTwins = methodRecipe({
  name: 'barlow-twins',
  title: 'Barlow Twins',
  method: z.strictObject({
    projector: z.array(whole).min(1).default([256, 256]).describe("widths of the projector's layers"),
    lambd: z.number().min(0).default(0.0051).describe('weight of the correlations off the diagonal'),
  }),
  make: ({ encoder, method }) => new BarlowTwins(encoder(), method),
})

export const vicreg = methodRecipe({
  name: 'vicreg',
  title: 'VICReg',
  method: z.strictObject({
    mlp: z.array(whole).min(1).default([256, 256]).describe("widths of the expander's layers"),
    sim_coeff: z.number().min(0).default(25).describe('weight of invariance'),
    std_coeff: z.number().min(0).default(25).describe('weight of variance; 0: it collapses'),
    cov_coeff: z.number().min(0).default(1).describe('weight of covariance'),
  }),
  make: ({ encoder, method }) => new VICReg(encoder(), method),
})

export const recipes = [simclr, moco, swav, byol, simsiam, dino, barlowTwins, vicreg]
