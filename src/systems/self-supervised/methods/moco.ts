/** MoCo (He et al. 2019, arXiv 1911.05722; v2: Chen et al. 2020, arXiv 2003.04297): a queue of keys from a slowly moving encoder. */
import { Linear, type Module, ReLU, Sequential } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { moveToward } from '../../../optim/index.ts'
import { defaultGenerator } from '../../../tensor/random-state.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { Variable } from '../../../tensor/variable.ts'
import { ShapeError, UsageError } from '../../../util/errors.ts'
import type { Declaration } from '../config.ts'
import type { Encoder } from '../encoder.ts'
import { copyWeights, JointEmbedding, type JointStep, twoViews, weightsOf } from '../model.ts'

export const moco = {
  name: 'moco',
  title: 'MoCo',
  paper: 'He et al. 2019, arXiv 1911.05722; v2: Chen et al. 2020, arXiv 2003.04297',
  architecture: 'joint embedding',
  remedy: 'contrastive',
  energy: '-cos(q, k)',
  loss: 'cross-entropy of the key of the same picture among it and the queue',
  collapse: 'keys of earlier batches are negatives; their encoder moves slowly, so that they stay comparable',
} as const satisfies Declaration

/** Names of the official builder. */
export interface MoCoConfig {
  /** Width of the embedding. */
  readonly dim: number
  /** Keys in the queue: a multiple of the batch. */
  readonly K: number
  /** Share of the key encoder's old weights. */
  readonly m: number
  /** Temperature. */
  readonly T: number
  /** v2: a hidden layer as wide as the representation before the last one. */
  readonly mlp: boolean
}

/** What a step of MoCo computes. */
export interface MoCoStep extends JointStep {
  /** [N, 1 + K]; the positive is column 0. */
  readonly logits: Tensor
}

/** The projector in the place of an encoder's `fc`. */
function attachHead(encoder: Encoder, { dim, mlp }: MoCoConfig): void {
  const width = encoder.numFeatures
  const last = new Linear(width, dim)
  encoder.fc = mlp ? new Sequential(new Linear(width, width), new ReLU(), last) : last
}

/** Query encoder, key encoder and queue, with the official names: encoder_q, encoder_k, queue [dim, K], queue_ptr [1]. */
export class MoCo extends JointEmbedding {
  readonly encoder_q: Encoder
  readonly encoder_k: Encoder
  readonly queue: Variable
  readonly queue_ptr: Variable
  readonly #config: MoCoConfig

  /** makeEncoder: called twice; both begin with the same weights. */
  constructor(makeEncoder: () => Encoder, config: MoCoConfig) {
    super()
    const { dim, K, m } = config
    if (!(m >= 0 && m <= 1)) throw new UsageError(`MoCo: m must be in [0, 1], found ${m}`)
    this.#config = config
    this.encoder_q = makeEncoder()
    this.encoder_k = makeEncoder()
    for (const encoder of [this.encoder_q, this.encoder_k]) attachHead(encoder, config)
    copyWeights(this.encoder_k, this.encoder_q)
    this.queue = new Variable([dim, K], { data: randomDirections(dim, K) })
    this.queue_ptr = new Variable([1], { dtype: 'int64' })
  }

  protected override get followers(): readonly Module[] {
    return [this.encoder_k]
  }

  get encoder(): Encoder {
    return this.encoder_q
  }

  embed(x: Tensor): Tensor {
    return this.encoder_q.forward(x)
  }

  /** Queries of the first view, keys of the second (algorithm 1). */
  forward(views: readonly Tensor[]): MoCoStep {
    const [imQ, imK] = twoViews('MoCo', views)
    const { m, T } = this.#config
    const query = this.embed(imQ) // [N, dim]
    const q = ops.normalize(query)
    moveToward(weightsOf(this.encoder_k), weightsOf(this.encoder_q), m) // before the keys
    const key = ops.stopGradient(this.encoder_k.forward(imK))
    const k = ops.normalize(key)
    const positive = ops.sum(ops.mul(q, k), 1, { keepDims: true }) // [N, 1]
    const negatives = ops.matmul(q, this.queue) // [N, K]
    const logits = ops.div(ops.concat([positive, negatives], 1), T)
    const loss = ops.crossEntropy(logits, ops.zeros([sizeOf(q.shape, 0)], 'int64'))
    this.#enqueue(k)
    return { loss, logits, embeddings: [query, key] }
  }

  /** Keys [N, dim] take the place of the oldest ones. */
  #enqueue(keys: Tensor): void {
    const { K } = this.#config
    const n = sizeOf(keys.shape, 0)
    if (K % n !== 0) {
      throw new ShapeError(`MoCo: K must be a multiple of the batch, found K ${K} and ${n} pictures`, {
        hint: 'batches overwrite whole parts of the queue; drop the last incomplete one',
      })
    }
    const columns = ops.add(this.queue_ptr, ops.arange(n)) // [N]
    this.queue.assign(ops.indexCopy(this.queue, columns, ops.transpose(keys), 1))
    this.queue_ptr.assign(ops.remainder(ops.add(this.queue_ptr, n), K))
  }
}

/** Columns of length 1 in random directions: how the queue begins. */
function randomDirections(dim: number, count: number): Float32Array {
  const data = Float32Array.from(defaultGenerator().normal(dim * count))
  for (let j = 0; j < count; j++) {
    let sum = 0
    for (let i = 0; i < dim; i++) sum += (data[i * count + j] ?? 0) ** 2
    for (let i = 0; i < dim; i++) data[i * count + j] = (data[i * count + j] ?? 0) / Math.sqrt(sum)
  }
  return data
}
