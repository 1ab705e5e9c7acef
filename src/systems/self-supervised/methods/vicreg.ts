/** VICReg (Bardes, Ponce and LeCun 2021, arXiv 2105.04906): variance, invariance, covariance, each a term of its own. */
import type { Sequential } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Declaration } from '../config.ts'
import type { Encoder } from '../encoder.ts'
import { mlpHead } from '../heads.ts'
import { JointEmbedding, type JointStep, twoViews } from '../model.ts'

export const vicreg = {
  name: 'vicreg',
  title: 'VICReg',
  paper: 'Bardes et al. 2021, arXiv 2105.04906',
  architecture: 'joint embedding',
  remedy: 'information maximisation',
  energy: '|z_x - z_y|^2',
  loss: 'invariance + variance + covariance, weighted 25, 25, 1',
  collapse: 'each dimension keeps a standard deviation of 1 over the batch and is decorrelated from all others',
} as const satisfies Declaration

/** Weights of the three terms. */
export interface VICRegWeights {
  readonly sim_coeff: number
  readonly std_coeff: number
  readonly cov_coeff: number
  /** The batch of all workers (the script's batch_size), by which, less 1, the covariance is divided. Default: the rows given. */
  readonly total_batch_size?: number
}

/** The official names. */
export interface VICRegConfig extends VICRegWeights {
  /** Widths of the expander's layers. */
  readonly mlp: readonly number[]
}

/** The loss and its terms, before their weights. */
export interface VICRegTerms {
  readonly loss: Tensor
  readonly repr_loss: Tensor
  readonly std_loss: Tensor
  readonly cov_loss: Tensor
}

/** sum of the squared entries of cov(x) off the diagonal, over D. x [N, D] is centred. */
function covarianceTerm(x: Tensor, batch: number): Tensor {
  const covariance = ops.div(ops.matmul(ops.transpose(x), x), batch - 1) // [D, D]
  const offDiagonal = ops.sub(ops.sum(ops.square(covariance)), ops.sum(ops.square(ops.diagonal(covariance))))
  return ops.div(offDiagonal, sizeOf(x.shape, 1))
}

/** How far standard deviations are below 1: the mean of max(0, 1 - sqrt(var + 1e-4)), halved. x [N, D]. */
function varianceTerm(x: Tensor): Tensor {
  const deviations = ops.sqrt(ops.add(ops.variance(x, 0), 1e-4))
  return ops.div(ops.mean(ops.relu(ops.sub(1, deviations))), 2)
}

/** The loss of embeddings [N, D] of two views (equation 6 with the repository's factors). */
export function vicregLoss(x: Tensor, y: Tensor, weights: VICRegWeights): VICRegTerms {
  const { sim_coeff, std_coeff, cov_coeff, total_batch_size = sizeOf(x.shape, 0) } = weights
  const centred = [x, y].map((z) => ops.sub(z, ops.mean(z, 0, { keepDims: true })))
  const repr_loss = ops.mseLoss(x, y)
  const std_loss = ops.addAll(centred.map(varianceTerm))
  const cov_loss = ops.addAll(centred.map((z) => covarianceTerm(z, total_batch_size)))
  const weighted = [ops.mul(repr_loss, sim_coeff), ops.mul(std_loss, std_coeff), ops.mul(cov_loss, cov_coeff)]
  return { loss: ops.addAll(weighted), repr_loss, std_loss, cov_loss }
}

/** What a step of VICReg computes. */
export type VICRegStep = JointStep & VICRegTerms

/** An encoder and an expander; names as in the official code. */
export class VICReg extends JointEmbedding {
  readonly backbone: Encoder
  readonly projector: Sequential
  readonly #config: VICRegConfig

  constructor(backbone: Encoder, config: VICRegConfig) {
    super()
    this.backbone = backbone
    this.projector = mlpHead([backbone.numFeatures, ...config.mlp], { lastBias: false })
    this.#config = config
  }

  get encoder(): Encoder {
    return this.backbone
  }

  embed(x: Tensor): Tensor {
    return this.projector.forward(this.backbone.features(x))
  }

  forward(views: readonly Tensor[]): VICRegStep {
    const [first, second] = twoViews('VICReg', views)
    const [x, y] = [this.embed(first), this.embed(second)] // [N, D]
    const terms = vicregLoss(x, y, this.#config)
    const { repr_loss, std_loss, cov_loss } = terms
    return { ...terms, embeddings: [x, y], shown: { repr_loss, std_loss, cov_loss } }
  }
}
