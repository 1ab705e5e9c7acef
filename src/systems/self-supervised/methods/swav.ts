/** SwAV (Caron et al. 2020, arXiv 2006.09882): the cluster of one view, spread evenly over the prototypes, is predicted from another. */
import { Linear, Module, type Sequential } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { Variable } from '../../../tensor/variable.ts'
import { ShapeError, UsageError } from '../../../util/errors.ts'
import type { Declaration } from '../config.ts'
import type { Encoder } from '../encoder.ts'
import { mlpHead } from '../heads.ts'
import { JointEmbedding, type JointStep } from '../model.ts'

export const swav = {
  name: 'swav',
  title: 'SwAV',
  paper: 'Caron et al. 2020, arXiv 2006.09882',
  architecture: 'joint embedding',
  remedy: 'clustering',
  energy: 'cross-entropy of the code of y under the softmax of the scores of x',
  loss: 'swapped prediction: each view predicts the codes of the others',
  collapse: 'Sinkhorn gives every prototype an equal share of the batch',
} as const satisfies Declaration

/** How the plan of equal shares is found. */
export interface SinkhornOptions {
  readonly epsilon: number
  readonly sinkhorn_iterations: number
  /** Workers with as many rows each. Default: 1. */
  readonly world_size?: number
  /** Which rows there are, bool [B]: the others get no part. Default: all. */
  readonly present?: Tensor
}

/**
 * Codes Q [B, K] for scores [B, K] (section 3.1, equation 3): exp(scores / epsilon), whose columns (prototypes) and rows (samples) are scaled
 * in turn to sum to 1 / K and 1 / B, times B. It ends with the rows, which therefore sum to 1.
 */
export function sinkhorn(scores: Tensor, options: SinkhornOptions): Tensor {
  const { epsilon, sinkhorn_iterations, world_size = 1, present } = options
  const [rows, prototypes] = scores.sizes(2)
  const raised = ops.exp(ops.div(scores, epsilon))
  const isPresent = present && ops.unsqueeze(present, 1) // [B, 1]
  const kept = isPresent ? ops.where(isPresent, raised, 0) : raised
  const count = ops.mul(present ? ops.sum(ops.cast(present, 'float32')) : ops.full([], rows), world_size)
  let q = ops.div(kept, ops.sum(kept))
  for (let i = 0; i < sinkhorn_iterations; i++) {
    q = ops.div(ops.div(q, ops.sum(q, 0, { keepDims: true })), prototypes)
    const total = ops.sum(q, 1, { keepDims: true }) // 0 of a row that is not there
    q = ops.div(ops.div(q, isPresent ? ops.where(isPresent, total, 1) : total), count)
  }
  return ops.mul(q, count)
}

/** The official names. */
export interface SwAVConfig {
  readonly hidden_mlp: number
  readonly feat_dim: number
  readonly nmb_prototypes: number
  readonly crops_for_assign: readonly number[]
  readonly temperature: number
  readonly epsilon: number
  readonly sinkhorn_iterations: number
  /** Embeddings of earlier batches that help to share out the prototypes, for each assigning crop; 0: none. */
  readonly queue_length: number
  /** Codes are softmax(scores / epsilon), without equal shares. Default: false. */
  readonly without_equipartition?: boolean
}

/** What a step of SwAV computes. */
export interface SwAVStep {
  readonly loss: Tensor
  /** Codes of the assigning crops: [N, K] each. */
  readonly codes: readonly Tensor[]
  /** Embeddings of length 1, crop by crop: [crops N, feat_dim]. */
  readonly embedding: Tensor
}

/** Projection, prototypes and queue: all of SwAV behind the encoder. Names as in the official ResNet. */
export class SwAVHead extends Module {
  readonly projection_head: Sequential | Linear
  readonly prototypes: Linear
  /** [assigning crops, queue_length, feat_dim], newest first. */
  readonly queue: Variable | undefined
  readonly config: SwAVConfig

  constructor(inFeatures: number, config: SwAVConfig) {
    super()
    const { hidden_mlp, feat_dim, nmb_prototypes, crops_for_assign, queue_length } = config
    if (crops_for_assign.length === 0) throw new UsageError('SwAV: crops_for_assign must name a crop, found none')
    this.config = config
    this.projection_head =
      hidden_mlp === 0 ? new Linear(inFeatures, feat_dim) : mlpHead([inFeatures, hidden_mlp, feat_dim])
    this.prototypes = new Linear(feat_dim, nmb_prototypes, { bias: false })
    this.queue = queue_length > 0 ? new Variable([crops_for_assign.length, queue_length, feat_dim]) : undefined
  }

  /** features of all crops, crop by crop: [crops N, in]. */
  forward(features: Tensor, crops: number): SwAVStep {
    const { crops_for_assign, temperature } = this.config
    const n = sizeOf(features.shape, 0) / crops
    const outside = crops_for_assign.find((crop) => crop >= crops)
    if (!Number.isInteger(n) || outside !== undefined || crops < 2) {
      throw new ShapeError(
        `SwAV: there must be at least two crops of each picture, and those of crops_for_assign [${crops_for_assign}] among them, found ${crops} of ${features}`,
      )
    }
    const { weight } = this.prototypes
    weight.assign(ops.stopGradient(ops.normalize(weight)))
    const embedding = ops.normalize(this.projection_head.forward(features)) // [crops N, F]
    const scores = this.prototypes.forward(embedding) // [crops N, K]
    const ofCrop = (x: Tensor, crop: number): Tensor => ops.slice(x, [crop * n, (crop + 1) * n], 0)
    const logs = Array.from({ length: crops }, (_, crop) =>
      ops.logSoftmax(ops.div(ofCrop(scores, crop), temperature), 1),
    )
    const detached = ops.stopGradient(embedding)
    const codes = this.#codes(
      crops_for_assign.map((crop) => ops.stopGradient(ofCrop(scores, crop))),
      crops_for_assign.map((crop) => ofCrop(detached, crop)),
    )
    const losses = crops_for_assign.map((crop, i) => {
      const others = logs.filter((_, other) => other !== crop)
      const code = codes[i] ?? scores
      const terms = others.map((log) => ops.neg(ops.mean(ops.sum(ops.mul(code, log), 1))))
      return ops.div(ops.addAll(terms), crops - 1)
    })
    return { loss: ops.div(ops.addAll(losses), crops_for_assign.length), codes, embedding }
  }

  /** The code of each assigning crop. A queue takes part once it is full: from the first crop on whose oldest embedding is not zero. */
  #codes(scores: readonly Tensor[], embeddings: readonly Tensor[]): Tensor[] {
    const { queue, config } = this
    if (config.without_equipartition) return scores.map((each) => ops.softmax(ops.div(each, config.epsilon), 1))
    if (!queue) return scores.map((each) => sinkhorn(each, config))
    const parts = ops.split(queue, 1, 0).map((part) => ops.squeeze(part, 0)) // [L, F] each
    let isUsed: Tensor | undefined
    const codes = scores.map((own, i) => {
      const earlier = parts[i] ?? own
      const [length, n] = [sizeOf(earlier.shape, 0), sizeOf(own.shape, 0)]
      const isFull = ops.any(ops.notEqual(ops.select(earlier, -1, 0), 0))
      isUsed = isUsed ? ops.logicalOr(isUsed, isFull) : isFull
      const earlierScores = ops.stopGradient(ops.linear(earlier, this.prototypes.weight)) // [L, K]
      const present = ops.concat([ops.expand(ops.reshape(isUsed, [1]), [length]), ops.ones([n], 'bool')], 0)
      const all = sinkhorn(ops.concat([earlierScores, own], 0), { ...config, present }) // [L + N, K]
      return ops.slice(all, [length, length + n], 0)
    })
    queue.assign(ops.stack(parts.map((part, i) => pushed(part, embeddings[i] ?? part))))
    return codes
  }
}

/** New rows in front of a queue, whose last ones drop out. */
function pushed(queue: Tensor, rows: Tensor): Tensor {
  const [length, n] = [sizeOf(queue.shape, 0), sizeOf(rows.shape, 0)]
  if (n > length) {
    throw new ShapeError(`SwAV: queue_length must be at least the batch, found ${length} and ${n} pictures`)
  }
  return n === length ? rows : ops.concat([rows, ops.slice(queue, [0, length - n], 0)], 0)
}

/** SwAV around an encoder; views are crops, the first ones those of `crops_for_assign`. */
export class SwAV extends JointEmbedding {
  readonly encoder: Encoder
  readonly head: SwAVHead

  constructor(encoder: Encoder, config: SwAVConfig) {
    super()
    this.encoder = encoder
    this.head = new SwAVHead(encoder.numFeatures, config)
  }

  embed(x: Tensor): Tensor {
    return this.head.projection_head.forward(this.encoder.features(x))
  }

  forward(views: readonly Tensor[]): JointStep {
    const features = embedCrops(this.encoder, views)
    const { loss, embedding } = this.head.forward(features, views.length)
    const [a, b] = ops.chunk(embedding, views.length, 0)
    return { loss, embeddings: [a ?? embedding, b ?? embedding] }
  }
}

/** Representations of crops, crop by crop: those of one size go through the encoder together. */
export function embedCrops(encoder: Encoder, crops: readonly Tensor[]): Tensor {
  const groups: Tensor[][] = []
  for (const crop of crops) {
    const last = groups.at(-1)
    if (last?.[0]?.shape.join() === crop.shape.join()) last.push(crop)
    else groups.push([crop])
  }
  return ops.concat(
    groups.map((group) => encoder.features(ops.concat(group, 0))),
    0,
  )
}
