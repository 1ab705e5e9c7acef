import { expect, test } from 'vitest'
import { arrayDataset } from '../../../src/data/dataset.ts'
import { Module } from '../../../src/nn/index.ts'
import { arrayEvaluator, classPrecisions } from '../../../src/tasks/arrays/classifier.ts'
import type { ArrayFacts } from '../../../src/tasks/arrays/facts.ts'
import { resultSection } from '../../../src/tasks/arrays/figures.ts'
import type { NDArray } from '../../../src/tensor/dtype.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'

/** Its input is its logits. */
class Given extends Module {
  forward({ logits }: Readonly<Record<'logits', Tensor>>): Tensor {
    return logits
  }
}

const floats = (rows: readonly (readonly number[])[]): NDArray => ({
  dtype: 'float32',
  shape: [rows.length, rows[0]?.length ?? 0],
  data: Float32Array.from(rows.flat()),
})

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

test('any number of classes: scores averaged over windows, mean average precision', async () => {
  const facts: ArrayFacts = { labels: ['a', 'b', 'c'], classes_per_example: 'any', windows: 2, inputs: {} }
  const logits = [
    [4, -2, 0],
    [0, -2, 0],
    [-1, 3, 0],
    [-3, 1, 0],
    [1, 1, 0],
    [1, 1, 0],
  ]
  const truth = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 1, 0],
  ]
  const data = arrayDataset({ logits: floats(logits), label: floats(truth.flatMap((row) => [row, row])) })
  const evaluation = await arrayEvaluator(new Given(), facts)(data)
  expect(evaluation.truth).toEqual([[0], [1], [1]])
  expect(evaluation.scores[0]?.[0]).toBeCloseTo((sigmoid(4) + sigmoid(0)) / 2, 6)
  // c has no example and is left out; a and b are ranked without a mistake.
  expect(classPrecisions(evaluation, 3)).toEqual([1, 1, Number.NaN])
  expect(evaluation.metrics.mean_average_precision).toBe(1)
  const section = await resultSection(facts, data, evaluation)
  expect(section.figures[0]).toMatchObject({ kind: 'bars', bars: [{ label: 'a' }, { label: 'b' }] })
  // Each example has its own class on top: there are no mistakes to show.
  expect(section.figures).toHaveLength(1)
})

test('one class: accuracy of the mean of the windows', async () => {
  const facts: ArrayFacts = { labels: ['a', 'b'], classes_per_example: 'one', windows: 2, inputs: {} }
  const logits = [
    [3, 0],
    [0, 1],
    [3, 0],
    [0, 1],
  ]
  const label: NDArray = { dtype: 'int32', shape: [4], data: Int32Array.of(0, 0, 1, 1) }
  const data = arrayDataset({ logits: floats(logits), label })
  const evaluation = await arrayEvaluator(new Given(), facts)(data)
  expect(evaluation.metrics.accuracy).toBe(0.5)
  const drawn: string[] = []
  const section = await resultSection(facts, data, evaluation, (_, title) => {
    drawn.push(title)
    return { kind: 'text', title, paragraphs: [] }
  })
  expect(section.figures.map(({ kind }) => kind)).toEqual(['confusion', 'table', 'text'])
  expect(drawn).toEqual(['Test example 1: b'])
})
