/**
 * DeepCluster (Caron et al. 2018, arXiv 1807.05520), in the form of its second version (Caron et al. 2020, arXiv 2006.09882, appendix): before each
 * epoch k-means groups the embeddings of all pictures; in the epoch the group of each picture is predicted, with the means as weights.
 */
import { compile } from '../../../compile/compile.ts'
import type { Sequential } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { sizes } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { Variable } from '../../../tensor/variable.ts'
import { UsageError } from '../../../util/errors.ts'
import { Generator } from '../../../util/random.ts'
import type { Declaration } from '../config.ts'
import type { Encoder } from '../encoder.ts'
import { mlpHead } from '../heads.ts'
import { JointEmbedding, type JointStep, placesOf, twoViews } from '../model.ts'

export const deepCluster = {
  name: 'deepcluster',
  title: 'DeepCluster',
  paper: 'Caron et al. 2018, arXiv 1807.05520',
  architecture: 'joint embedding',
  remedy: 'clustering',
  energy: '-cos(z, c) of the mean c of the group of y',
  loss: "cross-entropy of the picture's group, found by k-means before the epoch",
  collapse: 'k-means leaves no group empty, and groups stay as they are for an epoch',
} as const satisfies Declaration

/** The official names. */
export interface DeepClusterConfig {
  readonly nmb_prototypes: number
  readonly hidden_mlp: number
  readonly feat_dim: number
  readonly temperature: number
  readonly kmeans_iters: number
}

/** Groups of rows by spherical k-means. */
export interface Grouping {
  /** Means of length 1: [K, D]. */
  readonly means: Float32Array
  /** The group of each row. */
  readonly groups: readonly number[]
}

/**
 * k-means by cosine of rows [M, D], which begins with K of them drawn at random. A group that has become empty begins again with a row drawn at
 * random.
 */
export async function sphericalKMeans(rows: NDArray, k: number, iterations: number, seed: number): Promise<Grouping> {
  const [count, width] = sizes(rows.shape, 2)
  if (k > count) throw new UsageError(`k-means: there must be at least as many rows as groups, found ${count} and ${k}`)
  const step = compile((all: Tensor, centres: Tensor) => {
    const unit = ops.normalize(all)
    const groups = ops.argmax(ops.matmul(unit, ops.transpose(centres)), 1) // [M]
    const own = ops.oneHot(groups, k, 'float32') // [M, K]
    return { groups, sums: ops.matmul(ops.transpose(own), unit), counts: ops.sum(own, 0) }
  })
  const random = new Generator(seed)
  const values = rows.data as Float32Array
  const row = (place: number): Float32Array => values.slice(place * width, (place + 1) * width)
  let means = new Float32Array(k * width)
  const put = (target: Float32Array, group: number, direction: Float32Array): void => {
    const length = Math.max(Math.hypot(...direction), 1e-12)
    target.set(
      direction.map((value) => value / length),
      group * width,
    )
  }
  for (const [group, place] of random.permutation(count).subarray(0, k).entries()) put(means, group, row(place))
  let groups: number[] = []
  for (let i = 0; i < iterations; i++) {
    const found = await step(rows, { dtype: 'float32', shape: [k, width], data: means })
    const [sums, counts] = [(await found.sums.array).data as Float32Array, await found.counts.numbers()]
    groups = await found.groups.numbers()
    const next = new Float32Array(k * width)
    for (let group = 0; group < k; group++) {
      const isEmpty = counts[group] === 0
      const place = isEmpty ? Number(random.integers(0, count, 1)[0]) : 0
      put(next, group, isEmpty ? row(place) : sums.slice(group * width, (group + 1) * width))
    }
    means = next
  }
  await step.release()
  return { means, groups }
}

/** An encoder and a projector; groups and their means are state. */
export class DeepCluster extends JointEmbedding {
  readonly encoder: Encoder
  readonly projection_head: Sequential
  /** [nmb_prototypes, feat_dim] */
  readonly prototypes: Variable
  /** The group of each training picture: int64 [examples]. */
  readonly assignments: Variable
  readonly #config: DeepClusterConfig

  /** examples: training pictures. */
  constructor(encoder: Encoder, examples: number, config: DeepClusterConfig) {
    super()
    const { nmb_prototypes: k, hidden_mlp, feat_dim } = config
    if (k > examples)
      throw new UsageError(`method.nmb_prototypes must be at most the ${examples} training pictures, found ${k}`)
    this.encoder = encoder
    this.projection_head = mlpHead([encoder.numFeatures, hidden_mlp, feat_dim])
    this.prototypes = new Variable([k, feat_dim])
    this.assignments = new Variable([examples], { dtype: 'int64' })
    this.#config = config
  }

  embed(x: Tensor): Tensor {
    return this.projection_head.forward(this.encoder.features(x))
  }

  override beforeEpoch() {
    return (embeddings: NDArray, seed: number): Promise<void> => this.regroup(embeddings, seed)
  }

  /** Groups all training pictures anew: embeddings [examples, feat_dim]. */
  async regroup(embeddings: NDArray, seed: number): Promise<void> {
    const { nmb_prototypes, kmeans_iters } = this.#config
    const { means, groups } = await sphericalKMeans(embeddings, nmb_prototypes, kmeans_iters, seed)
    this.prototypes.set(means)
    this.assignments.set(groups)
  }

  forward(views: readonly Tensor[], places?: Tensor): JointStep {
    const [x, y] = twoViews('DeepCluster', views)
    const own = ops.gather(this.assignments, ops.cast(placesOf('DeepCluster', places), 'int64'), 0) // [N]
    const [a, b] = [this.embed(x), this.embed(y)]
    const losses = [a, b].map((z) => {
      const scores = ops.matmul(ops.normalize(z), ops.transpose(this.prototypes)) // [N, K]
      return ops.crossEntropy(ops.div(scores, this.#config.temperature), own)
    })
    return { loss: ops.div(ops.addAll(losses), 2), embeddings: [a, b] }
  }
}
