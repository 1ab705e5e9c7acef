import * as ops from '../ops/index.ts'
import { Tensor } from '../tensor/tensor.ts'
import { currentTrace, type Trace } from '../tensor/trace.ts'
import { Variable } from '../tensor/variable.ts'
import { TenfoldError } from '../util/errors.ts'

/** Counts the updates that traced functions make, and computes scalars from the count on the host. */
export class UpdateCounter {
  /** Updates made so far: an int64 scalar, part of the checkpoint. */
  readonly count: Variable
  readonly #owner: string
  readonly #recorded = new WeakMap<Trace, number>()

  constructor(owner: string, name: string) {
    this.#owner = owner
    this.count = new Variable([], { dtype: 'int64', name })
  }

  /** Updates made so far. */
  get value(): number {
    return Number(this.count.data[0])
  }

  /**
   * Records one more update in the running trace. The function it returns makes float32 scalars that the host computes
   * before each call, in double precision, from the number of the update (0 for the first).
   */
  advance(): (compute: (step: number) => number) => Tensor {
    const trace = currentTrace()
    if (!trace) {
      throw new TenfoldError(`${this.#owner}: update works only inside a compiled function`, {
        hint: 'wrap the training step in compile(...)',
      })
    }
    // The host computes from the count before the call; a second update in the same trace belongs to the next step.
    const offset = this.#recorded.get(trace) ?? 0
    this.#recorded.set(trace, offset + 1)
    this.count.assign(ops.add(this.count, 1))
    return (compute) => {
      const pull = (): Float32Array => Float32Array.of(compute(this.value + offset))
      return new Tensor('float32', [], { kind: 'feed', feed: { pull } })
    }
  }
}
