/** Small parameters updated together: a dozen kernels for all of them instead of a dozen for each. */
import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import type { ParameterUpdate, UpdateState } from './optimizer.ts'

// A kernel takes some microseconds to start, in which it computes this many elements (docs/decisions/062-joined-updates.md).
const mostElements = 4096
const fewest = 4

const isSmall = (parameter: Variable): boolean => parameter.size <= mostElements

/** Parameters that are updated together, and those that are updated by themselves, as lists of one. */
export function inParts(parameters: readonly Variable[]): (readonly Variable[])[] {
  const small = parameters.filter(isSmall)
  if (small.length < fewest) return parameters.map((parameter) => [parameter])
  return [small, ...parameters.filter((parameter) => !isSmall(parameter)).map((parameter) => [parameter])]
}

const joined = (tensors: readonly Tensor[]): Tensor => ops.concat(tensors.map((tensor) => ops.reshape(tensor, [-1])))

/** The pieces of `whole`, which was joined from tensors shaped like the variables, as their next values. */
function assignPieces(variables: readonly Variable[], whole: Tensor): void {
  const pieces = ops.split(
    whole,
    variables.map(({ size }) => size),
  )
  for (const [i, variable] of variables.entries()) {
    const piece = pieces[i]
    if (piece) variable.assign(ops.reshape(piece, variable.shape))
  }
}

/** The states of several parameters as one vector. */
class JoinedState implements UpdateState {
  readonly #variables: readonly Variable[]
  #value: Tensor

  constructor(variables: readonly Variable[]) {
    this.#variables = variables
    this.#value = joined(variables.map(({ value }) => value))
  }

  get value(): Tensor {
    return this.#value
  }

  assign(value: Tensor): void {
    this.#value = value
    assignPieces(this.#variables, value)
  }
}

/** Records the update of several parameters by a rule that treats every element alike. */
export function updateJoined(
  parameters: readonly Variable[],
  gradients: readonly Tensor[],
  stateOf: (parameter: Variable, slot: string) => Variable,
  updated: (update: ParameterUpdate) => Tensor,
): void {
  const states = new Map<string, JoinedState>()
  const state = (slot: string): JoinedState => {
    const known = states.get(slot)
    if (known) return known
    const made = new JoinedState(parameters.map((parameter) => stateOf(parameter, slot)))
    states.set(slot, made)
    return made
  }
  const weight = joined(parameters.map(({ value }) => value))
  assignPieces(parameters, updated({ weight, gradient: joined(gradients), state }))
}
