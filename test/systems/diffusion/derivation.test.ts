/** The lines of derivation.md, by their numbers, with numbers. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { gradient } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import * as ops from '../../../src/ops/index.ts'
import { classifierGuide, GaussianDiffusion } from '../../../src/systems/diffusion/gaussian-diffusion.ts'
import { diffusion } from '../../../src/systems/diffusion/index.ts'
import { discretizedGaussianLogLikelihood, normalKl } from '../../../src/systems/diffusion/likelihood.ts'
import { priorBpd, trainingLosses } from '../../../src/systems/diffusion/losses.ts'
import { diffusionTables, fixedLargeVariance, namedBetaSchedule } from '../../../src/systems/diffusion/schedule.ts'
import { drawTimes, LossSecondMomentResampler } from '../../../src/systems/diffusion/training/time-samplers.ts'
import { type Tensor, tensor } from '../../../src/tensor/tensor.ts'
import { Generator } from '../../../src/util/random.ts'
import { describePage } from '../../support/code-walk.ts'

const page = 'src/systems/diffusion/derivation.md'
describePage(
  page,
  ['gaussian-diffusion.ts', 'schedule.ts', 'losses.ts', 'training/time-samplers.ts'].map(
    (file) => `src/systems/diffusion/${file}`,
  ),
  diffusion,
)

const steps = 50
const tables = diffusionTables(namedBetaSchedule('cosine', steps))
const entry = (list: readonly number[], t: number): number => list[t] ?? Number.NaN
/** Everything at index t, which is step t + 1. */
function at(t: number, source = tables) {
  const beta = entry(source.betas, t)
  const abar = entry(source.alphas_cumprod, t)
  return {
    beta,
    alpha: 1 - beta,
    abar,
    before: entry(source.alphas_cumprod_prev, t),
    posterior: entry(source.posterior_variance, t),
    c1: entry(source.posterior_mean_coef1, t),
    c2: entry(source.posterior_mean_coef2, t),
  }
}
const times = [1, 2, 10, 25, 48]
/** log N(x; mean, variance) */
const logNormal = (x: number, mean: number, variance: number): number =>
  -0.5 * (Math.log(2 * Math.PI * variance) + (x - mean) ** 2 / variance)
const random = [...new Generator(5).normal(400)].map(Number)
const drawn = (i: number): number => entry(random, i)
/** Integral over the line, of something that vanishes far out. */
const integral = (f: (x: number) => number, low = -12, high = 12, parts = 24_000): number => {
  const width = (high - low) / parts
  let sum = 0
  for (let i = 0; i < parts; i++) sum += f(low + (i + 0.5) * width) * width
  return sum
}
const int64 = (...values: number[]): Tensor => tensor(values, 'int64')
const process = new GaussianDiffusion({
  noise_schedule: 'cosine',
  diffusion_steps: steps,
  model_var_type: 'FIXED_SMALL',
})
const scalar = async (x: Tensor): Promise<number> => (await x.numbers())[0] ?? Number.NaN

const lines: Readonly<Record<number, () => void | Promise<void>>> = {
  1: () => {
    for (const t of times) {
      const { alpha, beta } = at(t)
      expect(alpha * 1 + beta).toBeCloseTo(1, 12) // variance 1 stays 1
    }
  },
  2: async () => {
    for (const t of times) {
      const { alpha, beta, before, abar } = at(t)
      expect(alpha * (1 - before) + beta).toBeCloseTo(1 - abar, 12)
      const [x, e] = [drawn(t), drawn(t + 1)]
      const found = await scalar(process.qSample(tensor([[x]]), int64(t), tensor([[e]])))
      expect(found).toBeCloseTo(Math.sqrt(abar) * x + Math.sqrt(1 - abar) * e, 5)
    }
  },
  3: () => {
    for (const t of times) {
      const { alpha, beta, before, posterior } = at(t)
      expect(posterior * (alpha / beta + 1 / (1 - before))).toBeCloseTo(1, 10)
    }
  },
  4: () => {
    for (const [i, t] of times.entries()) {
      const { alpha, beta, before, abar, posterior, c1, c2 } = at(t)
      const [x0, now, earlier] = [drawn(i), drawn(i + 20), drawn(i + 40)]
      const byBayes =
        logNormal(now, Math.sqrt(alpha) * earlier, beta) +
        logNormal(earlier, Math.sqrt(before) * x0, 1 - before) -
        logNormal(now, Math.sqrt(abar) * x0, 1 - abar)
      expect(logNormal(earlier, c1 * x0 + c2 * now, posterior) / byBayes).toBeCloseTo(1, 9)
    }
  },
  5: () => {
    // Three steps back of x_{t-1} = a x_t + noise: p(x_0) is normal, and the bound is one of expectations of squares.
    const three = diffusionTables(namedBetaSchedule('cosine', 3))
    for (let trial = 0; trial < 20; trial++) {
      const model = [0, 1, 2].map((t) => ({
        a: 0.5 + 0.3 * drawn(3 * trial + t),
        s: 0.2 + drawn(60 + 3 * trial + t) ** 2,
      }))
      const x0 = drawn(200 + trial)
      let variance = 1
      for (const { a, s } of model.toReversed()) variance = a * a * variance + s
      // E_q: x_t has mean sqrt(abar) x_0 and variance 1 - abar; x_{t-1} - a x_t is normal with what follows from line 1.
      let bound = 0
      for (const [t, { a, s }] of model.entries()) {
        const { alpha, beta, before } = at(t, three)
        const mean = Math.sqrt(before) * x0 * (1 - a * Math.sqrt(alpha))
        const spread = (1 - before) * (1 - a * Math.sqrt(alpha)) ** 2 + a * a * beta
        bound += 0.5 * (Math.log(2 * Math.PI * s) + (mean ** 2 + spread) / s)
        bound -= 0.5 * (Math.log(2 * Math.PI * beta) + 1)
      }
      const { abar } = at(2, three)
      bound += 0.5 * (Math.log(2 * Math.PI) + abar * x0 ** 2 + 1 - abar)
      expect(-logNormal(x0, 0, variance)).toBeLessThanOrEqual(bound + 1e-12)
    }
  },
  6: () => {
    const last = steps - 1
    for (let trial = 0; trial < 3; trial++) {
      const x = Array.from({ length: steps + 1 }, (_, t) => drawn(t + 60 * trial)) // x_0 to x_T, any way
      const back = (t: number): number => logNormal(entry(x, t), 0.9 * entry(x, t + 1), 0.3 + 0.01 * t)
      let [direct, telescoped] = [-logNormal(entry(x, steps), 0, 1), -logNormal(entry(x, steps), 0, 1) - back(0)]
      for (let t = 0; t < steps; t++) {
        const { alpha, beta, posterior, c1, c2 } = at(t)
        direct += logNormal(entry(x, t + 1), Math.sqrt(alpha) * entry(x, t), beta) - back(t)
        if (t > 0) telescoped += logNormal(entry(x, t), c1 * entry(x, 0) + c2 * entry(x, t + 1), posterior) - back(t)
      }
      const { abar } = at(last)
      telescoped += logNormal(entry(x, steps), Math.sqrt(abar) * entry(x, 0), 1 - abar)
      expect(telescoped / direct).toBeCloseTo(1, 9)
    }
  },
  7: async () => {
    for (const [schedule, bits] of [
      ['linear', 2.9113e-5],
      ['cosine', 1.75e-9],
    ] as const) {
      const whole = new GaussianDiffusion({ noise_schedule: schedule, diffusion_steps: 1000 })
      const last = entry(whole.tables.alphas_cumprod, 999)
      const byLine = 0.5 * (-Math.log1p(-last) - last + last) // x_0^2 = 1
      expect(byLine / Math.LN2 / bits).toBeCloseTo(1, 2)
      expect((await scalar(priorBpd(whole, tensor([[1]])))) / bits).toBeCloseTo(1, 2)
      const [mean, variance] = [Math.sqrt(last), 1 - last]
      const kl = integral((x) => {
        const log = logNormal(x, mean, variance)
        return Math.exp(log) * (log - logNormal(x, 0, 1))
      })
      expect(Math.abs(kl - byLine)).toBeLessThan(1e-9)
    }
  },
  8: async () => {
    for (const [i, t] of times.entries()) {
      const { posterior, beta } = at(t)
      const [wanted, found] = [drawn(i), drawn(i + 9)]
      const line = 0.5 * (Math.log(beta / posterior) + (posterior + (wanted - found) ** 2) / beta - 1)
      const inBits = await scalar(
        normalKl(tensor([wanted]), tensor([Math.log(posterior)]), tensor([found]), tensor([Math.log(beta)])),
      )
      expect(inBits / line).toBeCloseTo(1, 4)
      const width = 10 * Math.sqrt(posterior)
      const kl = integral(
        (x) =>
          Math.exp(logNormal(x, wanted, posterior)) * (logNormal(x, wanted, posterior) - logNormal(x, found, beta)),
        wanted - width,
        wanted + width,
      )
      expect(kl / line).toBeCloseTo(1, 7)
    }
  },
  9: async () => {
    const levels = Array.from({ length: 256 }, (_, k) => k / 127.5 - 1)
    for (const [mean, logScale] of [
      [0.1, -1],
      [-0.98, -3],
      [0.6, -4.5],
    ] as const) {
      const log = discretizedGaussianLogLikelihood(
        tensor(levels),
        tensor(levels.map(() => mean)),
        tensor(levels.map(() => logScale)),
      )
      const sum = [...(await log.numbers())].reduce((total, value) => total + Math.exp(value), 0)
      expect(sum).toBeCloseTo(1, 4)
    }
  },
  10: async () => {
    for (const [i, t] of times.entries()) {
      const { alpha, beta, abar, c1, c2 } = at(t)
      const [x, e] = [drawn(i), drawn(i + 30)]
      const x0 = (x - Math.sqrt(1 - abar) * e) / Math.sqrt(abar)
      expect((x - (beta / Math.sqrt(1 - abar)) * e) / Math.sqrt(alpha)).toBeCloseTo(c1 * x0 + c2 * x, 10)
      expect(await scalar(process.xstartFromEps(tensor([[x]]), int64(t), tensor([[e]])))).toBeCloseTo(x0, 3)
    }
  },
  11: () => {
    const linear = diffusionTables(namedBetaSchedule('linear', 1000))
    for (const [t, withPosterior, withBeta] of [
      [1, 0.59967, 0.27269],
      [10, 0.07898, 0.06822],
      [500, 0.00551, 0.00551],
      [999, 0.0102, 0.0102],
    ] as const) {
      const { alpha, beta, abar, posterior, c1, c2 } = at(t, linear)
      const weight = (variance: number): number => beta ** 2 / (2 * variance * alpha * (1 - abar))
      expect(weight(posterior)).toBeCloseTo(withPosterior, 5)
      expect(weight(beta)).toBeCloseTo(withBeta, 5)
      // Line 8 with both means made of noise: what differs between two guesses is w_t times what their errors differ by.
      const [x, e] = [drawn(t % 50), drawn((t % 50) + 1)]
      const mean = (noise: number): number => c1 * ((x - Math.sqrt(1 - abar) * noise) / Math.sqrt(abar)) + c2 * x
      const term = (guess: number): number => (mean(e) - mean(guess)) ** 2 / (2 * beta)
      expect((term(e + 0.7) - term(e - 0.2)) / (weight(beta) * (0.49 - 0.04))).toBeCloseTo(1, 6)
    }
  },
  12: async () => {
    const guess = (x: Tensor): Tensor => ops.mul(x, 0.5)
    const [x0, e] = [tensor([[0.3, -0.8]]), tensor([[1.1, -0.4]])]
    const { loss } = trainingLosses(process, guess, x0, int64(20), e)
    const { abar } = at(20)
    const errors = [0, 1].map((i) => {
      const [x, noise] = [[0.3, -0.8][i] ?? 0, [1.1, -0.4][i] ?? 0]
      return (noise - 0.5 * (Math.sqrt(abar) * x + Math.sqrt(1 - abar) * noise)) ** 2
    })
    expect(await scalar(loss)).toBeCloseTo(((errors[0] ?? 0) + (errors[1] ?? 0)) / 2, 5)
  },
  13: () => {
    for (const t of times) {
      const { posterior, beta, c1, abar } = at(t)
      for (const v0 of [0.05, 0.25, 1]) {
        const unknown = (v0 * (1 - abar)) / (abar * v0 + 1 - abar)
        const best = posterior + c1 ** 2 * unknown
        // E[line 8] with the right mean is least there.
        const expected = (variance: number): number =>
          0.5 * (Math.log(variance / posterior) + (posterior + c1 ** 2 * unknown) / variance - 1)
        expect(expected(best)).toBeLessThan(Math.min(expected(0.99 * best), expected(1.01 * best)))
        if (v0 === 1) expect(best / beta).toBeCloseTo(1, 10)
        expect(best).toBeGreaterThan(posterior)
        expect(best).toBeLessThanOrEqual(beta * (1 + 1e-12))
      }
    }
  },
  14: async () => {
    const learned = new GaussianDiffusion({
      noise_schedule: 'cosine',
      diffusion_steps: steps,
      model_var_type: 'LEARNED_RANGE',
    })
    for (const [said, share] of [
      [-1, 0],
      [0, 0.5],
      [1, 1],
    ] as const) {
      const { posterior, beta } = at(20)
      const { variance } = learned.pMeanVariance(() => tensor([[0, said]]), tensor([[0.2]]), int64(20))
      expect((await scalar(variance)) / (beta ** share * posterior ** (1 - share))).toBeCloseTo(1, 4)
    }
  },
  15: async () => {
    const learned = new GaussianDiffusion({
      noise_schedule: 'cosine',
      diffusion_steps: steps,
      model_var_type: 'LEARNED_RANGE',
    })
    const run = compile((output: Tensor) => {
      const losses = trainingLosses(learned, () => output, tensor([[[0.3]]]), int64(9), tensor([[[0.7]]]))
      const [all] = gradient(ops.sum(losses.loss), [output])
      const [simple] = gradient(ops.sum(losses.mse ?? losses.loss), [output])
      return { all, simple }
    })
    const found = await run(tensor([[[0.1], [0.2]]]))
    const [all, simple] = [[...(await found.all.numbers())], [...(await found.simple.numbers())]]
    await run.release()
    expect(all[0]).toBeCloseTo(simple[0] ?? Number.NaN, 6)
    expect(simple[1]).toBe(0)
    expect(Math.abs(all[1] ?? 0)).toBeGreaterThan(1e-6)
  },
  16: () => {
    const terms = [5, 1, 0.5, 0.1]
    const sampler = new LossSecondMomentResampler(4, { historyPerTerm: 1, uniformProb: 0 })
    sampler.update([0, 1, 2, 3], terms)
    const uniforms = Array.from({ length: 6600 }, (_, i) => (i + 0.5) / 6600)
    const { times: chosen, weights } = drawTimes(sampler, uniforms)
    const mean = chosen.reduce((sum, t, i) => sum + entry(terms, t) * entry(weights, i), 0) / chosen.length
    expect(4 * mean).toBeCloseTo(
      terms.reduce((sum, term) => sum + term, 0),
      8,
    )
  },
  17: () => {
    const squares = [4, 1, 0.25, 0.01]
    const variance = (p: readonly number[]): number => squares.reduce((sum, square, t) => sum + square / entry(p, t), 0)
    const roots = squares.map(Math.sqrt)
    const total = roots.reduce((sum, root) => sum + root, 0)
    const best = roots.map((root) => root / total)
    const sampler = new LossSecondMomentResampler(4, { historyPerTerm: 1, uniformProb: 0 })
    sampler.update([0, 1, 2, 3], roots)
    for (const [t, weight] of sampler.weights().entries()) expect(weight).toBeCloseTo(entry(best, t), 12)
    for (let trial = 0; trial < 20; trial++) {
      const moved = best.map((p, t) => p * Math.exp(0.3 * drawn(4 * trial + t)))
      const sum = moved.reduce((all, p) => all + p, 0)
      expect(variance(moved.map((p) => p / sum))).toBeGreaterThan(variance(best))
    }
  },
  18: async () => {
    const [mean, variance, slope] = [0.3, 0.2, 1.7]
    const difference = (x: number): number =>
      logNormal(x, mean, variance) + (x - mean) * slope - logNormal(x, mean + variance * slope, variance)
    expect(difference(2)).toBeCloseTo(difference(-1), 10)
    const guide = (x: Tensor): Tensor => ops.full(x.shape, slope)
    const network = (x: Tensor): Tensor => ops.mul(x, 0.1)
    const x = tensor([[0.4]])
    const plain = process.pMeanVariance(network, x, int64(20))
    const moved = await scalar(process.conditionMean(guide, plain, x, int64(20)))
    expect(moved - (await scalar(plain.mean))).toBeCloseTo(slope * (await scalar(plain.variance)), 6)
  },
  19: async () => {
    const classifier = (x: Tensor): Tensor => ops.concat([x, ops.mul(ops.square(x), 0.5)], 1) // two logits
    const slopeOf = async (scale: number): Promise<number> => {
      const run = compile((x: Tensor) => classifierGuide(classifier, int64(0), scale)(x, int64(0)))
      const found = await scalar(await run(tensor([[0.4]])))
      await run.release()
      return found
    }
    const log = (x: number): number => x - Math.log(Math.exp(x) + Math.exp(0.5 * x * x))
    const sharpened = (x: number): number => 3 * log(x) // and a constant
    const numeric = (sharpened(0.4 + 1e-5) - sharpened(0.4 - 1e-5)) / 2e-5
    expect(await slopeOf(3)).toBeCloseTo(numeric, 4)
    expect(await slopeOf(3)).toBeCloseTo(3 * (await slopeOf(1)), 5)
  },
  20: () => {
    for (const [i, t] of times.entries()) {
      const { abar } = at(t)
      const [x0, e] = [drawn(i), drawn(i + 5)]
      const x = Math.sqrt(abar) * x0 + Math.sqrt(1 - abar) * e
      const log = (place: number): number => logNormal(place, Math.sqrt(abar) * x0, 1 - abar)
      const step = 1e-4 * Math.sqrt(1 - abar)
      expect((log(x + step) - log(x - step)) / (2 * step)).toBeCloseTo(-e / Math.sqrt(1 - abar), 4)
    }
  },
  21: async () => {
    const [slope, eps] = [0.6, 0.25]
    const x = tensor([[0.4]])
    const { abar } = at(20)
    const prediction = process.pMeanVariance(() => tensor([[eps]]), x, int64(20), { clipDenoised: false })
    const guided = process.conditionScore((each) => ops.full(each.shape, slope), prediction, x, int64(20))
    const found = await scalar(process.epsFromXstart(x, int64(20), guided.predXstart))
    expect(found).toBeCloseTo(eps - Math.sqrt(1 - abar) * slope, 5)
  },
  22: () => {
    const v0 = 0.25
    const rows = [...readFileSync(page, 'utf8').matchAll(/\| (cosine|linear), \$T = (\d+)\$ \|([^\n]*)\|/g)]
    expect(rows).toHaveLength(3)
    for (const [, name, count, cells = ''] of rows) {
      const source = diffusionTables(namedBetaSchedule(name === 'linear' ? 'linear' : 'cosine', Number(count)))
      const length = Number(count)
      const reverse = (t: number): number => {
        const { abar, posterior, c1 } = at(t, source)
        return posterior + c1 ** 2 * ((v0 * (1 - abar)) / (abar * v0 + 1 - abar))
      }
      const parts = (variance: (t: number) => number): [number, number, number] => {
        const { abar } = at(length - 1, source)
        let middle = 0
        for (let t = 1; t < length; t++)
          middle += 0.5 * (Math.log(variance(t) / at(t, source).posterior) + reverse(t) / variance(t) - 1)
        const prior = 0.5 * (-Math.log(1 - abar) - abar + abar * v0)
        return [prior, middle, 0.5 * (Math.log(2 * Math.PI * variance(0)) + reverse(0) / variance(0))]
      }
      const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
      const written = cells.split('|').map(Number)
      const exact = parts(reverse)
      for (const [i, value] of [...exact, sum(exact)].entries()) expect(value).toBeCloseTo(entry(written, i), 8)
      const { abar } = at(length - 1, source)
      const spread = abar * v0 + 1 - abar
      const truth = 0.5 * Math.log(2 * Math.PI * Math.E * v0) + 0.5 * (spread - 1 - Math.log(spread))
      expect(sum(exact)).toBeCloseTo(truth, 8)
      const large = fixedLargeVariance(source)
      expect(sum(parts((t) => entry(large, t)))).toBeCloseTo(entry(written, 4), 6)
      expect(sum(parts((t) => at(Math.max(1, t), source).posterior))).toBeCloseTo(entry(written, 5), 6)
    }
  },
}

describe('derivation.md', () => {
  const numbers = [...readFileSync(page, 'utf8').matchAll(/\\tag\{(\d+)\}/g)].map((match) => Number(match[1]))

  test('every line has a check, and every check a line', () => {
    expect(numbers).toEqual(Object.keys(lines).map(Number))
  })

  test.each(numbers)('line %s', async (number) => {
    await lines[number]?.()
  })
})
