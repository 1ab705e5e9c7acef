import * as ops from '../ops/index.ts'
import { Optimizer, type OptimizerSettings, type ParameterList, type UpdateRule, withWeightDecay } from './optimizer.ts'
import type { Scheduled } from './schedule.ts'

export interface AdagradSettings extends OptimizerSettings {
  /** The learning rate of update t (from 0) is lr / (1 + t lrDecay). */
  readonly lrDecay: number
  /** L2 penalty: this times the weight is added to the gradient. */
  readonly weightDecay: Scheduled
  /** Initial value of the sum of squares. */
  readonly initialAccumulatorValue: number
  /** Added to the root of the sum. */
  readonly eps: number
}

export type AdagradOptions = Partial<AdagradSettings> & Pick<OptimizerSettings, 'lr'>

// sum' = sum + g^2; w' = w - lr g / (sqrt(sum') + eps).
const rule: UpdateRule<AdagradSettings> = {
  slots: ({ initialAccumulatorValue }) => ({ sum: initialAccumulatorValue }),
  prepare: ({ lrDecay, weightDecay, eps }, host) => {
    const rate = host(({ step, lr }) => lr / (1 + step * lrDecay))
    const decayed = withWeightDecay(weightDecay, host)
    return ({ weight, gradient, state }) => {
      const g = decayed(gradient, weight)
      const sum = state('sum')
      sum.assign(ops.add(sum, ops.mul(g, g)))
      return ops.sub(weight, ops.mul(ops.div(g, ops.add(ops.sqrt(sum), eps)), rate))
    }
  },
}

/** Adagrad (Duchi et al. 2011). Defaults: lrDecay 0, no weight decay, initial accumulator 0, eps 1e-10. */
export class Adagrad extends Optimizer<AdagradSettings> {
  constructor(parameters: ParameterList<AdagradSettings>, options: AdagradOptions) {
    super(
      rule,
      parameters,
      {
        lrDecay: 0,
        weightDecay: 0,
        initialAccumulatorValue: 0,
        eps: 1e-10,
        maximize: false,
      },
      options,
    )
  }
}
