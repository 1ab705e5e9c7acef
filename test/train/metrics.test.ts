import { expect, test } from 'vitest'
import {
  accuracy,
  averagePrecision,
  confusionCounts,
  f1Score,
  macroF1,
  matthewsCorrelation,
  meanAveragePrecision,
  perplexity,
  precision,
  recall,
  rocAuc,
  spearmanCorrelation,
  topKAccuracy,
} from '../../src/train/metrics.ts'

test('lists of unequal length, or classes that are not there, are errors', () => {
  expect(() => accuracy([1, 1, 1], [1])).toThrow('accuracy: there must be as many labels as predictions, 3, found 1')
  expect(() => rocAuc([0.5, 0.2], [1])).toThrow('rocAuc: there must be as many labels as scores, 2, found 1')
  expect(() => averagePrecision([0.5], [1, 0])).toThrow('averagePrecision: there must be as many labels as scores')
  expect(() => spearmanCorrelation([1, 2, 3], [1, 2])).toThrow('both lists must be equally long, found 3 and 2')
  expect(() => topKAccuracy({ dtype: 'float32', shape: [2, 2], data: new Float32Array(3) }, [0, 1], 1)).toThrow(
    'topKAccuracy: scores: shape [2, 2] needs 4 elements, found 3',
  )
  const found = { labels: [0, 3], predicted: [0, 1] }
  expect(() => confusionCounts(found, 3)).toThrow('confusionCounts: classes must be from 0 to 2, found 3')
})

test('scores that are no numbers are errors', () => {
  expect(() => rocAuc([NaN, 0.2], [1, 0])).toThrow('rocAuc: scores must be numbers, found NaN at 0')
  expect(() => averagePrecision([0.1, NaN], [1, 0])).toThrow('averagePrecision: scores must be numbers, found NaN at 1')
  expect(() => spearmanCorrelation([1, 2], [NaN, 2])).toThrow(
    'spearmanCorrelation: the second list must be numbers, found NaN at 0',
  )
  expect(rocAuc([Infinity, -Infinity], [1, 0])).toBe(1)
})

test('metrics of several classes and of ties', () => {
  expect(macroF1([0, 1, 2, 2], [0, 1, 2, 1], 3)).toBeCloseTo((1 + 2 / 3 + 2 / 3) / 3, 12)
  expect(spearmanCorrelation([1, 2, 2, 3], [10, 20, 20, 90])).toBeCloseTo(1, 12)
})

/** 40 examples of 4 classes with scores that are tied within rows and columns. */
const [examples, classes] = [40, 4]
const labels = Array.from({ length: examples }, (_, i) => (i * i * 7 + Math.floor(i / 3)) % classes)
const data = Float32Array.from({ length: examples * classes }, (_, at) => {
  const [i, c] = [Math.floor(at / classes), at % classes]
  return ((i * 37 + c * 53 + i * c * 11) % 19) / 19 + (labels[i] === c && i % 3 !== 0 ? 0.35 : 0)
})
const scores = { dtype: 'float32', shape: [examples, classes], data } as const
const predicted = labels.map((_, i) => {
  const row = data.subarray(i * classes, (i + 1) * classes)
  return row.indexOf(Math.max(...row))
})
const column = (c: number): number[] => labels.map((_, i) => data[i * classes + c] ?? 0)
const isClass = (c: number): boolean[] => labels.map((label) => label === c)
const each = (of: (c: number) => number): number[] => Array.from({ length: classes }, (_, c) => of(c))
const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 12))

test('all metrics are those of scikit-learn 1.9.1 on the same scores', () => {
  expect(accuracy(predicted, labels)).toBe(0.4)
  expect([2, 3, 4].map((k) => topKAccuracy(scores, labels, k))).toEqual([0.675, 0.9, 1])
  expect(each((c) => precision(predicted, labels, c))).toEqual(
    close([0.625, 0.38461538461538464, 0.4, 0.2222222222222222]),
  )
  expect(each((c) => recall(predicted, labels, c))).toEqual(
    close([0.3333333333333333, 0.8333333333333334, 0.3333333333333333, 0.2857142857142857]),
  )
  expect(each((positive) => f1Score(predicted, labels, { positive }))).toEqual(
    close([0.43478260869565216, 0.5263157894736842, 0.36363636363636365, 0.25]),
  )
  expect(macroF1(predicted, labels, classes)).toBeCloseTo(0.39368369045142504, 12)
  expect(matthewsCorrelation(predicted, labels, { positive: 2 })).toBeCloseTo(0.12598815766974242, 12)
  expect(each((c) => rocAuc(column(c), isClass(c)))).toEqual(
    close([0.6173333333333334, 0.803921568627451, 0.6383928571428571, 0.7489177489177489]),
  )
  expect(averagePrecision(column(2), isClass(2))).toBeCloseTo(0.5419262518527225, 12)
  expect(meanAveragePrecision(each((c) => averagePrecision(column(c), isClass(c))))).toBeCloseTo(0.551468661565593, 12)
})

test('nothing of a class is 0, or not a number where nothing can be said', () => {
  expect([f1Score([0, 0], [0, 1]), precision([0, 0], [0, 1]), recall([0, 0], [0, 0])]).toEqual([0, 0, 0])
  expect(matthewsCorrelation([1, 1], [0, 1])).toBe(0)
  expect(rocAuc([0.1, 0.9], [1, 1])).toBeNaN()
  expect(() => topKAccuracy(scores, [1], 1)).toThrow(
    'topKAccuracy: there must be as many labels as rows of scores, 40, found 1',
  )
})

test('perplexity is that of a uniform guess', () => {
  expect(perplexity([Math.log(7), Math.log(7)])).toBeCloseTo(7, 12)
})
