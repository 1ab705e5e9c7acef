import * as ops from '../ops/index.ts'
import {
  decayComplaint,
  Optimizer,
  type OptimizerSettings,
  type ParameterList,
  type UpdateRule,
  withWeightDecay,
} from './optimizer.ts'
import { type Scheduled, scheduledValue } from './schedule.ts'

export interface AdamSettings extends OptimizerSettings {
  /** Decay rates of the moving averages of the gradient and of its square. */
  readonly betas: readonly [number, number]
  /** Added to the root of the bias-corrected second moment. */
  readonly eps: number
  /** Adam: this times the weight is added to the gradient. AdamW: the weight shrinks by lr times this. */
  readonly weightDecay: Scheduled
  /** Whether to divide by the largest second moment so far (Reddi et al. 2018). */
  readonly amsgrad: boolean
}

export type AdamOptions = Partial<AdamSettings> & Pick<OptimizerSettings, 'lr'>

/**
 * m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps).
 * An update is limited by memory bandwidth, so every pass counts: exp_avg and exp_avg_sq are stored without their factors 1 - b1 and
 * 1 - b2, which the host puts into step size and epsilon. With c = sqrt((1 - b2) / (1 - b2^t)),
 * w -= [lr (1 - b1) / (1 - b1^t) / c] M / (sqrt(V) + eps / c). See docs/decisions/002-adam-layout.md.
 */
function adamRule(decoupled: boolean): UpdateRule<AdamSettings> {
  return {
    complaint: ({ betas }) => decayComplaint('betas', betas),
    slots: ({ amsgrad }) => ({ exp_avg: 0, exp_avg_sq: 0, ...(amsgrad && { max_exp_avg_sq: 0 }) }),
    prepare: ({ betas: [beta1, beta2], eps, weightDecay, amsgrad }, host) => {
      const scale = (step: number): number => Math.sqrt((1 - beta2) / (1 - beta2 ** (step + 1)))
      const stepSize = host(({ step, lr }) => (lr * (1 - beta1)) / (1 - beta1 ** (step + 1)) / scale(step))
      const epsilon = host(({ step }) => eps / scale(step))
      const decayed = withWeightDecay(decoupled ? 0 : weightDecay, host)
      const kept =
        decoupled && weightDecay !== 0 ? host(({ step, lr }) => 1 - lr * scheduledValue(weightDecay, step)) : undefined
      return ({ weight, gradient, state }) => {
        const g = decayed(gradient, weight)
        const [average, square] = [state('exp_avg'), state('exp_avg_sq')]
        average.assign(beta1 === 0 ? g : ops.add(ops.mul(average, beta1), g))
        square.assign(ops.add(ops.mul(square, beta2), ops.mul(g, g)))
        let second = square.value
        if (amsgrad) {
          const largest = state('max_exp_avg_sq')
          largest.assign(ops.maximum(largest, second))
          second = largest.value
        }
        const step = ops.mul(ops.div(average, ops.add(ops.sqrt(second), epsilon)), stepSize)
        return ops.sub(kept ? ops.mul(weight, kept) : weight, step)
      }
    },
  }
}

const defaults = { betas: [0.9, 0.999], eps: 1e-8, amsgrad: false, maximize: false } as const

/** Adam (Kingma and Ba 2015). Defaults: betas 0.9 and 0.999, eps 1e-8, no weight decay. Weight decay acts as an L2 penalty. */
export class Adam extends Optimizer<AdamSettings> {
  constructor(parameters: ParameterList<AdamSettings>, options: AdamOptions) {
    super(adamRule(false), parameters, { ...defaults, weightDecay: 0 }, options)
  }
}

/** Adam with decoupled weight decay (Loshchilov and Hutter 2019). Defaults: those of Adam, but weight decay 0.01. */
export class AdamW extends Optimizer<AdamSettings> {
  constructor(parameters: ParameterList<AdamSettings>, options: AdamOptions) {
    super(adamRule(true), parameters, { ...defaults, weightDecay: 0.01 }, options)
  }
}
