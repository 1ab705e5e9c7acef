import * as ops from '../ops/index.ts'
import {
  decayComplaint,
  Optimizer,
  type OptimizerSettings,
  type ParameterList,
  type UpdateRule,
  withWeightDecay,
} from './optimizer.ts'
import type { Scheduled } from './schedule.ts'

export interface RMSpropSettings extends OptimizerSettings {
  /** Decay rate of the moving average of squared gradients. */
  readonly alpha: number
  /** Added to the root. */
  readonly eps: number
  /** L2 penalty: this times the weight is added to the gradient. */
  readonly weightDecay: Scheduled
  /** Share of the previous step that is kept. */
  readonly momentum: number
  /** Divide by the standard deviation instead of the root mean square. */
  readonly centered: boolean
}

export type RMSpropOptions = Partial<RMSpropSettings> & Pick<OptimizerSettings, 'lr'>

/**
 * v = alpha v + (1 - alpha) g^2 (centred: minus the square of the averaged g); w -= lr g / (sqrt(v) + eps), with momentum
 * a buffer of these steps. As in Adam, averages are stored without the factor 1 - alpha; eps and lr are divided by its root instead.
 */
const rule: UpdateRule<RMSpropSettings> = {
  complaint: ({ alpha }) => decayComplaint('alpha', [alpha]),
  slots: ({ momentum, centered }) => ({
    square_avg: 0,
    ...(centered && { grad_avg: 0 }),
    ...(momentum !== 0 && { momentum_buffer: 0 }),
  }),
  prepare: ({ alpha, eps, weightDecay, momentum, centered }, host) => {
    const root = Math.sqrt(1 - alpha)
    const rate = host(({ lr }) => lr / root)
    const decayed = withWeightDecay(weightDecay, host)
    return ({ weight, gradient, state }) => {
      const g = decayed(gradient, weight)
      const square = state('square_avg')
      square.assign(ops.add(ops.mul(square, alpha), ops.mul(g, g)))
      let second = square.value
      if (centered) {
        const average = state('grad_avg')
        average.assign(ops.add(ops.mul(average, alpha), g))
        // A variance of 0 may be rounded to a negative number.
        second = ops.relu(ops.sub(second, ops.mul(ops.mul(average, average), 1 - alpha)))
      }
      const scaled = ops.div(g, ops.add(ops.sqrt(second), eps / root))
      if (momentum === 0) return ops.sub(weight, ops.mul(scaled, rate))
      const buffer = state('momentum_buffer')
      buffer.assign(ops.add(ops.mul(buffer, momentum), scaled))
      return ops.sub(weight, ops.mul(buffer, rate))
    }
  },
}

/** RMSprop (Tieleman and Hinton 2012; centred: Graves 2013). Defaults: alpha 0.99, eps 1e-8, no weight decay, no momentum, not centred. */
export class RMSprop extends Optimizer<RMSpropSettings> {
  constructor(parameters: ParameterList<RMSpropSettings>, options: RMSpropOptions) {
    super(
      rule,
      parameters,
      {
        alpha: 0.99,
        eps: 1e-8,
        weightDecay: 0,
        momentum: 0,
        centered: false,
        maximize: false,
      },
      options,
    )
  }
}
