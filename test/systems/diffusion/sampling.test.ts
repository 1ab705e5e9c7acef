import { afterAll, describe, expect, test } from 'vitest'
import * as ops from '../../../src/ops/index.ts'
import { GaussianDiffusion } from '../../../src/systems/diffusion/gaussian-diffusion.ts'
import { PictureSampler, toBytes } from '../../../src/systems/diffusion/sample/sampler.ts'
import {
  drawTimes,
  LossSecondMomentResampler,
  UniformSampler,
} from '../../../src/systems/diffusion/training/time-samplers.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'

/** Data of one point: the right noise is known. */
const point = 0.5
const process = { noise_schedule: 'cosine', diffusion_steps: 40, model_var_type: 'FIXED_SMALL' } as const
const diffusion = new GaussianDiffusion(process)

function samplerOf(batchSize: number, options: { sampler?: 'ddim' | 'ancestral'; eta?: number; push?: number } = {}) {
  const { sampler = 'ddim', push = 0, ...rest } = options
  return new PictureSampler({
    diffusion,
    modules: [],
    // eps of x_0 = point, or label / 4 less, at every x: (x - sqrt(abar) x_0) / sqrt(1 - abar)
    network:
      ({ labels }) =>
      (x, t) => {
        const index = ops.cast(t, 'int64')
        const start = ops.reshape(ops.sub(point, ops.mul(ops.cast(labels, 'float32'), 0.25)), [-1, 1, 1, 1])
        return diffusion.epsFromXstart(x, index, ops.broadcastTo(start, x.shape))
      },
    ...(push !== 0 && { guide: () => (x) => ops.full(x.shape, push) }),
    shape: [1, 2, 3],
    sampler,
    batchSize,
    ...rest,
  })
}

const samplers: PictureSampler[] = []
const kept = (sampler: PictureSampler): PictureSampler => {
  samplers.push(sampler)
  return sampler
}
afterAll(() => Promise.all(samplers.map((sampler) => sampler.release())))

describe('sampling', () => {
  test.each(['ddim', 'ancestral'] as const)('%s finds the data that the right noise points to', async (sampler) => {
    const found = await kept(samplerOf(4, { sampler })).sample({ labels: [0, 1, 2], seed: 3 })
    expect(found.shape).toEqual([3, 1, 2, 3])
    for (const [i, value] of toNumbers(found.data).entries())
      expect(value).toBeCloseTo(point - Math.floor(i / 6) / 4, 3)
  })

  test('the noise of a picture follows from the seed and its number, whatever the batches', async () => {
    const options = { sampler: 'ancestral', push: 0.4 } as const
    const labels = [0, 0, 0, 0, 0]
    const [whole, parts] = await Promise.all([
      kept(samplerOf(5, options)).sample({ labels, seed: 7 }),
      kept(samplerOf(2, options)).sample({ labels, seed: 7 }),
    ])
    expect(parts).toEqual(whole)
  })

  test('a guide moves the pictures; progress counts steps of all batches', async () => {
    const steps: number[] = []
    const sampler = kept(samplerOf(2, { push: 2 }))
    const found = await sampler.sample({ labels: [0, 0, 0], seed: 1, onStep: (done, all) => steps.push(done / all) })
    expect(Math.min(...toNumbers(found.data))).toBeGreaterThan(point + 0.003)
    expect(steps).toHaveLength(80)
    expect(steps.at(-1)).toBe(1)
    const signal = AbortSignal.abort(new Error('stopped'))
    await expect(sampler.sample({ labels: [0], seed: 1, signal })).rejects.toThrow('stopped')
  })

  test('bytes', () => {
    const array = { dtype: 'float32', shape: [1, 2, 1, 2], data: Float32Array.of(-1, 0, 1, 1.5) } as const
    expect(toBytes(array)).toEqual({ dtype: 'uint8', shape: [1, 1, 2, 2], data: Uint8Array.of(0, 255, 127, 255) })
  })
})

describe('times', () => {
  test('are uniform until each has its history, then where losses are large', () => {
    const sampler = new LossSecondMomentResampler(2, { historyPerTerm: 2, uniformProb: 0.1 })
    sampler.update([0, 1, 1], [3, 1, 1])
    expect(sampler.weights()).toEqual([1, 1])
    sampler.update([0], [3])
    const [first = 0, second = 0] = sampler.weights()
    expect(first).toBeCloseTo(0.75 * 0.9 + 0.05, 10)
    expect(first + second).toBeCloseTo(1, 10)
    sampler.update([1], [7])
    expect(sampler.history).toEqual([
      [3, 3],
      [1, 7],
    ])
    expect(() => sampler.update([2], [1])).toThrow('LossSecondMomentResampler: there is no time 2')
    expect(() => new LossSecondMomentResampler(2, { historyPerTerm: 0 })).toThrow(
      'LossSecondMomentResampler: historyPerTerm must be a whole number of at least 1, found 0',
    )
    expect(() => new LossSecondMomentResampler(2, { uniformProb: 2 })).toThrow(
      'LossSecondMomentResampler: uniformProb must be in [0, 1], found 2',
    )
  })

  test('weights make up for how often a time is drawn', () => {
    const sampler = new LossSecondMomentResampler(4, { historyPerTerm: 1, uniformProb: 0 })
    sampler.update([0, 1, 2, 3], [1, 2, 3, 4])
    const uniforms = Array.from({ length: 1000 }, (_, i) => (i + 0.5) / 1000)
    const { times, weights } = drawTimes(sampler, uniforms)
    expect([0, 1, 2, 3].map((time) => times.filter((each) => each === time).length)).toEqual([100, 200, 300, 400])
    expect(weights.reduce((sum, weight) => sum + weight, 0) / 1000).toBeCloseTo(1, 10)
    expect(drawTimes(new UniformSampler(4), [0, 0.3, 0.99]).times).toEqual([0, 1, 3])
  })
})
