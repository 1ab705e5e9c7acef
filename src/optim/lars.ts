import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { trustRatio } from './lamb.ts'
import { Optimizer, type OptimizerSettings, type ParameterList, type UpdateRule } from './optimizer.ts'
import { type Scheduled, scheduledValue } from './schedule.ts'

export interface LARSSettings extends OptimizerSettings {
  readonly momentum: number
  /** This times the weight is added to the gradient. */
  readonly weightDecay: Scheduled
  /** Factor on the trust ratio |w| / |g + wd w|. */
  readonly trustCoefficient: number
  /** Whether weight decay applies to tensors of one axis too (biases, parameters of norms). */
  readonly decayVectors: boolean
  /** Whether the trust ratio applies to tensors of one axis too. */
  readonly adaptVectors: boolean
  /** Whether the trust ratio applies at all. False turns it off for all tensors of a parameter group. */
  readonly adapt: boolean
  /**
   * true: the momentum buffer accumulates whole steps, learning rate and ratio included (SimCLR's `classic_momentum`). false: it
   * accumulates gradients, and the learning rate multiplies the buffer.
   */
  readonly classicMomentum: boolean
  /**
   * true: the trust ratio is computed from the momentum buffer and scales the step taken, and the buffer holds unscaled gradients
   * (SimCLR without `classic_momentum`). false: the ratio scales each gradient before it enters the buffer.
   */
  readonly adaptMomentum: boolean
  /** Whether to use Nesterov momentum: the step is the scaled gradient + momentum * buffer. */
  readonly nesterov: boolean
}

export type LARSOptions = Partial<LARSSettings> & Pick<OptimizerSettings, 'lr'>

// d = g + wd w; r = trust |w| / |d|; buffer' = momentum buffer + r d; w' = w - lr buffer'. Without decay or ratio: d = g, r = 1.
// classicMomentum: buffer' = momentum buffer + lr r d; w' = w - buffer'.
// adaptMomentum: buffer' = momentum buffer + d; w' = w - lr (trust |w| / |buffer'|) buffer'.
const rule: UpdateRule<LARSSettings> = {
  complaint: ({ classicMomentum, adaptMomentum }) =>
    classicMomentum && adaptMomentum ? 'classicMomentum and adaptMomentum exclude each other, found both' : undefined,
  slots: () => ({ momentum_buffer: 0 }),
  prepare: (settings, host) => {
    const { momentum, weightDecay, trustCoefficient, adapt, classicMomentum, adaptMomentum, nesterov } = settings
    const rate = host(({ lr }) => lr)
    const decay = host(({ step }) => scheduledValue(weightDecay, step))
    return ({ weight, gradient, state }) => {
      const buffer = state('momentum_buffer')
      const isMatrix = weight.rank > 1
      const decays = weightDecay !== 0 && (isMatrix || settings.decayVectors)
      const decayed = decays ? ops.add(gradient, ops.mul(weight, decay)) : gradient
      const adapts = adapt && (isMatrix || settings.adaptVectors)
      const scaled = (step: Tensor): Tensor => {
        if (!adapts) return step
        const norms = [ops.vectorNorm(weight), ops.vectorNorm(step)] as const
        return ops.mul(step, trustRatio(ops.mul(norms[0], trustCoefficient), norms[1]))
      }
      const adapted = adaptMomentum ? decayed : scaled(decayed)
      const added = classicMomentum ? ops.mul(adapted, rate) : adapted
      buffer.assign(ops.add(ops.mul(buffer, momentum), added))
      const step = nesterov ? ops.add(ops.mul(buffer, momentum), added) : buffer.value
      if (classicMomentum) return ops.sub(weight, step)
      return ops.sub(weight, ops.mul(adaptMomentum ? scaled(step) : step, rate))
    }
  },
}

/**
 * LARS (You et al. 2017) as self-supervised learning uses it: biases and norm parameters (tensors of one axis) are
 * neither decayed nor scaled. Defaults: momentum 0.9, no weight decay, trust coefficient 0.001.
 */
export class LARS extends Optimizer<LARSSettings> {
  constructor(parameters: ParameterList<LARSSettings>, options: LARSOptions) {
    super(
      rule,
      parameters,
      {
        momentum: 0.9,
        weightDecay: 0,
        trustCoefficient: 0.001,
        decayVectors: false,
        adaptVectors: false,
        adapt: true,
        classicMomentum: false,
        adaptMomentum: false,
        nesterov: false,
        maximize: false,
      },
      options,
    )
  }
}
