/** Runs one entry of an op case: the op, its gradients, and the comparison. */
import { vectorJacobianProduct } from '../autodiff/gradient.ts'
import { compile } from '../compile/compile.ts'
import * as ops from '../ops/index.ts'
import { type NDArray, toNumbers } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { FormatError } from '../util/errors.ts'
import { CaseTensors, refuseUnread, SettingsReads } from './reads.ts'
import {
  numberSetting,
  numbersSetting,
  type OpTarget,
  optionalNumber,
  requiredTensor,
  type Settings,
} from './target.ts'
import type { Tolerances } from './tolerance.ts'

/** An entry of the `cases` list of an op case. */
export interface OpEntry {
  readonly name: string
  readonly op: string
  readonly args: Settings
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly cotangents: readonly (string | null)[]
  readonly grads: readonly string[]
  /** In place of the case's. */
  readonly tolerance?: Tolerances
  readonly views?: Readonly<Record<string, readonly { readonly op: string; readonly args: Settings }[]>>
}

/** Transforms that reference entries apply to an input first, to check non-contiguous use. */
const views: Readonly<Record<string, (x: Tensor, settings: Settings) => Tensor>> = {
  transpose: (x, settings) => ops.transpose(x, numberSetting(settings, 'dim0'), numberSetting(settings, 'dim1')),
  permute: (x, settings) => ops.permute(x, numbersSetting(settings, 'dims')),
  slice: (x, settings) => {
    const [start, stop] = [optionalNumber(settings, 'start'), optionalNumber(settings, 'stop')]
    return ops.slice(
      x,
      [start ?? null, stop ?? null, numberSetting(settings, 'step', 1)],
      numberSetting(settings, 'dim'),
    )
  },
}

/** `case/input/weight` -> `weight`; `case/grad/0` -> `0`. */
function argumentName(full: string): string {
  return full.split('/').slice(2).join('/')
}

/**
 * The outputs and gradients of an entry, by the full names under which the case stores the expected ones. Throws a FormatError
 * if nothing reads one of its inputs or arguments.
 */
export async function runOpEntry(
  entry: OpEntry,
  target: OpTarget,
  tensors: ReadonlyMap<string, NDArray>,
): Promise<Map<string, NDArray>> {
  const names = entry.inputs.map(argumentName)
  const arrays = entry.inputs.map((name) => requiredTensor(tensors, name))
  const given = new CaseTensors(entry.inputs.map((name, i) => [name, arrays[i] as NDArray]))
  const settings = new SettingsReads()
  const args = settings.track(entry.args)
  const viewsOf = settings.track(entry.views ?? {}, 'views')
  const cotangents = entry.outputs.map((_, i) => {
    const name = entry.cotangents[i]
    return name ? requiredTensor(tensors, name) : undefined
  })
  const run = compile((inputs: Tensor[], incoming: Tensor[]) => {
    const viewed = inputs.map((input, i) => applyViews(viewsOf[names[i] ?? ''], input))
    const byName = Object.fromEntries(names.map((name, i) => [name, viewed[i] as Tensor]))
    const read = given.reading(byName, (name) => entry.inputs[names.indexOf(name)] ?? '')
    const valuesOf = (name: string): readonly number[] =>
      toNumbers(arrays[names.indexOf(name)]?.data ?? new Float32Array(0))
    const outputs = [target({ inputs: read, settings: args, valuesOf })].flat() as Tensor[]
    refuseUnread([...given.unread(), ...settings.unread()])
    if (outputs.length !== entry.outputs.length) {
      throw new FormatError(
        `${entry.op}: the entry lists ${entry.outputs.length} outputs, the target gives ${outputs.length}`,
      )
    }
    const differentiated = outputs.filter((_, i) => cotangents[i])
    const wanted = entry.grads.map((name) => inputs[names.indexOf(argumentName(name))] as Tensor)
    const gradients = wanted.length > 0 ? vectorJacobianProduct(differentiated, incoming, wanted) : []
    return { outputs, gradients }
  })
  try {
    const incoming = cotangents.filter((cotangent) => cotangent !== undefined)
    const { outputs, gradients } = await run(arrays, incoming)
    const found = new Map<string, NDArray>()
    for (const [i, name] of entry.outputs.entries()) if (outputs[i]) found.set(name, outputs[i].array)
    for (const [i, name] of entry.grads.entries()) if (gradients[i]) found.set(name, gradients[i].array)
    return found
  } finally {
    await run.release()
  }
}

/** `list`: the views of an input as the case has them, checked when it was read. */
function applyViews(list: unknown, input: Tensor): Tensor {
  let result = input
  for (const { op, args } of (list ?? []) as NonNullable<OpEntry['views']>[string]) {
    const view = views[op]
    if (!view) throw new FormatError(`unknown view "${op}"`)
    result = view(result, args)
  }
  return result
}
