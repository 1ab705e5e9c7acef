import { describe, expect, test } from 'vitest'
import { compile } from '../../../../src/compile/compile.ts'
import type { Module } from '../../../../src/nn/index.ts'
import { skipInit } from '../../../../src/nn/init.ts'
import { variants } from '../../../../src/systems/involution/config.ts'
import {
  decodeBoxes,
  deltaScales,
  encodeBoxes,
  levelAnchors,
} from '../../../../src/systems/involution/detection/anchors.ts'
import { assignBoxes, sampleBoxes } from '../../../../src/systems/involution/detection/assign.ts'
import { assignRules, type DetectorConfig } from '../../../../src/systems/involution/detection/config.ts'
import { Detector } from '../../../../src/systems/involution/detection/detector.ts'
import { focalLoss } from '../../../../src/systems/involution/detection/losses.ts'
import { RedNet } from '../../../../src/systems/involution/model.ts'
import { Segmentor, type SegmentorConfig } from '../../../../src/systems/involution/segmentation/segmentor.ts'
import { type Tensor, tensor } from '../../../../src/tensor/tensor.ts'

const sizeOf = (model: Module, counts: (name: string) => boolean = () => true): number =>
  [...model.variables()].reduce((sum, [name, { trainable, size }]) => sum + (trainable && counts(name) ? size : 0), 0)
const stages = [256, 512, 1024, 2048]
const redNet = (): RedNet => new RedNet(variants['rednet50-det'] ?? { depth: 50 })

// The fact sheet's totals, of 80 classes; stem and first stage are not trained.
test.each<[Omit<DetectorConfig, 'num_classes'>, number]>([
  [{ kind: 'faster_rcnn', neck: 'convolution' }, 31598464],
  [{ kind: 'faster_rcnn' }, 29508032],
  [{ kind: 'faster_rcnn', head: 'involution' }, 28985424],
  [{ kind: 'mask_rcnn', neck: 'convolution' }, 34241744],
  [{ kind: 'mask_rcnn' }, 32151312],
  [{ kind: 'mask_rcnn', head: 'involution' }, 29538272],
  [{ kind: 'retinanet', neck: 'convolution' }, 27814100],
  [{ kind: 'retinanet' }, 26246276],
])('%o has the published number of trained parameters', (config, expected) => {
  const model = skipInit(() => new Detector(redNet(), stages, { ...config, num_classes: 80 }))
  const isTrained = (name: string): boolean => !/^backbone\.(stem|layer1)\./.test(name)
  expect(sizeOf(model, isTrained)).toBe(expected)
})

test.each<[SegmentorConfig, number]>([
  [{ kind: 'semantic_fpn', neck: 'convolution', num_classes: 19 }, 18463169],
  [{ kind: 'semantic_fpn', num_classes: 19 }, 16372737],
  [{ kind: 'upernet', num_classes: 19 }, 56380500],
])('%o has the published number of parameters', (config, expected) => {
  expect(sizeOf(skipInit(() => new Segmentor(redNet(), stages, config)))).toBe(expected)
})

async function evaluated<R extends Record<string, Tensor>>(body: () => R): Promise<Record<keyof R, number[]>> {
  const run = compile(body)
  const found = await run()
  await run.release()
  const arrays = Object.entries(found).map(([name, value]) => [name, [...(value as Tensor).array.data].map(Number)])
  return Object.fromEntries(arrays)
}

describe('boxes and anchors', () => {
  test('anchors lie around the corners of elements: ratios, in each the scales', () => {
    const anchors = [...levelAnchors([1, 2], 4, { ratios: [0.25, 1], scales: [2] })]
    expect(anchors).toEqual([-8, -2, 8, 2, -4, -4, 4, 4, -4, -2, 12, 2, 0, -4, 8, 4])
  })

  test('differences give the box back, cut to the picture', async () => {
    const anchors = tensor([[10, 10, 30, 50]])
    const box = tensor([[5, 20, 45, 60]])
    const { deltas, again } = await evaluated(() => {
      const deltas = encodeBoxes(anchors, box, deltaScales.boxes)
      return { deltas, again: decodeBoxes(anchors, deltas, deltaScales.boxes, [55, 100]) }
    })
    // Centre 20, 30 -> 25, 40; sides 20, 40 -> 40, 40.
    const wanted = [5 / 20 / 0.1, 10 / 40 / 0.1, Math.log(2) / 0.2, 0]
    for (const [i, value] of deltas.entries()) expect(value).toBeCloseTo(wanted[i] ?? 0, 5)
    for (const [i, value] of again.entries()) expect(value).toBeCloseTo([5, 20, 45, 55][i] ?? 0, 4)
  })

  test('a box is an object from one overlap on, background below another; the best of an object is its own', async () => {
    const boxes = tensor([
      [0, 0, 10, 10], // the first object
      [0, 0, 10, 16], // 0.625 of it
      [0, 0, 5, 5], // 0.25
      [20, 20, 30, 30], // 0.4 of the second, which has no better one
    ])
    const objects = {
      boxes: tensor([
        [0, 0, 10, 10],
        [20, 20, 30, 45],
        [0, 0, 0, 0],
      ]),
      classes: tensor([4, 2, -1], 'int32'),
    }
    const found = await evaluated(() => ({ ...assignBoxes(boxes, objects, assignRules.rpn) }))
    expect(found).toEqual({ positive: [1, 0, 0, 1], negative: [0, 0, 1, 0], object: [0, 0, 0, 1] })
    const strict = await evaluated(() => ({ ...assignBoxes(boxes, objects, assignRules.rcnn) }))
    expect(strict).toMatchObject({ positive: [1, 1, 0, 0], negative: [0, 0, 1, 1] })
    const none = { ...objects, classes: tensor([-1, -1, -1], 'int32') }
    const empty = await evaluated(() => ({ ...assignBoxes(boxes, none, assignRules.rpn) }))
    expect(empty).toMatchObject({ positive: [0, 0, 0, 0], negative: [1, 1, 1, 1] })
  })

  test('objects are drawn up to their share, background for the rest', async () => {
    const [positive, negative] = [
      tensor([true, true, true, false, false, false], 'bool'),
      tensor([false, false, false, true, true, false], 'bool'),
    ]
    const keys = tensor([0.1, 0.9, 0.5, 0.3, 0.7, 0.8])
    const four = await evaluated(() => ({
      ...sampleBoxes({ positive, negative }, keys, { num: 4, pos_fraction: 0.5 }),
    }))
    expect(four).toEqual({ index: [1, 2, 4, 3], positive: [1, 1, 0, 0], counts: [1, 1, 1, 1] })
    const many = await evaluated(() => ({
      ...sampleBoxes({ positive, negative }, keys, { num: 6, pos_fraction: 0.25 }),
    }))
    expect(many.counts).toEqual([1, 1, 1, 0, 0, 0])
    expect(many.index.slice(0, 3)).toEqual([1, 4, 3])
  })

  test('focal loss', async () => {
    const { losses } = await evaluated(() => ({ losses: focalLoss(tensor([0, 2]), tensor([1, 0])) }))
    const p = 1 / (1 + Math.exp(-2))
    expect(losses[0]).toBeCloseTo(0.25 * 0.25 * Math.LN2, 6)
    expect(losses[1]).toBeCloseTo(0.75 * p * p * -Math.log(1 - p), 5)
  })
})
