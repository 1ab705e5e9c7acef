/** A network that gives every pixel a class, in training and in use. */
import { basename, extname } from 'node:path'
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import { type BatchTensors, DataLoader, type Dataset } from '../../../data/index.ts'
import { writeFileAtomic } from '../../../io/atomic.ts'
import { encodePng } from '../../../io/png.ts'
import * as ops from '../../../ops/index.ts'
import type { Picture, Section } from '../../../report/figures.ts'
import { answerEach, defineUse, type Exportable, type MetricDescriptions } from '../../../tasks/define.ts'
import { readSquare, sizeWithin } from '../../../tasks/detection/coco-file.ts'
import { type Canvas, canvasOf, categoryColor, pictureOf } from '../../../tasks/detection/draw.ts'
import type { DetectionFacts } from '../../../tasks/detection/facts.ts'
import { type BuildOptions, type Experiment, type ThreadOptions, threadOptions } from '../../../tasks/experiment.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import { PixelCounts } from '../../../tasks/segmentation/metrics.ts'
import type { LabelMapFields, OpenedLabelMaps } from '../../../tasks/segmentation/open.ts'
import type { OptimizerSettings, TrainSettings } from '../../../tasks/settings.ts'
import { trainable } from '../../../tasks/training.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { percent } from '../../../util/words.ts'
import { makeBackbone, networkSettings } from '../settings.ts'
import { ignoredLabel, Segmentor, segmentorKinds } from './segmentor.ts'

export const segmentationMetrics = {
  mIoU: { goal: 'max', unit: 'percent' },
  accuracy: { goal: 'max', unit: 'percent' },
  loss: { goal: 'min' },
  loss_seg: { goal: 'min' },
  loss_aux: { goal: 'min' },
} as const satisfies MetricDescriptions

/** A backbone with a decoder. */
export function segmentorSettings() {
  return networkSettings({ layers: [1, 1, 1, 1], stem: 'standard', stem_channels: 32, base_channels: 16 })
    .omit({ stem: true })
    .extend({
      decoder: z.enum(segmentorKinds).default('semantic_fpn').describe('semantic_fpn, or upernet (with convolutions)'),
      neck: z
        .enum(['involution', 'convolution'])
        .default('involution')
        .describe("at the outputs of Semantic FPN's pyramid"),
      channels: whole.default(64).describe('of that pyramid (published: 256)'),
      decoder_channels: whole
        .multipleOf(2)
        .default(32)
        .describe('of the decoder (published: 128 in Semantic FPN, 512 in UPerNet)'),
    })
}
export type SegmentorSettings = z.infer<ReturnType<typeof segmentorSettings>>

export interface SegmentConfig {
  readonly model: SegmentorSettings
  readonly optimizer: OptimizerSettings
  readonly train: TrainSettings
}

export interface SegmentationExperiment extends Experiment<OpenedLabelMaps> {
  readonly model: Segmentor
  readonly facts: DetectionFacts
  readonly threads?: number
}

/** The most probable class of each pixel: uint8 [N, 3, H, W] -> [N, H, W]. */
function labellerOf(model: Segmentor, options: ThreadOptions) {
  return compile((image: Tensor) => ops.argmax(model.forward(normalizePixels(image)), 1), options)
}

/** Colours over a picture, one for each class but the first, half transparent. planes: uint8 [3, height, width]. */
function overlay(planes: Uint8Array, classes: ArrayLike<number>, width: number, height: number): Canvas {
  const canvas = canvasOf(planes, width, height)
  for (let i = 0; i < width * height; i++) {
    const label = classes[i] ?? 0
    if (label === 0 || label === ignoredLabel) continue
    for (const [c, value] of categoryColor(label - 1).entries())
      canvas.pixels[3 * i + c] = Math.round(0.4 * (canvas.pixels[3 * i + c] ?? 0) + 0.6 * value)
  }
  return canvas
}

async function sectionsOf(
  model: Segmentor,
  { test }: Pick<OpenedLabelMaps, 'test'>,
  { labels, image_size: [height, width] }: DetectionFacts,
  counts: PixelCounts,
  options: ThreadOptions,
): Promise<Section[]> {
  const shown = Array.from({ length: Math.min(6, test.length) }, (_, i) => i)
  const { image, labels: maps } = await test.batch(shown, { epoch: 0, seed: 0 })
  const label = labellerOf(model.eval(), options)
  const found = toNumbers((await label(image)).array.data)
  await label.release()
  const [area, truth] = [height * width, toNumbers(maps.data)]
  const pictures = shown.flatMap((i): Picture[] => {
    const planes = Uint8Array.from(toNumbers(image.data).slice(i * 3 * area, (i + 1) * 3 * area))
    const of = (classes: readonly number[], caption: string): Picture =>
      pictureOf(overlay(planes, classes.slice(i * area, (i + 1) * area), width, height), caption)
    return [pictureOf(canvasOf(planes, width, height), 'picture'), of(truth, 'true'), of(found, 'found')]
  })
  return [
    {
      title: 'What it finds',
      figures: [
        {
          kind: 'pictures',
          title: 'Test pictures',
          caption: 'Each picture, the true classes of its pixels, and what the network says.',
          pictures,
          size: 200,
        },
        {
          kind: 'table',
          title: 'By class',
          caption: 'Intersection over union of the pixels, on the test pictures.',
          columns: ['class', 'IoU'],
          rows: counts.ious.map((iou, k) => [labels[k] ?? String(k), iou === undefined ? '-' : percent(iou)]),
        },
      ],
    },
  ]
}

/** Counts the pixels of a data set by true and predicted class. */
function evaluatorOf(classes: number) {
  return (model: Segmentor, options: ThreadOptions) => {
    const label = labellerOf(model, options)
    return async (data: Dataset<LabelMapFields>) => {
      const counts = new PixelCounts(classes, ignoredLabel)
      await model.inEvalMode(async () => {
        for await (const { image, labels } of new DataLoader(data, { batchSize: Math.min(8, data.length) }))
          counts.add(labels.data, (await label(image)).array.data)
      })
      return { counts, metrics: { mIoU: counts.meanIou, accuracy: counts.accuracy } }
    }
  }
}

/** Trains and uses a network for label maps. All random numbers follow from the seed. */
export function segmentationExperiment(
  config: SegmentConfig,
  facts: DetectionFacts,
  options: BuildOptions,
): SegmentationExperiment {
  const { model: settings } = config
  const { labels, image_size } = facts
  if (settings.layers.length !== 4)
    throw new UsageError(`model.layers must be of four stages for a pyramid, found ${settings.layers.length}`)
  const stages = [1, 2, 4, 8].map((times) => 4 * times * settings.base_channels)
  const { decoder: kind, neck, channels, decoder_channels } = settings
  const make = (): Segmentor =>
    new Segmentor(makeBackbone({ ...settings, stem: 'standard' }, 3), stages, {
      kind,
      neck,
      channels,
      decoder_channels,
      num_classes: labels.length,
    })
  const { score, ...trained } = trainable({
    make,
    config,
    metrics: segmentationMetrics,
    options,
    scalars: (model, { image, labels: wanted }: BatchTensors<LabelMapFields>) => {
      const losses = model.losses(normalizePixels(image), wanted)
      return { loss: ops.addAll(Object.values(losses)), ...losses }
    },
    evaluator: evaluatorOf(labels.length),
  })
  const { model } = trained
  const threads = threadOptions(options)
  return {
    ...trained,
    facts,
    exports: {
      segmentor: (): Exportable<'image'> => {
        model.eval()
        return {
          inputs: { image: { dtype: 'uint8', shape: [1, 3, ...image_size] } },
          forward: ({ image }) => {
            const logits = model.forward(normalizePixels(image))
            return { logits, classes: ops.argmax(logits, 1) }
          },
          metadata: { labels: JSON.stringify(labels), normalization: 'inside the model' },
        }
      },
    },
    explain: async (data) => sectionsOf(model, data, facts, (await score(data.test)).counts, threads),
  }
}

/** The use `predict`: the classes of the pixels as colours over the picture. */
export const predictLabelMaps = defineUse({
  summary: 'the class of each pixel of picture files, as colours over the picture',
  inputs: 'FILE...',
  options: z.strictObject({}),
  run: async function* ({ model, facts, threads }: SegmentationExperiment, files, _options, { place }) {
    model.eval()
    const [size] = facts.image_size
    const label = labellerOf(model, threadOptions({ threads }))
    yield* answerEach(files, async (file) => {
      const { pixels, width, height } = await readSquare(file, size)
      const image: NDArray = { dtype: 'uint8', shape: [1, 3, size, size], data: pixels }
      const classes = toNumbers((await label(image)).array.data)
      const { width: wide, height: tall } = sizeWithin({ width, height }, size)
      const inside = classes.filter((_, i) => i % size < wide && Math.floor(i / size) < tall)
      const planes = pixels.filter((_, i) => i % size < wide && Math.floor(i / size) % size < tall)
      const canvas = overlay(planes, inside, wide, tall)
      const path = await place(`${basename(file, extname(file))}-classes.png`)
      await writeFileAtomic(path, encodePng(canvas.pixels, wide, tall, 3))
      const shares = facts.labels.flatMap((label, k) => {
        const count = inside.filter((own) => own === k).length
        return count > 0 ? [{ label, probability: count / inside.length }] : []
      })
      const sorted = shares.sort((a, b) => b.probability - a.probability)
      return [
        { input: file, choices: sorted },
        { input: file, file: path },
      ]
    })
    await label.release()
  },
})
