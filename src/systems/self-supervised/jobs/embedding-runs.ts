/** What the studies of joint embeddings share: their part of MNIST, short trainings of a method, what is measured of it. */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import { DataLoader, type Dataset, type PictureFields } from '../../../data/index.ts'
import type { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { randomPart } from '../../../tasks/brief-training.ts'
import { type ThreadOptions, threadOptions } from '../../../tasks/experiment.ts'
import type { PictureFacts } from '../../../tasks/pictures/facts.ts'
import type { LabelledFeatures } from '../../../tasks/pictures/features.ts'
import { openPictureSet } from '../../../tasks/pictures/open.ts'
import { optimizerSettings } from '../../../tasks/settings.ts'
import { trainingTask } from '../../../tasks/training.ts'
import { toNumbers } from '../../../tensor/dtype.ts'
import { RandomState } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { whole } from '../../../train/settings.ts'
import { TenfoldError } from '../../../util/errors.ts'
import { appendAll } from '../../../util/lists.ts'
import { trainProbe } from '../evaluation/probe.ts'
import { embedder, viewsOf } from '../experiment.ts'
import type { JointEmbedding } from '../model.ts'
import { encoderSettings, type ViewSettings, viewSettings } from '../settings.ts'
import { embeddingLoader } from '../training-loader.ts'

/** The pictures that a study uses. */
export const studyPictureSettings = z.strictObject({
  examples: whole.max(50_000).default(6000).describe('training pictures of MNIST, seen without their labels'),
  validation: whole.max(10_000).default(1000).describe('other training pictures, on which learning rates are chosen'),
  test: whole.max(10_000).default(2000).describe('test pictures'),
  probe_steps: whole.default(300).describe('steps of the linear probe'),
  labelled: whole.max(50_000).default(2000).describe('training pictures whose labels the linear probe learns from'),
})

/** The encoder of a study: layers over all pixels, unless another one is set. */
export function studyEncoderSettings() {
  return encoderSettings().prefault({ name: 'mlp', hidden: [256, 128] })
}

export interface StudyPictures {
  readonly train: Dataset<PictureFields>
  readonly labelled: Dataset<PictureFields>
  readonly validation: Dataset<PictureFields>
  readonly test: Dataset<PictureFields>
  readonly facts: PictureFacts
  /** Accuracy of a linear layer that has learned from the first so many labels (default: all), on other pictures. */
  readonly probe: (train: LabelledFeatures, test: LabelledFeatures, count?: number) => Promise<number>
  /** Names the parts, for what depends on them. */
  readonly identity: unknown
}

/** Random parts of MNIST that follow from the seed of the job: the same for all arms and seeds. */
export async function openStudyPictures(
  settings: z.infer<typeof studyPictureSettings>,
  seed: number,
): Promise<StudyPictures> {
  const { train, test, facts } = await openPictureSet('mnist')
  const { examples, validation, labelled, probe_steps: steps } = settings
  return {
    train: randomPart(train, examples, seed),
    labelled: randomPart(train, Math.min(labelled, examples), seed),
    validation: randomPart(train, validation, seed, examples),
    test: randomPart(test, settings.test, seed),
    facts,
    probe: (known, asked, count) => probeAccuracy(known, asked, { classes: facts.labels.length, steps }, count),
    identity: { ...settings, seed },
  }
}

/** The views that studies train and probe with. */
export const studyViews: ViewSettings = viewSettings().parse({})

/**
 * Makes the function that gives what a network makes of one random view of each picture: digits lie where they happen to lie, so that raw
 * pixels are no use to a linear layer. The same views each time. `features`: [N, C, H, W] -> [N, width].
 */
export function viewFeatures(model: Module, features: (x: Tensor) => Tensor, threads: ThreadOptions) {
  const state = new RandomState(1)
  const run = compile((image: Tensor) => features(viewsOf(image, studyViews, state)[0] ?? image), threads)
  return async (data: Dataset<PictureFields>): Promise<LabelledFeatures> => {
    const { training } = model
    model.eval()
    state.reseed(1)
    const [values, labels]: [number[], number[]] = [[], []]
    for await (const { image, label } of new DataLoader(data, { batchSize: Math.min(500, data.length) })) {
      appendAll(values, await (await run(image)).numbers())
      appendAll(labels, toNumbers(label.data))
    }
    model.train(training)
    const shape = [data.length, values.length / data.length]
    return { features: { dtype: 'float32', shape, data: Float32Array.from(values) }, labels }
  }
}

/** How probes are trained in studies: as `tenfold probe` does, in fewer steps. */
const probeTraining = { batch_size: 256, lr: 0.1, seed: 0 } as const

function probeAccuracy(
  train: LabelledFeatures,
  test: LabelledFeatures,
  training: { readonly classes: number; readonly steps: number },
  count = train.labels.length,
): Promise<number> {
  const [, width = 0] = train.features.shape
  const first = {
    features: {
      dtype: 'float32' as const,
      shape: [count, width],
      data: (train.features.data as Float32Array).slice(0, count * width),
    },
    labels: train.labels.slice(0, count),
  }
  return trainProbe(first, test, { ...probeTraining, ...training })
}

/** A short training of a method. */
export interface EmbeddingPlan extends ThreadOptions {
  /** For messages. */
  readonly name: string
  readonly method: JointEmbedding
  readonly train: Dataset<PictureFields>
  readonly steps: number
  readonly batch_size: number
  readonly lr: number
  readonly weight_decay?: number
  readonly seed: number
  /** Called before the first step, and after every so many. */
  readonly watch?: { readonly every: number; readonly look: (step: number) => Promise<void> }
}

/** Trains a method with Adam and half a cosine. Throws a TenfoldError if the loss does not stay finite. -> the last loss. */
export async function trainEmbedding(plan: EmbeddingPlan): Promise<number> {
  const { name, method, train, steps, batch_size, lr, weight_decay = 1e-4, seed, watch } = plan
  const threads = threadOptions(plan)
  const loader = embeddingLoader(method, { train }, { batchSize: Math.min(batch_size, train.length), seed, ...threads })
  const task = trainingTask({
    model: method,
    loader,
    optimizer: optimizerSettings({
      lr,
      weight_decay,
      decayed: 'matrices',
      warmup_steps: Math.round(steps / 20),
      clip_norm: 0,
    }).parse({}),
    epochs: steps / loader.stepsPerEpoch,
    scalars: ({ image, place }) => ({ loss: method.forward(viewsOf(image, studyViews), place).loss }),
    updated: () => method.afterUpdate(),
    evaluate: async () => ({}),
    ...threads,
  })
  method.train()
  await watch?.look(0)
  let [step, last] = [0, Number.NaN]
  while (step < steps) {
    for await (const batch of task.loader) {
      last = await (await task.step(batch)).loss.item()
      step++
      if (!Number.isFinite(last)) throw new TenfoldError(`${name}: the loss became NaN or infinite at step ${step}`)
      if (watch && step % watch.every === 0) await watch.look(step)
      if (step >= steps) break
    }
  }
  await task.step.release()
  return last
}

/** What is known of embeddings at one time. */
export const diagnosis = z.strictObject({
  step: z.number(),
  spread: z.number(),
  std: z.number(),
  rank: z.number(),
  alignment: z.number(),
  uniformity: z.number(),
})
export type Diagnosis = z.infer<typeof diagnosis>

/** Makes the function that diagnoses a method's embeddings of pictures. */
export function diagnoser(method: JointEmbedding, data: Dataset<PictureFields>, threads: ThreadOptions) {
  const embed = embedder(method, studyViews, threads)
  return async (step: number): Promise<Diagnosis> => {
    const { spread, alignment, uniformity } = await embed(data)
    return {
      step,
      spread: spread.mean_std / spread.std_ref,
      std: spread.raw_std,
      rank: spread.rankme,
      alignment,
      uniformity,
    }
  }
}

/** Pixels in rows, the floor. */
export const pixelRows = (x: Tensor): Tensor => ops.flatten(x, 1)
