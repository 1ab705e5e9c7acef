import { expect, test } from 'vitest'
import { denoiser } from '../../../src/systems/diffusion/recipes.ts'
import { weightsAt } from '../../../src/systems/diffusion/training/averages.ts'
import type { NDArray } from '../../../src/tensor/dtype.ts'
import { build, data } from './halves.ts'

test('averages of the weights at several rates, as OpenAI keeps them; an unknown rate is named with those that are there', async () => {
  const experiment = build(denoiser, { 'train.ema_rates': [0, 0.5], 'optimizer.ema_decay': 0 })
  const { task } = experiment.prepare(data)
  const weight = 'out.2.bias'
  const bias = (): number[] => [...((experiment.weights.get(weight)?.data as Float32Array) ?? [])]
  let expected = bias()
  for await (const batch of task.loader) {
    await task.step(batch)
    const now = bias()
    expected = expected.map((value, i) => Math.fround(0.5 * value + 0.5 * (now[i] ?? 0)))
  }
  const tensors = new Map<string, NDArray>([...task.variables].map(([name, { array }]) => [name, array]))
  const [last, half] = [weightsAt(0, tensors), weightsAt(0.5, tensors)]
  expect([...last.keys()].sort()).toEqual([...experiment.weights.keys()].sort())
  expect([...(last.get(weight)?.data ?? [])]).toEqual(bias())
  for (const [i, value] of [...(half.get(weight)?.data ?? [])].entries()) expect(value).toBeCloseTo(expected[i] ?? 0, 6)
  expect(expected[0]).not.toBe(bias()[0])
  expect(() => weightsAt(0.9, tensors)).toThrow(
    expect.objectContaining({ message: 'sample: the run has no average of rate 0.9', hint: 'it has 0, 0.5' }),
  )
})
