/** Settings of the cases as ours. */
import { activationNames } from '../../../nn/activation-names.ts'
import { FormatError } from '../../../util/errors.ts'
import {
  booleanSetting,
  choiceSetting,
  dropoutSetting,
  fixedSetting,
  nestedSettings,
  numberSetting,
  numbersSetting,
  optionalNumber,
  type ReferenceCase,
  type Settings,
  withoutEffect,
} from '../../../verify/target.ts'
import {
  type BodyConfig,
  bodies,
  type FreezeConfig,
  type FrozenTransformerConfig,
  type GPT2BodyConfig,
  type ViTBodyConfig,
} from '../config.ts'

type ModelName = keyof typeof bodies
const modelNames = (Object.keys(bodies) as ModelName[]).filter((name) => bodies[name].kind !== 'bert')

/** Which parts of the model are frozen. */
export function freezeConfig(settings: Settings): Required<FreezeConfig> {
  return {
    freeze_trans: booleanSetting(settings, 'freeze_trans', true),
    freeze_in: booleanSetting(settings, 'freeze_in', false),
    freeze_pos: booleanSetting(settings, 'freeze_pos', false),
    freeze_ln: booleanSetting(settings, 'freeze_ln', false),
    freeze_attn: booleanSetting(settings, 'freeze_attn', true),
    freeze_ff: booleanSetting(settings, 'freeze_ff', true),
    freeze_out: booleanSetting(settings, 'freeze_out', false),
  }
}

/** transformers' GPT2Config. */
export function gpt2Config(settings: Settings, mode: string): GPT2BodyConfig {
  const rate = (name: string): number => dropoutSetting({ config: settings, mode }, name)
  withoutEffect(settings, 'reorder_and_upcast_attn') // another order of the same computation, for half precision
  return {
    kind: 'gpt2',
    vocab_size: numberSetting(settings, 'vocab_size', 50_257),
    n_positions: numberSetting(settings, 'n_positions', 1024),
    n_embd: numberSetting(settings, 'n_embd', 768),
    n_layer: numberSetting(settings, 'n_layer', 12),
    n_head: numberSetting(settings, 'n_head', 12),
    n_inner: optionalNumber(settings, 'n_inner') ?? null,
    activation_function: choiceSetting(settings, 'activation_function', activationNames, 'gelu_new'),
    resid_pdrop: rate('resid_pdrop'),
    embd_pdrop: rate('embd_pdrop'),
    attn_pdrop: rate('attn_pdrop'),
    layer_norm_epsilon: numberSetting(settings, 'layer_norm_epsilon', 1e-5),
    initializer_range: numberSetting(settings, 'initializer_range', 0.02),
    scale_attn_weights: booleanSetting(settings, 'scale_attn_weights', true),
    scale_attn_by_inverse_layer_idx: booleanSetting(settings, 'scale_attn_by_inverse_layer_idx', false),
  }
}

/** The size of a square, given as one number or two equal ones. */
function squareSetting(settings: Settings, name: string, fallback: number): number {
  const [size = fallback, other = size] = numbersSetting(settings, name, [fallback])
  if (size !== other)
    throw new FormatError(`setting "${name}" must be one number or two equal ones, found ${size} and ${other}`)
  return size
}

/** timm's VisionTransformer. */
export function vitConfig(settings: Settings): ViTBodyConfig {
  return {
    kind: 'vit',
    img_size: squareSetting(settings, 'img_size', 224),
    patch_size: squareSetting(settings, 'patch_size', 16),
    in_chans: numberSetting(settings, 'in_chans', 3),
    num_classes: numberSetting(settings, 'num_classes', 1000),
    embed_dim: numberSetting(settings, 'embed_dim', 768),
    depth: numberSetting(settings, 'depth', 12),
    num_heads: numberSetting(settings, 'num_heads', 12),
    mlp_ratio: numberSetting(settings, 'mlp_ratio', 4),
    qkv_bias: booleanSetting(settings, 'qkv_bias', true),
  }
}

/** The body of a case, of the width that it says besides. */
function bodyConfig(name: ModelName, config: Settings, mode: string): BodyConfig {
  const { kind } = bodies[name]
  const width = numberSetting(config, 'embedding_size', 768)
  if (kind === 'lstm') return { kind, hidden_size: width, num_layers: numberSetting(config, 'lstm_num_layers', 3) }
  const given = nestedSettings(config, `${kind}_config`, {})
  fixedSetting(given, kind === 'vit' ? 'embed_dim' : 'n_embd', width)
  return kind === 'vit' ? vitConfig(given) : gpt2Config(given, mode)
}

const optionalNumbers = (settings: Settings, name: string): readonly number[] => numbersSetting(settings, name, [])

/** The sizes of input and output layer. */
export function layerSizes(settings: Settings) {
  return {
    input_dim: numberSetting(settings, 'input_dim'),
    output_dim: numberSetting(settings, 'output_dim'),
    in_layer_sizes: optionalNumbers(settings, 'in_layer_sizes'),
    out_layer_sizes: optionalNumbers(settings, 'out_layer_sizes'),
  }
}

/** The constructor's arguments; the sizes of the body are among the settings of the whole case. */
export function modelConfig(
  settings: Settings,
  { config, mode }: Pick<ReferenceCase, 'config' | 'mode'>,
): FrozenTransformerConfig {
  withoutEffect(settings, 'pretrained') // the weights are given in either case
  return {
    ...freezeConfig(settings),
    ...layerSizes(settings),
    body: bodyConfig(choiceSetting(settings, 'model_name', modelNames, 'gpt2'), config, mode),
    return_last_only: booleanSetting(settings, 'return_last_only', true),
    use_embeddings_for_in: booleanSetting(settings, 'use_embeddings_for_in', false),
    dropout: settings.dropout === undefined ? 0.1 : dropoutSetting({ config: settings, mode }, 'dropout'),
    orth_gain: settings.orth_gain === undefined ? 1.41 : (optionalNumber(settings, 'orth_gain') ?? null),
  }
}
