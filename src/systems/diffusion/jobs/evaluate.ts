/** The evaluation of drawn pictures, of a run or from a file: distances, precision and recall as OpenAI's evaluator has them. */
import { stat } from 'node:fs/promises'
import { z } from 'zod'
import type { Dataset, PictureFields } from '../../../data/index.ts'
import { readTensorFile } from '../../../io/tensor-file.ts'
import type { Figure, Report } from '../../../report/figures.ts'
import { picturesOf } from '../../../report/from-tensors.ts'
import { randomPart } from '../../../tasks/brief-training.ts'
import { openPictures, pictureDataSettings, picturePackages } from '../../../tasks/pictures/choose.ts'
import type { OpenedPictures } from '../../../tasks/pictures/open.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import { pathSetting, whole } from '../../../train/settings.ts'
import { FormatError, UsageError } from '../../../util/errors.ts'
import { counted, percent } from '../../../util/words.ts'
import { defineJob, type JobContext } from '../../define.ts'
import type { DenoiserExperiment } from '../denoiser.ts'
import type { ClassifierExperiment } from '../noisy-classifier.ts'
import { checkClassifier } from '../sample/agreement.ts'
import { usualGuidance } from '../sample/options.ts'
import { samplerNames } from '../sample/sampler.ts'
import { drawPictures } from './drawing.ts'
import type { FeatureNetwork, Features } from './judge.ts'
import { describeQuality, fewestPictures } from './measuring.ts'
import { trainedJudge } from './networks.ts'
import { onnxFeatureSettings, onnxFeatures } from './onnx-features.ts'
import { type LabelledPictures, readPictures, tested } from './pictures.ts'
import { namedClasses, type Quality, qualityOf } from './quality.ts'

const config = z.strictObject({
  samples: pathSetting('what to evaluate: a run of diffusion/denoiser, or a .npz with arr_0 [count, height, width, C]'),
  reference: pathSetting('a .npz of real pictures to compare with; empty: the test pictures of data'),
  count: whole
    .min(fewestPictures)
    .default(1000)
    .describe('pictures to draw of a run, and of real ones to compare with, if there are as many'),
  sampler: z.enum(samplerNames).default('ancestral').describe('of a run: how pictures are drawn'),
  steps: z.number().int().min(2).default(100).describe('of a run: steps from noise to picture'),
  classifier: pathSetting('of a run: a run of diffusion/classifier that guides; empty: no guidance'),
  guidance: z.number().min(0).default(usualGuidance).describe('of a classifier: how strongly it pushes'),
  data: pictureDataSettings({ folder: 'mnist' }).prefault({}),
  judge_steps: whole.default(600).describe('training steps of the network whose features are compared'),
  features: onnxFeatureSettings.prefault({}),
})
type EvaluateSettings = z.infer<typeof config>

/** Pictures of a .npz as OpenAI's scripts write them: arr_0 uint8 [N, H, W, C], arr_1 labels if there are any. */
async function readSamples(path: string): Promise<{ readonly pictures: NDArray; readonly labels?: number[] }> {
  const { tensors } = await readTensorFile(path)
  const [found, labels] = [tensors.get('arr_0'), tensors.get('arr_1')]
  if (found?.dtype !== 'uint8' || found.shape.length !== 4) {
    const shown = found ? `${found.dtype} [${found.shape.join(', ')}]` : `only ${[...tensors.keys()].join(', ')}`
    throw new FormatError(`${path}: arr_0 must be pictures, uint8 [count, height, width, channels], found ${shown}`)
  }
  const [count = 0, height = 0, width = 0, channels = 0] = found.shape
  const source = found.data as Uint8Array
  const area = height * width
  const data = new Uint8Array(source.length)
  for (let n = 0; n < count; n++)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < area; i++) data[(n * channels + c) * area + i] = source[(n * area + i) * channels + c] ?? 0
  return {
    pictures: { dtype: 'uint8', shape: [count, channels, height, width], data },
    ...(labels && { labels: toNumbers(labels.data) }),
  }
}

/** What is evaluated. */
interface Samples {
  readonly pictures: NDArray
  /** What they should show. */
  readonly labels?: readonly number[]
  /** How they came about. */
  readonly told: string
}

async function samplesOf(settings: EvaluateSettings, context: JobContext): Promise<Samples> {
  const { samples: path, sampler, steps, guidance, count } = settings
  if (path === '') {
    throw new UsageError('evaluate: samples must name a run of diffusion/denoiser or a .npz file', {
      hint: '--set samples=runs/digits',
    })
  }
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false
  if (!isFolder) return { ...(await readSamples(path)), told: path }
  const denoiser = await context.openRun<DenoiserExperiment>(path, 'denoiser')
  const classifier =
    settings.classifier === ''
      ? undefined
      : await context.openRun<ClassifierExperiment>(settings.classifier, 'classifier')
  if (classifier) checkClassifier(denoiser, classifier)
  else if (guidance !== usualGuidance)
    throw new UsageError(`evaluate: guidance needs a classifier, found ${guidance} without one`)
  context.progress(`drawing ${counted(count, 'picture')}`, { part: 'drawing' })
  const drawing = { count, seed: context.seed, steps, sampler, classifier, guidance, signal: context.signal }
  const { pictures, labels } = await drawPictures(denoiser, drawing)
  const guided = classifier ? `, guided by ${settings.classifier} with scale ${guidance}` : ''
  const hasClasses = denoiser.model.label_emb !== undefined || classifier !== undefined
  return {
    pictures,
    ...(hasClasses && { labels }),
    told: `${path}, ${counted(count, 'picture')}, ${sampler} with ${steps} steps${guided}`,
  }
}

/** A network trained on the training pictures; its test accuracy. */
async function judgeOf(
  { judge_steps, data }: EvaluateSettings,
  opened: OpenedPictures,
  context: JobContext,
): Promise<{ readonly features: FeatureNetwork; readonly accuracy: number }> {
  const { train, plain = train, test, facts } = opened
  const some = randomPart(test, tested, context.seed)
  const pictures = { train: plain, judged: plain, test: some, real: some, facts, identity: data }
  const training = { steps: 0, classifier_steps: 0, judge_steps, batch_size: 64, lr: 0, ema_decay: 0, networks: '' }
  const { features, told } = await trainedJudge({ pictures, training, context })
  return { features, accuracy: told.accuracy ?? Number.NaN }
}

function checkSizes(samples: NDArray, real: NDArray): void {
  const [found, wanted] = [samples.shape.slice(1), real.shape.slice(1)]
  if (found.join() !== wanted.join()) {
    throw new UsageError(
      `evaluate: drawn and real pictures must have the same size, found [${found.join(', ')}] and [${wanted.join(', ')}]`,
      { hint: 'data.image_size brings the real ones to another' },
    )
  }
}

async function run(settings: EvaluateSettings, context: JobContext): Promise<Report> {
  const opened = await openPictures(settings.data, {})
  const samples = await samplesOf(settings, context)
  const first = (data: Dataset<PictureFields>): Promise<LabelledPictures> => readPictures(data, settings.count)
  const [train, test] = [await first(opened.plain ?? opened.train), await first(opened.test)]
  const real = settings.reference === '' ? test.pictures : (await readSamples(settings.reference)).pictures
  checkSizes(samples.pictures, real)
  const isOwn = settings.features.file === ''
  const judge = isOwn ? await judgeOf(settings, opened, context) : undefined
  const features = judge?.features ?? (await onnxFeatures(settings.features))
  const [drawn, wanted] = [await features(samples.pictures), await features(real)]
  const found = qualityOf(drawn, wanted, judge && samples.labels)
  const [many, compared] = [sizeOf(samples.pictures.shape, 0), sizeOf(real.shape, 0)]
  context.progress(`${many} pictures beside ${compared} real ones: ${describeQuality(found)}`, { ...found })
  const floorPictures = sizeOf(train.pictures.shape, 0) > 3 ? await features(train.pictures) : undefined
  return evaluationReport({
    found,
    floor: floorPictures && qualityOf(floorPictures, wanted, judge && train.labels),
    samples,
    drawn,
    labels: opened.facts.labels,
    compared: settings.reference === '' ? `${sizeOf(real.shape, 0)} test pictures` : settings.reference,
    features: judge
      ? `a small classifier trained here on clean pictures, right on ${percent(judge.accuracy)} of the test pictures: these numbers are not those of the Inception network`
      : settings.features.file,
  })
}

/** What a page of an evaluation is made of. */
interface Evaluated {
  readonly found: Quality
  readonly floor: Quality | undefined
  readonly samples: Samples
  readonly drawn: Features
  readonly labels: readonly string[]
  readonly compared: string
  readonly features: string
}

const percentOrNone = (value: number | undefined): string => (value === undefined ? '' : percent(value))

/** The numbers of a quality as cells. */
function cellsOf({ frechet, spatial, score, precision, recall, accuracy }: Quality): string[] {
  const number = (value: number | undefined): string => value?.toFixed(3) ?? ''
  return [
    number(frechet),
    number(spatial),
    number(score),
    percentOrNone(precision),
    percentOrNone(recall),
    percentOrNone(accuracy),
  ]
}

/** How often each class was named for each one that was asked for. */
function confusionOf({ samples, drawn, labels }: Evaluated): Figure[] {
  if (!samples.labels || !drawn.probabilities || drawn.probabilities.shape[1] !== labels.length) return []
  const counts = labels.map(() => labels.map(() => 0))
  for (const [i, named] of namedClasses(drawn.probabilities).entries()) {
    const row = counts[samples.labels[i] ?? -1]
    if (row) row[named] = (row[named] ?? 0) + 1
  }
  return [{ kind: 'confusion', title: 'Asked for, and named by the judge', classes: labels, counts }]
}

function evaluationReport(evaluated: Evaluated): Report {
  const { found, floor, samples, compared, features } = evaluated
  return {
    title: 'diffusion / evaluate',
    subtitle: samples.told,
    summary: [
      { label: 'Frechet distance', value: found.frechet.toFixed(2), note: floor && `real ${floor.frechet.toFixed(2)}` },
      {
        label: 'precision',
        value: percentOrNone(found.precision),
        note: floor && `real ${percentOrNone(floor.precision)}`,
      },
      { label: 'recall', value: percentOrNone(found.recall), note: floor && `real ${percentOrNone(floor.recall)}` },
      ...(found.accuracy === undefined
        ? []
        : [
            {
              label: 'as asked',
              value: percentOrNone(found.accuracy),
              note: floor && `real ${percentOrNone(floor.accuracy)}`,
            },
          ]),
    ].map(({ note, ...each }) => ({ ...each, ...(note !== undefined && { note }) })),
    sections: [
      {
        title: 'Measures',
        intro: `Compared with ${compared}. Features: ${features}.`,
        figures: [
          {
            kind: 'table',
            title: 'Every number',
            caption:
              'Frechet distance of the features and of those of places, exp of the mean divergence of classes, precision and recall (k = 3). Real: training pictures, measured as if they were drawn.',
            columns: ['pictures', 'Frechet distance', 'of places', 'score', 'precision', 'recall', 'as asked'],
            rows: [['drawn', ...cellsOf(found)], ...(floor ? [['real', ...cellsOf(floor)]] : [])],
          },
          ...confusionOf(evaluated),
          {
            kind: 'pictures',
            title: 'Some of them',
            pictures: picturesOf(samples.pictures).slice(0, 50),
            size: 42,
          },
        ],
      },
    ],
    footer: 'Written by tenfold.',
  }
}

export const evaluate = defineJob({
  name: 'evaluate',
  summary: 'how good drawn pictures are, of a run or a .npz: Frechet distance, score, precision, recall, classes',
  config,
  packages: ({ data }) => picturePackages(data),
  run,
})
