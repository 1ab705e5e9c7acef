import { expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { ExponentialMovingAverage, SGD } from '../../src/optim/index.ts'
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
