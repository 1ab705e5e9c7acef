import { expect, test } from 'vitest'
import { PixelCounts } from '../../../src/tasks/segmentation/metrics.ts'

test('intersection over union of the classes that occur; 255 does not count', () => {
  const counts = new PixelCounts(4)
  counts.add([0, 0, 1, 1, 255], [0, 1, 1, 1, 0])
  expect(counts.ious).toEqual([1 / 2, 2 / 3, undefined, undefined])
  expect(counts.meanIou).toBeCloseTo(7 / 12)
  expect(counts.accuracy).toBe(0.75)
})
