/** Reference cases of the model, and of which of its parameters learn. */
import { z } from 'zod'
import { skipInit } from '../../../nn/init.ts'
import * as ops from '../../../ops/index.ts'
import { elementCount, fromNumbers, type NDArray } from '../../../tensor/dtype.ts'
import { FormatError } from '../../../util/errors.ts'
import { type ComputedCase, inputNamed, type NamedTensors, runModelCase } from '../../../verify/model-case.ts'
import {
  type CaseTargetRule,
  choiceSetting,
  nestedSettings,
  numberSetting,
  type ReferenceCase,
  type Settings,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import type { LSTMState } from '../bodies/lstm.ts'
import type { BodyConfig } from '../config.ts'
import { isFrozen } from '../freezing.ts'
import { FrozenTransformer } from '../model.ts'
import { scoreOf, type TaskName, taskNames } from '../tasks.ts'
import { freezeConfig, gpt2Config, layerSizes, modelConfig, vitConfig } from './configuration.ts'

type Found = Promise<Map<string, NDArray>>

/** Checks the names that a case lists against ours, in their order. */
function checkNames(fields: Settings, field: string, found: readonly string[]): void {
  const listed = z.array(z.string()).safeParse(fields[field] ?? found)
  if (!listed.success) throw new FormatError(`"${field}" must be a list of names`)
  const wrong = listed.data.find((name, i) => name !== found[i]) ?? found[listed.data.length]
  if (wrong !== undefined)
    throw new FormatError(`"${field}" must have the ${found.length} names of the model, "${wrong}" differs`)
}

/** The model with the weights of the case, and with the parameters that learn checked. */
export function modelOf(reference: ReferenceCase, settings: Settings = reference.config): FrozenTransformer {
  const model = skipInit(() => new FrozenTransformer(modelConfig(settings, reference)))
  model.loadStateDict(tensorsBelow(reference, 'param/'))
  checkNames(reference.fields, 'trainable', [...model.namedParameters().keys()])
  return model
}

function taskOf(config: Settings): TaskName | undefined {
  if (config.task === undefined || config.task === null) return undefined
  const settings = nestedSettings(config, 'task', {})
  withoutEffect(settings, 'n', 'num_patterns', 'patch_size') // what the shapes say
  return choiceSetting(settings, 'task', taskNames)
}

async function runModel(reference: ReferenceCase): Found {
  const model = modelOf(reference)
  const task = taskOf(reference.config)
  const compute = (inputs: NamedTensors): ComputedCase => {
    const { hidden, out } = model.outputs(inputNamed(inputs, 'x'), stateOf(inputs))
    const outputs = { out, last_hidden_state: hidden }
    if (!task) return { outputs, weighted: [[out, inputs.cotangent]] }
    const { loss, accuracy } = scoreOf(task, out, inputNamed(inputs, 'y'))
    const scalars = { loss: ops.reshape(loss, [1]), accuracy: ops.reshape(accuracy, [1]) }
    return { outputs: { ...outputs, ...scalars }, loss }
  }
  return runModelCase(reference, model, compute)
}

/** The first states of an LSTM. */
function stateOf({ h0: h, c0: c }: NamedTensors): LSTMState | undefined {
  return h && c ? { h, c } : undefined
}

/** Every body of the table, small. */
function tableBodies(config: Settings): Readonly<Record<'gpt2' | 'vit' | 'lstm', BodyConfig>> {
  const width = numberSetting(config, 'embedding_size')
  const layers = numberSetting(config, 'n_layer')
  // The ViT of the cases; sizes of a case that says some itself come first.
  const vit = {
    img_size: 8,
    patch_size: 4,
    num_classes: 3,
    mlp_ratio: 2,
    num_heads: 1,
    ...nestedSettings(config, 'vit_config', {}),
  }
  return {
    gpt2: gpt2Config(nestedSettings(config, 'gpt2_config', {}), 'eval'),
    vit: vitConfig({ ...vit, embed_dim: width, depth: layers }),
    lstm: { kind: 'lstm', hidden_size: width, num_layers: layers },
  }
}

async function runFreezeTable({ config, fields }: ReferenceCase): Found {
  const switches = (config.combos as readonly Settings[]).map(freezeConfig)
  const expected = z.record(z.string(), z.unknown()).parse(fields.expected_strings ?? {})
  const sizes = layerSizes(config)
  const found = new Map<string, NDArray>()
  for (const [name, body] of Object.entries(tableBodies(config))) {
    const model = skipInit(() => new FrozenTransformer({ ...sizes, body, freeze_trans: false }))
    const parameters = [...model.namedParameters()]
    const names = parameters.map(([parameter]) => parameter)
    checkNames(expected, `parameters_${name}`, names)
    const counts = parameters.map(([, { shape }]) => elementCount(shape))
    const learns = switches.flatMap((freezing) => names.map((parameter) => (isFrozen(parameter, freezing) ? 0 : 1)))
    found.set(`output/n_params_${name}`, integers(counts, [names.length]))
    found.set(`output/trainable_${name}`, integers(learns, [switches.length, names.length]))
  }
  return found
}

const integers = (values: readonly number[], shape: readonly number[]): NDArray => ({
  dtype: 'int64',
  shape,
  data: fromNumbers('int64', values),
})

export const modelTargets: readonly CaseTargetRule[] = [
  { target: /^universal_computation\.fpt\.FPT$/, run: runModel },
  { target: /^universal_computation\.fpt\.FPT \(requires_grad/, run: runFreezeTable },
]
