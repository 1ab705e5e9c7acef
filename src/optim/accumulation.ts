import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { Variable } from '../tensor/variable.ts'
import { shown } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import type { ClipOptions } from './clipping.ts'
import { Optimizer, type UpdateResult } from './optimizer.ts'
import { parameterNames } from './parameter-names.ts'

/**
 * One update from several micro-batches, for batches that do not fit into memory: `add` the loss of each, then `update`.
 * Both are called inside traced functions, usually two different ones. With mean losses over micro-batches of equal size
 * the update equals that of the whole batch.
 */
export class GradientAccumulator {
  readonly optimizer: Optimizer
  /** Number of micro-batches in one update. */
  readonly count: number
  readonly #sums: readonly Variable[]

  constructor(optimizer: Optimizer, count: number) {
    if (!Number.isInteger(count) || count < 1)
      throw new UsageError(`GradientAccumulator: count must be a whole number of at least 1, found ${count}`)
    if (!(optimizer instanceof Optimizer))
      throw new UsageError(`GradientAccumulator: optimizer must be an optimizer, found ${shown(optimizer)}`)
    this.optimizer = optimizer
    this.count = count
    this.#sums = optimizer.parameters.map(({ shape }) => new Variable(shape))
  }

  /** Records the addition of the gradients of a micro-batch's loss to the sums. */
  add(loss: Tensor): void {
    const gradients = this.optimizer.gradients(loss)
    for (const [i, sum] of this.#sums.entries()) {
      const gradient = gradients[i]
      if (gradient) sum.assign(ops.add(sum, gradient))
    }
  }

  /** Records the optimizer's update by the mean of the `count` gradients, and the reset of the sums. */
  update(options: ClipOptions = {}): UpdateResult {
    const means = this.#sums.map((sum) => ops.mul(sum, 1 / this.count))
    const result = this.optimizer.update(means, options)
    for (const sum of this.#sums) sum.assign(ops.full(sum.shape, 0))
    return result
  }

  /** The sums by name: for checkpoints between two updates. */
  variables(): Map<string, Variable> {
    const names = parameterNames(this.optimizer.parameters)
    for (const [i, sum] of this.#sums.entries()) sum.name = `gradient_sum.${names[i]}`
    return new Map(this.#sums.map((sum) => [sum.name, sum]))
  }
}
