import * as ops from '../ops/index.ts'
import { Optimizer, type OptimizerSettings, type ParameterList, type UpdateRule, withWeightDecay } from './optimizer.ts'
import type { Scheduled } from './schedule.ts'

export interface SGDSettings extends OptimizerSettings {
  /** Share of the previous step that is kept. */
  readonly momentum: number
  /** Share of the gradient that does not enter the momentum; the first gradient enters whole. */
  readonly dampening: number
  /** L2 penalty: this times the weight is added to the gradient. */
  readonly weightDecay: Scheduled
  /** Whether to use Nesterov momentum: the step is gradient + momentum * buffer. */
  readonly nesterov: boolean
}

export type SGDOptions = Partial<SGDSettings> & Pick<OptimizerSettings, 'lr'>

// d = g + wd w; buffer' = momentum buffer + (1 - dampening) d; w' = w - lr buffer' (Nesterov: d + momentum buffer').
const rule: UpdateRule<SGDSettings> = {
  complaint: ({ nesterov, momentum, dampening }) =>
    nesterov && (momentum === 0 || dampening !== 0)
      ? `nesterov needs a momentum and no dampening, found momentum ${momentum}, dampening ${dampening}`
      : undefined,
  slots: ({ momentum }) => (momentum === 0 ? {} : { momentum_buffer: 0 }),
  prepare: ({ momentum, dampening, weightDecay, nesterov }, host) => {
    const lr = host((time) => time.lr)
    const decayed = withWeightDecay(weightDecay, host)
    const share = dampening === 0 ? undefined : host(({ step }) => (step === 0 ? 1 : 1 - dampening))
    return ({ weight, gradient, state }) => {
      const direction = decayed(gradient, weight)
      if (momentum === 0) return ops.sub(weight, ops.mul(direction, lr))
      const buffer = state('momentum_buffer')
      buffer.assign(ops.add(ops.mul(buffer, momentum), share ? ops.mul(direction, share) : direction))
      const step = nesterov ? ops.add(direction, ops.mul(buffer, momentum)) : buffer.value
      return ops.sub(weight, ops.mul(step, lr))
    }
  },
}

/** Stochastic gradient descent. Defaults: momentum, dampening and weight decay 0, no Nesterov momentum. */
export class SGD extends Optimizer<SGDSettings> {
  constructor(parameters: ParameterList<SGDSettings>, options: SGDOptions) {
    super(rule, parameters, { momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, maximize: false }, options)
  }
}
