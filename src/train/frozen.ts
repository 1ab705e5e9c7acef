/** Proof that frozen parameters stay as they are. */
import { createHash } from 'node:crypto'
import { elementCount } from '../tensor/dtype.ts'
import type { Variable } from '../tensor/variable.ts'
import { TenfoldError } from '../util/errors.ts'
import { bytesOf } from '../util/vectors.ts'

/** How many numbers of a model learn. */
export interface LearningShare {
  readonly learn: number
  readonly total: number
}

/** Numbers that learn, among all parameters. */
export function learningShare(weights: ReadonlyMap<string, Variable>): LearningShare {
  const parameters = [...weights.values()].filter(({ trainable }) => trainable)
  const count = (list: readonly Variable[]): number => list.reduce((sum, { shape }) => sum + elementCount(shape), 0)
  return { learn: count(parameters.filter(({ frozen }) => !frozen)), total: count(parameters) }
}

function digestOf({ data }: Variable): string {
  return createHash('sha256').update(bytesOf(data)).digest('hex')
}

/** The frozen parameters of a model as they are when this is made. */
export class FrozenParameters {
  readonly #frozen: readonly (readonly [name: string, variable: Variable, digest: string])[]

  constructor(weights: ReadonlyMap<string, Variable>) {
    this.#frozen = [...weights].flatMap(([name, variable]) =>
      variable.trainable && variable.frozen ? [[name, variable, digestOf(variable)] as const] : [],
    )
  }

  /** How many tensors they are. */
  get tensors(): number {
    return this.#frozen.length
  }

  /** Throws a TenfoldError if a bit of one has changed since. */
  check(): void {
    const changed = this.#frozen.filter(([, variable, digest]) => digestOf(variable) !== digest)
    if (changed[0]) {
      throw new TenfoldError(`${changed.length} of ${this.tensors} frozen tensors changed: ${changed[0][0]}`)
    }
  }
}
