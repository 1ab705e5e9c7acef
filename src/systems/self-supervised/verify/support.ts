/** What the targets share: results as the cases store them, states and gradients by step. */
import { gradient } from '../../../autodiff/gradient.ts'
import type { Module } from '../../../nn/index.ts'
import { fromNumbers, type NDArray } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { NamedTensors } from '../../../verify/model-case.ts'
import { type ReferenceCase, requiredTensor } from '../../../verify/target.ts'

export type Found = Promise<Map<string, NDArray>>

/** Numbers as a float32 array. */
export function numbersOf(values: readonly number[], shape: readonly number[] = [values.length]): NDArray {
  return { dtype: 'float32', shape, data: fromNumbers('float32', values) }
}

/** A copy, as the cases store it: scalars are vectors of one element. */
export function stored({ dtype, shape, data }: NDArray): NDArray {
  return { dtype, shape: shape.length === 0 ? [1] : shape, data: data.slice() }
}

/** The same for all results of a target. */
export function allStored(found: ReadonlyMap<string, NDArray>): Map<string, NDArray> {
  return new Map([...found].map(([name, array]) => [name, stored(array)]))
}

/** Computed tensors under a prefix. */
export function entriesOf(prefix: string, tensors: NamedTensors, suffix = ''): [string, NDArray][] {
  return Object.entries(tensors).map(([name, { array }]) => [`${prefix}${name}${suffix}`, stored(array)])
}

/** Parameters and buffers after a call: `state_out/NAME`. */
export function statesOf(model: Module, suffix = ''): [string, NDArray][] {
  return [...model.stateDict()].map(([name, array]) => [`state_out/${name}${suffix}`, stored(array)])
}

/** Gradients of a loss by the names of the parameters; inside of a trace. */
export function namedGradients(loss: Tensor, model: Module): NamedTensors {
  const parameters = [...model.namedParameters()]
  const gradients = gradient(
    loss,
    parameters.map(([, variable]) => variable),
  )
  return Object.fromEntries(parameters.map(([name], i) => [name, gradients[i] ?? loss]))
}

/** Gradients of several losses: LOSS.PARAMETER. */
export function lossGradients(losses: NamedTensors, model: Module): NamedTensors {
  return Object.fromEntries(
    Object.entries(losses).flatMap(([loss, value]) =>
      Object.entries(namedGradients(value, model)).map(([name, tensor]) => [`${loss}.${name}`, tensor] as const),
    ),
  )
}

/** Where the cases keep gradients of step s. */
export function gradientPrefix(step: number): string {
  return step === 0 ? 'grad/' : `state_out/grad_step${step}.`
}

/** An input of a case. */
export function inputArray({ tensors }: ReferenceCase, name: string): NDArray {
  return requiredTensor(tensors, `input/${name}`)
}
