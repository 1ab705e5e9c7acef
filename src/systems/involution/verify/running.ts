/** What all cases of RedNet's parts do: load, run, give the statistics after a step. */
import type { Module } from '../../../nn/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { type ComputedCase, type NamedTensors, runModelCase } from '../../../verify/model-case.ts'
import {
  booleanSetting,
  choiceSetting,
  fixedSetting,
  numberSetting,
  type ReferenceCase,
  type Settings,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import type { BlockConfig, NormConfig } from '../config.ts'
import { loadOfficial } from '../official.ts'

/** The results of a case, in training with the statistics of its norms after the step; counters as cases store them. */
export function withStates(
  reference: ReferenceCase,
  model: Module,
  found: ReadonlyMap<string, NDArray>,
): Map<string, NDArray> {
  if (reference.mode === 'eval') return new Map(found)
  const states = [...model.namedBuffers()].map(([name, { array }]) => {
    const isCounter = name.endsWith('num_batches_tracked')
    return [`state/${name}`, isCounter ? { ...array, shape: [1] } : array] as const
  })
  return new Map([...found, ...states])
}

/** Runs a model with the weights of the case. */
export async function runLoaded(
  reference: ReferenceCase,
  model: Module,
  compute: (inputs: NamedTensors) => ComputedCase,
): Promise<Map<string, NDArray>> {
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  return withStates(reference, model, await runModelCase(reference, model, compute))
}

/** Outputs, weighted by the inputs `cotangent_NAME`; a single one may have `cotangent`. */
export function weightedOutputs(outputs: NamedTensors, inputs: NamedTensors): ComputedCase {
  const names = Object.keys(outputs)
  const cotangentOf = (name: string) =>
    inputs[`cotangent_${name}`] ?? (names.length === 1 ? inputs.cotangent : undefined)
  return { outputs, weighted: Object.entries(outputs).map(([name, output]) => [output, cotangentOf(name)] as const) }
}

/** `norm_cfg`: batch norms, which those of several devices (SyncBN) are on one. */
export function normConfig(settings: Settings, name = 'norm_cfg'): NormConfig | undefined {
  const config = settings[name] as Settings | null | undefined
  if (config === null || config === undefined) return undefined
  choiceSetting(config, 'type', ['BN', 'SyncBN'], 'BN')
  return {
    eps: numberSetting(config, 'eps', 1e-5),
    momentum: numberSetting(config, 'momentum', 0.1),
    requires_grad: booleanSetting(config, 'requires_grad', true),
  }
}

/** What blocks and whole networks have in common. */
export function blockConfig({ config, mode }: ReferenceCase): BlockConfig {
  fixedSetting(config, 'conv_cfg', null) // other kinds of convolutions
  // Blocks computed twice give the same, but norms would see each batch twice.
  if (mode === 'train') fixedSetting(config, 'with_cp', false)
  withoutEffect(config, 'with_cp')
  withoutEffect(config, 'dilation', 'dilations') // involutions have none: the official blocks do not pass it on
  withoutEffect(config, 'zero_init_residual') // how weights begin: the case has them
  const norm_cfg = normConfig(config)
  return {
    style: choiceSetting(config, 'style', ['pytorch', 'caffe'], 'pytorch'),
    avg_down: booleanSetting(config, 'avg_down', false),
    ...(norm_cfg && { norm_cfg }),
  }
}
