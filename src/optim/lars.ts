import * as ops from '../ops/index.ts'
import { trustRatio } from './lamb.ts'
import { Optimizer, type OptimizerSettings, type ParameterList, type UpdateRule } from './optimizer.ts'
import { type Scheduled, scheduledValue } from './schedule.ts'

export interface LARSSettings extends OptimizerSettings {
  readonly momentum: number
  /** This times the weight is added to the gradient, for tensors with more than one axis. */
  readonly weightDecay: Scheduled
  /** Factor on the ratio |w| / |g + wd w|. */
  readonly trustCoefficient: number
}

export type LARSOptions = Partial<LARSSettings> & Pick<OptimizerSettings, 'lr'>

// d = g + wd w; buffer' = momentum buffer + trust |w| / |d| d; w' = w - lr buffer'. Vectors: d = g, ratio 1.
const rule: UpdateRule<LARSSettings> = {
  slots: () => ({ momentum_buffer: 0 }),
  prepare: ({ momentum, weightDecay, trustCoefficient }, host) => {
    const rate = host(({ lr }) => lr)
    const decay = host(({ step }) => scheduledValue(weightDecay, step))
    return ({ weight, gradient, state }) => {
      const buffer = state('momentum_buffer')
      let direction = gradient
      if (weight.rank > 1) {
        const decayed = weightDecay === 0 ? gradient : ops.add(gradient, ops.mul(weight, decay))
        const norms = [ops.vectorNorm(weight), ops.vectorNorm(decayed)] as const
        direction = ops.mul(decayed, trustRatio(ops.mul(norms[0], trustCoefficient), norms[1]))
      }
      buffer.assign(ops.add(ops.mul(buffer, momentum), direction))
      return ops.sub(weight, ops.mul(buffer, rate))
    }
  },
}

/**
 * LARS (You et al. 2017) as self-supervised learning uses it: biases and norm parameters (tensors of one axis) are
 * neither decayed nor scaled. Defaults: momentum 0.9, no weight decay, trust coefficient 0.001.
 */
export class LARS extends Optimizer<LARSSettings> {
  constructor(parameters: ParameterList<LARSSettings>, options: LARSOptions) {
    super(rule, parameters, { momentum: 0.9, weightDecay: 0, trustCoefficient: 0.001, maximize: false }, options)
  }
}
