/** SimSiam (Chen and He 2020, arXiv 2011.10566): a predictor, and no gradient through what it predicts. */
import { BatchNorm1d, Linear, type Sequential } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Declaration } from '../config.ts'
import type { Encoder } from '../encoder.ts'
import { mlpHead } from '../heads.ts'
import { cosineEnergy, JointEmbedding, type JointStep, twoViews } from '../model.ts'

export const simsiam = {
  name: 'simsiam',
  title: 'SimSiam',
  paper: 'Chen and He 2020, arXiv 2011.10566',
  architecture: 'joint embedding',
  remedy: 'distillation',
  energy: '-cos(p, z)',
  loss: 'the energy of the prediction of each view and the embedding of the other',
  collapse: 'stop-gradient on the target and a predictor on the other side',
} as const satisfies Declaration

/** Names of the official builder. */
export interface SimSiamConfig {
  /** Width of the embedding. */
  readonly dim: number
  /** Width of the predictor's hidden layer. */
  readonly pred_dim: number
  /** What the paper's section 4 removes, to see the collapse. Default: false. */
  readonly without_stop_gradient?: boolean
  /** Default: false. */
  readonly without_predictor?: boolean
}

/** What a step of SimSiam computes: predictions and embeddings of both views, [N, dim] each. */
export interface SimSiamStep extends JointStep {
  readonly p: readonly [Tensor, Tensor]
  readonly z: readonly [Tensor, Tensor]
}

/** An encoder with a three-layer projector in the place of its `fc`, and a predictor; names as in the official code. */
export class SimSiam extends JointEmbedding {
  readonly encoder: Encoder
  readonly predictor: Sequential
  readonly #config: SimSiamConfig

  constructor(encoder: Encoder, config: SimSiamConfig) {
    super()
    const { dim, pred_dim } = config
    const width = encoder.numFeatures
    this.#config = config
    this.encoder = encoder
    this.encoder.fc = mlpHead([width, width, width, dim], { bias: false, lastNorm: 'plain' })
    for (const [, variable] of (lastLinear(this.encoder.fc as Sequential) ?? this).variables())
      if (variable.shape.length === 1) variable.frozen = true // the norm behind it takes any bias away
    this.predictor = mlpHead([dim, pred_dim, dim], { bias: false })
  }

  embed(x: Tensor): Tensor {
    return this.encoder.forward(x)
  }

  forward(views: readonly Tensor[]): SimSiamStep {
    const { without_stop_gradient = false, without_predictor = false } = this.#config
    const [x1, x2] = twoViews('SimSiam', views)
    const [z1, z2] = [this.embed(x1), this.embed(x2)] // one after the other: norms are each view's own
    const predict = (z: Tensor): Tensor => (without_predictor ? z : this.predictor.forward(z))
    const [p1, p2] = [predict(z1), predict(z2)]
    const target = (z: Tensor): Tensor => (without_stop_gradient ? z : ops.stopGradient(z))
    const loss = ops.div(ops.add(ops.mean(cosineEnergy(p1, target(z2))), ops.mean(cosineEnergy(p2, target(z1)))), 2)
    return { loss, embeddings: [z1, z2], p: [p1, p2], z: [z1, z2] }
  }
}

/** The last linear layer of a head. */
function lastLinear(head: Sequential): Linear | undefined {
  for (let i = head.length - 1; i >= 0; i--) {
    const layer = head[i]
    if (layer instanceof Linear) return layer
    if (!(layer instanceof BatchNorm1d)) return undefined
  }
  return undefined
}
