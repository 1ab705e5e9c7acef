/** SimCLR (Chen et al. 2020, arXiv 2002.05709): two views of a picture among all views of the batch. */
import * as ops from '../../../ops/index.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { ShapeError } from '../../../util/errors.ts'
import type { Declaration } from '../config.ts'
import type { Encoder } from '../encoder.ts'
import { mlpHead } from '../heads.ts'
import { JointEmbedding, type JointStep, twoViews } from '../model.ts'

export const simclr = {
  name: 'simclr',
  title: 'SimCLR',
  paper: 'Chen et al. 2020, arXiv 2002.05709',
  architecture: 'joint embedding',
  remedy: 'contrastive',
  energy: '-cos(z_x, z_y)',
  loss: 'NT-Xent: cross-entropy of the other view among the 2N - 1 other embeddings of the batch',
  collapse: 'every other embedding of the batch is a negative',
} as const satisfies Declaration

/** How the loss is computed, under the repository's names. */
export interface NTXentOptions {
  /** Whether embeddings are brought to length 1. Default: true. */
  readonly hidden_norm?: boolean
  /** Default: 1. */
  readonly temperature?: number
  /** What is taken from the similarity of an embedding to itself. Default: 1e9. */
  readonly LARGE_NUM?: number
}

/** The loss, and what the repository logs. */
export interface NTXent {
  readonly loss: Tensor
  /** Similarities of the views a [N] and b [N] over the temperature: [N, N]. */
  readonly logits_ab: Tensor
  /** How often the most similar b is the right one. */
  readonly contrast_acc: Tensor
  /** Mean entropy of softmax(logits_ab), in nats. */
  readonly contrast_entropy: Tensor
}

/** x / sqrt(max(|x|^2, 1e-12)): TensorFlow's l2_normalize. */
function l2Normalize(x: Tensor): Tensor {
  return ops.mul(x, ops.rsqrt(ops.clamp(ops.sum(ops.square(x), -1, { keepDims: true }), 1e-12)))
}

/**
 * NT-Xent (equation 1) of hidden [2 N, D]: the first N rows are view a, the others view b. As in the repository it is the sum of the
 * means over both views: twice the paper's mean over the 2 N.
 */
export function ntXent(hidden: Tensor, options: NTXentOptions = {}): NTXent {
  const { hidden_norm = true, temperature = 1, LARGE_NUM = 1e9 } = options
  const rows = sizeOf(hidden.shape, 0)
  if (hidden.rank !== 2 || rows % 2 !== 0)
    throw new ShapeError(`ntXent: hidden must be [2 N, D], both views one after the other, found ${hidden}`)
  const n = rows / 2
  const [a, b] = ops.chunk(hidden_norm ? l2Normalize(hidden) : hidden, 2, 0) as [Tensor, Tensor]
  const similarity = (x: Tensor, y: Tensor): Tensor => ops.div(ops.matmul(x, ops.transpose(y)), temperature)
  const toItself = ops.mul(ops.eye(n), LARGE_NUM)
  const [aa, bb] = [ops.sub(similarity(a, a), toItself), ops.sub(similarity(b, b), toItself)] // [N, N]
  const [ab, ba] = [similarity(a, b), similarity(b, a)]
  const target = ops.arange(n)
  const lossA = ops.crossEntropy(ops.concat([ab, aa], 1), target) // of 2 N - 1 candidates
  const lossB = ops.crossEntropy(ops.concat([ba, bb], 1), target)
  const probabilities = ops.softmax(ab, 1)
  const entropies = ops.neg(ops.sum(ops.mul(probabilities, ops.log(ops.add(probabilities, 1e-8))), -1))
  return {
    loss: ops.add(lossA, lossB),
    logits_ab: ab,
    contrast_acc: ops.mean(ops.cast(ops.equal(ops.argmax(ab, 1), target), 'float32')),
    contrast_entropy: ops.mean(entropies),
  }
}

/** Sizes of the method around an encoder. */
export interface SimCLRConfig extends NTXentOptions {
  readonly hidden_dim: number
  readonly proj_out_dim: number
  readonly num_proj_layers: number
}

/** An encoder and a projector, every layer of which is followed by a batch norm. */
export class SimCLR extends JointEmbedding {
  readonly encoder: Encoder
  readonly projector
  readonly #config: SimCLRConfig

  constructor(encoder: Encoder, config: SimCLRConfig) {
    super()
    const { hidden_dim, proj_out_dim, num_proj_layers } = config
    this.encoder = encoder
    const hidden = new Array<number>(num_proj_layers - 1).fill(hidden_dim)
    const sizes = [encoder.numFeatures, ...hidden, proj_out_dim]
    this.projector = mlpHead(sizes, { bias: false, lastBias: false, lastNorm: 'batch' })
    this.#config = config
  }

  embed(x: Tensor): Tensor {
    return this.projector.forward(this.encoder.features(x))
  }

  forward(views: readonly Tensor[]): JointStep {
    const both = ops.concat([...twoViews('SimCLR', views)], 0) // [2 N, ...]: batch norms see both views
    const hidden = this.embed(both) // [2 N, D]
    const { loss, contrast_acc } = ntXent(hidden, this.#config)
    return { loss, embeddings: ops.chunk(hidden, 2, 0) as [Tensor, Tensor], shown: { contrast_acc } }
  }
}
