import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { cocoMetrics } from '../../../src/tasks/detection/average-precision.ts'
import type { CocoFile } from '../../../src/tasks/detection/coco-file.ts'
import { maskOfSegmentation } from '../../../src/tasks/detection/coco-file.ts'
import { type CocoResult, judgeResults } from '../../../src/tasks/detection/coco-results.ts'
import { maskArea, maskOfRuns, pasteMask, runsOfText } from '../../../src/tasks/detection/masks.ts'

// scripts/check_coco.py wrote them with pycocotools: four pictures each, with groups, ties, empty pictures.
const cases: {
  seed: number
  truth: CocoFile
  results: CocoResult[]
  expected: Record<'bbox' | 'segm', number[]>
  areas: number[]
}[] = JSON.parse(readFileSync(new URL('../../cases/coco/cases.json', import.meta.url), 'utf8'))

test.each(cases)('seed $seed: the numbers of pycocotools', ({ truth, results, expected }) => {
  const boxes = Object.values(judgeResults(truth, results, 'box'))
  const masks = Object.values(judgeResults(truth, results, 'mask'))
  for (const [i, value] of [...boxes, ...masks].entries())
    expect(Math.abs(value - ([...expected.bbox, ...expected.segm][i] ?? 9))).toBeLessThan(1e-6)
})

test('polygons and packed runs have the pixels of pycocotools', () => {
  for (const { truth, areas } of cases) {
    const found = truth.annotations.map(({ segmentation, image_id }) => {
      const { width, height } = truth.images.find(({ id }) => id === image_id) ?? { width: 1, height: 1 }
      const mask = maskOfSegmentation(segmentation, { width, height })
      return mask && maskArea(mask)
    })
    expect(found).toEqual(areas)
  }
})

test('nothing to find, and nothing found', () => {
  expect(cocoMetrics([{ truth: [], found: [] }], 1, 'box').AP).toBe(-1)
  const object = { category: 0, box: [0, 0, 8, 8] as const, area: 64 }
  expect(cocoMetrics([{ truth: [object], found: [] }], 1, 'box')).toMatchObject({ AP: 0, APs: 0, APl: -1, AR100: 0 })
  const found = { category: 0, box: [0, 0, 8, 8] as const, score: 1 }
  expect(cocoMetrics([{ truth: [object], found: [found] }], 1, 'box')).toMatchObject({
    AP50: expect.closeTo(1),
    AR1: 1,
  })
})

test('runs go down the columns', () => {
  expect([...maskOfRuns([1, 2, 1, 2], { width: 2, height: 3 }).pixels]).toEqual([0, 0, 1, 1, 1, 1])
  expect(() => maskOfRuns([1, 2], { width: 2, height: 3 })).toThrow('runs must cover 2 x 3 = 6 pixels, found 3')
  expect(() => runsOfText('!')).toThrow('packed runs must be characters from "0" on, found "!"')
})

test('a mask of probabilities is brought to its box', () => {
  const { pixels } = pasteMask([1, 0, 1, 0], 2, [0, 0, 4, 4], { width: 5, height: 5 })
  expect(Array.from({ length: 5 }, (_, y) => [...pixels.slice(5 * y, 5 * y + 5)].join(''))).toEqual([
    '11000',
    '11000',
    '11000',
    '11000',
    '00000',
  ])
})
