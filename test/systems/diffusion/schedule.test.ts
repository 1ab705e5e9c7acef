import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GaussianDiffusion } from '../../../src/systems/diffusion/gaussian-diffusion.ts'
import {
  diffusionTables,
  fixedLargeVariance,
  namedBetaSchedule,
  respacedBetas,
  spaceTimesteps,
} from '../../../src/systems/diffusion/schedule.ts'

const tablesOf = (name: 'linear' | 'cosine', steps: number) => diffusionTables(namedBetaSchedule(name, steps))

describe('the published schedules', () => {
  test.each([
    ['linear', [0.9999, 0.521423, 0.077797, 0.0033, 4.0358e-5]],
    ['cosine', [1 - 4.128422e-5, 0.845888, 0.492285, 0.143179, 2.4288e-9]],
  ] as const)('%s', (name, wanted) => {
    const { alphas_cumprod } = tablesOf(name, 1000)
    for (const [i, time] of [0, 250, 500, 750, 999].entries())
      expect(Math.abs((alphas_cumprod[time] ?? 0) / (wanted[i] ?? 1) - 1)).toBeLessThan(2e-4)
  })

  test('variances differ only near t = 0', () => {
    const { posterior_variance, betas } = tablesOf('linear', 1000)
    for (const [time, share] of [
      [1, 0.4547],
      [10, 0.8639],
      [500, 0.9991],
    ] as const)
      expect((posterior_variance[time] ?? 0) / (betas[time] ?? 1)).toBeCloseTo(share, 4)
  })

  test('too few steps', () => {
    expect(() => tablesOf('linear', 10)).toThrow(
      'diffusion: every beta must be above 0 and at most 1, found 1.1155555555555556',
    )
    expect(() => tablesOf('cosine', 1)).toThrow('diffusion: there must be at least 2 steps, found 1')
    expect(() => namedBetaSchedule('cosine', 0)).toThrow(
      'diffusion: the number of steps must be a whole number of at least 1, found 0',
    )
  })
})

describe('the bound of a normal distribution, without a network', () => {
  const v0 = 0.25

  /** E[L_T] + sum E[L_{t-1}] + E[L_0], nats, with the right mean and the variance that `variance` gives. */
  function bound(name: 'linear' | 'cosine', steps: number, variance?: (t: number) => number) {
    const tables = tablesOf(name, steps)
    const at = (list: readonly number[], t: number): number => list[t] ?? Number.NaN
    const abar = tables.alphas_cumprod
    const last = at(abar, steps - 1)
    const prior = 0.5 * (-Math.log(1 - last) - last + last * v0)
    const right = (t: number): number => {
      const spread = at(abar, t) * v0 + 1 - at(abar, t)
      return (
        at(tables.posterior_variance, t) + (at(tables.posterior_mean_coef1, t) ** 2 * (v0 * (1 - at(abar, t)))) / spread
      )
    }
    const used = variance ?? right
    let total = prior + 0.5 * (Math.log(2 * Math.PI * used(0)) + right(0) / used(0))
    for (let t = 1; t < steps; t++)
      total += 0.5 * (Math.log(used(t) / at(tables.posterior_variance, t)) + right(t) / used(t) - 1)
    return { total, last, tables }
  }

  test.each([
    ['cosine', 10],
    ['cosine', 50],
    ['linear', 1000],
  ] as const)('is tight with the right variance: %s, %s steps', (name, steps) => {
    const { total, last } = bound(name, steps)
    const end = last * v0 + 1 - last
    const entropy = 0.5 * Math.log(2 * Math.PI * Math.E * v0) + 0.5 * (end - 1 - Math.log(end))
    expect(total).toBeCloseTo(entropy, 8)
    expect(total).toBeCloseTo(0.72579135, 8)
  })

  test.each([
    ['cosine', 10, 0.79336, 1.305027],
    ['cosine', 50, 0.77933, 1.601648],
    ['linear', 1000, 0.840461, 1.295717],
  ] as const)('is looser with a fixed one: %s, %s steps', (name, steps, large, small) => {
    const { tables } = bound(name, steps)
    const [largest, posterior] = [fixedLargeVariance(tables), tables.posterior_variance]
    expect(bound(name, steps, (t) => largest[t] ?? 0).total).toBeCloseTo(large, 6)
    expect(bound(name, steps, (t) => posterior[Math.max(1, t)] ?? 0).total).toBeCloseTo(small, 6)
  })
})

describe('respacing', () => {
  test('halves round to even', () => {
    expect(spaceTimesteps(6, '3')).toEqual([0, 2, 5])
    expect(spaceTimesteps(1000, 'ddim25').slice(-2)).toEqual([920, 960])
    expect(spaceTimesteps(1000, '25').slice(-1)).toEqual([999])
    expect(spaceTimesteps(4, '')).toEqual([0, 1, 2, 3])
    expect(spaceTimesteps(4, [])).toEqual([0, 1, 2, 3])
  })

  test('keeps abar at the kept steps', () => {
    fc.assert(
      fc.property(fc.integer({ min: 30, max: 300 }), fc.integer({ min: 2, max: 30 }), (steps, kept) => {
        const betas = namedBetaSchedule('cosine', steps)
        const times = spaceTimesteps(steps, [kept])
        const [all, some] = [diffusionTables(betas), diffusionTables(respacedBetas(betas, times))]
        for (const [i, time] of times.entries())
          expect(some.alphas_cumprod[i]).toBeCloseTo(all.alphas_cumprod[time] ?? 0, 12)
      }),
      { seed: 1, numRuns: 30 },
    )
  })

  test('what cannot be', () => {
    expect(() => spaceTimesteps(10, '11')).toThrow('diffusion: a section of 10 steps cannot keep 11')
    expect(() => spaceTimesteps(10, 'ddim6')).toThrow('diffusion: no whole stride takes exactly 6 of 10 steps')
    expect(() => spaceTimesteps(10, 'often')).toThrow(
      'diffusion: timestep_respacing must be like "25", "10,15,20" or "ddim25", found "often"',
    )
    const respaced = { noise_schedule: 'cosine', diffusion_steps: 10, timestep_respacing: '1' } as const
    expect(() => new GaussianDiffusion(respaced)).toThrow('diffusion: there must be at least 2 steps, found 1')
  })
})
