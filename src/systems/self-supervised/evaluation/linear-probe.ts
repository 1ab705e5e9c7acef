/** The linear protocol: one linear layer on frozen representations, with SGD. */
import { BatchNorm1d, init, Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'

/** What happens to representations before the layer. */
export interface LinearProbeConfig {
  readonly feature_dim: number
  readonly num_classes: number
  /** Whether they are brought to length 1. Default: false. */
  readonly l2_normalize?: boolean
  /** Whether they are standardised over the batch, without weights (MAE). Default: false. */
  readonly batchnorm_no_affine?: boolean
}

/** A linear layer that begins with N(0, 0.01) weights (MoCo), perhaps behind a norm. */
export class LinearProbe extends Module {
  readonly weight: Variable
  readonly bias: Variable
  readonly norm: BatchNorm1d | undefined
  readonly #l2: boolean

  constructor(config: LinearProbeConfig) {
    super()
    const { feature_dim, num_classes, l2_normalize = false, batchnorm_no_affine = false } = config
    const { weight, bias = init.parameter([num_classes], init.zeros) } = new Linear(feature_dim, num_classes, {
      initWeight: (shape) => init.normal(shape, { std: 0.01 }),
      initBias: init.zeros,
    })
    this.weight = weight
    this.bias = bias
    this.norm = batchnorm_no_affine ? new BatchNorm1d(feature_dim, { affine: false, eps: 1e-6 }) : undefined
    this.#l2 = l2_normalize
  }

  /** Representations [N, C] -> logits [N, K]. */
  forward(features: Tensor): Tensor {
    const scaled = this.#l2 ? ops.normalize(features) : features
    return ops.linear(this.norm?.forward(scaled) ?? scaled, this.weight, this.bias)
  }
}

/** Shares of rows whose class is among the k with the highest logits [N, K], for each k. labels int [N]. */
export function topAccuracies(logits: Tensor, labels: Tensor, ks: readonly number[]): Tensor[] {
  const classes = logits.shape[1] ?? 1
  return ks.map((k) => {
    const [, places] = ops.topk(logits, Math.min(k, classes), 1) // [N, k]
    const isThere = ops.any(ops.equal(places, ops.unsqueeze(ops.cast(labels, 'int64'), 1)), 1)
    return ops.mean(ops.cast(isThere, 'float32'))
  })
}
