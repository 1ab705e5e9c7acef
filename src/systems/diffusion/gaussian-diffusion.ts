/**
 * The diffusion process and its reversal (Ho et al. 2020; Nichol and Dhariwal 2021; Dhariwal and Nichol 2021, section 4): what
 * OpenAI's `GaussianDiffusion` and `SpacedDiffusion` compute, inside of traced functions.
 *
 * Shapes: x, x_0, noise [B, C, ...]; t int64 [B], an index into the tables (after respacing); what only depends on t is [B, 1, ...].
 */
import { gradient } from '../../autodiff/gradient.ts'
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { ShapeError, UsageError } from '../../util/errors.ts'
import type { DiffusionConfig, LossType, ModelMeanType, ModelVarType } from './config.ts'
import {
  type DiffusionTables,
  diffusionTables,
  fixedLargeVariance,
  namedBetaSchedule,
  respacedBetas,
  spaceTimesteps,
} from './schedule.ts'

/** A network on noisy pictures and the times that it was trained with: [B, C, ...], [B] -> [B, C or 2 C, ...]. */
export type Network = (x: Tensor, timesteps: Tensor) => Tensor

/** d log p(y | x) / d x at a noisy picture, of its shape; times as a network has them. */
export type Guide = (x: Tensor, timesteps: Tensor) => Tensor

/** A normal distribution. */
export interface MeanVariance {
  readonly mean: Tensor
  readonly variance: Tensor
  readonly logVariance: Tensor
}

/** p(x_{t-1} | x_t), and the picture that it expects at the end. */
export interface Prediction extends MeanVariance {
  readonly predXstart: Tensor
}

/** What happens to a predicted picture. */
export interface PredictionOptions {
  /** Whether it is clamped to [-1, 1]. Default: true. */
  readonly clipDenoised?: boolean
  /** Applied before it is clamped. */
  readonly denoisedFn?: (x: Tensor) => Tensor
}

/** Options of one step back. */
export interface StepOptions extends PredictionOptions {
  /** Pushes the step toward a class. */
  readonly guide?: Guide | undefined
}

/** One step back. */
export interface Step {
  /** x_{t-1} */
  readonly sample: Tensor
  readonly predXstart: Tensor
}

/** A process: its tables, and what follows from them. */
export class GaussianDiffusion {
  readonly tables: DiffusionTables
  /** The original time of each kept one. */
  readonly timestepMap: readonly number[]
  readonly meanType: ModelMeanType
  readonly varType: ModelVarType
  readonly lossType: LossType
  readonly #timeScale: number
  readonly #lookups = new Map<string, Tensor>()

  constructor(config: DiffusionConfig) {
    const { noise_schedule, diffusion_steps, timestep_respacing = '', rescale_timesteps = false } = config
    const betas = namedBetaSchedule(noise_schedule, diffusion_steps)
    this.timestepMap = spaceTimesteps(diffusion_steps, timestep_respacing)
    const isWhole = this.timestepMap.length === diffusion_steps
    this.tables = diffusionTables(isWhole ? betas : respacedBetas(betas, this.timestepMap))
    this.meanType = config.model_mean_type ?? 'EPSILON'
    this.varType = config.model_var_type ?? 'FIXED_LARGE'
    this.lossType = config.loss_type ?? 'MSE'
    this.#timeScale = rescale_timesteps ? 1000 / diffusion_steps : 1
  }

  /** Steps, after respacing. */
  get steps(): number {
    return this.timestepMap.length
  }

  /** Whether the network gives a variance for each element, as a second half of its channels. */
  get learnsVariance(): boolean {
    return this.varType === 'LEARNED' || this.varType === 'LEARNED_RANGE'
  }

  /** t as the network has it: of the process before respacing, scaled to 1000 steps if so configured. [B] */
  modelTimesteps(t: Tensor): Tensor {
    return ops.mul(
      this.#at('timestep_map', t, 1, () => this.timestepMap),
      this.#timeScale,
    )
  }

  /** Entries at t of the table that `compute` makes, in double precision, the first time; for tensors of that rank: [B, 1, ...]. */
  #at(name: string, t: Tensor, rank: number, compute: (tables: DiffusionTables) => readonly number[]): Tensor {
    let lookup = this.#lookups.get(name)
    if (!lookup) {
      const table = compute(this.tables)
      lookup = constant(Float32Array.from(table), [table.length], 'float32')
      this.#lookups.set(name, lookup)
    }
    return ops.reshape(ops.indexSelect(lookup, t, 0), [-1, ...new Array<number>(rank - 1).fill(1)])
  }

  /** A table of `tables` at t, for elements like those of x. */
  at(name: keyof DiffusionTables, t: Tensor, { rank }: Tensor): Tensor {
    return this.#at(name, t, rank, (tables) => tables[name])
  }

  /** q(x_t | x_0) = N(sqrt(abar_t) x_0, 1 - abar_t). */
  qMeanVariance(xStart: Tensor, t: Tensor): MeanVariance {
    return {
      mean: ops.mul(this.at('sqrt_alphas_cumprod', t, xStart), xStart),
      variance: this.#at('one_minus_alphas_cumprod', t, xStart.rank, ({ alphas_cumprod }) =>
        alphas_cumprod.map((abar) => 1 - abar),
      ),
      logVariance: this.at('log_one_minus_alphas_cumprod', t, xStart),
    }
  }

  /** x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise. */
  qSample(xStart: Tensor, t: Tensor, noise: Tensor): Tensor {
    const [kept, added] = [
      this.at('sqrt_alphas_cumprod', t, xStart),
      this.at('sqrt_one_minus_alphas_cumprod', t, xStart),
    ]
    return ops.add(ops.mul(kept, xStart), ops.mul(added, noise))
  }

  /** q(x_{t-1} | x_t, x_0); the logarithm is the clipped one. */
  qPosterior(xStart: Tensor, x: Tensor, t: Tensor): MeanVariance {
    const [ofStart, ofX] = [this.at('posterior_mean_coef1', t, x), this.at('posterior_mean_coef2', t, x)]
    return {
      mean: ops.add(ops.mul(ofStart, xStart), ops.mul(ofX, x)),
      variance: this.at('posterior_variance', t, x),
      logVariance: this.at('posterior_log_variance_clipped', t, x),
    }
  }

  /** x_0 = sqrt(1 / abar) x_t - sqrt(1 / abar - 1) eps. */
  xstartFromEps(x: Tensor, t: Tensor, eps: Tensor): Tensor {
    const [ofX, ofEps] = [this.at('sqrt_recip_alphas_cumprod', t, x), this.at('sqrt_recipm1_alphas_cumprod', t, x)]
    return ops.sub(ops.mul(ofX, x), ops.mul(ofEps, eps))
  }

  /** x_0 = (x_{t-1} - c2 x_t) / c1, from the mean of the posterior. */
  xstartFromXprev(x: Tensor, t: Tensor, xPrevious: Tensor): Tensor {
    const ofPrevious = this.#at('1 / coef1', t, x.rank, (tables) => tables.posterior_mean_coef1.map((c1) => 1 / c1))
    const ofX = this.#at('coef2 / coef1', t, x.rank, ({ posterior_mean_coef1, posterior_mean_coef2 }) =>
      posterior_mean_coef2.map((c2, i) => c2 / (posterior_mean_coef1[i] ?? 1)),
    )
    return ops.sub(ops.mul(ofPrevious, xPrevious), ops.mul(ofX, x))
  }

  /** eps = (sqrt(1 / abar) x_t - x_0) / sqrt(1 / abar - 1). */
  epsFromXstart(x: Tensor, t: Tensor, xStart: Tensor): Tensor {
    const scaled = ops.mul(this.at('sqrt_recip_alphas_cumprod', t, x), x)
    return ops.div(ops.sub(scaled, xStart), this.at('sqrt_recipm1_alphas_cumprod', t, x))
  }

  /** p(x_{t-1} | x_t) as the network has it. */
  pMeanVariance(network: Network, x: Tensor, t: Tensor, options: PredictionOptions = {}): Prediction {
    const { output, variance } = this.#split(network(x, this.modelTimesteps(t)), x)
    const { clipDenoised = true, denoisedFn } = options
    const processed = (xStart: Tensor): Tensor => {
      const changed = denoisedFn ? denoisedFn(xStart) : xStart
      return clipDenoised ? ops.clamp(changed, -1, 1) : changed
    }
    const spread = this.#variance(variance, x, t)
    if (this.meanType === 'PREVIOUS_X') {
      return { ...spread, mean: output, predXstart: processed(this.xstartFromXprev(x, t, output)) }
    }
    const predXstart = processed(this.meanType === 'START_X' ? output : this.xstartFromEps(x, t, output))
    return { ...spread, mean: this.qPosterior(predXstart, x, t).mean, predXstart }
  }

  /** The halves of what a network gave; without a learned variance all of it. */
  #split(found: Tensor, x: Tensor): { readonly output: Tensor; readonly variance: Tensor | undefined } {
    const channels = sizeOf(x.shape, 1) * (this.learnsVariance ? 2 : 1)
    if (sizeOf(found.shape, 1) !== channels) {
      throw new ShapeError(
        `diffusion: with model_var_type ${this.varType} the network must give ${channels} channels for ${x}, found ${found}`,
      )
    }
    if (!this.learnsVariance) return { output: found, variance: undefined }
    const [output, variance] = ops.chunk(found, 2, 1)
    return { output, variance }
  }

  #variance(learned: Tensor | undefined, x: Tensor, t: Tensor): Omit<MeanVariance, 'mean'> {
    if (learned && this.varType === 'LEARNED') return { logVariance: learned, variance: ops.exp(learned) }
    if (learned) {
      // Between the posterior's and beta, on a logarithmic scale (Nichol and Dhariwal 2021, equation 15).
      const low = this.at('posterior_log_variance_clipped', t, x)
      const high = this.#at('log_betas', t, x.rank, ({ betas }) => betas.map(Math.log))
      const share = ops.div(ops.add(learned, 1), 2)
      const logVariance = ops.add(ops.mul(share, high), ops.mul(ops.sub(1, share), low))
      return { logVariance, variance: ops.exp(logVariance) }
    }
    if (this.varType === 'FIXED_LARGE') {
      return {
        variance: this.#at('fixed_large', t, x.rank, fixedLargeVariance),
        logVariance: this.#at('log_fixed_large', t, x.rank, (tables) => fixedLargeVariance(tables).map(Math.log)),
      }
    }
    // At t = 0 the two disagree, 0 and log of t = 1, as in the official code.
    return {
      variance: this.at('posterior_variance', t, x),
      logVariance: this.at('posterior_log_variance_clipped', t, x),
    }
  }

  /** The mean moved by variance times gradient (Dhariwal and Nichol 2021, algorithm 1), which the code takes at x_t. */
  conditionMean(guide: Guide, prediction: Prediction, x: Tensor, t: Tensor): Tensor {
    return ops.add(prediction.mean, ops.mul(prediction.variance, guide(x, this.modelTimesteps(t))))
  }

  /** The prediction for the score with that gradient added: eps - sqrt(1 - abar) g (algorithm 2). It is not clipped again. */
  conditionScore(guide: Guide, prediction: Prediction, x: Tensor, t: Tensor): Prediction {
    const added = ops.mul(this.at('sqrt_one_minus_alphas_cumprod', t, x), guide(x, this.modelTimesteps(t)))
    const eps = ops.sub(this.epsFromXstart(x, t, prediction.predXstart), added)
    const predXstart = this.xstartFromEps(x, t, eps)
    return { ...prediction, predXstart, mean: this.qPosterior(predXstart, x, t).mean }
  }

  /** One step back by a draw from p(x_{t-1} | x_t); `noise` is that of the draw. At t = 0 it is the mean. */
  pSample(network: Network, x: Tensor, t: Tensor, noise: Tensor, { guide, ...options }: StepOptions = {}): Step {
    const prediction = this.pMeanVariance(network, x, t, options)
    const mean = guide ? this.conditionMean(guide, prediction, x, t) : prediction.mean
    const deviation = ops.exp(ops.mul(prediction.logVariance, 0.5))
    return {
      sample: ops.add(mean, ops.mul(ops.mul(notFirst(t, x), deviation), noise)),
      predXstart: prediction.predXstart,
    }
  }

  /**
   * One step of DDIM (Song et al. 2020): eta = 0 draws nothing (`noise` may be left out), eta = 1 as much as the posterior has.
   * At t = 0 it is the predicted picture.
   */
  ddimSample(
    network: Network,
    x: Tensor,
    t: Tensor,
    { guide, eta = 0, noise, ...options }: StepOptions & { readonly eta?: number; readonly noise?: Tensor } = {},
  ): Step {
    if (eta !== 0 && !noise) throw new UsageError(`ddimSample: with eta = ${eta} there must be noise`)
    const predicted = this.pMeanVariance(network, x, t, options)
    const { predXstart } = guide ? this.conditionScore(guide, predicted, x, t) : predicted
    const eps = this.epsFromXstart(x, t, predXstart)
    const [now, before] = [this.at('alphas_cumprod', t, x), this.at('alphas_cumprod_prev', t, x)]
    const posterior = ops.div(ops.sub(1, before), ops.sub(1, now))
    const sigma = ops.mul(ops.sqrt(ops.mul(posterior, ops.sub(1, ops.div(now, before)))), eta)
    const direction = ops.sqrt(ops.sub(ops.sub(1, before), ops.square(sigma)))
    const mean = ops.add(ops.mul(predXstart, ops.sqrt(before)), ops.mul(direction, eps))
    const drawn = noise && ops.mul(ops.mul(notFirst(t, x), sigma), noise)
    return { sample: drawn ? ops.add(mean, drawn) : mean, predXstart }
  }

  /** One step of DDIM forward, x_{t+1}: what turns a picture into the noise that DDIM would make it from. */
  ddimReverseSample(network: Network, x: Tensor, t: Tensor, options: PredictionOptions = {}): Step {
    const { predXstart } = this.pMeanVariance(network, x, t, options)
    const eps = this.epsFromXstart(x, t, predXstart)
    const next = this.at('alphas_cumprod_next', t, x)
    const sample = ops.add(ops.mul(predXstart, ops.sqrt(next)), ops.mul(ops.sqrt(ops.sub(1, next)), eps))
    return { sample, predXstart }
  }
}

/** 1 where t > 0, else 0: the last step adds no noise. */
function notFirst(t: Tensor, { rank }: Tensor): Tensor {
  return ops.reshape(ops.cast(ops.greater(t, 0), 'float32'), [-1, ...new Array<number>(rank - 1).fill(1)])
}

/** Toward labels y [B]: scale times the gradient of the classifier's log-probability of them. */
export function classifierGuide(classifier: Network, y: Tensor, scale: number): Guide {
  return (x, timesteps) => {
    const logProbabilities = ops.logSoftmax(classifier(x, timesteps), -1) // [B, K]
    const selected = ops.gather(logProbabilities, ops.reshape(y, [-1, 1]), 1)
    const [found] = gradient(ops.sum(selected), [x])
    return ops.mul(found, scale)
  }
}
