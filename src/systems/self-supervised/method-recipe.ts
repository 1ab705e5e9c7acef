/** What the recipes of joint embedding share: pictures without their labels, views, an encoder, uses. */
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
import { fineTuneWithLabels } from './evaluation/fine-tuning.ts'
import { nearestPictures } from './evaluation/nearest.ts'
import { linearProbe } from './evaluation/probe.ts'
import { type EmbeddingExperiment, embeddingExperiment, embeddingMetrics } from './experiment.ts'
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
  /** Training pictures. */
  readonly examples: number
}

/** A method with its recipe, and what makes it for a study: with other settings than the defaults. */
export interface Method {
  readonly name: string
  readonly title: string
  readonly recipe: Recipe
  readonly build: (changes: Readonly<Record<string, unknown>>, parts: Omit<Parts<unknown>, 'method'>) => JointEmbedding
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

/** Pretext tasks that some encoders or pictures cannot have. */
function checkPretext(
  method: object,
  { encoder }: { readonly encoder: EncoderSettings },
  [height, width]: readonly [number, number],
): void {
  if (!('pretext' in method)) return
  if (method.pretext === 'jigsaw' && encoder.name !== 'resnet')
    throw new UsageError(`method.pretext jigsaw needs an encoder for pictures of any size, found ${encoder.name}`, {
      hint: '--set method.pretext=rotation, or --set encoder.name=resnet',
    })
  if (method.pretext === 'rotation' && height !== width)
    throw new UsageError(`method.pretext rotation needs square pictures, found ${height} x ${width}`, {
      hint: '--set method.pretext=jigsaw',
    })
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
  if (encoder.name !== 'resnet')
    throw new UsageError(`views.local_crops needs an encoder for pictures of any size, found ${encoder.name}`, {
      hint: '--set encoder.name=resnet',
    })
}

/** Methods compare the embeddings of a batch, and their norms are those of a batch: one picture is none. */
function checkBatch(size: number): void {
  if (size >= 2) return
  throw new UsageError(`train.batch_size must be at least 2 for a joint embedding, found ${size}`, {
    hint: '--set train.batch_size=2, or more; it needs as many pictures to train on',
  })
}

/** Whether embeddings have collapsed is asked of the test pictures. */
function checkTestPictures(pictures: number): void {
  if (pictures >= 2) return
  throw new UsageError(`data: there must be at least 2 pictures to test with, found ${pictures}`, {
    hint: 'give more pictures, or a larger data.test_share',
  })
}

/** A recipe of joint embedding: all but the method is the same. */
export function defineMethod<Shape extends z.ZodRawShape>({
  name,
  title,
  method,
  optimizer = {},
  batch_size = 256,
  multiCrop = false,
  complaint,
  make,
}: MethodRecipe<Shape>): Method {
  const config = z.strictObject({
    data: pictureDataSettings({ folder: 'mnist', mayLackClasses: true }).prefault({}),
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
    train: trainSettings({
      epochs: 5,
      batch_size,
      monitor: ['knn_accuracy', 'rank', 'alignment', 'uniformity'],
    }).prefault({}),
  })
  type Config = z.output<typeof config>
  const recipe = defineRecipe({
    name,
    summary: `${title}, on MNIST or any pictures (--set data.folder=DIR, =cifar10) without their labels`,
    facts,
    metrics: embeddingMetrics,
    config: config as unknown as z.ZodType<Config & Record<string, unknown>>,
    packages: ({ data }) => picturePackages(data),
    open: async ({ data }, { known }) => {
      const opened = await openPictures(data, {}, known, { mayLackClasses: true })
      checkTestPictures(opened.test.length)
      return { ...opened, facts: { ...opened.facts, examples: opened.train.length } }
    },
    build: (
      settings: Config & Record<string, unknown>,
      { examples, ...pictures }: Facts,
      options: BuildOptions,
    ): EmbeddingExperiment => {
      const { encoder, views, train } = settings
      checkBatch(train.batch_size)
      const problem = complaint?.(settings.method as z.output<z.ZodObject<Shape, z.core.$strict>>, train.batch_size)
      if (problem !== undefined) throw new UsageError(problem)
      checkCrops(name, settings, multiCrop)
      checkPretext(settings.method, settings, pictures.image_size)
      const steps = Math.max(1, Math.floor(examples / train.batch_size) * train.epochs)
      const parts = {
        encoder: () => makeEncoder(encoder, pictures.in_channels, pictures.image_size),
        method: settings.method as z.output<z.ZodObject<Shape, z.core.$strict>>,
        crops: 2 + views.local_crops,
        steps,
        examples,
      }
      return embeddingExperiment(() => make(parts), settings, pictures, options)
    },
    uses: { probe: linearProbe, finetune: fineTuneWithLabels, nearest: nearestPictures, fewshot: evaluateShots },
  })
  return { name, title, recipe, build: (changes, parts) => make({ ...parts, method: method.parse(changes) }) }
}
