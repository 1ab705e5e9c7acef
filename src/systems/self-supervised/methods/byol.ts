/** BYOL (Grill et al. 2020, arXiv 2006.07733): predict what a slowly moving copy of oneself makes of another view. */
import { Module, type Sequential } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { ExponentialMovingAverage } from '../../../optim/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'
import type { Declaration } from '../config.ts'
import type { Encoder } from '../encoder.ts'
import { mlpHead } from '../heads.ts'
import { copyWeights, JointEmbedding, type JointStep, twoViews, weightsOf } from '../model.ts'
import { targetEma } from '../schedules.ts'

export const byol = {
  name: 'byol',
  title: 'BYOL',
  paper: 'Grill et al. 2020, arXiv 2006.07733',
  architecture: 'joint embedding',
  remedy: 'distillation',
  energy: "|n(p) - n(z')|^2 = 2 - 2 cos(p, z')",
  loss: 'the energy of the prediction of each view and the target of the other, summed',
  collapse: 'the target is a moving average without gradient; a predictor on the online side',
} as const satisfies Declaration

/** Sizes of projector and predictor. */
export interface BYOLSizes {
  readonly projector_hidden_size: number
  readonly projector_output_size: number
  readonly predictor_hidden_size: number
  /** Of the batch norms. Default: 1e-5. */
  readonly eps?: number
}

/** The official names. */
export interface BYOLConfig extends BYOLSizes {
  /** tau at the first step: the share of the target that stays. */
  readonly base_target_ema: number
  /** Steps in which tau rises to 1. */
  readonly max_steps: number
  /** Whether tau stays as it is at the first step. Default: false. */
  readonly constant_target_ema?: boolean
  /** What the paper's ablations remove. Default: false. */
  readonly without_predictor?: boolean
}

/** Projector and predictor behind a representation; both networks have both, the target's predictor is not used. */
export class BYOLHeads extends Module {
  readonly projector: Sequential
  readonly predictor: Sequential

  constructor(inFeatures: number, config: BYOLSizes) {
    super()
    const { projector_hidden_size, projector_output_size: out, predictor_hidden_size, eps = 1e-5 } = config
    this.projector = mlpHead([inFeatures, projector_hidden_size, out], { lastBias: false, eps })
    this.predictor = mlpHead([out, predictor_hidden_size, out], { lastBias: false, eps })
  }

  /** The projection [N, D] of a representation [N, C]. */
  forward(features: Tensor): Tensor {
    return this.projector.forward(features)
  }
}

/** |n(x) - n(y)|^2 of each row: the official regression_loss. [N, D] each -> [N]. */
function regressionLoss(x: Tensor, y: Tensor): Tensor {
  return ops.sum(ops.square(ops.sub(ops.normalize(x), ops.normalize(y))), -1)
}

/** Both directions (equation 2 and its mirror), the mean over the batch; no gradient reaches the targets. */
export function byolLoss(predictions: readonly [Tensor, Tensor], targets: readonly [Tensor, Tensor]): Tensor {
  const [first, second] = [ops.stopGradient(targets[0]), ops.stopGradient(targets[1])]
  return ops.mean(ops.add(regressionLoss(predictions[0], second), regressionLoss(predictions[1], first)))
}

/** An encoder with its heads: the online network, or the target. */
class BYOLNetwork extends Module {
  readonly encoder: Encoder
  readonly heads: BYOLHeads

  constructor(encoder: Encoder, config: BYOLConfig) {
    super()
    this.encoder = encoder
    this.heads = new BYOLHeads(encoder.numFeatures, config)
  }

  forward(x: Tensor): Tensor {
    return this.heads.forward(this.encoder.features(x))
  }
}

/** Online and target network. */
export class BYOL extends JointEmbedding {
  readonly online: BYOLNetwork
  readonly target: BYOLNetwork
  /** Steps taken, from which tau follows. */
  readonly updates: Variable | undefined
  readonly #average: ExponentialMovingAverage
  readonly #hasPredictor: boolean

  /** makeEncoder: called twice; both begin with the same weights. */
  constructor(makeEncoder: () => Encoder, config: BYOLConfig) {
    super()
    this.online = new BYOLNetwork(makeEncoder(), config)
    this.target = new BYOLNetwork(makeEncoder(), config)
    copyWeights(this.target, this.online)
    this.#average = new ExponentialMovingAverage(weightsOf(this.online), {
      decay: config.constant_target_ema ? config.base_target_ema : targetEma(config.base_target_ema, config.max_steps),
      averages: weightsOf(this.target),
    })
    this.updates = this.#average.variables().get('updates')
    this.#hasPredictor = !(config.without_predictor ?? false)
  }

  protected override get followers(): readonly Module[] {
    return [this.target]
  }

  get encoder(): Encoder {
    return this.online.encoder
  }

  embed(x: Tensor): Tensor {
    return this.online.forward(x)
  }

  forward(views: readonly Tensor[]): JointStep {
    const [v1, v2] = twoViews('BYOL', views)
    const [z1, z2] = [this.embed(v1), this.embed(v2)] // [N, D]
    const predict = (z: Tensor): Tensor => (this.#hasPredictor ? this.online.heads.predictor.forward(z) : z)
    const targets = [this.target.forward(v1), this.target.forward(v2)] as const
    return { loss: byolLoss([predict(z1), predict(z2)], targets), embeddings: [z1, z2] }
  }

  /** target = tau target + (1 - tau) online, with the new online weights. */
  override afterUpdate(): void {
    this.#average.update()
  }
}
