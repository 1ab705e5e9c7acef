/**
 * Importance sampling of times as part of a training step: what `time-samplers.ts` does on the host, on variables, which are then part of
 * checkpoints (Nichol and Dhariwal 2021, section 3.3).
 */
import * as ops from '../../../ops/index.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { Variable } from '../../../tensor/variable.ts'
import type { ResamplerOptions } from './time-samplers.ts'

/** Times of a batch. */
export interface TensorTimes {
  /** int64 [B] */
  readonly t: Tensor
  /** 1 / (T p_t), [B] */
  readonly weights: Tensor
}

/** All times equally likely. */
export function uniformTimes(batch: number, steps: number): TensorTimes {
  const t = ops.minimum(ops.cast(ops.floor(ops.mul(ops.randomUniform([batch]), steps)), 'int64'), steps - 1)
  return { t, weights: ops.ones([batch]) }
}

/** The last losses of each time, and times drawn in proportion to the root of the mean of their squares. T times, H losses of each. */
export class TimeHistory {
  /** [T, H], each row a ring. */
  readonly #losses: Variable
  /** How many losses each time has had, [T]. */
  readonly #counts: Variable
  readonly #steps: number
  readonly #length: number
  readonly #uniform: number

  constructor(steps: number, { historyPerTerm = 10, uniformProb = 0.001 }: ResamplerOptions = {}) {
    this.#steps = steps
    this.#length = historyPerTerm
    this.#uniform = uniformProb
    this.#losses = new Variable([steps, historyPerTerm])
    this.#counts = new Variable([steps], { dtype: 'int64' })
  }

  /** For checkpoints. */
  get variables(): ReadonlyMap<string, Variable> {
    return new Map([
      ['losses', this.#losses],
      ['counts', this.#counts],
    ])
  }

  /** p_t, [T]: uniform until each time has its history. */
  probabilities(): Tensor {
    const isFull = ops.all(ops.greaterOrEqual(this.#counts.value, this.#length))
    const roots = ops.sqrt(ops.mean(ops.square(this.#losses.value), 1))
    const share = ops.div(roots, ops.maximum(ops.sum(roots), 1e-30))
    const mixed = ops.add(ops.mul(share, 1 - this.#uniform), this.#uniform / this.#steps)
    return ops.where(isFull, mixed, ops.full([this.#steps], 1 / this.#steps))
  }

  /** A time for each number in [0, 1), [B]: the first one whose cumulated probability is above it. */
  draw(uniforms: Tensor): TensorTimes {
    const p = this.probabilities()
    const cumulated = ops.cumsum(p, 0)
    const sought = ops.mul(uniforms, ops.select(cumulated, this.#steps - 1, 0)) // their sum is 1 but for rounding
    const t = ops.minimum(ops.searchsorted(cumulated, sought, { right: true }), this.#steps - 1)
    return { t, weights: ops.div(1 / this.#steps, ops.indexSelect(p, t, 0)) }
  }

  /** Takes in the losses of a batch, [B], before they are weighted, one after the other. */
  update(t: Tensor, losses: Tensor): void {
    const batch = sizeOf(t.shape, 0)
    const isSame = ops.cast(ops.equal(ops.unsqueeze(t, 1), ops.unsqueeze(t, 0)), 'int64') // [B, B]
    const earlier = ops.sum(ops.mul(isSame, ops.cast(ops.tril(ops.ones([batch, batch]), -1), 'int64')), 1)
    const number = ops.add(ops.indexSelect(this.#counts.value, t, 0), earlier)
    const place = ops.add(ops.mul(t, this.#length), ops.remainder(number, this.#length))
    // Of losses that share a place, the last one stays.
    const written = ops.scatter(ops.flatten(this.#losses.value), place, ops.stopGradient(losses), 0)
    this.#losses.assign(ops.reshape(written, [this.#steps, this.#length]))
    this.#counts.assign(ops.add(this.#counts.value, ops.bincount(t, this.#steps)))
  }
}
