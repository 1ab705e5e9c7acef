/** Barlow Twins (Zbontar et al. 2021, arXiv 2103.03230): make the correlation matrix of two views the identity. */
import { BatchNorm1d, type Sequential } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Declaration } from '../config.ts'
import type { Encoder } from '../encoder.ts'
import { mlpHead } from '../heads.ts'
import { JointEmbedding, type JointStep, twoViews } from '../model.ts'

export const barlowTwins = {
  name: 'barlow-twins',
  title: 'Barlow Twins',
  paper: 'Zbontar et al. 2021, arXiv 2103.03230',
  architecture: 'joint embedding',
  remedy: 'information maximisation',
  energy: '|z_x - z_y|^2 of embeddings normalised over the batch',
  loss: 'sum_i (c_ii - 1)^2 + lambda sum_{i != j} c_ij^2, c the cross-correlation of the views',
  collapse: 'each dimension is normalised over the batch and decorrelated from all others',
} as const satisfies Declaration

/** The official names. */
export interface BarlowTwinsConfig {
  /** Widths of the projector's layers. */
  readonly projector: readonly number[]
  readonly lambd: number
  /** What the products are divided by: the batch of all workers, the script's batch_size. Default: the rows given. */
  readonly total_batch_size?: number
  /** A factor on the loss, which versions before the published one had (0.024). Default: 1. */
  readonly scale_loss?: number
  /** Leaves out the diagonal (the paper's table of ablations). Default: false. */
  readonly without_invariance?: boolean
}

/** The diagonal of a square matrix [D, D] apart from the rest, as sums of squares: of (diagonal - 1), of all others. */
function redundancy(c: Tensor): readonly [onDiagonal: Tensor, offDiagonal: Tensor] {
  const diagonal = ops.diagonal(c)
  const all = ops.sum(ops.square(c))
  return [ops.sum(ops.square(ops.sub(diagonal, 1))), ops.sub(all, ops.sum(ops.square(diagonal)))]
}

/** What a step of Barlow Twins computes. */
export interface BarlowTwinsStep extends JointStep {
  /** Cross-correlation of the views: [D, D]. */
  readonly c: Tensor
}

/** An encoder, a projector and a norm without weights; names as in the official code. */
export class BarlowTwins extends JointEmbedding {
  readonly backbone: Encoder
  readonly projector: Sequential
  readonly bn: BatchNorm1d
  readonly #config: BarlowTwinsConfig

  constructor(backbone: Encoder, config: BarlowTwinsConfig) {
    super()
    const sizes = [backbone.numFeatures, ...config.projector]
    this.backbone = backbone
    this.projector = mlpHead(sizes, { bias: false, lastBias: false })
    this.bn = new BatchNorm1d(sizes.at(-1) ?? 0, { affine: false })
    this.#config = config
  }

  get encoder(): Encoder {
    return this.backbone
  }

  embed(x: Tensor): Tensor {
    return this.projector.forward(this.backbone.features(x))
  }

  forward(views: readonly Tensor[]): BarlowTwinsStep {
    const [y1, y2] = twoViews('BarlowTwins', views)
    const [z1, z2] = [this.embed(y1), this.embed(y2)] // [N, D]
    const { lambd, scale_loss = 1, without_invariance = false, total_batch_size = y1.shape[0] ?? 1 } = this.#config
    const c = ops.div(ops.matmul(ops.transpose(this.bn.forward(z1)), this.bn.forward(z2)), total_batch_size) // [D, D]
    const [onDiagonal, offDiagonal] = redundancy(c)
    const redundant = ops.mul(offDiagonal, lambd)
    const loss = ops.mul(without_invariance ? redundant : ops.add(onDiagonal, redundant), scale_loss)
    return { loss, embeddings: [z1, z2], c }
  }
}
