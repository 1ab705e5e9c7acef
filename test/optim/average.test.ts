import { expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { averageInto, ExponentialMovingAverage, moveToward, SGD } from '../../src/optim/index.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { vector } from './support.ts'

test('follows the weights as they are after the update of the same step', async () => {
  const weight = vector([0], 'w')
  const optimizer = new SGD([weight], { lr: 1 })
  const average = new ExponentialMovingAverage([weight], { decay: 0.75 })
  const step = compile((gradient: Tensor) => {
    optimizer.update([gradient])
    average.update()
  })
  await step(tensor([-4]).array)
  await step(tensor([-4]).array)
  expect(toNumbers(weight.data)).toEqual([8])
  expect(average.averages.map(({ data }) => toNumbers(data))).toEqual([[0.75 * 1 + 0.25 * 8]])
  expect([...average.stateDict().keys()]).toEqual(['updates', 'average.w'])
  await step.release()
})

test('the decay follows warm-up and schedule', () => {
  const weight = vector([0])
  const warm = new ExponentialMovingAverage([weight], { decay: 0.5, warmup: true })
  expect([0, 1, 8, 100].map((k) => warm.decay(k))).toEqual([0.1, 2 / 11, 0.5, 0.5])
  const scheduled = new ExponentialMovingAverage([weight], { decay: (k) => 1 - 1 / (k + 1) })
  expect([0, 1, 3].map((k) => scheduled.decay(k))).toEqual([0, 0.5, 0.75])
  expect(() => new ExponentialMovingAverage([weight], { decay: 1.5 })).toThrow(
    expect.objectContaining({ message: 'ExponentialMovingAverage: decay must be in [0, 1], found 1.5' }),
  )
})

test('weights give way to averages for an evaluation, also if it fails', async () => {
  const weight = vector([1])
  const average = new ExponentialMovingAverage([weight], { decay: 0.9 })
  average.averages[0]?.set([5])
  expect(await average.withAverages(async () => toNumbers(weight.data))).toEqual([5])
  expect(toNumbers(weight.data)).toEqual([1])
  await expect(average.withAverages(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(toNumbers(weight.data)).toEqual([1])
})

test('a second model holds the average of what moves in the first', async () => {
  const named = (values: readonly number[]) =>
    new Map(['moves', 'stays'].map((name, i) => [name, vector([values[i] ?? 0], name)]))
  const [weights, copies] = [named([0, 0]), named([5, 5])]
  const stays = weights.get('stays')
  if (stays) stays.frozen = true
  const average = averageInto(copies, weights, 0.75)
  expect(average.averages.map(({ name }) => name)).toEqual(['moves'])
  weights.get('moves')?.set([8])
  const step = compile(() => average.update())
  await step()
  expect(copies.get('moves')?.data[0]).toBeCloseTo(0.9 * 8, 5) // a tenth is kept at first
  expect(copies.get('stays')?.data[0]).toBe(5)
  await step.release()
})

test('averages move by the share that is not kept', async () => {
  const [average, weight] = [vector([4]), vector([8])]
  const step = compile(() => moveToward([average], [weight], 0.75))
  await step()
  expect(toNumbers(average.data)).toEqual([5])
  await step.release()
})
