/**
 * Which times are trained on, and what each example weighs for it, so that the expectation stays (Nichol and Dhariwal 2021,
 * section 3.3): E_{t ~ p}[L_t / (T p_t)] is the same for every p.
 */
import { UsageError } from '../../../util/errors.ts'

/** Times drawn for a batch. */
export interface DrawnTimes {
  readonly times: readonly number[]
  /** 1 / (T p_t), for each. */
  readonly weights: readonly number[]
}

/** Draws times. */
export interface TimeSampler {
  /** How likely each time is; not normalised. */
  weights(): readonly number[]
  /** Takes in the losses of a batch, before they are weighted. */
  update(times: readonly number[], losses: readonly number[]): void
}

/** A time for each number in [0, 1): the first one whose cumulated probability is above it. */
export function drawTimes(sampler: TimeSampler, uniforms: readonly number[]): DrawnTimes {
  const weights = sampler.weights()
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const probabilities = weights.map((weight) => weight / total)
  let sum = 0
  const cumulated = probabilities.map((probability) => {
    sum += probability
    return sum
  })
  const times = uniforms.map((uniform) => {
    const time = cumulated.findIndex((value) => value / sum > uniform)
    return time < 0 ? weights.length - 1 : time
  })
  return { times, weights: times.map((time) => 1 / (weights.length * (probabilities[time] ?? 1))) }
}

/** Every time is as likely. */
export class UniformSampler implements TimeSampler {
  readonly #weights: readonly number[]

  constructor(steps: number) {
    this.#weights = new Array<number>(steps).fill(1)
  }

  weights(): readonly number[] {
    return this.#weights
  }

  /** Uniform whatever the losses. */
  update(): void {}
}

/** How a `LossSecondMomentResampler` remembers. */
export interface ResamplerOptions {
  /** Losses that are remembered of each time. Default: 10. */
  readonly historyPerTerm?: number
  /** The part of all draws that stays uniform. Default: 0.001. */
  readonly uniformProb?: number
}

/** Times in proportion to the root of the mean of the squares of their last losses; uniform until each has enough of them. */
export class LossSecondMomentResampler implements TimeSampler {
  readonly #historyPerTerm: number
  readonly #uniformProb: number
  /** The last losses of each time, the oldest first. */
  readonly #history: readonly number[][]

  constructor(steps: number, { historyPerTerm = 10, uniformProb = 0.001 }: ResamplerOptions = {}) {
    if (!Number.isInteger(historyPerTerm) || historyPerTerm < 1) {
      throw new UsageError(
        `LossSecondMomentResampler: historyPerTerm must be a whole number of at least 1, found ${historyPerTerm}`,
      )
    }
    if (!(uniformProb >= 0 && uniformProb <= 1))
      throw new UsageError(`LossSecondMomentResampler: uniformProb must be in [0, 1], found ${uniformProb}`)
    this.#historyPerTerm = historyPerTerm
    this.#uniformProb = uniformProb
    this.#history = Array.from({ length: steps }, () => [])
  }

  /** What is remembered of each time, the oldest first. */
  get history(): readonly (readonly number[])[] {
    return this.#history
  }

  weights(): number[] {
    const steps = this.#history.length
    if (this.#history.some((losses) => losses.length < this.#historyPerTerm)) return new Array<number>(steps).fill(1)
    const roots = this.#history.map((losses) =>
      Math.sqrt(losses.reduce((sum, loss) => sum + loss ** 2, 0) / losses.length),
    )
    const total = roots.reduce((sum, root) => sum + root, 0)
    return roots.map((root) => (root / total) * (1 - this.#uniformProb) + this.#uniformProb / steps)
  }

  update(times: readonly number[], losses: readonly number[]): void {
    for (const [i, time] of times.entries()) {
      const known = this.#history[time]
      if (!known) throw new UsageError(`LossSecondMomentResampler: there is no time ${time}`)
      if (known.length === this.#historyPerTerm) known.shift()
      known.push(losses[i] ?? 0)
    }
  }
}
