/** A detector in training and in use. */
import { compile } from '../../../compile/compile.ts'
import type { BatchTensors } from '../../../data/dataset.ts'
import * as ops from '../../../ops/index.ts'
import type { Section } from '../../../report/figures.ts'
import type { Exportable, MetricDescriptions } from '../../../tasks/define.ts'
import {
  type CocoMetrics,
  cocoMetrics,
  type FoundObject,
  type Judged,
} from '../../../tasks/detection/average-precision.ts'
import type { DetectionFields, OpenedScenes } from '../../../tasks/detection/examples.ts'
import type { DetectionFacts } from '../../../tasks/detection/facts.ts'
import { pasteMask } from '../../../tasks/detection/masks.ts'
import { type BuildOptions, type Experiment, type ThreadOptions, threadOptions } from '../../../tasks/experiment.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import type { OptimizerSettings, TrainSettings } from '../../../tasks/settings.ts'
import { type StepScalars, trainable } from '../../../tasks/training.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { UsageError } from '../../../util/errors.ts'
import { makeBackbone } from '../settings.ts'
import { Detector } from './detector.ts'
import { sceneSections } from './figures.ts'
import { type DetectorSettings, detectorConfig } from './settings.ts'

export const detectionMetrics = {
  AP: { goal: 'max', unit: 'percent' },
  AP50: { goal: 'max', unit: 'percent' },
  AP75: { goal: 'max', unit: 'percent' },
  mask_AP: { goal: 'max', unit: 'percent' },
  mask_AP50: { goal: 'max', unit: 'percent' },
  loss: { goal: 'min' },
  loss_rpn_cls: { goal: 'min' },
  loss_rpn_bbox: { goal: 'min' },
  loss_cls: { goal: 'min' },
  loss_bbox: { goal: 'min' },
  loss_mask: { goal: 'min' },
} as const satisfies MetricDescriptions

/** The settings that a detector is trained by. */
export interface DetectConfig {
  readonly model: DetectorSettings
  readonly optimizer: OptimizerSettings
  readonly train: TrainSettings
}

export interface DetectionExperiment extends Experiment<OpenedScenes> {
  readonly model: Detector
  readonly facts: DetectionFacts
  readonly threads?: number
}

/** Finds objects in pictures uint8 [N, 3, size, size]: a list for each, in the pixels of pictures of these sizes. */
export type Finder = (image: NDArray, sizes: readonly PictureSize[]) => Promise<FoundObject[][]>

/** Width and height of a picture, and how many pixels of the network one of its has. */
export interface PictureSize {
  readonly width: number
  readonly height: number
  readonly scale: number
}

/** The detections of example `n` in the pixels of its picture. */
function foundIn(arrays: Readonly<Record<string, NDArray>>, n: number, size: PictureSize): FoundObject[] {
  const numbers = (name: string): number[] => toNumbers(arrays[name]?.data ?? new Float32Array())
  const [boxes, scores, classes, counts, masks] = ['boxes', 'scores', 'classes', 'count', 'masks'].map(numbers)
  const places = arrays.scores?.shape[1] ?? 0
  const side = arrays.masks?.shape[2] ?? 0
  return Array.from({ length: counts?.[n] ?? 0 }, (_, k) => {
    const at = n * places + k
    const corner = (i: number, most: number): number => Math.min(most, (boxes?.[4 * at + i] ?? 0) / size.scale)
    const corners = [
      corner(0, size.width),
      corner(1, size.height),
      corner(2, size.width),
      corner(3, size.height),
    ] as const
    const [x1, y1, x2, y2] = corners
    const own = masks?.slice(at * side * side, (at + 1) * side * side) ?? []
    return {
      category: classes?.[at] ?? 0,
      score: scores?.[at] ?? 0,
      box: [x1, y1, x2 - x1, y2 - y1] as const,
      ...(side > 0 && { mask: pasteMask(own, side, corners, size) }),
    }
  })
}

/** A function that finds objects with a model in evaluation mode. */
export function finderOf(model: Detector, options: ThreadOptions): Finder {
  const run = compile((image: Tensor) => ({ ...model.forward(normalizePixels(image)) }), options)
  return async (image, sizes) => {
    const found = await model.inEvalMode(() => run(image))
    const arrays = Object.fromEntries(
      Object.entries(found).flatMap(([name, tensor]) => (tensor ? [[name, tensor.array] as const] : [])),
    )
    return sizes.map((size, n) => foundIn(arrays, n, size))
  }
}

const atOnce = 8

/** Every test picture with its objects and what was found. */
async function judge(find: Finder, { test, truth }: Pick<OpenedScenes, 'test' | 'truth'>): Promise<Judged[]> {
  const judged: Judged[] = []
  for (let start = 0; start < test.length; start += atOnce) {
    const indices = Array.from({ length: Math.min(atOnce, test.length - start) }, (_, i) => start + i)
    const { image } = await test.batch(indices, { epoch: 0, seed: 0 })
    const truths = await Promise.all(indices.map(truth))
    const found = await find(image, truths)
    for (const [i, { objects }] of truths.entries()) judged.push({ truth: objects, found: found[i] ?? [] })
  }
  return judged
}

/** The twelve numbers for boxes and, where there are masks, for masks. */
function precisionOf(
  judged: readonly Judged[],
  categories: number,
  hasMasks: boolean,
): { readonly boxes: CocoMetrics; readonly masks?: CocoMetrics } {
  const boxes = cocoMetrics(judged, categories, 'box')
  return hasMasks ? { boxes, masks: cocoMetrics(judged, categories, 'mask') } : { boxes }
}

function scalarsOf(model: Detector, batch: BatchTensors<DetectionFields>): StepScalars {
  const losses = model.losses({ ...batch, image: normalizePixels(batch.image) })
  return { loss: ops.addAll(Object.values(losses)), ...losses }
}

/** The detector for `image` uint8 [1, 3, size, size] -> boxes, scores, classes, count and masks; suppression is inside. */
function exportDetector(model: Detector, { image_size, labels }: DetectionFacts): Exportable<'image'> {
  model.eval()
  return {
    inputs: { image: { dtype: 'uint8', shape: [1, 3, ...image_size] } },
    symbolicBatch: false,
    forward: ({ image }) => ({ ...model.forward(normalizePixels(image)) }),
    metadata: {
      labels: JSON.stringify(labels),
      outputs:
        'boxes [1, K, 4]: corners x1, y1, x2, y2 in pixels; scores [1, K], best first; classes [1, K]; count [1]: of places from there on the score is 0; masks [1, K, 28, 28]: probabilities within the boxes',
      preprocessing: JSON.stringify({
        input: 'image',
        layout: 'NCHW',
        dtype: 'uint8',
        size: image_size,
        resize: 'longer side to the size, bilinear; the rest to the right or below black',
        normalization: 'inside the model',
      }),
    },
  }
}

/** Trains and uses a detector. All random numbers follow from the seed. */
export function detectionExperiment(
  config: DetectConfig,
  facts: DetectionFacts,
  options: BuildOptions,
): DetectionExperiment {
  const { labels, image_size } = facts
  const { model: settings } = config
  if (settings.layers.length !== 4)
    throw new UsageError(`model.layers must be of four stages for a pyramid, found ${settings.layers.length}`)
  if (settings.detector === 'mask_rcnn' && facts.has_masks === false)
    throw new UsageError('model.detector=mask_rcnn needs a mask of every object, some annotations have only a box', {
      hint: '--set model.detector=faster_rcnn finds boxes',
    })
  const network = { ...settings, stem: 'standard' as const }
  const stages = [1, 2, 4, 8].map((times) => 4 * times * settings.base_channels)
  const make = (): Detector => new Detector(makeBackbone(network, 3), stages, detectorConfig(settings, labels.length))
  const hasMasks = settings.detector === 'mask_rcnn'
  const trained = trainable({
    make,
    config,
    metrics: detectionMetrics,
    options,
    scalars: scalarsOf,
    evaluator: () => () => Promise.reject(new Error('detections are judged with the pictures they are in')),
  })
  const { model, score: _, ...rest } = trained
  const find = finderOf(model, threadOptions(options))
  const evaluate = async (data: Pick<OpenedScenes, 'test' | 'truth'>) => {
    const { boxes, masks } = precisionOf(await judge(find, data), labels.length, hasMasks)
    const { AP, AP50, AP75 } = boxes
    return { AP, AP50, AP75, ...(masks && { mask_AP: masks.AP, mask_AP50: masks.AP50 }) }
  }
  return {
    ...rest,
    model,
    facts,
    evaluate,
    prepare: (data) => {
      const { task, loop } = rest.prepare(data)
      return { task: { ...task, evaluate: () => evaluate(data as OpenedScenes) }, loop }
    },
    exports: { detector: () => exportDetector(model, { labels, image_size }) },
    explain: async (data): Promise<Section[]> => sceneSections(await judge(find, data), data, facts, hasMasks),
  }
}
