import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { decayComplaint, Optimizer, type OptimizerSettings, type ParameterList, type UpdateRule } from './optimizer.ts'
import { type Scheduled, scheduledValue } from './schedule.ts'

export interface LAMBSettings extends OptimizerSettings {
  /** Decay rates of the moving averages of the gradient and of its square. */
  readonly betas: readonly [number, number]
  /** Added to the root of the second moment. */
  readonly eps: number
  /** This times the weight is added to the update before it is scaled. */
  readonly weightDecay: Scheduled
  /** Whether the averages are corrected for beginning at 0. */
  readonly biasCorrection: boolean
  /** Upper bound on the norm of the weight in the trust ratio. Default: none. */
  readonly clamp: number | undefined
}

export type LAMBOptions = Partial<LAMBSettings> & Pick<OptimizerSettings, 'lr'>

/** a / b of two norms; 1 where one of them is 0. */
export function trustRatio(a: Tensor, b: Tensor): Tensor {
  const usable = ops.logicalAnd(ops.greater(a, 0), ops.greater(b, 0))
  return ops.where(usable, ops.div(a, b), 1)
}

/**
 * u = m^ / (sqrt(v^) + eps) + wd w; w' = w - lr (|w| / |u|) u, with Adam's corrected averages m^ and v^. The factors
 * 1 - beta are folded into scalars as in Adam: with c = sqrt((1 - b2) / (1 - b2^t)),
 * m^ / (sqrt(v^) + eps) = [(1 - b1) / (1 - b1^t) / c] M / (sqrt(V) + eps / c).
 */
const rule: UpdateRule<LAMBSettings> = {
  complaint: ({ betas }) => decayComplaint('betas', betas),
  slots: () => ({ exp_avg: 0, exp_avg_sq: 0 }),
  prepare: ({ betas: [beta1, beta2], eps, weightDecay, biasCorrection, clamp }, host) => {
    const remaining = (beta: number, step: number): number => (biasCorrection ? 1 - beta ** (step + 1) : 1)
    const scale = (step: number): number => Math.sqrt((1 - beta2) / remaining(beta2, step))
    const factor = host(({ step }) => (1 - beta1) / remaining(beta1, step) / scale(step))
    const epsilon = host(({ step }) => eps / scale(step))
    const decay = host(({ step }) => scheduledValue(weightDecay, step))
    const rate = host(({ lr }) => lr)
    return ({ weight, gradient, state }) => {
      const [average, square] = [state('exp_avg'), state('exp_avg_sq')]
      average.assign(ops.add(ops.mul(average, beta1), gradient))
      square.assign(ops.add(ops.mul(square, beta2), ops.mul(gradient, gradient)))
      const adam = ops.mul(ops.div(average, ops.add(ops.sqrt(square), epsilon)), factor)
      const step = weightDecay === 0 ? adam : ops.add(adam, ops.mul(weight, decay))
      const norm = ops.vectorNorm(weight)
      const ratio = trustRatio(clamp === undefined ? norm : ops.minimum(norm, clamp), ops.vectorNorm(step))
      return ops.sub(weight, ops.mul(step, ops.mul(ratio, rate)))
    }
  },
}

/** LAMB (You et al. 2020). Defaults: betas 0.9, 0.999, eps 1e-6, no weight decay, bias correction, no clamp. */
export class LAMB extends Optimizer<LAMBSettings> {
  constructor(parameters: ParameterList<LAMBSettings>, options: LAMBOptions) {
    super(
      rule,
      parameters,
      {
        betas: [0.9, 0.999],
        eps: 1e-6,
        weightDecay: 0,
        biasCorrection: true,
        clamp: undefined,
        maximize: false,
      },
      options,
    )
  }
}
