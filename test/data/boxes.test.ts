import { expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { keptBoxes } from '../../src/data/boxes.ts'
import * as ops from '../../src/ops/index.ts'
import { constant, type Tensor } from '../../src/tensor/tensor.ts'
import { RandomStream } from '../../src/util/random.ts'

const count = 40
const uniform = (seed: number, length: number): number[] => [...new RandomStream(seed).uniform(0, 0, length)]

/** Boxes with corners at eighths, and scores some of which are equal. */
function example(seed: number): { boxes: Float32Array; scores: Float32Array; classes: BigInt64Array } {
  const places = uniform(seed, 4 * count)
  const eighths = (value: number): number => Math.round(8 * value) / 8
  const boxes = Float32Array.from({ length: 4 * count }, (_, i) => {
    const [corner = 0, side = 0] = [
      places[4 * Math.floor(i / 4) + (i % 2)],
      places[4 * Math.floor(i / 4) + 2 + (i % 2)],
    ]
    return eighths(10 * corner) + (i % 4 < 2 ? 0 : eighths(0.5 + 4 * side))
  })
  return {
    boxes,
    scores: Float32Array.from(uniform(seed + 100, count), (value) => Math.round(32 * value) / 32),
    classes: BigInt64Array.from(uniform(seed + 200, count), (value) => BigInt(Math.floor(3 * value))),
  }
}

test.each([1, 2, 3])('keeps what the graph keeps, example %i', async (seed) => {
  const { boxes, scores, classes } = example(seed)
  const run = compile((b: Tensor, s: Tensor, c: Tensor) => ({
    all: ops.nms(b, s, { iouThreshold: 0.3 }),
    byClass: ops.nms(b, s, { iouThreshold: 0.3, classes: c }),
    best: ops.nms(b, s, { iouThreshold: 0.3, scoreThreshold: 0.25, maxDetections: 7 }),
  }))
  const found = await run(
    constant(boxes, [count, 4], 'float32'),
    constant(scores, [count], 'float32'),
    constant(classes, [count], 'int64'),
  )
  const kept = ({ indices, count: length }: ops.Kept): number[] =>
    Array.from(indices.array.data, Number).slice(0, Number(length.array.data[0]))
  expect(keptBoxes(boxes, scores, { iouThreshold: 0.3 })).toEqual(kept(found.all))
  expect(keptBoxes(boxes, scores, { iouThreshold: 0.3, classes })).toEqual(kept(found.byClass))
  const best = { iouThreshold: 0.3, scoreThreshold: 0.25, maxDetections: 7 }
  expect(keptBoxes(boxes, scores, best)).toEqual(kept(found.best))
  expect(kept(found.best)).toHaveLength(7)
  await run.release()
})

test('places beyond the kept boxes are 0', async () => {
  const boxes = constant(Float32Array.of(0, 0, 2, 2, 5, 5, 6, 6, 0, 0, 2, 2), [3, 4], 'float32')
  const scores = constant(Float32Array.of(0.5, 0.25, 0.75), [3], 'float32')
  const { indices, count: length } = ops.nms(boxes, scores, { iouThreshold: 0.5, maxDetections: 5 })
  expect(await indices.numbers()).toEqual([2, 1, 0, 0, 0])
  expect(await length.numbers()).toEqual([2])
})

test('a threshold of 1 keeps all, and no box has no neighbours', () => {
  expect(keptBoxes([0, 0, 1, 1, 0, 0, 1, 1], [0.5, 0.75], { iouThreshold: 1 })).toEqual([1, 0])
  expect(keptBoxes([], [], { iouThreshold: 0.5 })).toEqual([])
})

test.each([
  [
    'keptBoxes: each box must have 4 numbers, a score and a class if there are any, found 3 numbers, 1 scores',
    () => keptBoxes([0, 0, 1], [1], { iouThreshold: 0.5 }),
  ],
  ['keptBoxes: iouThreshold must be from 0 to 1, found 2', () => keptBoxes([0, 0, 1, 1], [1], { iouThreshold: 2 })],
])('%s', (message, call) => {
  expect(call).toThrow(message)
})
