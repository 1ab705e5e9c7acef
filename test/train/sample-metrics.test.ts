import { describe, expect, test } from 'vitest'
import type { NDArray } from '../../src/tensor/dtype.ts'
import {
  featureStatistics,
  frechetDistance,
  inceptionScore,
  manifoldMembers,
  manifoldRadii,
  precisionAndRecall,
} from '../../src/train/sample-metrics.ts'
import { Generator } from '../../src/util/random.ts'

const features = (rows: readonly (readonly number[])[]): NDArray => ({
  dtype: 'float32',
  shape: [rows.length, rows[0]?.length ?? 0],
  data: Float32Array.from(rows.flat()),
})

const cloud = (count: number, width: number, seed: number, shift = 0, scale = 1): NDArray => ({
  dtype: 'float32',
  shape: [count, width],
  data: new Generator(seed).normal(count * width).map((value) => shift + scale * value),
})

describe('the Frechet distance', () => {
  test('of one width: (mu1 - mu2)^2 + (s1 - s2)^2', () => {
    const [a, b] = [featureStatistics(features([[0], [2]])), featureStatistics(features([[5], [11]]))]
    expect(frechetDistance(a, b)).toBeCloseTo(49 + (Math.sqrt(2) - Math.sqrt(18)) ** 2, 10)
  })

  test('is 0 of a set to itself, also with more features than examples, and symmetric', () => {
    const [few, many] = [featureStatistics(cloud(5, 20, 1)), featureStatistics(cloud(80, 20, 2, 0.5, 2))]
    expect(frechetDistance(few, few)).toBeCloseTo(0, 5)
    expect(frechetDistance(few, many)).toBeCloseTo(frechetDistance(many, few), 6)
  })

  test('needs examples of one width', () => {
    expect(() => featureStatistics(features([[1, 2]]))).toThrow(
      'featureStatistics: there must be at least 2 examples, found 1',
    )
    expect(() => frechetDistance(featureStatistics(cloud(4, 2, 1)), featureStatistics(cloud(4, 3, 1)))).toThrow(
      'frechetDistance: both must have features of one width, found 2 and 3',
    )
  })
})

test('the inception score counts classes that are named with certainty', () => {
  const certain = features([0, 1, 2, 0, 1, 2].map((label) => [0, 1, 2].map((c) => (c === label ? 1 : 0))))
  expect(inceptionScore(certain)).toBeCloseTo(3, 10)
  expect(inceptionScore(certain, 1)).toBeCloseTo(1, 10)
})

describe('precision and recall', () => {
  test('of one place: within the distance of the k-th neighbour', () => {
    const line = features([[0], [1], [3], [7]])
    expect(manifoldRadii(line, [1, 2])).toEqual([
      [1, 9],
      [1, 4],
      [4, 9],
      [16, 36],
    ])
    expect(manifoldRadii(line, [1], 50)).toEqual([[1], [1], [0], [0]])
    const { inside, nearest } = manifoldMembers(line, manifoldRadii(line, [1]), features([[-1], [5], [12]]))
    expect(inside).toEqual([[true], [true], [false]])
    expect(nearest).toEqual([0, 2, 3])
    expect(() => manifoldRadii(line, [4])).toThrow(
      'manifoldRadii: there must be more than 4 examples for 4 neighbours, found 4',
    )
  })

  test('what is only a part of the data has precision without recall', () => {
    const [data, part] = [cloud(200, 2, 1, 0, 3), cloud(200, 2, 2, 0, 0.1)]
    const { precision, recall } = precisionAndRecall(data, part)
    expect(precision[0]).toBeGreaterThan(0.9)
    expect(recall[0]).toBeLessThan(0.2)
  })

  test('clamped radii hold fewer examples', () => {
    const line = features([[0], [1], [4], [10]])
    const near = features([[-0.5], [5], [12], [1]])
    expect(precisionAndRecall(line, near, [1]).precision).toEqual([1])
    expect(precisionAndRecall(line, near, [1], 50).precision).toEqual([0.5])
  })
})
