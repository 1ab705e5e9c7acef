/** The reference case of the released models: flags to configurations, names and sizes of all weights. */
import { init, type Module } from '../../../nn/index.ts'
import { elementCount } from '../../../tensor/dtype.ts'
import { FormatError } from '../../../util/errors.ts'
import {
  type CaseTargetRule,
  nestedSettings,
  numberSetting,
  type ReferenceCase,
  type Settings,
  stringSetting,
} from '../../../verify/target.ts'
import { EncoderUNetModel } from '../encoder.ts'
import { GaussianDiffusion } from '../gaussian-diffusion.ts'
import { SuperResModel, UNetModel } from '../model.ts'
import {
  classifierConfig,
  classifierDefaults,
  diffusionConfig,
  modelConfig,
  modelDefaults,
  parseFlags,
  superResConfig,
  superResDefaults,
} from '../released.ts'
import { type Found, integers, nestedList } from './case.ts'

/** What the flags of a script make. */
interface Made {
  readonly constructorName: string
  readonly config: object
  readonly model: Module
  readonly process?: ReturnType<typeof diffusionConfig>
}

const makers: Readonly<Record<string, (flags: string) => Made>> = {
  create_model_and_diffusion: (text) => {
    const flags = parseFlags(text, modelDefaults)
    const config = modelConfig(flags)
    const model = init.skipInit(() => new UNetModel(config))
    const extra = { use_checkpoint: flags.use_checkpoint, use_fp16: flags.use_fp16 }
    return {
      constructorName: 'UNetModel',
      config: { ...config, ...extra },
      model,
      process: diffusionConfig(flags),
    }
  },
  sr_create_model_and_diffusion: (text) => {
    const flags = parseFlags(text, superResDefaults)
    const config = superResConfig(flags)
    const model = init.skipInit(() => new SuperResModel(config))
    const extra = { use_checkpoint: flags.use_checkpoint, use_fp16: flags.use_fp16 }
    return {
      constructorName: 'SuperResModel',
      config: { ...config, ...extra },
      model,
      process: diffusionConfig(flags),
    }
  },
  create_classifier: (text) => {
    const flags = parseFlags(text, classifierDefaults)
    const config = classifierConfig(flags)
    const model = init.skipInit(() => new EncoderUNetModel(config))
    return {
      constructorName: 'EncoderUNetModel',
      config: { ...config, use_fp16: flags.classifier_use_fp16 },
      model,
    }
  },
}

function requireEqual(what: string, found: unknown, expected: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(expected))
    throw new FormatError(`${what} must be ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`)
}

/** Every field of what the official code was called with, against ours; null is absent. */
function checkFields(what: string, ours: object, official: Settings): void {
  for (const name of Object.keys(official)) {
    const own = (ours as Settings)[name]
    requireEqual(`${what}: ${name}`, own === undefined ? null : own, official[name])
  }
}

/** sha256 of the lines "key d0,d1,...". */
async function keysHash(entries: readonly (readonly [string, readonly number[]])[]): Promise<string> {
  const text = entries.map(([name, shape]) => `${name} ${shape.join(',')}`).join('\n')
  const digest = await globalThis.crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function checkModel(settings: Settings): Promise<[string, ReturnType<typeof integers>][]> {
  const key = stringSetting(settings, 'key')
  const maker = makers[stringSetting(settings, 'kind')]
  if (!maker) throw new FormatError(`${key}: unknown kind ${JSON.stringify(settings.kind)}`)
  const { constructorName, config, model, process } = maker(stringSetting(settings, 'flags'))
  requireEqual(`${key}: constructor`, constructorName, settings.constructor)
  checkFields(key, config, nestedSettings(settings, 'constructor_args'))
  if (process) {
    const diffusion = new GaussianDiffusion(process)
    const found = {
      num_timesteps: diffusion.steps,
      original_num_steps: process.diffusion_steps,
      model_mean_type: diffusion.meanType,
      model_var_type: diffusion.varType,
      loss_type: diffusion.lossType,
      rescale_timesteps: process.rescale_timesteps,
    }
    checkFields(key, found, nestedSettings(settings, 'diffusion'))
  }
  const entries = [...model.variables()].map(([name, { shape }]) => [name, shape] as const)
  requireEqual(`${key}: num_tensors`, entries.length, numberSetting(settings, 'num_tensors'))
  requireEqual(`${key}: keys_sha256`, await keysHash(entries), stringSetting(settings, 'keys_sha256'))
  if (settings.state_dict !== undefined) requireEqual(`${key}: state_dict`, entries, settings.state_dict)
  const counts = entries.map(([, shape]) => elementCount(shape))
  return [
    [`output/${key}/num_params`, integers([counts.reduce((sum, count) => sum + count, 0)])],
    [`output/${key}/shape_numels`, integers(counts)],
  ]
}

async function runReleased({ config, fields }: ReferenceCase): Found {
  const defaults = nestedSettings(config, 'defaults')
  checkFields('model_and_diffusion', modelDefaults, nestedSettings(defaults, 'model_and_diffusion'))
  checkFields('sr_model_and_diffusion', superResDefaults, nestedSettings(defaults, 'sr_model_and_diffusion'))
  checkFields('classifier', classifierDefaults, nestedSettings(defaults, 'classifier'))
  const found = await Promise.all(nestedList(fields, 'models').map(checkModel))
  return new Map(found.flat())
}

export const releasedTargets: readonly CaseTargetRule[] = [{ target: /create_model|released/i, run: runReleased }]
