/** What the reference cases share: their settings as ours, and running them. */
import { compile } from '../../../compile/compile.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { fromNumbers } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import type { NamedTensors } from '../../../verify/model-case.ts'
import {
  booleanSetting,
  choiceSetting,
  dropoutSetting,
  fixedSetting,
  inputArrays,
  inputsRead,
  nestedSettings,
  numberSetting,
  numbersSetting,
  optionalNumber,
  type ReferenceCase,
  type Settings,
  stringSetting,
  withoutEffect,
} from '../../../verify/target.ts'
import {
  type DiffusionConfig,
  type EncoderUNetConfig,
  lossTypes,
  meanTypes,
  noiseSchedules,
  pools,
  type UNetConfig,
  varTypes,
} from '../config.ts'
import { GaussianDiffusion } from '../gaussian-diffusion.ts'

export type Found = Promise<Map<string, NDArray>>

/** A list of settings. */
export function nestedList(settings: Settings, name: string): readonly Settings[] {
  const value = settings[name]
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'object' && item !== null))
    throw new FormatError(`setting "${name}" must be a list of objects, found ${JSON.stringify(value)}`)
  return value as readonly Settings[]
}

/** What both networks take; `num_groups` stands beside them where a case has several. */
function networkConfig(settings: Settings, mode: string, num_groups: number) {
  withoutEffect(settings, 'use_checkpoint') // time against memory: the numbers are the same
  fixedSetting(settings, 'use_fp16', false)
  const dims = numberSetting(settings, 'dims', 2)
  if (dims !== 1 && dims !== 2 && dims !== 3) throw new FormatError(`setting "dims" must be 1, 2 or 3, found ${dims}`)
  return {
    image_size: numberSetting(settings, 'image_size'),
    in_channels: numberSetting(settings, 'in_channels'),
    model_channels: numberSetting(settings, 'model_channels'),
    out_channels: numberSetting(settings, 'out_channels'),
    num_res_blocks: numberSetting(settings, 'num_res_blocks'),
    attention_resolutions: numbersSetting(settings, 'attention_resolutions'),
    dropout: dropoutSetting({ config: settings, mode }, 'dropout'),
    channel_mult: numbersSetting(settings, 'channel_mult', [1, 2, 4, 8]),
    conv_resample: booleanSetting(settings, 'conv_resample', true),
    dims,
    num_heads: numberSetting(settings, 'num_heads', 1),
    num_head_channels: numberSetting(settings, 'num_head_channels', -1),
    use_scale_shift_norm: booleanSetting(settings, 'use_scale_shift_norm', false),
    resblock_updown: booleanSetting(settings, 'resblock_updown', false),
    use_new_attention_order: booleanSetting(settings, 'use_new_attention_order', false),
    num_groups,
  } as const
}

export function unetConfig(settings: Settings, mode: string, num_groups: number): UNetConfig {
  const num_classes = optionalNumber(settings, 'num_classes')
  return {
    ...networkConfig(settings, mode, num_groups),
    num_heads_upsample: numberSetting(settings, 'num_heads_upsample', -1),
    ...(num_classes !== undefined && { num_classes }),
  }
}

export function encoderConfig(settings: Settings, mode: string, num_groups: number): EncoderUNetConfig {
  withoutEffect(settings, 'num_heads_upsample') // nothing rises again
  return {
    ...networkConfig(settings, mode, num_groups),
    pool: choiceSetting(settings, 'pool', pools, 'adaptive'),
  }
}

/** Groups of the norms: an argument that only the cases have. */
export const groupsOf = (settings: Settings): number => numberSetting(settings, 'num_groups', 32)

/** The times that are kept, as a text or a list. */
export function spacingSetting(settings: Settings, name: string): string | readonly number[] {
  return typeof settings[name] === 'string' ? stringSetting(settings, name) : numbersSetting(settings, name, [])
}

function respacing(settings: Settings): string | readonly number[] {
  const spec = spacingSetting(settings, 'timestep_respacing')
  const isWhole = spec.length === 0
  const kind = choiceSetting(settings, 'class', ['GaussianDiffusion', 'SpacedDiffusion'], 'SpacedDiffusion')
  if (kind === 'GaussianDiffusion' && !isWhole)
    throw new FormatError(`GaussianDiffusion has no timestep_respacing, found ${JSON.stringify(spec)}`)
  return isWhole ? '' : spec
}

/** The process of `config.diffusion`; the types stand in `types`. */
export function diffusionOf({ config }: ReferenceCase, types: Settings): GaussianDiffusion {
  const settings = nestedSettings(config, 'diffusion')
  const choices: DiffusionConfig = {
    noise_schedule: choiceSetting(settings, 'noise_schedule', noiseSchedules),
    diffusion_steps: numberSetting(settings, 'diffusion_steps'),
    timestep_respacing: respacing(settings),
    rescale_timesteps: booleanSetting(settings, 'rescale_timesteps', false),
    model_mean_type: choiceSetting(types, 'model_mean_type', meanTypes, 'EPSILON'),
    model_var_type: choiceSetting(types, 'model_var_type', varTypes, 'FIXED_LARGE'),
    loss_type: choiceSetting(types, 'loss_type', lossTypes, 'MSE'),
  }
  return new GaussianDiffusion(choices)
}

/** Numbers as a float32 tensor. */
export const floats = (values: ArrayLike<number>, shape: readonly number[] = [values.length]): NDArray => ({
  dtype: 'float32',
  shape,
  data: fromNumbers('float32', values),
})

export const integers = (values: ArrayLike<number>, shape: readonly number[] = [values.length]): NDArray => ({
  dtype: 'int64',
  shape,
  data: fromNumbers('int64', values),
})

/** Compiles `compute` over the inputs of the case and runs it: tensors by their full names. */
export async function evaluated(
  reference: ReferenceCase,
  compute: (inputs: NamedTensors) => Readonly<Record<string, Tensor>>,
): Found {
  const run = compile((given: Record<string, Tensor>) => compute(inputsRead(reference, given)))
  const found = await run(inputArrays(reference))
  await run.release()
  return new Map(Object.entries(found).map(([name, { array }]) => [name, array]))
}
