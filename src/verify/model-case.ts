/** Runs a model on a reference case: outputs, and gradients of parameters and inputs under the names of the case. */
import { gradient, vectorJacobianProduct } from '../autodiff/gradient.ts'
import { compile } from '../compile/compile.ts'
import type { Module } from '../nn/index.ts'
import type { NDArray } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { FormatError } from '../util/errors.ts'
import { inputArrays, inputsRead, type ReferenceCase } from './target.ts'

/** Tensors by name. */
export type NamedTensors = Readonly<Record<string, Tensor>>

/** Outputs by name, and what is differentiated: one loss, or outputs with given cotangents. */
export interface ComputedCase {
  readonly outputs: NamedTensors
  readonly loss?: Tensor
  readonly weighted?: readonly (readonly [output: Tensor, cotangent: Tensor | undefined])[]
}

/** Names and layouts of parameters in the case's scheme, from those of the model. */
export type OfficialNames = (state: Map<string, NDArray>) => Map<string, NDArray>

const prefix = 'grad_input/'

/** `compute` gets the inputs of the case. Gradients are taken of all parameters, and of the inputs that the case has gradients of. */
export async function runModelCase(
  reference: ReferenceCase,
  model: Module,
  compute: (inputs: NamedTensors) => ComputedCase,
  names: OfficialNames = (state) => state,
): Promise<Map<string, NDArray>> {
  model.train(reference.mode === 'train')
  const parameters = [...model.namedParameters()]
  const differentiated = [...reference.tensors.keys()].filter((name) => name.startsWith(prefix))
  const run = compile((given: Record<string, Tensor>) => {
    const inputs = inputsRead(reference, given)
    const { outputs, loss, weighted = [] } = compute(inputs)
    const pairs = weighted.filter((pair): pair is readonly [Tensor, Tensor] => pair[1] !== undefined)
    const targets = [
      ...differentiated.map((name) => inputNamed(inputs, name.slice(prefix.length))),
      ...parameters.map(([, variable]) => variable),
    ]
    if (!loss && pairs.length === 0) return { outputs, gradients: [] }
    const gradients = loss
      ? gradient(loss, targets)
      : vectorJacobianProduct(
          pairs.map(([output]) => output),
          pairs.map(([, cotangent]) => cotangent),
          targets,
        )
    return { outputs, gradients }
  })
  const { outputs, gradients } = await run(inputArrays(reference))
  await run.release()
  const arrays = (gradients as readonly Tensor[]).map(({ array }) => array)
  const ofParameters = arrays.slice(differentiated.length)
  const byName = new Map(ofParameters.map((array, i) => [parameters[i]?.[0] ?? '', array] as const))
  return new Map([
    ...Object.entries(outputs).map(([name, tensor]) => [`output/${name}`, tensor.array] as const),
    ...arrays.slice(0, differentiated.length).map((array, i) => [differentiated[i] ?? '', array] as const),
    ...[...names(byName)].map(([name, array]) => [`grad/${name}`, array] as const),
  ])
}

/** An input that a case must have. */
export function inputNamed(inputs: NamedTensors, name: string): Tensor {
  const tensor = inputs[name]
  if (!tensor) throw new FormatError(`the case has no input "${name}"`)
  return tensor
}

/** `prefix.0`, `prefix.1`, ...: a list as cases have it. */
export function numberedTensors(prefix: string, tensors: readonly Tensor[]): NamedTensors {
  return Object.fromEntries(tensors.map((tensor, i) => [`${prefix}.${i}`, tensor]))
}
