import { expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { denoiser } from '../../../src/systems/diffusion/recipes.ts'
import { TimeHistory } from '../../../src/systems/diffusion/training/time-history.ts'
import { drawTimes, LossSecondMomentResampler } from '../../../src/systems/diffusion/training/time-samplers.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { tensor } from '../../../src/tensor/tensor.ts'
import { Generator } from '../../../src/util/random.ts'
import { build, data } from './halves.ts'

test('as the sampler on the host: batch after batch, times that occur often in a batch among them', async () => {
  const [steps, batch] = [5, 16]
  const options = { historyPerTerm: 3, uniformProb: 0.05 }
  const [history, reference] = [new TimeHistory(steps, options), new LossSecondMomentResampler(steps, options)]
  const update = compile((t: Tensor, losses: Tensor) => {
    history.update(t, losses)
    return {}
  })
  const draw = compile((uniforms: Tensor) => ({ ...history.draw(uniforms), p: history.probabilities() }))
  const random = new Generator(3)
  for (let i = 0; i < 6; i++) {
    const times = [...random.uniform(batch)].map((u) => Math.floor(u ** 2 * steps))
    const losses = [...random.uniform(batch)].map((u, j) => u * (1 + (times[j] ?? 0)))
    reference.update(times, losses)
    await update(tensor(times, 'int64'), tensor(losses))
    const weights = reference.weights()
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    const uniforms = [0.01, 0.3, 0.62, 0.97]
    const [wanted, found] = [drawTimes(reference, uniforms), await draw(tensor(uniforms))]
    for (const [t, p] of [...(await found.p.numbers())].entries()) expect(p).toBeCloseTo((weights[t] ?? 0) / total, 5)
    expect([...(await found.t.numbers())]).toEqual(wanted.times)
    for (const [j, weight] of [...(await found.weights.numbers())].entries())
      expect(weight).toBeCloseTo(wanted.weights[j] ?? 0, 4)
  }
  await Promise.all([update.release(), draw.release()])
})

test('a training with importance sampling and micro-batches of 20 and 12; its history is part of checkpoints', async () => {
  const experiment = build(denoiser, {
    'train.schedule_sampler': 'loss-second-moment',
    'train.microbatch': 20,
    'diffusion.diffusion_steps': 6,
  })
  const { task } = experiment.prepare(data)
  const losses: number[] = []
  for await (const batch of task.loader) {
    losses.push((await task.step(batch)).loss.item())
    if (losses.length === 6) break
  }
  expect(losses[0]).toBeGreaterThan(1.5) // two means of about 1
  expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0)
  const counts = task.variables.get('state.counts')?.data ?? []
  expect([...counts].reduce<number>((sum, count) => sum + Number(count), 0)).toBe(6 * 32)
  expect(experiment.weights.has('state.counts')).toBe(false)
  await task.step.release()
})
