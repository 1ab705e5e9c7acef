import { expect, test } from 'vitest'
import { fewShot, selectShots, solvePositiveDefinite } from '../../../src/tasks/pictures/few-shot.ts'
import { evaluateShots } from '../../../src/tasks/pictures/few-shot-evaluation.ts'
import type { NDArray } from '../../../src/tensor/dtype.ts'
import { randomNumbers } from '../../support/gradients.ts'

const labels = [2, 0, 0, 2, 1, 0, 2, 0, 2]

test('shots: as many of each class as asked, class by class; all of a class that has fewer', () => {
  const chosen = selectShots(labels, 2, 0)
  expect(chosen.map((row) => labels[row])).toEqual([0, 0, 1, 2, 2])
  expect(new Set(chosen).size).toBe(5)
})

test('more shots contain the fewer; another seed draws others', () => {
  const many = Array.from({ length: 300 }, (_, i) => i % 3)
  const [one, five] = [selectShots(many, 1, 4), selectShots(many, 5, 4)]
  expect(five.filter((_, i) => i % 5 === 0)).toEqual(one)
  expect(selectShots(many, 5, 5)).not.toEqual(five)
  expect(selectShots(many, 5, 4)).toEqual(five)
})

test('the solver solves', () => {
  const a = [
    [4, 1, 0],
    [1, 3, 1],
    [0, 1, 2],
  ]
  const x = solvePositiveDefinite(a, [[1], [2], [3]]).map(([value = 0]) => value)
  const back = a.map((row) => row.reduce((sum, value, j) => sum + value * (x[j] ?? 0), 0))
  for (const [i, value] of [1, 2, 3].entries()) expect(back[i]).toBeCloseTo(value, 12)
})

test('separates classes that are apart, with fewer rows than features and with more', () => {
  const random = randomNumbers(1)
  const [classes, width] = [3, 12]
  const features = (count: number): NDArray => {
    const data = Float32Array.from({ length: count * width }, (_, i) => {
      const [row, column] = [Math.floor(i / width), i % width]
      return random() - 0.5 + (column % classes === row % classes ? 1 : 0)
    })
    return { dtype: 'float32', shape: [count, width], data }
  }
  const own = (count: number): number[] => Array.from({ length: count }, (_, i) => i % classes)
  for (const shots of [1, 20]) {
    const result = fewShot({
      trainFeatures: features(90),
      trainLabels: own(90),
      testFeatures: features(60),
      testLabels: own(60),
      selected: selectShots(own(90), shots, 0),
      classes,
      l2: 1,
      biasConstant: 100,
      stdEpsilon: 1e-5,
    })
    expect(result.accuracy).toBeGreaterThan(shots === 1 ? 0.7 : 0.95)
    expect(result.weights).toHaveLength((width + 1) * classes)
  }
})

test('pictures of one class are refused before they are opened', async () => {
  const facts = { labels: ['pictures'], image_size: [8, 8], in_channels: 1 }
  const options = evaluateShots.options.parse({})
  const outcome = evaluateShots.run({ facts } as never, [], options, {} as never)
  await expect(outcome[Symbol.asyncIterator]().next()).rejects.toThrow(
    "fewshot: the run's pictures have no classes to tell apart",
  )
})
