import { expect, test } from 'vitest'
import { macroF1, spearmanCorrelation } from '../../src/train/metrics.ts'

test('metrics of several classes and of ties', () => {
  expect(macroF1([0, 1, 2, 2], [0, 1, 2, 1], 3)).toBeCloseTo((1 + 2 / 3 + 2 / 3) / 3, 5)
  expect(spearmanCorrelation([1, 2, 2, 3], [10, 20, 20, 90])).toBeCloseTo(1, 12)
})
